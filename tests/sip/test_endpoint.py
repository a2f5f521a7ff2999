"""The transaction layer as a whole: Via, routing of responses, size, discards, limits."""

from __future__ import annotations

import random

import pytest
from virtual_time import PEER, PEER_TCP, US, World

from sipua.errors import LocalError, Unreachable
from sipua.sip.endpoint import (
    Discarded,
    Endpoint,
    RequestReceived,
    ResponseReceived,
    TransportFailed,
)
from sipua.sip.hop import Hop
from sipua.sip.limits import MAX_SERVER_OCTETS
from sipua.sip.message import Request, Response
from sipua.sip.transaction import (
    invite_client,
    invite_server,
    non_invite_client,
    non_invite_server,
)
from sipua.sip.transaction.machine import START, TERMINATED, Table

BIG = b"x" * 1400


def reasons(world: World) -> list[str]:
    return [event.reason for event in world.events if isinstance(event, Discarded)]


# Tables


@pytest.mark.parametrize(
    ("table", "initial"),
    [
        (invite_client.TRANSITIONS, "Calling"),
        (non_invite_client.TRANSITIONS, "Trying"),
        (invite_server.TRANSITIONS, "Proceeding"),
        (non_invite_server.TRANSITIONS, "Trying"),
    ],
)
def test_every_state_is_reached_left_and_has_its_source(table: Table, initial: str) -> None:
    reached = {initial}
    for _ in table:
        reached |= {row.state for (state, _), row in table.items() if state in reached}
    assert reached == {state for state, _ in table} | {TERMINATED}
    for state in reached - {TERMINATED}:
        assert any(row.state != state for (of, _), row in table.items() if of == state)
    assert all("§" in row.source for row in table.values())
    assert [state for state, stimulus in table if stimulus == START] == [initial]


# Requests of ours


def test_the_via_carries_branch_and_rport_and_the_request_is_left_alone() -> None:
    world = World()
    request = Request("OPTIONS", "sip:example.com", World.headers("OPTIONS"))
    first = world.endpoint.send_request(request, PEER, ("2001:DB8::1", 5062), 0.0)
    second = world.endpoint.send_request(request, PEER, ("2001:DB8::1", 5062), 0.0)
    assert "Via" not in request.headers
    assert first.branch != second.branch
    assert first.branch.startswith("z9hG4bK-")
    world.collect()
    assert world.sent[0][1].headers.get("Via") == (
        f"SIP/2.0/UDP [2001:DB8::1]:5062;branch={first.branch};rport"
    )
    assert next(iter(world.sent[0][1].headers))[0] == "Via"


def test_a_request_beyond_the_limit_goes_by_tcp() -> None:
    world = World()
    transaction = world.request("MESSAGE", body=BIG)
    assert [hop for _, _, hop in world.sent] == [PEER_TCP]
    assert world.sent[0][1].top_via.transport == "TCP"
    world.run(10)
    assert len(world.sent) == 1, "nothing is repeated over a stream"
    world.answer(transaction, 200, PEER_TCP)
    assert world.kinds() == ["ResponseReceived"]


def test_the_limit_counts_the_whole_message() -> None:
    world = World(udp_limit=400)
    transaction = world.request("MESSAGE", body=b"")
    size = len(world.octets[0])
    fits = b"x" * (400 - size - 2)  # two more digits in Content-Length
    assert transaction.hop == PEER
    assert world.request("MESSAGE", body=fits).hop == PEER
    assert len(world.octets[1]) == 400
    assert world.request("MESSAGE", body=fits + b"x").hop == PEER_TCP


def test_when_tcp_is_refused_a_big_request_goes_by_udp_after_all() -> None:
    world = World()
    transaction = world.request("MESSAGE", body=BIG)
    world.run(0.3)
    world.endpoint.transport_failed(PEER_TCP, Unreachable("refused"), world.now)
    world.collect()
    assert [hop for _, _, hop in world.sent] == [PEER_TCP, PEER]
    via = world.sent[1][1].headers.all("Via")
    assert via == [f"SIP/2.0/UDP 192.0.2.10:5060;branch={transaction.branch};rport"]
    world.run(1.6)
    assert world.times() == [0, 0.3, 0.8, 1.8], "now it is repeated"
    world.answer(transaction, 200, PEER)
    assert world.kinds() == ["ResponseReceived"]


