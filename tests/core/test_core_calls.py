"""Calls between two of our user agents through the proxy: figure 2 of the patent, and all of it."""

from __future__ import annotations

import pytest
from core_phone import World
from core_scene import Scene, uri
from core_ue import ADDRESS, PORT

from sipua.core.gate import Demand
from sipua.ims.call_events import CallEnded, Cause, Established, Progress
from sipua.ims.events import AuthenticationRequired
from sipua.sip.message import Request, Response

SCHEMES = ("aka", "umts", "digest-umts", "pgp-umts")


def came(wire: list[Request | Response]) -> list[str]:
    """Methods and statuses."""
    return [each.method if isinstance(each, Request) else str(each.status) for each in wire]


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_challenged_call_from_end_to_end(scheme: str, status: int, transport: str) -> None:
    """INVITE, 407, ACK, INVITE; 100, 180, 200, ACK; BYE, 200."""
    world = World(("INVITE", Demand(status, scheme)), transport=transport).established()
    alice, bob = world.alice, world.bob
    assert came(alice.wire) == [str(status), "100", "180", "200", "200"]  # 200 of the PRACK
    assert came(bob.wire) == ["INVITE", "PRACK", "ACK"]
    assert len(alice.of(AuthenticationRequired)) == 1
    (invite, _, ack) = bob.wire
    for header in ("Authorization", "Proxy-Authorization"):
        assert header not in invite.headers
    assert len(ack.headers.values("Via")) == 2
    alice.call.hang_up(world.network.now)
    world.run(1)
    assert came(bob.wire)[-1] == "BYE"
    assert alice.of(CallEnded)[0].cause == Cause.HUNG_UP
    assert bob.of(CallEnded)[0].cause == Cause.PEER_HUNG_UP
    world.run(60)
    assert world.network.proxy.pending == 0
    assert world.network.lost == []


def test_the_callee_hangs_up() -> None:
    world = World().established()
    world.bob.call.hang_up(world.network.now)
    world.run(1)
    assert world.alice.of(CallEnded)[0].cause == Cause.PEER_HUNG_UP
    assert came(world.alice.wire)[-1] == "BYE"


def test_the_whole_call_stays_on_the_way_of_the_proxy() -> None:
    world = World().established()
    for phone in (world.alice, world.bob):
        phone.call.hold(world.network.now)
        world.run(1)
        phone.call.send_info("application/dtmf", b"1", world.network.now)
        world.run(1)
    world.alice.call.hang_up(world.network.now)
    world.run(1)
    requests = [
        each
        for phone in (world.alice, world.bob)
        for each in phone.wire
        if isinstance(each, Request)
    ]
    assert {each.method for each in requests} == {"INVITE", "PRACK", "ACK", "INFO", "BYE"}
    for request in requests:
        assert request.headers.values("Via")[0].startswith(f"SIP/2.0/UDP {ADDRESS}:{PORT};")
        assert len(request.headers.values("Via")) == 2
        assert "Route" not in request.headers


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("method", ["BYE", "INFO", "PRACK", "INVITE"])
def test_requests_inside_a_call_are_challenged(method: str, status: int) -> None:
    world = World((method, Demand(status))).established()
    for phone, other in ((world.alice, world.bob), (world.bob, world.alice)):
        before = len(other.wire)
        if method == "INFO":
            phone.call.send_info("application/dtmf", b"1", world.network.now)
        elif method == "INVITE":
            phone.call.hold(world.network.now)
        else:
            continue
        world.run(1)
        assert method in came(other.wire[before:])
    world.bob.call.hang_up(world.network.now)
    world.run(1)
    assert world.alice.of(CallEnded)[0].cause == Cause.PEER_HUNG_UP
    asked = len(world.alice.of(AuthenticationRequired)) + len(world.bob.of(AuthenticationRequired))
    assert asked >= 1
    assert len(world.alice.of(CallEnded)) == len(world.bob.of(CallEnded)) == 1


