"""A caller whose other side is played by the test: forks, redirection, odd answers."""

from __future__ import annotations

import pytest
from two_phones import World

from sipua.ims.call_events import CallEnded, Cause, Established, MediaChanged, Progress
from sipua.ims.caller import Caller
from sipua.ims.events import Redirected
from sipua.sip.hop import Hop
from sipua.sip.message import Request, Response
from sipua.sip.offer_answer import LocalMedia, OfferAnswer
from sipua.sip.response import create_response

HAND = Hop("UDP", "192.0.2.9", 5060)


class Hand:
    """Alice's call, and answers to it by hand."""

    def __init__(self, **settings: object) -> None:
        self.world = World(**settings)  # type: ignore[arg-type]
        self.alice = self.world.alice
        self.call: Caller = self.alice.dial(HAND)
        self.world.run(0.1)

    def sent(self, method: str) -> list[Request]:
        """Requests of this method that have arrived."""
        return [
            message
            for message in self.world.by_hand
            if isinstance(message, Request) and message.method == method
        ]

    def answer(
        self,
        status: int,
        tag: str = "b",
        *headers: tuple[str, str],
        body: bytes | None = None,
        method: str = "INVITE",
    ) -> Hand:
        """Answer the last request of this method."""
        request = self.sent(method)[-1]
        response = create_response(request, status, "", tag)
        if not any(name == "Contact" for name, _ in headers):
            response.headers.add("Contact", f"<sip:{tag or 'x'}@192.0.2.9>")
        for name, value in headers:
            response.headers.add(name, value)
        if body is None and method == "INVITE" and 200 <= status < 300:
            body = self.description()
        if body:
            response.headers.add("Content-Type", "application/sdp")
            response.body = body
        self.alice.receive(response.to_bytes(), HAND)
        self.world.run(0.1)
        return self

    def description(self, port: int = 7000) -> bytes:
        """An answer to the last INVITE's offer."""
        side = OfferAnswer(5)
        side.take_offer(self.sent("INVITE")[-1].body)
        return side.answer(LocalMedia("192.0.2.9", port))

    def hang_up(self) -> Hand:
        self.call.hang_up(self.world.now)
        self.alice.flush()
        self.world.run(0.1)
        return self


RELIABLE = ("Require", "100rel")


# Forking ----------------------------------------------------------------------------------


def test_each_forked_200_is_acknowledged_and_all_but_one_ended_by_bye() -> None:
    hand = Hand()
    hand.answer(180, "x").answer(180, "y").answer(183, "z")
    assert [event.tag for event in hand.alice.of(Progress)] == ["x", "y", "z"]
    assert len(hand.call.branches) == 3
    hand.answer(200, "y").answer(200, "x").answer(200, "w")
    acks = hand.sent("ACK")
    assert [ack.to.tag for ack in acks] == ["y", "x", "w"]
    assert [ack.uri for ack in acks] == [f"sip:{tag}@192.0.2.9" for tag in "yxw"]
    assert len({ack.top_via.branch for ack in acks}) == 3
    assert [bye.to.tag for bye in hand.sent("BYE")[:2]] == ["x", "w"]
    assert [event.tag for event in hand.alice.of(Established)] == ["y"]
    hand.answer(200, "x").answer(200, "y")  # both repeated
    assert [ack.to.tag for ack in hand.sent("ACK")] == ["y", "x", "w", "x", "y"]
    hand.world.run(40)
    assert hand.call.state == "active"
    assert {bye.to.tag for bye in hand.sent("BYE")} == {"x", "w"}


def test_a_200_after_the_end_is_still_acknowledged_and_ended() -> None:
    hand = Hand().answer(180, "x").hang_up()
    hand.answer(487, "x")
    assert hand.call.state == "ended"
    hand = Hand().answer(200, "x").hang_up()
    hand.answer(200, "x", method="BYE")
    assert hand.call.state == "ended"
    hand.answer(200, "y")
    assert hand.sent("ACK")[-1].to.tag == "y"
    assert hand.sent("BYE")[-1].to.tag == "y"
    hand.answer(200, "x")
    assert hand.sent("ACK")[-1].to.tag == "x"
    assert len(hand.alice.of(CallEnded)) == 1