def test_tcp_that_fails_after_an_answer_does_not_send_again() -> None:
    world = World()
    transaction = world.request("MESSAGE", body=BIG)
    world.answer(transaction, 100, PEER_TCP)
    world.endpoint.transport_failed(PEER_TCP, Unreachable("reset"), world.now)
    world.collect()
    assert world.kinds() == ["ResponseReceived", "TransportFailed"]
    assert len(world.sent) == 1


def test_udp_that_fails_too_is_reported() -> None:
    world = World()
    transaction = world.request("MESSAGE", body=BIG)
    for hop in (PEER_TCP, PEER):
        world.endpoint.transport_failed(hop, Unreachable("refused"), world.now)
    world.collect()
    assert isinstance(world.events[0], TransportFailed)
    assert world.events[0].transaction is transaction


def test_a_failed_hop_fails_its_own_transactions_only() -> None:
    world = World()
    world.request("OPTIONS", PEER)
    world.request("OPTIONS", PEER_TCP)
    lost = world.request("OPTIONS", Hop("UDP", "192.0.2.2", 5060))
    local = ("192.0.2.10", 5060)
    world.endpoint.transport_failed(
        Hop("UDP", "192.0.2.2", 5060, local), Unreachable(""), world.now
    )
    world.collect()
    assert [event.transaction for event in world.events if isinstance(event, TransportFailed)] == [
        lost
    ]


def test_the_ack_of_a_2xx_is_sent_on_a_branch_of_its_own() -> None:
    world = World()
    transaction = world.request("INVITE")
    world.answer(transaction, 200)
    ack = Request("ACK", "sip:them@192.0.2.1", World.headers("ACK"))
    world.endpoint.send_ack(ack, PEER, US)
    world.collect()
    assert world.sent[1][1].top_via.branch not in ("", transaction.branch)
    world.run(100)
    assert len(world.sent) == 2


# Responses


def response(world: World, edit: tuple[str, str]) -> bytes:
    """A 200 to a new request of ours, with one piece of text replaced."""
    transaction = world.request("OPTIONS")
    headers = [line for line in world.request_of(transaction).headers if line[0] != "Max-Forwards"]
    octets = Response(200, "OK", headers).to_bytes()
    changed = octets.replace(edit[0].encode(), edit[1].encode())
    assert changed != octets
    return changed


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (("branch=z9hG4bK-", "branch=z9hG4bK-0"), "no transaction waits for it"),
        (("CSeq: 7 OPTIONS", "CSeq: 7 INVITE"), "no transaction waits for it"),
        (("UDP 192.0.2.10:5060", "UDP 192.0.2.99:5060"), "its Via is not ours"),
        (("UDP 192.0.2.10:5060", "UDP 192.0.2.10:5099"), "its Via is not ours"),
        (
            ("From:", "Via: SIP/2.0/UDP 255.255.255.255\r\nFrom:"),
            "a response with more than one Via",
        ),
        (("CSeq: 7 OPTIONS", "CSeq: 99999999999 OPTIONS"), "malformed"),
        (("CSeq: 7 OPTIONS\r\n", ""), "malformed"),
        (("SIP/2.0/UDP 192.0.2.10", "192.0.2.10"), "malformed"),
        (("SIP/2.0 200 OK", "SIP/2.0 2000 OK"), "malformed"),
        (("SIP/2.0 200 OK", "SIP/3.0 200 OK"), "malformed"),
        (("Content-Length: 0", "Content-Length: 5"), "malformed"),
    ],
)
def test_responses_that_are_not_for_us_are_discarded_and_counted(
    edit: tuple[str, str], reason: str
) -> None:
    world = World()
    data = response(world, edit)
    world.endpoint.receive(data, PEER, world.now)
    world.collect()
    assert reasons(world) == [reason]
    assert world.endpoint.discarded == {reason: 1}
    assert len(world.events) == 1
    assert len(world.sent) == 1, "a response is never answered"


@pytest.mark.parametrize(
    "edit",
    [
        (";rport", ";rport=40000;received=198.51.100.7"),
        (";rport", ';rport;received=[2001:db8::1];x="a, b"'),
        (";rport", ""),
        (";branch=", " ; rport; Branch = "),
        ("SIP/2.0/UDP ", "sip / 2.0 / udp  "),
    ],
)
def test_the_via_of_a_response_may_carry_more_and_be_spelled_in_another_way(
    edit: tuple[str, str],
) -> None:
    world = World()
    data = response(world, edit)
    world.endpoint.receive(data, PEER, world.now)
    world.collect()
    assert isinstance(world.events[0], ResponseReceived)


# Requests of the peer


