"""Who belongs to the network: one subscriber for each card profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError
from sipua.sip.uri import SipUri, check_absolute, scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from card.profile import Authentication, Profile
    from sipua.sip.message import Request

_SEPARATORS = str.maketrans("", "", "-.()")


class Subscriber(NamedTuple):
    """The identities of one subscriber, and the secrets for the AuC.

    ``impus`` are SIP or tel URIs, the first one the default; ``authentication``
    hides its keys from repr.
    """

    imsi: str
    impi: str
    impus: tuple[str, ...]
    domain: str
    authentication: Authentication

    @property
    def identities(self) -> tuple[str, ...]:
        """Everything by which a fault may name this subscriber."""
        return (self.imsi, self.impi, *self.impus)


def from_profile(profile: Profile) -> Subscriber:
    """The subscriber whose card this profile is.

    Without an ISIM the identities are those which a user agent derives from the
    IMSI (TS 23.003 §13). An international number in EF_MSISDN is one of them.
    """
    isim = profile.isim
    if isim is not None:
        impi, impus, domain = isim.impi, isim.impu, isim.domain
    else:
        from sipua.ims.identity import identity_from_imsi

        impi, impu, domain = identity_from_imsi(profile.imsi, profile.mnc_length)
        impus = (impu,)
    number = f"tel:{profile.usim.msisdn}"
    if number.startswith("tel:+") and number not in map(address_of_record, impus):
        impus = (*impus, number)
    return Subscriber(profile.imsi, impi, impus, domain, profile.authentication)


class Directory:
    """All subscribers of one network, found by IMPI or by public identity."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        """Raises LocalError when two profiles share an identity, or there is none."""
        self._by_impi: dict[str, Subscriber] = {}
        self._by_aor: dict[str, Subscriber] = {}
        self.domains: set[str] = set()
        for profile in profiles:
            self._add(from_profile(profile))
        if not self._by_impi:
            raise LocalError("a network needs at least one subscriber: give it a card profile")

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(self._by_impi.values())

    def _add(self, subscriber: Subscriber) -> None:
        if subscriber.impi in self._by_impi:
            raise LocalError(f"two profiles have the IMPI {subscriber.impi}")
        self._by_impi[subscriber.impi] = subscriber
        for impu in subscriber.impus:
            aor = address_of_record(impu)
            if aor in self._by_aor:
                raise LocalError(f"two profiles have the IMPU {impu}")
            self._by_aor[aor] = subscriber
        self.domains.add(subscriber.domain.lower())

    def named(self, identity: str) -> Subscriber:
        """The subscriber with this IMSI, IMPI or public identity; raises LocalError."""
        for subscriber in self:
            if identity in subscriber.identities:
                return subscriber
        known = ", ".join(each.imsi for each in self)
        raise LocalError(f"no subscriber is called {identity}; there are: {known}")

    def by_impi(self, impi: str) -> Subscriber | None:
        """The subscriber with this private identity."""
        return self._by_impi.get(impi)

    def by_impu(self, uri: str) -> Subscriber | None:
        """The subscriber with this public identity, or with the number that it tells.

        Raises ParseError for what is no URI.
        """
        known = self._by_aor.get(address_of_record(uri))
        if known is not None:
            return known
        number = self._number_in(uri)
        names = (f"tel:{number}", *(f"sip:{number}@{domain}" for domain in self.domains))
        return next((self._by_aor[name] for name in names if name in self._by_aor), None)

    def _number_in(self, uri: str) -> str:
        """The number of a tel URI, or of a SIP URI with ``user=phone`` (RFC 3261 §19.1.6).

        "" for a SIP URI of another network or without a number.
        """
        if scheme_of(uri) == "tel":
            return address_of_record(uri)[4:]
        if scheme_of(uri) not in ("sip", "sips"):
            return ""
        parsed = SipUri.parse(uri)
        is_number = parsed.parameter("user") == "phone" and parsed.host.lower() in self.domains
        return address_of_record(f"tel:{parsed.user_text}")[4:] if is_number else ""

    def user_of(self, request: Request) -> Subscriber | None:
        """The subscriber whom a request must prove to come from, by To or From.

        To for a REGISTER (RFC 3261 §10.3 step 3), From for all others. Raises
        ParseError for what is no URI.
        """
        user = request.to if request.method == "REGISTER" else request.from_
        return self.by_impu(user.uri)


def address_of_record(uri: str) -> str:
    """The form in which public identities are compared (RFC 3261 §10.3 step 5).

    A SIP URI loses its parameters and escapes, a tel URI its parameters and
    visual separators (RFC 3966 §5). Raises ParseError for what is no URI.
    """
    if scheme_of(uri) not in ("sip", "sips"):
        check_absolute(uri)
        bare = uri.partition(";")[0].lower()
        return bare.translate(_SEPARATORS) if bare.startswith("tel:") else bare
    parsed = SipUri.parse(uri)
    port = f":{parsed.port}" if parsed.port is not None else ""
    return f"{parsed.scheme}:{parsed.user_text}@{parsed.host.lower()}{port}"
