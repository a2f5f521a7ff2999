"""What an embedded network is to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError
from sipua.net.address import is_numeric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sipua.core.auc import Octets
    from sipua.core.bindings import ExpiryPolicy
    from sipua.core.faults import Faults
    from sipua.core.gate import Demand
    from sipua.core.subscriber import Directory
    from sipua.ipsec.suite import Suite
    from sipua.net.driver import OnMessage
    from sipua.net.tls_settings import TlsSettings


class Plan(NamedTuple):
    """What is asked of it; CoreServer says what each means."""

    directory: Directory
    faults: Faults
    listen: Sequence[tuple[str, str, int]]
    scheme: str
    algorithm: str | None
    challenge: Mapping[str, Demand]
    qop: tuple[str, ...]
    expiry: ExpiryPolicy
    state_dir: str | None
    tls: TlsSettings | None
    rand_source: Octets
    on_message: OnMessage | None
    ipsec: str
    suites: Sequence[Suite]


def checked_place(
    transport: str, address: str, port: int, *, allow_remote: bool
) -> tuple[str, str, int]:
    """Transport, address and port if they can be served; raises LocalError otherwise."""
    transport = transport.upper()
    if transport not in ("UDP", "TCP", "TLS"):
        raise LocalError(f"a network listens on UDP, TCP or TLS, not on {transport}")
    if not is_numeric(address):
        raise LocalError(f"{address} is not a numeric address; for this machine use 127.0.0.1")
    if not (allow_remote or address.startswith("127.") or address == "::1"):
        raise LocalError(
            f"{address} can be reached from other machines, and this network is for tests:"
            " its keys are in files and it answers everybody. Use 127.0.0.1, or --allow-remote"
        )
    return transport, address, port


def refuse_strangers(faults: Faults, directory: Directory) -> None:
    """Raise LocalError for a fault of a subscriber that there is not."""
    identities = [name for subscriber in directory for name in subscriber.identities]
    for fault in faults.strangers(identities):
        raise LocalError(
            f'fault "{fault}": no subscriber is called {fault.subscriber};'
            f" there are: {', '.join(each.imsi for each in directory)}"
        )