def answered_to(via: str, source: Hop) -> tuple[Hop, str]:
    """Where the answer goes, and the Via it carries."""
    world = World()
    world.receive("OPTIONS", source, via)
    event = world.events[0]
    assert isinstance(event, RequestReceived)
    world.respond(event.transaction, 200, event.request)
    _, message, hop = world.sent[0]
    return hop, message.headers.get("Via") or ""


LOCAL = ("192.0.2.10", 5060)
NAT = Hop("UDP", "198.51.100.7", 40000, LOCAL)


def test_without_rport_the_answer_goes_to_the_source_address_and_the_port_of_sent_by() -> None:
    hop, via = answered_to("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1", NAT)
    assert hop == Hop("UDP", "198.51.100.7", 5070, LOCAL)
    assert via == "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;received=198.51.100.7"


def test_without_port_in_sent_by_it_is_5060() -> None:
    hop, _ = answered_to("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1", NAT)
    assert hop.port == 5060


def test_with_rport_the_answer_goes_where_the_request_came_from() -> None:
    hop, via = answered_to("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK1", NAT)
    assert hop == NAT
    assert via == ("SIP/2.0/UDP 10.0.0.1:5070;rport=40000;branch=z9hG4bK1;received=198.51.100.7")


def test_with_rport_received_is_written_even_if_it_says_nothing_new() -> None:
    """RFC 3581 §4."""
    _, via = answered_to("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1", PEER)
    assert via == "SIP/2.0/UDP 192.0.2.1:5060;rport=5060;branch=z9hG4bK1;received=192.0.2.1"


def test_without_rport_a_true_sent_by_stays_as_it_is() -> None:
    _, via = answered_to("SIP/2.0/UDP  192.0.2.1:5060 ;branch=z9hG4bK1", PEER)
    assert via == "SIP/2.0/UDP  192.0.2.1:5060 ;branch=z9hG4bK1"


def test_a_name_in_sent_by_gets_received() -> None:
    hop, via = answered_to("SIP/2.0/UDP peer.example;branch=z9hG4bK1", PEER)
    assert hop == PEER
    assert via.endswith(";received=192.0.2.1")


def test_only_the_topmost_of_several_vias_in_one_line_is_marked() -> None:
    _, via = answered_to(
        "SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1, SIP/2.0/TCP 10.0.0.2;rport", NAT
    )
    assert via == (
        "SIP/2.0/UDP 10.0.0.1;rport=40000;branch=z9hG4bK1;received=198.51.100.7,"
        " SIP/2.0/TCP 10.0.0.2;rport"
    )


def test_a_received_that_the_peer_wrote_itself_is_replaced() -> None:
    hop, via = answered_to("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=203.0.113.9", NAT)
    assert hop.address == "198.51.100.7"
    assert via.endswith(";received=198.51.100.7")


@pytest.mark.parametrize(
    ("maddr", "address"),
    [("203.0.113.5", "203.0.113.5"), ("name.example", "198.51.100.7"), ("[::1]", "::1")],
)
def test_a_numeric_maddr_is_followed(maddr: str, address: str) -> None:
    hop, _ = answered_to(f"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;maddr={maddr}", NAT)
    assert hop == Hop("UDP", address, 5060, LOCAL)


def test_over_a_stream_the_answer_takes_the_same_connection() -> None:
    source = Hop("TCP", "198.51.100.7", 40000, LOCAL)
    hop, via = answered_to("SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bK1", source)
    assert hop == source
    assert via.endswith(";received=198.51.100.7")


def test_when_the_connection_is_gone_the_answer_goes_to_the_port_of_sent_by() -> None:
    world = World()
    source = Hop("TCP", "198.51.100.7", 40000, LOCAL)
    world.receive("INVITE", source, "SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bK1")
    event = world.events[0]
    assert isinstance(event, RequestReceived)
    world.respond(event.transaction, 486, event.request)
    world.endpoint.transport_failed(source, Unreachable("closed"), world.now)
    world.collect()
    second = Hop("TCP", "198.51.100.7", 5070)
    assert [hop for _, _, hop in world.sent] == [source, second]
    world.endpoint.transport_failed(second, Unreachable("refused"), world.now)
    world.collect()
    assert world.kinds() == ["RequestReceived", "TransportFailed"]


def test_to_tags_are_made_once_for_a_request_and_never_for_100() -> None:
    world = World()
    world.receive("INVITE")
    event = world.events[0]
    assert isinstance(event, RequestReceived)
    create = world.endpoint.create_response
    assert create(event.request, 100).to.tag is None
    tag = create(event.request, 180).to.tag
    assert tag
    assert len(tag) == 16
    assert create(event.request, 200).to.tag == tag
    assert create(event.request, 200, to_tag="mine").to.tag == "mine"
    world.receive("OPTIONS", to_tag="theirs")
    second = world.events[1]
    assert isinstance(second, RequestReceived)
    assert create(second.request, 481).to.tag == "theirs"


