"""Calls made of garbage: nothing is raised, and nothing is left (virtual time)."""

from __future__ import annotations

import random

import pytest
from core_scene import Scene
from core_ue import ADDRESS, PORT

from sipua.core.gate import Demand
from sipua.sip.response import create_response

ROUNDS = 400

NASTY = (
    b'"', b"<", b">", b",", b";", b"\r\n", b"\r\n ", b"\0", b"\xff\xfe", b"%", b"=", b":", b"@",
    b"P-Preferred-Identity: \"\r\n", b"Privacy: ;;,\r\n", b"Route: <sip:>\r\n",
    b"Record-Route: <\r\n", b"Max-Forwards: 9999999999\r\n", b"Proxy-Require: ,\r\n",
    b"Proxy-Authorization: Digest\r\n", b"Authorization: UMTS \"\r\n", b"Via: \r\n",
    b"P-Asserted-Identity: <sip:\"@>\r\n", b"From: <sip:a@x.invalid>\r\n", b"To: \"\r\n",
)  # fmt: skip


def spoilt(data: bytes, rng: random.Random) -> bytes:
    """The octets with some of them changed, lost, doubled, or something nasty put in."""
    octets = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(octets))
        kind = rng.randrange(4)
        if kind == 0:
            octets[at] = rng.randrange(256)
        elif kind == 1:
            del octets[at : at + rng.randrange(1, 9)]
        elif kind == 2:
            lines = [here for here in range(len(octets)) if octets[here - 1 : here] == b"\n"]
            at = rng.choice(lines or [at])
            octets[at:at] = rng.choice(NASTY)
        else:
            octets[at:at] = rng.choice(NASTY)
    return bytes(octets)


def left(scene: Scene) -> list[int]:
    contexts, endpoint = scene.network.proxy._contexts, scene.network.endpoint
    return [
        len(contexts.by_client),
        len(contexts.by_server),
        len(endpoint._clients),
        len(endpoint._servers),
        endpoint._octets,
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("demand", [None, Demand(407), Demand(401, "pgp-umts")])
def test_spoilt_requests(demand: Demand | None, seed: int) -> None:
    rng = random.Random(seed)
    scene = Scene(every=demand)
    hop = scene.alice.hop._replace(local=(ADDRESS, PORT))
    more = {
        "P_Preferred_Identity": "<tel:+15551>",
        "Privacy": "id",
        "Contact": f"<{scene.alice.contact}>",
        "Proxy_Authorization": 'Digest username="x", realm="y", nonce="z", uri="u", response="r"',
        "Route": f"<sip:orig@{ADDRESS}:{PORT};lr>",
    }
    for number in range(ROUNDS):
        method = rng.choice(("INVITE", "BYE", "MESSAGE", "CANCEL", "ACK", "PRACK", "SUBSCRIBE"))
        request = scene.request(method=method, Call_ID=f"{number}@alice", **more)
        via = f"SIP/2.0/UDP {hop.address}:{hop.port};branch=z9hG4bK-f{number};rport"
        scene.network.receive(spoilt(request.to_bytes(via), rng), hop)
        scene.network.pass_time(0.1)
    scene.network.pass_time(300)
    assert left(scene) == [0] * 5
    assert scene.invite() == [100 if demand is None else demand.status]


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_responses(seed: int) -> None:
    rng = random.Random(seed)
    scene = Scene(phones=2)
    lines = (
        ("P-Preferred-Identity", "<tel:+15552>"),
        ("Privacy", "none"),
        ("WWW-Authenticate", 'Digest realm="a", nonce="b"'),
    )
    for number in range(ROUNDS):
        scene.invite(Call_ID=f"{number}@alice")
        for phone in scene.phones:
            for _ in range(rng.randrange(3)):
                status = rng.choice((100, 180, 183, 200, 302, 401, 407, 486, 503, 603))
                response = create_response(phone.invited, status, to_tag=f"t{phone.hop.address}")
                for name, value in lines:
                    response.headers.add(name, value)
                data = spoilt(response.to_bytes(), rng)
                scene.network.receive(data, phone.hop._replace(local=(ADDRESS, PORT)))
        if rng.randrange(3) == 0:
            scene.cancel()
        scene.network.pass_time(0.5)
    scene.network.pass_time(300)
    assert left(scene) == [0] * 5


def test_responses_with_identities_that_cannot_be_read() -> None:
    for value in ('"', '"<sip:x>', "<", ",,", "<sip:>", '"a" <tel:>, "', "\udcff"):
        scene = Scene()
        scene.invite()
        scene.bob.reply(180, ("P-Preferred-Identity", value), ("Privacy", value))
        scene.bob.reply(200, ("P-Preferred-Identity", value))
        assert scene.told() == [180, 200]
