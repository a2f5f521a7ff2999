"""Our user agent at a registrar which is not ours: Kamailio as S-CSCF.

Kamailio checks SIP, digest, and how nonce and AUTS are carried. The AKA
arithmetic comes from the Cx stub, so it proves nothing here; published
vectors prove it elsewhere.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interop.command import Outcome, sipua, start_sipua
from interop.cx_hss import CxHss
from interop.kamailio_scscf import Kamailio
from interop.program import wait_until
from interop.subscription import Subscription

# Server-Assignment-Type, TS 29.229 §6.3.15
REGISTRATION, USER_DEREGISTRATION = "1", "5"

NewSubscription = Callable[..., Subscription]


def register(
    scscf: Kamailio, subscription: Subscription, *more: str, transport: str = "udp"
) -> Outcome:
    pcscf = f"{transport}:127.0.0.1:{scscf.port}"
    arguments = ["--card", subscription.card, "--pcscf", pcscf, *more]
    return sipua(subscription.path.parent, "register", *arguments)


def assignments(hss: CxHss, subscription: Subscription) -> list[str]:
    return [seen.detail for seen in hss.requests("SAR", subscription.impi)]


def statuses(outcome: Outcome) -> list[int]:
    return [step["status"] for step in outcome.document["exchange"]]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registers(kamailio: Kamailio, new_subscription: NewSubscription, transport: str) -> None:
    subscription = new_subscription()
    kamailio.hss.put(subscription.in_hss())

    outcome = register(kamailio, subscription, "--expires", "3600", transport=transport)

    got: dict[str, Any] = outcome.document
    assert (outcome.exit_status, got["verdict"]) == (0, "registered"), got
    assert {step["transport"].lower() for step in got["exchange"]} == {transport}
    assert statuses(outcome)[0] == 401
    assert statuses(outcome)[-1] == 200
    assert (got["scheme"], got["algorithm"]) == ("aka", "AKAv1-MD5")
    assert (got["impi"], got["impu"]) == (subscription.impi, subscription.impu)
    assert got["expires"] == 3240  # Kamailio grants 10 % less than was asked
    assert got["service_route"] == [f"<sip:orig@127.0.0.1:{kamailio.port};lr>"]
    assert got["associated_uris"] == [subscription.impu]
    assert got["resynchronised"] is False
    assert assignments(kamailio.hss, subscription) == [REGISTRATION]


def test_usim_without_isim_registers_by_its_imsi(
    kamailio: Kamailio, new_subscription: NewSubscription
) -> None:
    subscription = new_subscription(isim=False)
    kamailio.hss.put(subscription.in_hss())

    outcome = register(kamailio, subscription)

    assert outcome.document["verdict"] == "registered", outcome.document
    assert outcome.document["card"]["application"] == "usim"
    assert assignments(kamailio.hss, subscription) == [REGISTRATION]


def test_card_ahead_is_resynchronised_by_auts(
    kamailio: Kamailio, new_subscription: NewSubscription
) -> None:
    ahead = 1000 << 5
    subscription = new_subscription(sqn=ahead)
    kamailio.hss.put(subscription.in_hss(sqn=0))

    outcome = register(kamailio, subscription)

    assert outcome.document["verdict"] == "registered", outcome.document
    assert outcome.document["resynchronised"] is True
    resyncs = kamailio.hss.requests("resync", subscription.impi)
    assert [seen.detail for seen in resyncs] == ["MAC-S right"]
    assert kamailio.hss.sqn(subscription.impi) > ahead
    assert assignments(kamailio.hss, subscription) == [REGISTRATION]


def test_network_with_another_key_is_refused_by_the_card(
    kamailio: Kamailio, new_subscription: NewSubscription
) -> None:
    subscription = new_subscription()
    kamailio.hss.put(subscription.in_hss(k=bytes(16)))

    outcome = register(kamailio, subscription)

    assert (outcome.exit_status, outcome.document["verdict"]) == (20, "mac-failure")
    assert outcome.document["hints"]
    assert 200 not in statuses(outcome)
    assert not assignments(kamailio.hss, subscription)


def test_answer_that_the_network_does_not_accept(
    kamailio: Kamailio, new_subscription: NewSubscription
) -> None:
    subscription = new_subscription()
    kamailio.hss.put(subscription.in_hss(xres_mask=0x01))

    outcome = register(kamailio, subscription)

    assert (outcome.exit_status, outcome.document["verdict"]) == (31, "wrong-response")
    assert statuses(outcome)[-1] == 403
    assert not assignments(kamailio.hss, subscription)


def test_subscriber_unknown_to_the_network(
    kamailio: Kamailio, new_subscription: NewSubscription
) -> None:
    outcome = register(kamailio, new_subscription())

    assert (outcome.exit_status, outcome.document["verdict"]) == (30, "rejected")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_interrupt_deregisters(
    kamailio: Kamailio, new_subscription: NewSubscription, tmp_path: Path, transport: str
) -> None:
    """By its own Contact with expires=0; Contact "*" is answered 500 by this Kamailio."""
    subscription = new_subscription()
    kamailio.hss.put(subscription.in_hss())
    pcscf = f"{transport}:127.0.0.1:{kamailio.port}"
    arguments = ["register", "--stay", "--card", subscription.card, "--pcscf", pcscf]

    staying = start_sipua(tmp_path, "stay", *arguments)
    try:
        wait_until(lambda: bool(assignments(kamailio.hss, subscription)), 10, "registered")
        wait_until(lambda: "registered" in staying.log, 10, "the result is shown")
        staying.process.send_signal(signal.SIGINT)
        exit_status = staying.process.wait(20)
    finally:
        staying.stop()

    assert assignments(kamailio.hss, subscription) == [REGISTRATION, USER_DEREGISTRATION]
    assert exit_status == 0, staying.log