def test_a_response_has_what_section_8_2_6_copies() -> None:
    request = Request(
        "OPTIONS", "sip:a",
        [("v", "SIP/2.0/UDP a"), ("Via", "SIP/2.0/UDP b"), ("f", "<sip:f>;tag=1"), ("t", "<sip:t>"),
         ("i", "c"), ("CSeq", "1 OPTIONS"), ("Timestamp", "54"), ("Route", "<sip:r>")],
    )  # fmt: skip
    made = Endpoint(random.Random(1)).create_response(request, 404, to_tag="x")
    assert list(made.headers) == [
        ("Via", "SIP/2.0/UDP a"), ("Via", "SIP/2.0/UDP b"), ("From", "<sip:f>;tag=1"),
        ("To", "<sip:t>;tag=x"), ("Call-ID", "c"), ("CSeq", "1 OPTIONS"),
    ]  # fmt: skip
    assert made.reason == "Not Found"
    assert Endpoint(random.Random(1)).create_response(request, 100).headers.get("Timestamp") == "54"


# Malformed requests


def malformed(change: tuple[bytes, bytes], method: str = "OPTIONS") -> World:
    world = World()
    headers = [
        ("Via", "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1"), *World.headers(method),
    ]  # fmt: skip
    data = Request(method, "sip:us@192.0.2.10", headers).to_bytes()
    changed = data.replace(*change)
    assert changed != data
    for _ in range(2):
        world.endpoint.receive(changed, NAT, world.now)
    world.collect()
    assert reasons(world) == ["malformed"] * 2
    assert world.endpoint.deadline() is None, "no state is kept"
    return world


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"CSeq: 7 OPTIONS", b"CSeq: 7 INFO"), 400),
        ((b"CSeq: 7 OPTIONS", b"CSeq: x"), 400),
        ((b"To: <sip:them", b"To: <sip :them"), 400),
        ((b"Call-ID: abc@192.0.2.10\r\n", b""), 400),
        ((b"Max-Forwards: 70", b"Max-Forwards: 256"), 400),
        ((b"Content-Length: 0", b"Content-Length: 10"), 400),
        ((b" SIP/2.0\r\n", b" SIP/2.1\r\n"), 505),
        ((b"CSeq: 7 OPTIONS", b"CSeq: 7 OPTIONS\r\nSubject: " + b"x" * 40000), 513),
    ],
)
def test_malformed_requests_are_answered_without_state(
    change: tuple[bytes, bytes], status: int
) -> None:
    world = malformed(change)
    (_, first, hop), (_, second, _) = world.sent
    assert isinstance(first, Response)
    assert first.status == status
    assert hop == Hop("UDP", "198.51.100.7", 5070, LOCAL)
    assert first.headers.get("Via") == (
        "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;received=198.51.100.7"
    )
    assert world.octets[0] == world.octets[1], "the same To tag for the same request (§8.2.7)"
    assert second.headers.get("From") == "<sip:us@example.com>;tag=1"


@pytest.mark.parametrize(
    "change", [(b"CSeq: 7 OPTIONS\r\n", b""), (b"Via: SIP", b"X: SIP"), (b"OPTIONS sip", b"\xff ")]
)
def test_what_says_too_little_is_not_answered(change: tuple[bytes, bytes]) -> None:
    assert not malformed(change).sent


def test_an_unreadable_via_is_answered_to_the_source() -> None:
    world = malformed((b"SIP/2.0/UDP 10.0.0.1:5070;", b"SIP/2.0/UDP 10.0.0.1:5070;;"))
    assert [hop for _, _, hop in world.sent] == [NAT, NAT]


def test_a_malformed_ack_is_never_answered() -> None:
    assert not malformed((b"CSeq: 7 ACK", b"CSeq: x"), "ACK").sent


def test_what_cannot_be_copied_is_not_answered() -> None:
    assert not malformed((b"To: <sip:them", b"To: <sip:\rthem")).sent


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\r\n", b"\0\0\0\0", b"", b"\0"])
def test_keep_alives_over_udp_are_counted_and_nothing_else(data: bytes) -> None:
    world = World()
    world.endpoint.receive(data, PEER, world.now)
    world.collect()
    assert not world.events
    assert not world.sent
    assert world.endpoint.discarded == {"keep-alive": 1}


