"""Who sends a message, as the network vouches for it (RFC 3325), and who is not to be told.

What a user agent writes of P-Asserted-Identity is not believed; what it writes
of P-Preferred-Identity counts if the identity is one of his own.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.core.subscriber import address_of_record
from sipua.errors import ParseError
from sipua.sip.headers import NameAddr

if TYPE_CHECKING:
    from sipua.core.subscriber import Subscriber
    from sipua.sip.message import Message

ASSERTED = "P-Asserted-Identity"
PREFERRED = "P-Preferred-Identity"

SERVED = frozenset({"id", "none", "critical"})
"""Kinds of privacy that the proxy can give (RFC 3323 §4.2, RFC 3325 §9.3)."""


def assert_identity(message: Message, sender: Subscriber) -> None:
    """Write the sender's P-Asserted-Identity, or none if he wants it so (RFC 3325 §7)."""
    headers = message.headers
    identity = preferred_of(message, sender) or sender.impus[0]
    headers.remove(PREFERRED)
    headers.remove(ASSERTED)
    if "id" not in privacy_of(message):
        headers.add(ASSERTED, f"<{identity}>")


def preferred_of(message: Message, sender: Subscriber) -> str:
    """The first preferred identity that is the sender's, as his profile spells it; or ""."""
    for uri in preferred_uris(message):
        wanted = address_of_record(uri)
        for impu in sender.impus:
            if address_of_record(impu) == wanted:
                return impu
    return ""


def preferred_uris(message: Message) -> list[str]:
    """The URIs in P-Preferred-Identity, without what cannot be read."""
    found: list[str] = []
    with suppress(ParseError):
        for value in message.headers.values(PREFERRED):
            with suppress(ParseError):
                found.append(NameAddr.parse(value).uri)
    return found


def is_anonymous(address: NameAddr) -> bool:
    """Whether an address tells nothing: its domain is below "invalid" (RFC 3323 §4.1.1.3)."""
    if address.scheme not in ("sip", "sips"):
        return False
    return address.sip_uri().host.lower().rpartition(".")[2] == "invalid"


def remove_identity(message: Message) -> None:
    """Take out what a user agent says where nothing is asserted: in ACK and CANCEL (§9)."""
    message.headers.remove(PREFERRED)
    message.headers.remove(ASSERTED)


def privacy_of(message: Message) -> frozenset[str]:
    """The kinds of privacy asked for (RFC 3323 §4.2), in lower case."""
    return frozenset(
        each.strip(" \t").lower()
        for value in message.headers.all("Privacy")
        for each in value.replace(",", ";").split(";")
        if each
    )
