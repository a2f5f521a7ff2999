"""What the faults for calls make of an INVITE; ``sipua.core.faults`` has their list."""

from __future__ import annotations

from itertools import islice, product
from string import ascii_lowercase
from typing import TYPE_CHECKING

from sipua.core.reply import Reply, own_uri
from sipua.sip.uri import SipUri, scheme_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sipua.sip.hop import Hop
    from sipua.sip.message import Request

OTHER_REALM = "elsewhere.example"

CHALLENGING = ("invite-407-storm", "invite-two-realms", "invite-long-challenge")
"""Faults that need INVITE to be challenged, and have it so."""

BOTH = "invite-401-and-407"
STORM = "invite-407-storm"
TWO_REALMS = "invite-two-realms"
LONG = "invite-long-challenge"
IN_FINAL = "invite-200-challenge"


def faults_of_method(method: str, faults: dict[str, float]) -> dict[str, float]:
    """The faults that meet a request of this method."""
    if method == "INVITE":
        return faults
    return {name: value for name, value in faults.items() if not name.startswith("invite-")}


def invite_refusal(faults: Mapping[str, float], request: Request, source: Hop) -> Reply | None:
    """What a fault has the network answer to an INVITE of its own accord; None without."""
    if "invite-302" in faults:
        address, _ = source.local or (source.address, 0)
        there = source._replace(local=(address, int(faults["invite-302"])))
        return Reply(302, [("Contact", f"<{own_uri(there, _user_in(request.uri))}>")])
    if "invite-503" in faults:
        return Reply(503, [("Retry-After", f"{faults['invite-503']:.0f}")])
    for status in (486, 603):
        if f"invite-{status}" in faults:
            return Reply(status)
    return None


def lengthened(challenge: str, count: float) -> str:
    """The challenge with so many more parameters, each as short as can be.

    Ten thousand of them fit into one datagram.
    """
    names = islice(product(ascii_lowercase, repeat=3), int(count))
    return challenge + "".join([f",{''.join(name)}=1" for name in names])


def _user_in(uri: str) -> str:
    if scheme_of(uri) in ("sip", "sips"):
        return SipUri.parse(uri).user or ""
    return uri.partition(":")[2].partition(";")[0]
