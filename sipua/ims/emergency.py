"""Emergency registrations (TS 24.229 §5.1.6), which are tried at test networks only.

Whatever their Contact's URI is marked with ``sos`` by, they are registrations
as others are; nobody but the network removes them, and none is subscribed to.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from sipua.errors import LocalError

if TYPE_CHECKING:
    from sipua.sip.hop import Hop

MARK = ";sos"
"""Parameter of the Contact's URI."""


def check_network(hop: Hop, *, test_network: bool) -> None:
    """Whoever answers emergency calls shall never be disturbed by a test.

    Raises LocalError unless the network is on this very machine, as the
    embedded one is, or somebody has said that it is there for tests.
    """
    if not (test_network or ip_address(hop.address.partition("%")[0]).is_loopback):
        raise LocalError(
            f"{hop} is not this machine, and an emergency registration is sent to a test network"
            " only; --test-network says that this is one"
        )


def check_wish(*, removed: bool = False, followed: bool = False) -> None:
    """Raises LocalError for what is not done with an emergency registration."""
    if removed:
        raise LocalError(
            "an emergency registration is not removed by its user: it expires (TS 24.229 §5.1.6)"
        )
    if followed:
        raise LocalError("no emergency registration is subscribed to (TS 24.229 §5.1.6)")
