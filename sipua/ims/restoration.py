"""The 504 by which a network asks for a new initial registration (TS 24.229 §5.1.2A.1.6).

An S-CSCF that has lost its data, or a P-CSCF that has lost its S-CSCF, answers so
to any request but REGISTER. The 504 of anybody else, and one whose body cannot be
read, is a 504 like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import ParseError, PeerError
from sipua.sip.headers import NameAddr

if TYPE_CHECKING:
    from sipua.ims.register_response import Binding
    from sipua.ims.xml_document import Element
    from sipua.sip.message import Response

SERVER_TIMEOUT = 504
CONTENT_TYPE = "application/3gpp-ims+xml"
ROOT, SERVICE = "ims-3gpp", "alternative-service"
RESTORATION, INITIAL_REGISTRATION = "restoration", "initial-registration"
"""Names and values of TS 24.229 §7.6."""

MAX_REASON = 200
"""Characters of the network's reason that are passed on to people."""


class Demand(NamedTuple):
    """A new initial registration is wanted; ``reason`` is the network's, "" without one."""

    reason: str


def demand_in(response: Response, binding: Binding) -> Demand | None:
    """What the final response to a request that stands on ``binding`` demands; None for nothing."""
    if response.status != SERVER_TIMEOUT or not _is_of_our_network(response, binding):
        return None
    given, _, _ = (response.headers.get("Content-Type") or "").partition(";")
    if given.strip().lower() != CONTENT_TYPE:
        return None
    from sipua.ims.xml_document import parse  # seldom needed

    try:
        return _demand(parse(response.body))
    except ParseError:
        return None


def _demand(root: Element) -> Demand | None:
    if root.name != ROOT or "version" not in root.attributes:
        return None
    service = root.first(SERVICE)
    if service is None:
        return None
    if not _says(service, "type", RESTORATION):
        return None
    if not _says(service, "action", INITIAL_REGISTRATION):
        return None
    reason = service.first("reason")
    text = "" if reason is None else " ".join(reason.text.split())
    return Demand("".join(each if each.isprintable() else "?" for each in text[:MAX_REASON]))


def _says(service: Element, name: str, word: str) -> bool:
    """Whether this child holds the word as its text or, as some networks have it, as an
    empty element."""
    child = service.first(name)
    if child is None:
        return False
    return child.text.strip() == word or (
        not child.text.strip() and [each.name for each in child.children] == [word]
    )


def _is_of_our_network(response: Response, binding: Binding) -> bool:
    """Whether it names as its sender one of those our registration went through; who is called
    cannot: networks take out what he asserts of himself."""
    try:
        asserted = [NameAddr.parse(each) for each in response.headers.values("P-Asserted-Identity")]
        ours = [NameAddr.parse(each) for each in (*binding.service_route, *binding.path)]
    except PeerError:
        return False
    from sipua.sip.uri_equality import same_uri

    for one in asserted:
        for other in ours:
            try:
                if same_uri(one.sip_uri(), other.sip_uri()):
                    return True
            except ParseError:  # a tel URI
                continue
    return False
