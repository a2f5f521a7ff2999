"""Faults that act on packets, on real sockets."""

from __future__ import annotations

import time

import pytest
from core_client import Client

from card.profile import Profile
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory

BRIEF = 0.3  # seconds of silence that are taken for an answer that does not come


def client_at(core: CoreServer, profile: Profile, transport: str = "UDP") -> Client:
    return Client(core.hop(transport), profile)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_silence(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, transport: str
) -> None:
    core = sipua_core_factory(faults=["silence"])
    with client_at(core, sipua_card_profile, transport) as client:
        client.socket.sendall(client.register())
        assert client.silent(BRIEF)
        core.faults.clear()
        assert client.ask().status == 401


def test_silence_for_one_subscriber_only(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    assert sipua_card_profile.isim is not None
    isim = sipua_card_profile.isim
    longer = sipua_card_profile._replace(
        imsi="001010000000002",
        isim=isim._replace(impi="x@y", impu=(f"{isim.impu[0]}.example",)),
    )
    core = sipua_core_factory(
        faults=[f"silence@{sipua_card_profile.imsi}"], profiles=[sipua_card_profile, longer]
    )
    with client_at(core, sipua_card_profile) as client:
        client.socket.sendall(client.register())
        assert client.silent(BRIEF)
    with client_at(core, longer) as client:
        assert client.ask().status == 401


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_delay(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, transport: str
) -> None:
    core = sipua_core_factory(faults=["delay=0.3"])
    with client_at(core, sipua_card_profile, transport) as client:
        started = time.monotonic()
        assert client.ask().status == 401
        assert 0.3 <= time.monotonic() - started < 10


def test_the_first_packets_are_lost(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    core = sipua_core_factory(faults=["drop-first=2"])
    with client_at(core, sipua_card_profile) as client:
        request = client.register()
        for _ in range(2):
            client.socket.sendall(request)
        assert client.silent(BRIEF)
        client.socket.sendall(request)
        assert client.receive().status == 401


def test_every_second_packet_is_lost_each_way(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    core = sipua_core_factory(faults=["drop-every=2"])
    with client_at(core, sipua_card_profile) as client:
        request = client.register()
        client.socket.sendall(request)  # comes in, answer goes out
        assert client.receive().status == 401
        client.socket.sendall(request)  # lost
        assert client.silent(BRIEF)
        client.socket.sendall(request)  # comes in, answer lost
        assert client.silent(BRIEF)


def test_streams_lose_nothing(sipua_core_factory: CoreFactory, sipua_card_profile: Profile) -> None:
    core = sipua_core_factory(faults=["drop-every=1", "double"])
    with client_at(core, sipua_card_profile, "TCP") as client:
        assert client.answer(client.ask()).status == 200
        assert client.silent(BRIEF)


def test_double(sipua_core_factory: CoreFactory, sipua_card_profile: Profile) -> None:
    core = sipua_core_factory(faults=["double"])
    with client_at(core, sipua_card_profile) as client:
        client.socket.sendall(client.register())
        # the second request meets the first one's transaction, which has no answer yet
        answers = [client.receive().raw for _ in range(2)]
        assert len(set(answers)) == 1
        assert client.silent(BRIEF)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_it_dies_after_the_first_401(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, transport: str
) -> None:
    core = sipua_core_factory(faults=["die"])
    with client_at(core, sipua_card_profile, transport) as client:
        challenge = client.ask()
        answer = client.terminal.answer(challenge.headers.get("WWW-Authenticate") or "")
        core.stop()  # waits until it has died
        with pytest.raises(ConnectionError):
            client.ask(answer)
        assert not core.bindings(client.terminal.impi)


def test_a_wrong_mac_is_reported_and_ends_in_403(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    core = sipua_core_factory(faults=["wrong-mac"])
    with client_at(core, sipua_card_profile) as client:
        refused = client.answer(client.ask())
        assert (refused.status, refused.reason) == (403, "MAC Failure Reported")


def test_behind_and_resynchronised(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    core = sipua_core_factory(faults=["sqn-behind"])
    with client_at(core, sipua_card_profile) as client:
        assert client.answer(client.answer(client.ask())).status == 200