def test_a_call_cancelled_while_it_rings() -> None:
    world = World(("INVITE", Demand(407)))
    world.alice.dial(uri(2))
    world.run(0.5)
    world.bob.called.ring(world.network.now)
    world.run(1)
    world.alice.caller.hang_up(world.network.now)
    world.run(1)
    assert world.alice.of(CallEnded)[0].cause == Cause.CANCELLED
    assert len(world.bob.of(CallEnded)) == 1
    world.run(60)
    assert world.network.proxy.pending == 0


def test_a_busy_callee() -> None:
    world = World(("INVITE", Demand(407)))
    world.alice.dial(uri(2))
    world.run(0.5)
    world.bob.called.refuse(world.network.now, 486)
    world.run(1)
    assert world.alice.of(CallEnded)[0].status == 486


def test_two_phones_ring_and_both_are_answered() -> None:
    world = World(phones=2)
    world.alice.dial(uri(2))
    world.run(0.5)
    for phone in world.phones:
        phone.called.ring(world.network.now)
    world.run(1)
    assert len({each.tag for each in world.alice.of(Progress)}) == 2
    for phone in world.phones:
        phone.called.answer(world.network.now)
    world.run(2)
    assert len(world.alice.of(Established)) == 1
    ended = [len(phone.of(CallEnded)) for phone in world.phones]
    assert sorted(ended) == [0, 1], "one of the two has had a BYE"


@pytest.mark.parametrize("from_caller", [True, False])
@pytest.mark.parametrize(
    "method", ["BYE", "INVITE", "UPDATE", "PRACK", "INFO", "REFER", "NOTIFY", "MESSAGE", "OPTIONS"]
)
def test_every_request_in_a_dialog_goes_both_ways(method: str, from_caller: bool) -> None:
    """By the Route set, to the contact; there and back again."""
    scene = Scene()
    scene.invite()
    recorded = scene.bob.invited.headers.values("Record-Route")
    scene.bob.reply(200, *[("Record-Route", each) for each in recorded])
    tag = f"t{scene.bob.hop.address}"
    sender, receiver = scene.alice, scene.bob
    ends = {"From": f"<{uri(1)}>;tag=1", "To": f"<{uri(2)}>;tag={tag}"}
    if not from_caller:
        sender, receiver = receiver, sender
        ends = {"From": ends["To"], "To": ends["From"]}
    request = scene.request(
        receiver.contact,
        method,
        CSeq=f"2 {method}",
        Route=", ".join(recorded),
        Contact=f"<{sender.contact}>",
        **ends,
    )
    sender.send(request)
    got = receiver.asked
    assert (got.method, got.uri) == (method, receiver.contact)
    assert "Route" not in got.headers
    assert got.headers.get("From") == ends["From"]
    assert got.headers.get("To") == ends["To"]
    assert got.headers.get("P-Asserted-Identity") == f"<{uri(1 if from_caller else 2)}>"
    receiver.answer(200, ("X-Kept", "yes"))
    assert (sender.told.status, sender.told.cseq.method) == (200, method)
    assert sender.told.headers.get("X-Kept") == "yes"
    assert len(sender.told.headers.values("Via")) == 1


def test_a_reliable_provisional_response_passes_as_it_is() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(183, ("Require", "100rel"), ("RSeq", "17"), body=b"v=0")
    told = scene.alice.told
    assert (told.status, told.headers.get("RSeq"), told.body) == (183, "17", b"v=0")
    assert told.headers.values("Require") == ["100rel"]


def test_an_ack_is_counted_and_makes_no_loop() -> None:
    scene = Scene()
    scene.invite()
    scene.bob.reply(200)
    scene.alice.send(scene.request(scene.bob.contact, "ACK", Max_Forwards="7"))
    (ack,) = scene.bob.got("ACK")
    assert ack.headers.get("Max-Forwards") == "6"
    scene.alice.send(scene.request(scene.bob.contact, "ACK", Max_Forwards="0"))
    again = scene.request(scene.bob.contact, "ACK")
    again.headers.add("Via", f"SIP/2.0/UDP {ADDRESS}:{PORT};branch=z9hG4bK-before")
    scene.alice.send(again)
    assert len(scene.bob.got("ACK")) == 1
