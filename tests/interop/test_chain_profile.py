"""The profile "kamailio" that comes along, at the network that it is for."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interop.command import sipua, start_sipua
from interop.kamailio_chain import Chain
from interop.program import Program, wait_until
from interop.subscription import Subscription

PATIENCE = 30.0


@contextmanager
def staying_at(
    chain: Chain, subscriber: Subscription, home: Path, transport: str = ""
) -> Iterator[Program]:
    """A ``register --stay`` that has heard its first NOTIFY."""
    staying = start_sipua(
        home,
        "stay",
        *("register", "--stay", "--profile", "kamailio", "--card", subscriber.card),
        *("--pcscf", f"{transport}127.0.0.1:{chain.pcscf.port}"),
    )
    try:
        wait_until(lambda: "is active, registered" in staying.log, PATIENCE, "the first NOTIFY")
        yield staying
    finally:
        staying.stop()


@pytest.mark.parametrize("profile", ["kamailio", "carrier-plain", "carrier-usim"])
def test_registers(
    chain: Chain, new_subscription: Callable[..., Subscription], profile: str
) -> None:
    """What a carrier wants to be told does no harm here."""
    subscriber = new_subscription(isim=profile != "carrier-usim")
    chain.hss.put(subscriber.in_hss())
    outcome = sipua(
        subscriber.path.parent,
        "register",
        *("--card", subscriber.card, "--pcscf", f"127.0.0.1:{chain.pcscf.port}"),
        *("--profile", profile, "--ipsec", "off"),
    )
    assert outcome.document["verdict"] == "registered", outcome.document
    assert outcome.document["service_route"] == [f"<sip:orig@127.0.0.1:{chain.scscf.port};lr>"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_stays_with_the_reg_event_until_interrupted(
    chain: Chain,
    new_subscription: Callable[..., Subscription],
    tmp_path: Path,
    transport: str,
) -> None:
    subscriber = new_subscription()
    chain.hss.put(subscriber.in_hss())
    with staying_at(chain, subscriber, tmp_path, f"{transport}:") as staying:
        staying.process.send_signal(signal.SIGINT)
        exit_status = staying.process.wait(PATIENCE)
    assert exit_status == 0, staying.log
    assert chain.hss.serving(subscriber.impi) == ""


def test_the_network_ends_it(
    chain: Chain, new_subscription: Callable[..., Subscription], tmp_path: Path
) -> None:
    subscriber = new_subscription()
    chain.hss.put(subscriber.in_hss())
    with staying_at(chain, subscriber, tmp_path) as staying:
        chain.terminate(subscriber.impi)
        exit_status = staying.process.wait(PATIENCE)
    assert exit_status == 30, staying.log
    assert "The network has ended the registration" in staying.log