def test_each_branch_has_its_own_early_media() -> None:
    hand = Hand()
    hand.answer(183, "x", body=hand.description(7000))
    hand.answer(183, "y", body=hand.description(8000))
    streams = [(event.tag, event.stream, event.early) for event in hand.alice.of(MediaChanged)]
    assert [(tag, stream and stream.port, early) for tag, stream, early in streams] == [
        ("x", 7000, True),
        ("y", 8000, True),
    ]
    hand.answer(200, "x", body=hand.description(7002))  # what was unreliable may change
    assert hand.alice.stream is not None
    assert hand.alice.stream.port == 7002
    assert not hand.alice.of(MediaChanged)[-1].early


def test_each_branch_has_its_own_pracks() -> None:
    hand = Hand()
    hand.answer(183, "x", RELIABLE, ("RSeq", "5"), body=hand.description())
    hand.answer(183, "y", RELIABLE, ("RSeq", "77"))
    for tag in ("x", "y"):
        (prack,) = [each for each in hand.sent("PRACK") if each.to.tag == tag][:1]
        assert str(prack.cseq) == "2 PRACK"
    assert {prack.headers.get("RAck") for prack in hand.sent("PRACK")} == {
        "5 1 INVITE",
        "77 1 INVITE",
    }


def test_reliable_responses_are_taken_in_order_and_once() -> None:
    hand = Hand()
    for rseq in ("5", "5", "7", "4", "6", "7"):
        hand.answer(183, "x", RELIABLE, ("RSeq", rseq))
    hand.answer(183, "x", RELIABLE)  # without a number
    hand.answer(183, "x", RELIABLE, ("RSeq", "x"))
    racks = list(dict.fromkeys(prack.headers.get("RAck") for prack in hand.sent("PRACK")))
    assert racks == ["5 1 INVITE", "6 1 INVITE", "7 1 INVITE"]
    assert len(hand.alice.of(Progress)) == 3


# Finals -----------------------------------------------------------------------------------


def test_a_redirection_is_followed_once() -> None:
    hand = Hand()
    first = hand.sent("INVITE")[0]
    hand.answer(302, "b", ("Contact", "<sip:new@192.0.2.9;x=y?subject=z>;q=0.7"))
    assert hand.alice.of(Redirected)[0].uri == "sip:new@192.0.2.9;x=y"
    second = hand.sent("INVITE")[-1]
    assert second.uri == "sip:new@192.0.2.9;x=y"
    assert str(second.cseq) == "2 INVITE"
    assert second.to.tag is None
    for name in ("From", "To", "Call-ID"):
        assert second.headers.get(name) == first.headers.get(name)
    assert second.top_via.branch != first.top_via.branch
    hand.answer(302, "b", ("Contact", "<sip:newer@192.0.2.9>"))
    assert hand.alice.ended.cause == Cause.MOVED
    assert len(hand.sent("INVITE")) == 2


@pytest.mark.parametrize("status", [300, 301, 302])
def test_a_redirection_to_nowhere_ends_the_call(status: int) -> None:
    hand = Hand().answer(status, "b", ("Contact", "<tel:+123>"))
    assert hand.alice.ended.cause == Cause.MOVED


def test_422_is_tried_again_with_a_longer_interval() -> None:
    hand = Hand().answer(422, "b", ("Min-SE", "3600"))
    again = hand.sent("INVITE")[-1]
    assert str(again.cseq) == "2 INVITE"
    assert again.headers.get("Session-Expires") == "3600"
    assert again.headers.get("Min-SE") == "3600"
    hand.answer(422, "b", ("Min-SE", "3600"))
    assert hand.alice.ended.status == 422


@pytest.mark.parametrize("value", ["", "90", "x"])
def test_422_without_a_longer_interval_ends_the_call(value: str) -> None:
    hand = Hand().answer(422, "b", ("Min-SE", value))
    assert hand.alice.ended.status == 422
    assert len(hand.sent("INVITE")) == 1


