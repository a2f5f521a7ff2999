"""Public GRUUs: URIs that lead to one device of a subscriber (RFC 5627).

Each is made from the public identity and the instance, so that nothing need be
remembered. There are no temporary ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import PeerError
from sipua.sip.grammar import ALPHANUM
from sipua.sip.uri import SipUri, scheme_of, unescape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sipua.core.bindings import Binding

OPTION_TAG = "gruu"
INSTANCE = "+sip.instance"
IMEI = "urn:gsma:imei:"

OPERATOR = "e6f2b9a0-5d3c-4c51-9d0e-7a4b8f1c2d60"
"""The name space, any UUID, in which IMEIs are hidden (TS 24.229 §5.4.7A.2)."""

_UNESCAPED = ALPHANUM + "-_.!~*'()[]/:&+$"  # RFC 3261 §25.1: paramchar


def public_gruu(impu: str, instance: str) -> str:
    """The public GRUU of an instance as one public identity, "" for one that is no SIP URI.

    An IMEI is not shown to others: a name-based UUID stands for it.
    """
    if scheme_of(impu) not in ("sip", "sips"):
        return ""
    uri = SipUri.parse(impu)
    uri.parameters, uri.headers = [("gr", _gr(instance))], ""
    return str(uri)


def is_gruu(uri: str) -> bool:
    """Whether a URI of our network is meant for one device."""
    return ";gr" in uri.lower() and SipUri.parse(uri).parameter("gr") is not None


def instance_of(binding: Binding) -> str:
    """The instance that a contact told, without angle brackets; "" for none."""
    return (binding.params.get(INSTANCE) or "").strip("<>")


def bound_to(gruu: str, bindings: Sequence[Binding]) -> list[Binding]:
    """The contact to which a GRUU leads, the one refreshed last (§6.1); or none.

    Raises PeerError (404) for a temporary one, as none was ever given.
    """
    wanted = (SipUri.parse(gruu).parameter("gr") or "").lower()
    if not wanted:
        raise PeerError(f"{gruu} was not given by this network", 404)
    found = [
        each
        for each in bindings
        if each.has_gruu and unescape(_gr(instance_of(each))).lower() == wanted
    ]
    return found[-1:]


def _gr(instance: str) -> str:
    if instance.lower().startswith(IMEI):
        import uuid

        digits = instance[len(IMEI) :].partition(";")[0].replace("-", "")
        return f"urn:uuid:{uuid.uuid5(uuid.UUID(OPERATOR), digits)}"
    octets = instance.encode("utf-8", "surrogateescape")
    return "".join(chr(each) if chr(each) in _UNESCAPED else f"%{each:02X}" for each in octets)
