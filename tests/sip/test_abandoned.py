"""Transactions that are ended from above, and the one that a CANCEL is for."""

from __future__ import annotations

import pytest
from virtual_time import PEER, World

from sipua.sip.endpoint import RequestReceived, ResponseReceived
from sipua.sip.message import Request
from sipua.sip.response import create_response

RFC_2543 = ""


def received(world: World, method: str, branch: str = "z9hG4bK1", **changes: str) -> None:
    lines = {
        "Via": f"SIP/2.0/UDP 192.0.2.1:5060{f';branch={branch}' if branch else ''}",
        "Max-Forwards": "70",
        "From": "<sip:a@x>;tag=1",
        "To": "<sip:b@x>",
        "Call-ID": "1@x",
        "CSeq": f"1 {method}",
    } | changes
    world.endpoint.receive(Request(method, "sip:b@x", lines.items()).to_bytes(), PEER, world.now)
    world.collect()


def request_in(world: World) -> RequestReceived:
    event = world.events.pop()
    assert isinstance(event, RequestReceived)
    return event


def test_an_abandoned_invite_takes_no_response_and_no_timer() -> None:
    world = World()
    transaction = world.request("INVITE")
    invite = world.sent[0][1]
    assert isinstance(invite, Request)
    world.endpoint.abandon(transaction)
    world.endpoint.receive(create_response(invite, 200, to_tag="t").to_bytes(), PEER, world.now)
    world.run(100)
    assert len(world.sent) == 1
    assert not any(isinstance(event, ResponseReceived) for event in world.events)
    assert world.endpoint.deadline() is None
    assert world.endpoint._clients == {}


def test_an_abandoned_request_of_the_peer_is_new_when_it_comes_again() -> None:
    world = World()
    received(world, "MESSAGE")
    transaction = request_in(world).transaction
    world.endpoint.abandon(transaction)
    assert (world.endpoint._servers, world.endpoint._octets) == ({}, 0)
    received(world, "MESSAGE")
    assert request_in(world).transaction is not transaction


@pytest.mark.parametrize("branch", ["z9hG4bK1", RFC_2543])
def test_a_cancel_is_for_the_invite_of_its_branch(branch: str) -> None:
    world = World()
    received(world, "INVITE", branch)
    invite = request_in(world)
    received(world, "CANCEL", branch)
    cancel = request_in(world).request
    assert world.endpoint.cancelled_by(cancel) is invite.transaction
    response = world.endpoint.create_response(invite.request, 487)
    world.endpoint.respond(invite.transaction, response, world.now)
    assert world.endpoint.cancelled_by(cancel) is invite.transaction
    world.run(100)
    assert world.endpoint.cancelled_by(cancel) is None


def test_a_cancel_of_another_branch_or_method_is_for_none() -> None:
    world = World()
    received(world, "INVITE", "z9hG4bK1")
    received(world, "MESSAGE", "z9hG4bK2")
    for branch in ("z9hG4bK2", "z9hG4bK3"):
        received(world, "CANCEL", branch)
        assert world.endpoint.cancelled_by(request_in(world).request) is None