# Limits


def test_beyond_the_limit_requests_are_answered_503_and_leave_nothing_behind() -> None:
    world = World(max_server_transactions=3)
    for number in range(5):
        world.receive("OPTIONS", via=f"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}")
    assert world.kinds() == ["RequestReceived"] * 3 + ["Discarded"] * 2
    assert [message.start_line for _, message, _ in world.sent] == [
        "SIP/2.0 503 Service Unavailable"
    ] * 2
    assert world.sent[0][1].headers.get("Retry-After") == "10"
    first = world.events[0]
    assert isinstance(first, RequestReceived)
    world.respond(first.transaction, 200, first.request)
    world.run(33)
    world.receive("OPTIONS", via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK9")
    assert world.kinds()[-1] == "RequestReceived"


def test_the_octets_of_waiting_requests_are_limited() -> None:
    world = World()
    body = b"x" * (MAX_SERVER_OCTETS // 4)
    received = []
    for number in range(5):
        via = ("Via", f"SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK{number}")
        request = Request("MESSAGE", "sip:us", [via, *World.headers("MESSAGE")], body)
        world.endpoint.receive(request.to_bytes(), PEER_TCP, world.now)
        received += [type(event).__name__ for event in world.endpoint.take_events()]
    assert received == ["RequestReceived"] * 3 + ["Discarded"] * 2


def test_answered_requests_free_their_octets() -> None:
    world = World()
    for number in range(3):
        world.receive(
            "INVITE" if number else "OPTIONS", via=f"SIP/2.0/UDP a;branch=z9hG4bK{number}"
        )
    for event in world.events:
        assert isinstance(event, RequestReceived)
        world.respond(event.transaction, 404, event.request)
    world.run(100)
    assert world.endpoint._octets == 0


def test_lingering_transactions_keep_one_entry_each_and_ended_ones_none() -> None:
    world = World()
    transactions = [world.request("OPTIONS") for _ in range(2000)]
    for transaction in transactions:
        world.answer(transaction, 200)
    assert len(world.endpoint._schedule) == 2000
    world.run(10)
    assert len(world.endpoint._schedule) == 0
    assert not world.endpoint._clients
    for _ in range(2000):
        world.answer(world.request("OPTIONS", PEER_TCP), 200)
    assert len(world.endpoint._schedule) < 200, "Timer F of ended transactions is let go"


def test_a_header_that_would_become_two_is_not_sent() -> None:
    world = World()
    evil = Request("OPTIONS", "sip:a", [*World.headers("OPTIONS"), ("Subject", "a\r\nEvil: b")])
    with pytest.raises(LocalError):
        world.endpoint.send_request(evil, PEER, US, world.now)
    assert not world.endpoint.take_outgoing()
    assert world.endpoint.deadline() is None


def test_one_endpoint_uses_several_transports_at_a_time() -> None:
    world = World()
    tls = Hop("TLS", "192.0.2.1", 5061)
    pairs = [(world.request("OPTIONS", hop), hop) for hop in (PEER, PEER_TCP, tls)]
    assert [message.top_via.transport for _, message, _ in world.sent] == ["UDP", "TCP", "TLS"]
    for transaction, hop in reversed(pairs):
        world.answer(transaction, 200, hop)
    assert [e.transaction for e in world.events if isinstance(e, ResponseReceived)] == [
        transaction for transaction, _ in reversed(pairs)
    ]


@pytest.mark.parametrize("seed", range(10))
def test_two_endpoints_talk_to_each_other(seed: int) -> None:
    """A client and a server in memory, over a network that loses a third of what is sent."""
    client, server = World(), World()
    transaction = client.request("REGISTER")
    loss = random.Random(seed)
    for _ in range(80):
        for octets in client.octets:
            if loss.random() > 0.33:
                server.endpoint.receive(octets, Hop("UDP", *US), server.now)
        client.octets.clear()
        server.collect()
        for event in server.events:
            if isinstance(event, RequestReceived) and event.transaction.state == "Trying":
                server.respond(event.transaction, 200, event.request)
        for octets in server.octets:
            if loss.random() > 0.33:
                client.endpoint.receive(octets, PEER, client.now)
        server.octets.clear()
        client.run(0.25)
        server.run(0.25)
    assert transaction.state in ("Completed", "Terminated")
    assert client.kinds().count("ResponseReceived") == 1
    assert server.kinds().count("RequestReceived") == 1
    assert client.request_of(transaction).start_line == "REGISTER sip:example.com SIP/2.0"
