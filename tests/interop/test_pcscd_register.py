"""The emulated card in the real pcscd, used by our own command line through PC/SC.

`sipua card emulate` shows the card, `sipua core` is the registrar, `sipua
register --card pcsc` the user agent: three processes that share a profile.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest

from interop.command import Outcome, sipua, start_sipua
from interop.kamailio_scscf import Kamailio
from interop.pcscd import Pcscd
from interop.program import Program, required
from interop.subscription import OPC, K, Subscription
from interop.vpcd_relay import Moment, VpcdRelay

NewSubscription = Callable[..., Subscription]

APDU_LIMIT = 16  # for a registration with an ISIM, from connect to disconnect


@contextmanager
def shown_card(
    pcscd: Pcscd, subscription: Subscription, port: int | None = None
) -> Iterator[Program]:
    """`sipua card emulate` with the subscriber's card in the first reader.

    ``port`` leads there by another way.
    """
    folder = subscription.path.parent
    place = f"127.0.0.1:{port or pcscd.ports[0]}"
    arguments = ["card", "emulate", str(subscription.path), "--vpcd", place]
    emulator = start_sipua(folder, "emulate", *arguments)
    try:
        emulator.wait_ready(lambda: "ready" in emulator.log)
        pcscd.wait_for_card()
        yield emulator
    finally:
        emulator.stop()
        if pcscd.running:
            pcscd.wait_for_card(present=False)


@contextmanager
def core(folder: Path, profile: Path, *more: str) -> Iterator[str]:
    """`sipua core` for the subscriber of a profile; gives what --pcscf takes."""
    arguments = ["core", "--listen", "udp:127.0.0.1:0", "--subscriber", str(profile), *more]
    program = start_sipua(folder, "core", *arguments)
    try:
        program.wait_ready(lambda: "ready" in program.log)
        yield program.log.split("ready ")[1].split()[0].lower()
    finally:
        program.stop()


def register(subscription: Subscription, pcscf: str, *more: str) -> Outcome:
    arguments = ["register", "--card", "pcsc", "--pcscf", pcscf, *more]
    return sipua(subscription.path.parent, *arguments)


def osmo_auc_gen(sqn: int, k: bytes = K) -> dict[str, str]:
    """One UMTS vector by libosmocore: its output as name to value."""
    argv = [required("osmo-auc-gen", "libosmocore-utils"), "-3", "-a", "milenage"]
    argv += ["-k", k.hex(), "-o", OPC.hex(), "-f", "8000", "-s", str(sqn)]
    output = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    rows = (line.partition(":") for line in output.splitlines())
    return {name.strip(): value.strip() for name, colon, value in rows if colon}


def authenticate(subscription: Subscription, vector: dict[str, str]) -> Outcome:
    arguments = ["card", "authenticate", "--card", "pcsc", "--show-secrets"]
    arguments += ["--rand", vector["RAND"], "--autn", vector["AUTN"]]
    return sipua(subscription.path.parent, *arguments)


def test_registers_within_the_apdus_allowed(
    pcscd: Pcscd, new_subscription: NewSubscription, tmp_path: Path
) -> None:
    subscription = new_subscription()
    with shown_card(pcscd, subscription), core(tmp_path, subscription.path) as pcscf:
        outcome = register(subscription, pcscf)

    assert (outcome.exit_status, outcome.document["verdict"]) == (0, "registered"), outcome
    card = outcome.document["card"]
    assert card["reader"] == pcscd.readers[0]
    assert card["application"] == "isim"
    assert 0 < card["apdus"] <= APDU_LIMIT
    assert [step["status"] for step in outcome.document["exchange"]] == [401, 200]


def test_usim_without_isim_registers(
    pcscd: Pcscd, new_subscription: NewSubscription, tmp_path: Path
) -> None:
    subscription = new_subscription(isim=False)
    with shown_card(pcscd, subscription), core(tmp_path, subscription.path) as pcscf:
        outcome = register(subscription, pcscf)

    assert outcome.document["verdict"] == "registered", outcome
    assert outcome.document["card"]["application"] == "usim"


def test_card_ahead_of_the_network_resynchronises(
    pcscd: Pcscd, new_subscription: NewSubscription, tmp_path: Path
) -> None:
    subscription = new_subscription()
    behind = core(tmp_path, subscription.path, "--fault", "sqn-behind")
    with shown_card(pcscd, subscription), behind as pcscf:
        first = register(subscription, pcscf)
        second = register(subscription, pcscf)

    assert [each.document["verdict"] for each in (first, second)] == ["registered"] * 2, first
    assert first.document["resynchronised"] or second.document["resynchronised"]


def test_network_with_another_key_is_a_mac_failure(
    pcscd: Pcscd, new_subscription: NewSubscription, tmp_path: Path
) -> None:
    subscription = new_subscription()
    network = subscription.path.with_name("network.toml")
    network.write_text(subscription.path.read_text().replace(K.hex(), bytes(16).hex()))
    with shown_card(pcscd, subscription), core(tmp_path, network) as pcscf:
        outcome = register(subscription, pcscf)

    assert (outcome.exit_status, outcome.document["verdict"]) == (20, "mac-failure"), outcome


def test_registers_at_kamailio(
    pcscd: Pcscd, kamailio: Kamailio, new_subscription: NewSubscription
) -> None:
    subscription = new_subscription()
    kamailio.hss.put(subscription.in_hss())
    with shown_card(pcscd, subscription):
        outcome = register(subscription, f"udp:127.0.0.1:{kamailio.port}")

    assert outcome.document["verdict"] == "registered", outcome
    assert outcome.document["card"]["apdus"] <= APDU_LIMIT
    assert kamailio.hss.requests("SAR", subscription.impi)


def test_res_is_what_osmo_auc_gen_expects(pcscd: Pcscd, new_subscription: NewSubscription) -> None:
    subscription = new_subscription()
    vector = osmo_auc_gen(sqn=32)
    with shown_card(pcscd, subscription):
        accepted = authenticate(subscription, vector)
        repeated = authenticate(subscription, vector)
        foreign = authenticate(subscription, osmo_auc_gen(sqn=64, k=bytes(16)))

    assert accepted.exit_status == 0, accepted
    answer = {name: accepted.document[name] for name in ("res", "ck", "ik")}
    assert answer == {name: vector[name.upper()] for name in ("res", "ck", "ik")}
    assert (repeated.exit_status, repeated.document["verdict"]) == (21, "sync-failure")
    assert len(bytes.fromhex(repeated.document["auts"])) == 14
    assert (foreign.exit_status, foreign.document["verdict"]) == (20, "mac-failure")


def test_empty_readers_are_no_card(pcscd: Pcscd, tmp_path: Path) -> None:
    outcome = sipua(tmp_path, "register", "--card", "pcsc", "--pcscf", "udp:127.0.0.1:9")

    assert (outcome.exit_status, outcome.document["verdict"]) == (11, "no-card")


def test_pcscd_stopped_and_started_between_registrations(
    pcscd: Pcscd, new_subscription: NewSubscription, tmp_path: Path
) -> None:
    subscription = new_subscription()
    with shown_card(pcscd, subscription), core(tmp_path, subscription.path) as pcscf:
        before = register(subscription, pcscf)
        pcscd.stop()
        without = register(subscription, pcscf)
        pcscd.start()
        pcscd.wait_for_card()
        after = register(subscription, pcscf)

    assert before.document["verdict"] == "registered", before
    assert (without.exit_status, without.document["verdict"]) == (10, "no-reader")
    assert after.document["verdict"] == "registered", after
    assert after.document["resynchronised"] is False  # the card's SQN was not lost


@pytest.mark.parametrize("moment", get_args(Moment))
def test_card_pulled_out_during_authenticate(
    pcscd: Pcscd, new_subscription: NewSubscription, tmp_path: Path, moment: Moment
) -> None:
    subscription = new_subscription()
    with core(tmp_path, subscription.path) as pcscf:
        relay = VpcdRelay(pcscd.ports[0], moment)
        try:
            with shown_card(pcscd, subscription, port=relay.port):
                pulled = register(subscription, pcscf)
                assert relay.cut.is_set()
        finally:
            relay.close()
        with shown_card(pcscd, subscription):
            again = register(subscription, pcscf)

    assert (pulled.exit_status, pulled.document["verdict"]) == (11, "no-card"), pulled
    assert pulled.document["exchange"][0]["status"] == 401
    assert again.document["verdict"] == "registered", again
    assert again.document["resynchronised"] is False  # what the card remembers is whole
