"""Security-Client, Security-Server and Security-Verify (RFC 3329, TS 33.203 Annex H)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import ParseError
from sipua.ipsec.association import MAX_SPI, Side
from sipua.ipsec.errors import SecurityAgreementError
from sipua.ipsec.suite import NULL, SUITES
from sipua.sip.grammar import is_token, parse_number, split
from sipua.sip.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.ipsec.suite import Suite

CLIENT = "Security-Client"
SERVER = "Security-Server"
VERIFY = "Security-Verify"
OPTION_TAG = "sec-agree"
IPSEC_3GPP = "ipsec-3gpp"

MAX_MECHANISMS = 64
FULL_PREFERENCE = 1000
"""q in thousandths; what stands for a q that is not written."""
_UNPROTECTED_PORTS = (5060, 5061)


class Mechanism(NamedTuple):
    """One value: its name in lower case, its parameters, and its text as received.

    ``preference`` is q in thousandths.
    """

    name: str
    params: Parameters
    text: str
    preference: int

    def parameter(self, name: str, default: str = "") -> str:
        """Value of a parameter in lower case and without quotes."""
        value = self.params.get(name)
        return default if value is None else value.lower()

    @property
    def suite(self) -> Suite:
        """What it proposes; raises SecurityAgreementError when we cannot do that.

        ``ealg`` is null and ``prot`` and ``mod`` are ESP in transport mode
        unless they are written.
        """
        if self.name != IPSEC_3GPP:
            told = f"{self.name[:20]} is not {IPSEC_3GPP}" if self.name else "one cannot be read"
            raise SecurityAgreementError(told)
        if self.parameter("prot", "esp") != "esp":
            raise SecurityAgreementError(f"prot={self.parameter('prot')[:20]} is not ESP")
        if self.parameter("mod", "trans") != "trans":
            raise SecurityAgreementError(f"mod={self.parameter('mod')[:20]} is not transport mode")
        alg, ealg = self.parameter("alg"), self.parameter("ealg", NULL)
        if (alg, ealg) not in SUITES:
            raise SecurityAgreementError(f"alg={alg[:20]} with ealg={ealg[:20]} is not known")
        return SUITES[alg, ealg]

    def side(self, address: str) -> Side:
        """Ports and SPIs of who wrote it, at ``address``; raises SecurityAgreementError.

        SPIs below 256 are reserved (RFC 4303 §2.1), but there are P-CSCFs which use them.
        """
        spi_c, spi_s = (self._number(name, 1, MAX_SPI) for name in ("spi-c", "spi-s"))
        port_c, port_s = (self._number(name, 1, 65535) for name in ("port-c", "port-s"))
        if spi_c == spi_s:
            raise SecurityAgreementError("spi-c and spi-s must differ (TS 33.203 §7.1)")
        if port_c == port_s:
            raise SecurityAgreementError("port-c and port-s must differ (TS 33.203 §7.1)")
        for port in (port_c, port_s):
            if port in _UNPROTECTED_PORTS:
                raise SecurityAgreementError(f"port {port} is for what is not protected")
        return Side(address, port_c, port_s, spi_c, spi_s)

    def _number(self, name: str, least: int, most: int) -> int:
        value = self.params.get(name)
        if value is None:
            raise SecurityAgreementError(f"{name} is missing")
        try:
            number = parse_number(value, most, name)
        except ParseError as error:
            raise SecurityAgreementError(str(error)) from None
        if number < least:
            raise SecurityAgreementError(f"{name} is {number}, less than {least}")
        return number


def parse(lines: Iterable[str]) -> list[Mechanism]:
    """The mechanisms of all header lines of one name, in their order.

    One that cannot be read has no name, so that the others count. Raises
    SecurityAgreementError when there are far too many, ParseError for quotes
    that do not close.
    """
    found: list[Mechanism] = []
    for line in lines:
        for text in split(line, ",", brackets=False):
            if not text:
                continue
            if len(found) == MAX_MECHANISMS:
                raise SecurityAgreementError(f"more than {MAX_MECHANISMS} security mechanisms")
            name, semicolon, params = text.partition(";")
            name = name.strip(" \t")
            try:
                if not is_token(name):
                    raise ParseError("not a mechanism name")
                read = Parameters.parse(params) if semicolon else Parameters()
                found.append(Mechanism(name.lower(), read, text, _preference(read.get("q"))))
            except ParseError:
                found.append(Mechanism("", Parameters(), text, 0))
    return found


def _preference(text: str | None) -> int:
    """RFC 3261 §25.1 ``qvalue``, in thousandths; raises ParseError."""
    if text is None:
        return FULL_PREFERENCE
    whole, _, fraction = text.partition(".")
    if len(fraction) > 3 or (fraction and not fraction.isdecimal()) or whole not in ("0", "1"):
        raise ParseError(f"q is not from 0 to 1: {text[:20]!r}")
    value = int(whole) * FULL_PREFERENCE + int(fraction.ljust(3, "0") if fraction else "0")
    if value > FULL_PREFERENCE:
        raise ParseError(f"q is not from 0 to 1: {text[:20]!r}")
    return value


def write(suites: Iterable[Suite], side: Side, *, preferences: bool = False) -> str:
    """One header value which proposes these, the first being preferred.

    All on one line, with every parameter: there are servers which read no more
    than the first line, and fail on one that leaves out what it may. With
    ``preferences`` each has a q, as a Security-Server's list has.
    """
    proposals = []
    for position, suite in enumerate(suites):
        q = f"q={1 - position / 10:.1f};" if preferences else ""
        proposals.append(
            f"{IPSEC_3GPP};{q}alg={suite.alg};ealg={suite.ealg};prot=esp;mod=trans;"
            f"spi-c={side.spi_c};spi-s={side.spi_s};port-c={side.port_c};port-s={side.port_s}"
        )
    return ", ".join(proposals)


class Chosen(NamedTuple):
    """What both can do, and the ports and SPIs of the other side."""

    suite: Suite
    theirs: Side


def choose(listed: Iterable[Mechanism], suites: Iterable[Suite], address: str) -> Chosen:
    """The first of highest q on the peer's list that is among ``suites`` (TS 33.203 §7.2).

    ``address`` is the peer's. Raises SecurityAgreementError, which tells why
    each was passed over.
    """
    usable = tuple(suites)
    refused = []
    for mechanism in sorted(listed, key=lambda each: -each.preference):
        try:
            suite = mechanism.suite
            if suite in usable:
                return Chosen(suite, mechanism.side(address))
            refused.append(f"{suite.name} was not offered")
        except SecurityAgreementError as error:
            refused.append(str(error))
    raise SecurityAgreementError(
        f"no common security mechanism: {'; '.join(refused[:8]) or 'none is listed'}"
    )


def same_list(ours: Iterable[str], echoed: Iterable[str]) -> bool:
    """Whether a Security-Verify repeats a Security-Server, or a Security-Client its first one.

    The same mechanisms in the same order, the parameters of each with the same
    values (RFC 3329 §2.3.1); how they are spread over lines does not matter.
    Raises what ``parse`` raises.
    """
    first, second = parse(ours), parse(echoed)
    return [_comparable(each) for each in first] == [_comparable(each) for each in second]


def _comparable(mechanism: Mechanism) -> tuple[str, object]:
    if not mechanism.name:
        return "", mechanism.text
    return mechanism.name, {
        name.lower(): mechanism.parameter(name) for name, _ in mechanism.params.items
    }
