"""A subscriber's card as a TOML file: what the emulated card and the AuC both know.

One file is one card. The spelling of the keys is that of srsRAN and of the
specifications; ``card/emulator/default.toml`` is the example that ships.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from card.errors import ProfileError
from card.profile_authentication import Authentication, read_authentication
from card.profile_table import EXAMPLE, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from card.profile_table import Fault

__all__ = ["Authentication", "Isim", "Pin", "Profile", "Usim", "load", "parse", "shipped"]


DEFAULT_SERVICES = (19, 21, 27, 33, 38)
"""EF_UST: SPN, MSISDN, GSM access, (33 is always set), GSM security context."""

_MOST_RECORDS = 254  # TS 102 221 §8.2.2.2


class Usim(NamedTuple):
    """What ADF.USIM says besides the IMSI: EF_UST (service numbers), EF_SPN, and the
    telephone numbers in EF_MSISDN and EF_SMSP, empty where there is none; and the URI
    in EF_PSISMSC, which is not there without one."""

    services: tuple[int, ...] = DEFAULT_SERVICES
    spn: str = "sipua"
    msisdn: str = ""
    smsc: str = ""
    psismsc: str = ""


class Isim(NamedTuple):
    """The identities in ADF.ISIM (TS 31.103 §4.2); ``impu[0]`` is the default one.

    ``services`` are those of EF_IST beside 1, which ``pcscf`` brings with it.
    """

    impi: str
    impu: tuple[str, ...]
    domain: str
    pcscf: tuple[str, ...] = ()
    services: tuple[int, ...] = ()


class Pin(NamedTuple):
    """The PINs as the card leaves its factory; the live values are in the state file.

    ``enabled`` is about PIN1. Without ``universal_pin`` the card has none.
    """

    pin1: str = "1234"
    enabled: bool = False
    puk1: str = "12345678"
    pin2: str = "4321"
    puk2: str = "87654321"
    universal_pin: str = ""
    universal_puk: str = ""

    def __repr__(self) -> str:
        return f"Pin(enabled={self.enabled}, values=<secret>)"


class Profile(NamedTuple):
    """One card. ``isim`` is None on a USIM-only card, ``path`` empty for the shipped one.

    ``quirks`` names what it does otherwise than it should (``card.emulator.quirks``).
    """

    iccid: str
    imsi: str
    mnc_length: int
    authentication: Authentication
    usim: Usim = Usim()
    isim: Isim | None = None
    pin: Pin = Pin()
    path: str = ""
    quirks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Profile(iccid={self.iccid!r}, imsi={self.imsi!r}, path={self.path!r})"


def load(path: str) -> Profile:
    """Read the profile at ``path``.

    Raises ProfileError, whose message names for each fault the file, the line,
    the key and what is expected there, and never shows a key or a PIN.
    """
    return _read(path, path)


def shipped() -> Profile:
    """The profile that ships with the program: USIM and ISIM, published test keys."""
    return _read(EXAMPLE, "")


def _read(file: str, path: str) -> Profile:
    try:
        with open(file, encoding="utf-8", newline="") as stream:
            text = stream.read()
        document = tomllib.loads(text)
    except OSError as error:
        raise ProfileError(f"the card profile {file} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # also numbers and nests without end
        # The parser's own words may quote the line, and the line may hold K.
        raise ProfileError(f"the card profile {file} is not TOML{_position(error)}") from None
    return parse(document, path, file, text)


def _position(error: Exception) -> str:
    _, found, place = str(error).rpartition("(at ")
    return f" (at {place}" if found else ""


def parse(document: dict[str, Any], path: str = "", file: str = "", text: str = "") -> Profile:
    """Check the tables of a profile.

    ``file`` is the name used in messages, ``text`` the file itself, where the
    lines of faults are looked up. Raises ProfileError with every fault there is.
    """
    faults: list[Fault] = []
    top = Table(document, faults)
    profile = Profile(
        iccid=top.text("iccid", _digits(18, 20)),
        imsi=top.text("imsi", _digits(6, 15)),
        mnc_length=top.number("mnc_length", 2, 3),
        authentication=read_authentication(top.table("authentication")),
        usim=_usim(top.table("usim", {})),
        isim=_isim(top.table("isim")) if "isim" in document else None,
        pin=_pin(top.table("pin", {})),
        path=path,
        quirks=top.texts("quirks", str, default=()),
    )
    if profile.quirks:
        from card.emulator.quirks import contradiction

        if wrong := contradiction(profile.quirks):
            top.wrong("quirks", wrong)
    top.end()
    if faults:
        from card.profile_lines import report  # slow, and seldom needed

        raise ProfileError(report(faults, file or path or "(profile)", text))
    return profile


def _usim(table: Table) -> Usim:
    usim = Usim(
        services=table.read("services", _services, DEFAULT_SERVICES, ()),
        spn=table.text("spn", _octets_at_most(16), "sipua"),
        msisdn=table.text("msisdn", _telephone_number, ""),
        smsc=table.text("smsc", _telephone_number, ""),
        psismsc=table.text("psismsc", _sip_or_tel, ""),
    )
    table.end()
    return usim


def _services(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(
        type(number) is int and 1 <= number <= 255 for number in value
    ):
        raise ValueError("it must be a list of service numbers from 1 to 255")
    return tuple(value)


def _isim(table: Table) -> Isim:
    short = _octets_at_most(240)
    isim = Isim(
        impi=table.text("impi", short),
        impu=table.texts("impu", _sip_or_tel, least=1),
        domain=table.text("domain", short),
        pcscf=table.texts("pcscf", short, default=()),
        services=table.read("services", _services, (), ()),
    )
    for key, values in (("impu", isim.impu), ("pcscf", isim.pcscf)):
        if len(values) > _MOST_RECORDS:
            table.wrong(
                key, f"it must hold at most {_MOST_RECORDS}, which is what an EF has room for"
            )
    table.end()
    return isim


def _pin(table: Table) -> Pin:
    pin = Pin(
        pin1=table.text("pin1", _digits(4, 8), "1234"),
        enabled=table.flag("enabled", False),
        puk1=table.text("puk1", _digits(8, 8), "12345678"),
        pin2=table.text("pin2", _digits(4, 8), "4321"),
        puk2=table.text("puk2", _digits(8, 8), "87654321"),
        universal_pin=table.text("universal_pin", _digits(4, 8), ""),
        universal_puk=table.text("universal_puk", _digits(8, 8), ""),
    )
    if bool(pin.universal_pin) != bool(pin.universal_puk):
        table.wrong("universal_pin", '"universal_pin" and "universal_puk" belong together')
    table.end()
    return pin


def _digits(least: int, most: int) -> Callable[[str], str]:
    """A check for text of ``least`` to ``most`` decimal digits."""
    wanted = f"{least}" if least == most else f"{least} to {most}"

    def check(value: str) -> str:
        if not (value.isascii() and value.isdigit() and least <= len(value) <= most):
            raise ValueError(f"it must be {wanted} decimal digits in quotes")
        return value

    return check


def _octets_at_most(most: int) -> Callable[[str], str]:
    """A check for text that fits an EF of ``most`` octets in UTF-8."""

    def check(value: str) -> str:
        if not 0 < len(value.encode()) <= most or not value.isprintable():
            raise ValueError(f"it must be printable text of 1 to {most} octets")
        return value

    return check


def _telephone_number(value: str) -> str:
    _digits(1, 20)(value.removeprefix("+"))
    return value


def _sip_or_tel(value: str) -> str:
    if not value.lower().startswith(("sip:", "sips:", "tel:")):
        raise ValueError('each entry must be a URI beginning "sip:", "sips:" or "tel:"')
    return _octets_at_most(240)(value)
