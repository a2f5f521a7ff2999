"""Challenges to INVITE and to requests inside a call (RFC 3261 §22, RFC 3310)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from registrar_by_hand import AUTS, RES, challenge
from two_phones import Phone, World

from card.aka.result import MacFailure
from sipua.auth.scheme import Outcome
from sipua.auth.schemes import aka
from sipua.errors import LocalError
from sipua.ims.call_events import Cause, ChangeRefused, Established
from sipua.ims.events import AuthenticationRequired
from sipua.sip.message import Request, Response
from sipua.verdict import Verdict


class Gate:
    """Stands before a phone and challenges the methods it is told to; ``numbers`` counts the
    vectors that went out."""

    def __init__(self, phone: Phone, *methods: str, status: int = 407, rounds: int = 1) -> None:
        self.phone = phone
        self.methods = methods
        self.status = status
        self.rounds = rounds
        self.number = self.always = 0
        self.seen: list[Request] = []
        self.header = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        phone.challenger = self

    def __call__(self, request: Request) -> Response | None:
        if request.method not in self.methods:
            return None
        self.seen.append(request)
        if len([each for each in self.seen if each.method == request.method]) > self.rounds:
            return None
        self.number = self.always or self.number + 1
        return self.refusal(request, self.number)

    def refusal(self, request: Request, number: int) -> Response:
        response = self.phone.endpoint.create_response(request, self.status)
        value = aka.write_challenge(challenge(number, header=self.header))
        response.headers.add(self.header, value)
        return response


def answering(*outcomes: Outcome) -> Callable[[AuthenticationRequired], Outcome]:
    given = list(outcomes)
    return lambda _event: given.pop(0) if len(given) > 1 else given[0]


def challenged(
    *methods: str, status: int = 407, rounds: int = 1, transport: str = "UDP"
) -> tuple[World, Gate]:
    world = World(transport)
    world.alice.card = world.bob.card = answering(RES)
    return world, Gate(world.bob, *methods, status=status, rounds=rounds)


CREDENTIALS = {401: "Authorization", 407: "Proxy-Authorization"}


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("status", [401, 407])
def test_a_challenged_invite_is_acknowledged_and_sent_again(status: int, transport: str) -> None:
    world, gate = challenged("INVITE", status=status, transport=transport)
    world.established()
    first, second = gate.seen
    assert world.alice.of(AuthenticationRequired)[0].rand == challenge(1).rand
    assert (str(first.cseq), str(second.cseq)) == ("1 INVITE", "2 INVITE")
    assert first.top_via.branch != second.top_via.branch
    assert second.to.tag is None
    for name in ("Call-ID", "From", "To", "Contact"):
        assert first.headers.get(name) == second.headers.get(name)
    assert first.body == second.body
    value = second.headers.get(CREDENTIALS[status])
    assert value is not None
    header = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    credentials = aka.read_credentials(value)
    aka.verify(
        credentials,
        challenge(1, header=header),
        RES,
        username="alice@example.com",
        method="INVITE",
        uri=second.uri,
        nc=1,
    )


def test_the_ack_for_the_refusal_is_of_its_transaction_and_that_for_the_2xx_is_not() -> None:
    world, gate = challenged("INVITE")
    world.alice.dial(world.bob)
    world.run(1)
    (ack,) = world.messages("ACK")
    assert str(ack.cseq) == "1 ACK"
    assert ack.top_via.branch == gate.seen[0].top_via.branch
    assert ack.to.tag == world.messages("407")[0].to.tag
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(1)
    last = world.messages("ACK")[-1]
    assert str(last.cseq) == "2 ACK"
    assert last.headers.get("Proxy-Authorization") == gate.seen[1].headers.get(
        "Proxy-Authorization"
    )


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("method", ["PRACK", "BYE", "INVITE", "UPDATE", "INFO"])
def test_requests_inside_the_call_are_challenged_too(method: str, status: int) -> None:
    world = World(session_expires=100)
    world.alice.card = answering(RES)
    if method == "PRACK":
        gate = Gate(world.bob, method, status=status)
        world.established()
    else:
        world.established()
        gate = Gate(world.bob, method, status=status)
    if method == "INVITE":
        world.alice.call.hold(world.now)
    elif method == "INFO":
        world.alice.call.send_info("application/dtmf", b"1", world.now)
    elif method == "UPDATE":
        world.run(60)
    elif method == "BYE":
        world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(5)
    first, second, *_ = gate.seen
    assert second.cseq.number == first.cseq.number + 1
    assert second.to.tag == first.to.tag
    assert second.headers.get(CREDENTIALS[status])
    if method == "BYE":
        assert world.alice.ended.cause == Cause.HUNG_UP
        assert world.bob.ended.cause == Cause.PEER_HUNG_UP
    else:
        assert world.alice.call.state == world.bob.call.state == "active"
    if method == "INVITE":
        assert world.bob.stream is not None
        assert world.bob.stream.direction == "recvonly"


def test_one_answer_serves_the_requests_that_follow_counted_on() -> None:
    world, _ = challenged("INVITE")
    world.established()
    world.alice.call.send_info("application/dtmf", b"1", world.now)
    world.alice.flush()
    world.run(1)
    value = world.messages("INFO")[0].headers.get("Proxy-Authorization") or ""
    assert "nc=00000003" in value  # INVITE, PRACK, INFO


def test_one_nonce_is_never_put_to_the_card_twice() -> None:
    world, gate = challenged("INVITE", "PRACK", "INFO", rounds=1)
    asked: list[bytes] = []

    def card(event: AuthenticationRequired) -> Outcome:
        asked.append(event.rand)
        return RES

    world.alice.card = card
    gate.always = 1
    world.established()
    world.alice.call.send_info("application/dtmf", b"1", world.now)
    world.alice.flush()
    world.run(1)
    assert asked == [challenge(1).rand]
    assert world.alice.call.state == "active"


def test_two_requests_at_a_time_go_to_the_card_one_after_the_other() -> None:
    world = World().established()
    gate = Gate(world.bob, "INFO", "BYE")
    world.alice.call.send_info("application/dtmf", b"1", world.now)
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    world.run(1)
    assert len(world.alice.of(AuthenticationRequired)) == 1
    world.alice.call.card_answered(RES, world.now)
    world.alice.flush()
    assert len(world.alice.of(AuthenticationRequired)) == 2
    world.alice.call.card_answered(RES, world.now)
    world.alice.flush()
    world.run(1)
    assert [each.method for each in gate.seen].count("BYE") == 2
    assert world.alice.ended.cause == Cause.HUNG_UP
    with pytest.raises(LocalError):
        world.alice.call.card_answered(RES, world.now)


def test_a_sequence_number_out_of_step_is_resynchronised_and_the_call_goes_on() -> None:
    world, gate = challenged("INVITE", rounds=2)
    world.alice.card = answering(AUTS, RES)
    world.established()
    assert len(gate.seen) == 3
    assert 'auts="' in (gate.seen[1].headers.get("Proxy-Authorization") or "")
    assert str(gate.seen[2].cseq) == "3 INVITE"


@pytest.mark.parametrize(
    ("outcomes", "rounds", "verdict"),
    [
        ((AUTS, AUTS), 9, Verdict.SYNC_FAILURE),
        ((MacFailure(),), 9, Verdict.MAC_FAILURE),
        ((RES,), 9, Verdict.CHALLENGE_LOOP),
    ],
)
def test_challenges_that_lead_nowhere_end_the_call(
    outcomes: tuple[Outcome, ...], rounds: int, verdict: Verdict
) -> None:
    world, gate = challenged("INVITE", rounds=rounds)
    world.alice.card = answering(*outcomes)
    world.alice.dial(world.bob)
    world.run(40)
    assert world.alice.ended.cause == Cause.NOT_AUTHENTICATED
    assert world.alice.ended.verdict is verdict
    assert len(gate.seen) <= 3
    assert world.alice.deadline() is None


def test_the_same_challenge_again_means_a_wrong_response() -> None:
    world, gate = challenged("INVITE", rounds=9)
    gate.always = 1
    world.alice.dial(world.bob)
    world.run(40)
    assert world.alice.ended.verdict is Verdict.WRONG_RESPONSE


def test_a_password_scheme_is_not_answered() -> None:
    world = World()

    def password(request: Request) -> Response:
        response = world.bob.endpoint.create_response(request, 407)
        response.headers.add("Proxy-Authenticate", 'Digest realm="x", nonce="y", algorithm=MD5')
        return response

    world.bob.challenger = password
    world.alice.dial(world.bob)
    world.run(1)
    assert world.alice.ended.verdict is Verdict.NO_AKA_OFFERED


def test_a_card_that_fails_ends_the_call() -> None:
    world, _ = challenged("INVITE")
    world.alice.card = None
    world.alice.dial(world.bob)
    world.run(1)
    assert world.alice.call.state == "asking"
    world.alice.call.card_failed(world.now, "taken out", Verdict.NO_CARD)
    world.alice.flush()
    assert world.alice.ended.verdict is Verdict.NO_CARD
    assert world.alice.ended.reason == "taken out"


def test_hanging_up_while_the_card_is_asked_sends_nothing_more() -> None:
    world, gate = challenged("INVITE")
    world.alice.card = None
    world.alice.dial(world.bob)
    world.run(1)
    world.alice.call.hang_up(world.now)
    world.alice.flush()
    assert world.alice.ended.cause == Cause.CANCELLED
    world.alice.call.card_answered(RES, world.now)
    world.alice.flush()
    world.run(40)
    assert len(gate.seen) == 1
    assert world.sent("bob") == ["INVITE", "ACK"]


def test_a_change_that_cannot_be_authenticated_leaves_the_call_as_it_was() -> None:
    world = World().established()
    Gate(world.bob, "INVITE", rounds=9)
    world.alice.card = answering(RES)
    world.alice.call.hold(world.now)
    world.alice.flush()
    world.run(5)
    assert world.alice.of(ChangeRefused)[0].status == 0
    assert world.alice.call.state == "active"
    assert world.alice.stream is not None
    assert world.alice.stream.direction == "sendrecv"


def test_a_network_that_was_refused_and_accepts_all_the_same_gets_no_call() -> None:
    """A bad AUTN means that somebody else may be at work."""
    world, _ = challenged("INVITE")
    world.alice.card = answering(MacFailure())
    world.alice.dial(world.bob)
    world.run(0.5)
    world.bob.called.answer(world.now)
    world.bob.flush()
    world.run(40)
    assert world.alice.ended.verdict is Verdict.MAC_FAILURE
    assert not world.alice.of(Established)
    assert world.bob.ended.cause == Cause.PEER_HUNG_UP


def test_no_secret_in_what_is_told_or_shown() -> None:
    world, _ = challenged("INVITE")
    world.established()
    text = repr(world.alice.events) + repr(world.alice.call)
    text += "".join(message.to_bytes().decode() for _, _, message in world.log)
    for secret in (RES.res, RES.ck, RES.ik):
        assert secret.hex() not in text