@pytest.mark.parametrize("body", [b"", b"v=1\r\n", b"v=0\r\no=- 1 1 IN IP4 a\r\n"])
def test_a_200_without_a_usable_answer_is_acknowledged_and_ended(body: bytes) -> None:
    hand = Hand().answer(200, "b", body=body)
    assert len(hand.sent("ACK")) == 1
    assert hand.sent("BYE")
    hand.answer(200, "b", method="BYE")
    assert hand.alice.ended.cause == Cause.FAILED


def test_cancel_and_an_unusable_200_end_in_bye() -> None:
    hand = Hand().answer(180).hang_up().answer(200, "b", body=b"junk")
    assert hand.sent("BYE")
    hand = Hand().hang_up().answer(200, "b", body=b"junk")
    assert hand.sent("BYE")


def test_cancelled_calls_end_with_whatever_comes() -> None:
    for status in (302, 407, 422, 486, 503):
        hand = Hand().answer(180).hang_up()
        assert len(hand.sent("CANCEL")) >= 1
        hand.answer(status, "b", ("Contact", "<sip:new@192.0.2.9>"), ("Min-SE", "4000"))
        assert hand.alice.ended.cause == Cause.CANCELLED
        assert len(hand.sent("INVITE")) == 1
    hand = Hand().hang_up()
    hand.answer(486)
    assert hand.alice.ended.cause == Cause.CANCELLED
    hand = Hand().hang_up()
    hand.world.run(40)
    assert hand.alice.ended.cause == Cause.CANCELLED


def test_a_200_before_any_1xx_after_hanging_up_is_left_again() -> None:
    hand = Hand().hang_up().answer(200)
    assert len(hand.sent("ACK")) == 1
    assert hand.sent("BYE")
    hand.answer(200, method="BYE")
    assert hand.alice.ended.cause == Cause.CANCELLED


@pytest.mark.parametrize(
    "header",
    [
        ("Record-Route", "<tel:1>"),
        ("Record-Route", "<sip:broken"),
        ("Contact", "*"),
        ("Contact", '"unclosed'),
        ("RSeq", "99999999999"),
        ("Session-Expires", "x"),
        ("Session-Expires", "1800;refresher="),
        ("Allow", '"'),
    ],
)
def test_garbage_in_responses_is_survived(header: tuple[str, str]) -> None:
    for status in (183, 200, 302, 422):
        hand = Hand().answer(status, "b", header, RELIABLE)
        hand.hang_up()
        hand.world.run(100)


def test_the_invite_says_what_we_can_do() -> None:
    hand = Hand(
        routes=("<sips:pcscf.example.com;lr>",),
        display_name="Alice A.",
        user_agent="phone",
        contact_params="+g.3gpp.smsip",
        headers=(("P-Access-Network-Info", "IEEE-802.11"),),
    )
    invite = hand.sent("INVITE")[0]
    assert invite.headers.all("Route") == ["<sips:pcscf.example.com;lr>"]
    assert (invite.headers.get("From") or "").startswith('"Alice A." <sip:alice@example.com>;tag=')
    assert invite.headers.get("Contact") == "<sips:alice@192.0.2.1>;+g.3gpp.smsip"
    assert invite.headers.get("P-Preferred-Identity") == "<sip:alice@example.com>"
    assert invite.headers.get("Supported") == "100rel, timer"
    assert invite.headers.get("Session-Expires") == "1800"
    assert invite.headers.get("User-Agent") == "phone"
    assert invite.headers.get("P-Access-Network-Info") == "IEEE-802.11"
    hand.answer(200, "b", ("Record-Route", "<sip:p2;lr>"), ("Record-Route", "<sip:p1;lr>"))
    assert hand.sent("ACK")[0].headers.all("Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]


def test_a_response_to_nothing_of_ours_is_passed_over() -> None:
    hand = Hand()
    for cseq in ("9 INVITE", "1 BYE", "x"):
        hand.call.response_received(Response(200, "", [("CSeq", cseq)]), hand.world.now)
    assert hand.call.state == "calling"
