"""Subscriptions made of garbage, and what the notifier keeps of them (virtual time)."""

from __future__ import annotations

import random
from xml.etree import ElementTree as Xml

import pytest
from core_client import Client
from core_scene import Scene, subscriber, uri
from core_ue import ADDRESS, PORT, Ue
from test_core_garbage import spoilt

from card.profile import Profile
from sipua.core.notifier import MAX_WATCHES
from sipua.core.server import CoreServer
from sipua.sip.message import Response, parse
from sipua.sip.response import create_response

ROUNDS = 300
INSTANCE = '+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";+g.3gpp.smsip'


def left(scene: Scene) -> list[int]:
    """How much there is in every memory of the notifier, and below it."""
    notifier, endpoint = scene.network.proxy.notifier, scene.network.endpoint
    return [
        len(notifier._watches),
        len(notifier._unanswered),
        len(endpoint._clients),
        len(endpoint._servers),
        endpoint._octets,
    ]


def watched() -> tuple[Scene, dict[str, str]]:
    scene = Scene(phones=0)
    scene.alice.register(INSTANCE, "path, gruu")
    return scene, {
        "Event": "reg",
        "Expires": "100",
        "Accept": "application/reginfo+xml",
        "Contact": f"<{scene.alice.contact}>",
        "Record_Route": f"<sip:{scene.alice.hop.address}:5070;lr>",
    }


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_subscriptions(seed: int) -> None:
    rng = random.Random(seed)
    scene, lines = watched()
    hop = scene.alice.hop._replace(local=(ADDRESS, PORT))
    for number in range(ROUNDS):
        request = scene.request(uri(1), "SUBSCRIBE", Call_ID=f"{number}@alice", **lines)
        via = f"SIP/2.0/UDP {hop.address}:{hop.port};branch=z9hG4bK-f{number};rport"
        data = request.to_bytes(via)
        scene.network.receive(data if number % 7 == 0 else spoilt(data, rng), hop)
        assert len(scene.network.proxy.notifier.watches(subscriber_impi())) <= MAX_WATCHES
        for notify in scene.alice.got("NOTIFY"):
            Xml.fromstring(notify.body)
            if rng.randrange(2):
                status = rng.choice((100, 200, 200, 401, 481, 500))
                answer = create_response(notify, status).to_bytes()
                scene.network.receive(answer if rng.randrange(2) else spoilt(answer, rng), hop)
        scene.alice.inbox.clear()
        scene.alice.octets.clear()
        scene.network.pass_time(0.3)
        if number % 20 == 0:
            scene.alice.register(INSTANCE, "path, gruu")
    scene.network.pass_time(700_000)  # whatever Expires was spoilt to
    assert left(scene) == [0] * 5


def subscriber_impi() -> str:
    isim = subscriber(1).isim
    assert isim is not None
    return isim.impi


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_registrations_are_told_in_well_formed_documents(seed: int) -> None:
    rng = random.Random(seed)
    scene, lines = watched()
    scene.alice.send(scene.request(uri(1), "SUBSCRIBE", Call_ID="w@alice", **lines))
    other = Ue(scene.network, subscriber(1), "192.0.2.99")
    hop = scene.alice.hop._replace(local=(ADDRESS, PORT))
    told = 0
    for _ in range(ROUNDS // 3):
        params = spoilt(INSTANCE.encode(), rng).decode("utf-8", "surrogateescape")
        other.contact = f"sip:me{rng.randrange(9)}@192.0.2.99:5070"
        try:
            other.register(params.replace("\r", "").replace("\n", ""), "gruu")
        except AssertionError:
            continue  # refused
        while notifies := scene.alice.got("NOTIFY"):
            scene.alice.inbox.clear()
            for notify in notifies:
                Xml.fromstring(notify.body)
                told += 1
                scene.network.receive(create_response(notify, 200).to_bytes(), hop)
    assert told > ROUNDS // 10


@pytest.mark.parametrize(
    "contact",
    [
        "<sip:me@127.0.0.1:9;transport=sctp>",
        "<sip:me@127.0.0.1:9;transport=tcp>",
        "<sip:me@[::1]:9;transport=tls>",
        "<sips:me@192.0.2.255>",
        "<sip:me@nowhere.invalid>",
        "<sip:127.0.0.1:0>",
        "<sip:me@255.255.255.255:5070>",
    ],
)
def test_contacts_that_lead_nowhere_end_nothing_but_themselves(
    sipua_core: CoreServer, sipua_card_profile: Profile, contact: str
) -> None:
    with Client(sipua_core.hop("UDP"), sipua_card_profile) as client:
        client.answer(client.ask(), Contact="<sip:me@127.0.0.1:5070>")
        impu = client.terminal.impu
        lines = {"Event": "reg", "Call_ID": "sub@1", "CSeq": "1 SUBSCRIBE", "Contact": contact}
        octets = client.register(method="SUBSCRIBE", **lines)
        start, _, rest = octets.partition(b"\r\n")
        client.socket.sendall(f"SUBSCRIBE {impu} SIP/2.0\r\n".encode() + rest)
        assert start.startswith(b"SUBSCRIBE")
        accepted = parse(client.socket.recv(65535))
        assert isinstance(accepted, Response)
        assert accepted.status == 200
        sipua_core.shorten(client.terminal.impi, 60)
        assert len(sipua_core.bindings(client.terminal.impi)) == 1
