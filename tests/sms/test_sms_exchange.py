"""Short messages over IP in virtual time, the service centre played by the test."""

from __future__ import annotations

import random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.errors import LocalError
from sipua.ims.events import Event
from sipua.sms import rpdu, tpdu
from sipua.sms.address import Address
from sipua.sms.coding import Coding
from sipua.sms.events import Discarded, TextFailed, TextReceived, TextReported, TextSubmitted
from sipua.sms.exchange import ShortMessages
from sipua.sms.outgoing import Outgoing, SmsSettings
from sipua.sms.rpdu import RpAck, RpData, RpError, RpSmma
from sipua.sms.segmentation import split
from sipua.sms.table import DELIVERIES, TRANSITIONS, Came
from sipua.sms.timestamp import Timestamp
from sipua.sms.tpdu import Deliver, DeliverReport, StatusReport, Submit, SubmitReport
from sipua.sms.user_data import UserData

PSI = "sip:sc.home1.net"
GATEWAY = "sip:ipsmgw.home1.net"
CENTRE = "+491760000443"
BOB = "+4915112345678"
SENT = Timestamp(2026, 11, 22, 8, 30, 59, 4)
DISCHARGED = SENT._replace(second=0, minute=31)
NOT_ANSWERED = "the service centre did not answer within 40 s"

E = TypeVar("E", bound=Event)


class Telephone:
    """Short messages of one telephone, and the network's part of it."""

    def __init__(self, *, status_wanted: bool = False, wide: bool = False) -> None:
        settings = SmsSettings(PSI, CENTRE, status_wanted, wide=wide)
        self.machine = ShortMessages(settings, random.Random(5))
        self.now = 1000.0
        self.events: list[Event] = []
        self.came = 0

    def send(self, text: str, to: str = BOB) -> int:
        return self.machine.send(to, text, self.now)

    def message(self) -> Outgoing:
        """The one MESSAGE that is to be sent."""
        (message,) = self.machine.take_messages()
        return message

    def submitted(self) -> tuple[Outgoing, RpData, Submit]:
        message = self.message()
        data = rpdu.parse(message.body)
        assert isinstance(data, RpData)
        assert not data.from_network
        assert data.originator is None
        assert str(data.destination) == CENTRE
        submit = tpdu.parse_from_terminal(data.user_data)
        assert isinstance(submit, Submit)
        return message, data, submit

    def answered(self, message: Outgoing, status: int = 202, reason: str = "Accepted") -> None:
        self.machine.message_answered(message.number, status, reason, self.now)

    def comes(self, message: rpdu.Rpdu | bytes) -> str:
        """A MESSAGE comes; returns its Call-ID."""
        self.came += 1
        call_id = f"{self.came}@ipsmgw"
        body = message if isinstance(message, bytes) else message.to_bytes()
        self.machine.received(body, call_id, GATEWAY, self.now)
        return call_id

    def acknowledged(self, message: Outgoing, data: RpData) -> None:
        """202, then RP-ACK in a MESSAGE of its own."""
        self.answered(message)
        report = SubmitReport(SENT).to_bytes()
        self.comes(RpAck(data.reference, report, from_network=True))

    def delivers(self, unit: Deliver | StatusReport, reference: int = 77) -> str:
        centre = Address(CENTRE[1:], 1)
        return self.comes(RpData(reference, unit.to_bytes(), centre, from_network=True))

    def answers(self) -> rpdu.Rpdu:
        message = self.message()
        assert (message.number, message.uri) == (0, GATEWAY)
        assert message.in_reply_to == f"{self.came}@ipsmgw"
        assert message.headers == (("In-Reply-To", message.in_reply_to),)
        return rpdu.parse(message.body)

    def event(self, kind: type[E]) -> E:
        (event,) = self.machine.take_events()
        assert isinstance(event, kind)
        return event


def text_of(text: str, originator: str = "4915198765432") -> Deliver:
    (user_data,) = split(text)
    return Deliver(Address(originator, 1), SENT, user_data)


def test_submit_accepted_acknowledged_reported() -> None:
    phone = Telephone(status_wanted=True)
    number = phone.send("See you at eight")
    message, data, submit = phone.submitted()
    assert message.uri == PSI
    assert message.headers == ()
    assert submit.user_data.text == "See you at eight"
    assert str(submit.destination) == BOB
    assert submit.status_wanted

    phone.answered(message)
    assert phone.machine.take_events() == []
    assert not phone.machine.is_idle
    phone.comes(RpAck(data.reference, SubmitReport(SENT).to_bytes(), from_network=True))
    submitted = phone.event(TextSubmitted)
    assert (submitted.number, submitted.parts) == (number, 1)
    assert phone.machine.is_idle
    assert phone.machine.deadline() is None
    assert phone.machine.take_messages() == []

    recipient = Address("015112345678")  # as the service centre spells it
    phone.delivers(StatusReport(submit.reference, recipient, SENT, DISCHARGED, 0x21))
    assert phone.answers() == RpAck(77, DeliverReport().to_bytes())
    reported = phone.event(TextReported)
    assert (reported.outcome, reported.why) == ("trying", "recipient busy, still trying")

    phone.delivers(StatusReport(submit.reference, recipient, SENT, DISCHARGED, 0))
    assert isinstance(phone.answers(), RpAck)
    reported = phone.event(TextReported)
    assert (reported.number, reported.outcome, reported.part) == (number, "delivered", 1)
    assert reported.discharged == "2026-11-22T08:31:00+01:00"

    phone.delivers(StatusReport(submit.reference, recipient, SENT, DISCHARGED, 0))
    assert isinstance(phone.answers(), RpAck)
    assert "not known here" in phone.event(Discarded).reason


def test_the_parts_follow_one_another() -> None:
    phone = Telephone(wide=True)
    number = phone.send("x" * 400)
    references, parts = set(), []
    for _ in range(3):
        message, data, submit = phone.submitted()
        assert phone.machine.take_messages() == []
        references.add(submit.reference)
        assert submit.user_data.part is not None
        parts.append(submit.user_data.part)
        phone.acknowledged(message, data)
    assert len(references) == 3
    assert [(part.number, part.total) for part in parts] == [(1, 3), (2, 3), (3, 3)]
    assert len({part.reference for part in parts}) == 1
    assert (phone.event(TextSubmitted).number, phone.machine.is_idle) == (number, True)


def test_texts_wait_for_one_another_and_have_their_own_references() -> None:
    phone = Telephone()
    first, second = phone.send("x" * 161), phone.send("y" * 161)
    seen = []
    for _ in range(4):
        message, data, submit = phone.submitted()
        assert submit.user_data.part is not None
        seen.append(submit.user_data.part)
        phone.acknowledged(message, data)
    assert seen[0].reference == seen[1].reference != seen[2].reference == seen[3].reference
    assert [event.number for event in phone.machine.take_events()] == [first, second]  # type: ignore[attr-defined]


def test_one_part_refused_is_the_whole_text_refused_and_the_next_text_goes_on() -> None:
    phone = Telephone(status_wanted=True)
    phone.send("x" * 400)
    phone.send("next")
    message, data, _ = phone.submitted()
    phone.acknowledged(message, data)
    message, data, _ = phone.submitted()
    phone.answered(message)
    report = SubmitReport(SENT, 0xC3).to_bytes()
    phone.comes(RpError(data.reference, 38, report, from_network=True))
    failed = phone.event(TextFailed)
    assert (failed.parts, failed.submitted, failed.cause, failed.status) == (3, 1, 38, 0)
    assert failed.reason == ("the service centre refused: network out of order (invalid address)")
    _, _, submit = phone.submitted()
    assert submit.user_data.text == "next"


def test_rp_error_without_a_report() -> None:
    phone = Telephone()
    phone.send("hi")
    _, data, _ = phone.submitted()
    phone.comes(RpError(data.reference, 99, from_network=True))
    assert phone.event(TextFailed).reason == (
        "the service centre refused: information element non-existent or not implemented"
    )


def test_the_network_refuses() -> None:
    phone = Telephone()
    phone.send("hi")
    phone.answered(phone.message(), 403, "Forbidden")
    failed = phone.event(TextFailed)
    assert (failed.status, failed.reason) == (403, "the network answered 403 Forbidden")
    assert phone.machine.is_idle


def test_the_message_is_lost() -> None:
    phone = Telephone()
    phone.send("hi")
    message = phone.message()
    phone.machine.message_failed(message.number, "no route", phone.now)
    assert phone.event(TextFailed).reason == "no route"


@pytest.mark.parametrize("accepted", [True, False])
def test_the_service_centre_keeps_silent(accepted: bool) -> None:
    phone = Telephone()
    phone.send("hi")
    message = phone.message()
    if accepted:
        phone.answered(message)
    assert phone.machine.deadline() == phone.now + 40
    phone.machine.tick(phone.now + 39)
    assert phone.machine.take_events() == []
    phone.machine.tick(phone.now + 40)
    assert phone.event(TextFailed).reason == NOT_ANSWERED
    assert phone.machine.deadline() is None


def test_the_acknowledgement_overtakes_the_202() -> None:
    phone = Telephone()
    phone.send("hi")
    message, data, _ = phone.submitted()
    phone.comes(RpAck(data.reference, from_network=True))
    phone.event(TextSubmitted)
    phone.answered(message)
    phone.answered(message, 500, "too late")
    assert phone.machine.take_events() == []


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize(("status", "outcome"), [(0, "delivered"), (0x20, "trying")])
def test_the_report_overtakes_the_acknowledgement(
    status: int, outcome: str, accepted: bool
) -> None:
    phone = Telephone(status_wanted=True)
    phone.send("hi")
    message, data, submit = phone.submitted()
    if accepted:
        phone.answered(message)
    phone.delivers(StatusReport(submit.reference, submit.destination, SENT, DISCHARGED, status))
    submitted, reported = phone.machine.take_events()
    assert isinstance(submitted, TextSubmitted)
    assert isinstance(reported, TextReported)
    assert reported.outcome == outcome
    phone.comes(RpAck(data.reference, from_network=True))
    assert "does not wait" in phone.event(Discarded).reason


def test_an_acknowledgement_of_another_message() -> None:
    phone = Telephone()
    phone.send("hi")
    _, data, _ = phone.submitted()
    phone.comes(RpAck((data.reference + 1) % 256, from_network=True))
    assert "does not wait" in phone.event(Discarded).reason
    assert not phone.machine.is_idle


def test_a_report_on_a_message_to_somebody_else() -> None:
    phone = Telephone(status_wanted=True)
    phone.send("hi")
    message, data, submit = phone.submitted()
    phone.acknowledged(message, data)
    phone.machine.take_events()
    stranger = Address("491700000000", 1)
    phone.delivers(StatusReport(submit.reference, stranger, SENT, DISCHARGED, 0))
    assert "+491700000000" in phone.event(Discarded).reason


def test_a_text_comes() -> None:
    phone = Telephone()
    phone.delivers(text_of("Grüße"))
    assert phone.answers() == RpAck(77, DeliverReport().to_bytes())
    received = phone.event(TextReceived)
    assert (received.originator, received.text) == ("+4915198765432", "Grüße")
    assert (received.sent, received.message_class) == ("2026-11-22T08:30:59+01:00", -1)
    assert (received.parts, received.missing) == (1, 0)


def test_a_text_comes_again_because_our_acknowledgement_was_lost() -> None:
    phone = Telephone()
    phone.delivers(text_of("once"), 1)
    assert phone.answers() == RpAck(1, DeliverReport().to_bytes())
    phone.event(TextReceived)
    phone.delivers(text_of("once")._replace(more=True), 2)
    assert phone.answers() == RpAck(2, DeliverReport().to_bytes())
    assert phone.machine.take_events() == []
    phone.delivers(text_of("once")._replace(sent=DISCHARGED), 3)  # said again, a minute later
    phone.answers()
    phone.event(TextReceived)


def test_only_so_many_texts_are_remembered() -> None:
    phone = Telephone()
    for number in range(200):
        phone.delivers(text_of(str(number)))
    assert len(phone.machine.inbox._known) == 64


def test_a_long_text_comes_out_of_order() -> None:
    phone = Telephone()
    text = "ж" * 100
    first, second = split(text, 9)
    originator = Address("Bank", 5, 0)
    for piece in (second, first):
        phone.delivers(Deliver(originator, SENT, piece, more=True))
        assert isinstance(phone.answers(), RpAck)
    received = phone.event(TextReceived)
    assert (received.text, received.originator, received.parts) == (text, "Bank", 2)


def test_a_part_never_comes() -> None:
    phone = Telephone()
    phone.delivers(Deliver(Address("Bank", 5, 0), SENT, split("x" * 161)[0]))
    assert phone.machine.take_events() == []
    at = phone.machine.deadline()
    assert at is not None
    phone.machine.tick(at)
    received = phone.event(TextReceived)
    assert (received.missing, received.parts, received.sent) == (1, 2, "")


def test_a_flash_message() -> None:
    phone = Telephone()
    phone.delivers(Deliver(Address("1"), SENT, UserData(b"now", Coding(message_class=0))))
    assert phone.event(TextReceived).message_class == 0


def test_a_message_of_type_0_is_acknowledged_and_shown_to_nobody() -> None:
    phone = Telephone()
    phone.delivers(text_of("ping")._replace(protocol=0x40))
    assert isinstance(phone.answers(), RpAck)
    assert phone.machine.take_events() == []


def test_no_room_and_room_again() -> None:
    phone = Telephone()
    phone.machine.set_room(False)
    phone.delivers(text_of("hi"))
    assert phone.answers() == RpError(77, 22, DeliverReport(0xD3).to_bytes())
    phone.event(Discarded)
    phone.machine.set_room(True)
    message = phone.message()
    assert (message.number, message.uri) == (0, PSI)
    assert isinstance(rpdu.parse(message.body), RpSmma)
    phone.machine.set_room(True)
    assert phone.machine.take_messages() == []
    phone.delivers(text_of("hi"))
    assert isinstance(phone.answers(), RpAck)
    phone.event(TextReceived)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (RpData(5, b"\x04", from_network=True).to_bytes(), RpError(5, 111, b"\x00\xff\x00")),
        (
            RpData(5, SubmitReport(SENT).to_bytes(), from_network=True).to_bytes(),
            RpError(5, 111, b"\x00\xff\x00"),
        ),
        (b"\x01\x05\x00\x00\x20\x00", RpError(5, 96)),
        (b"\x01\x05", RpError(5, 96)),
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes, answer: RpError) -> None:
    phone = Telephone()
    phone.comes(body)
    assert phone.answers() == answer
    phone.event(Discarded)


@pytest.mark.parametrize("body", [b"", b"\x01", b"\x07\x00", b"\x02\x01", b"\x00\x01\x00\x00\x00"])
def test_nonsense_is_discarded(body: bytes) -> None:
    phone = Telephone()
    phone.comes(body)
    assert phone.machine.take_messages() == []
    phone.event(Discarded)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_no_body_does_harm(bodies: list[bytes]) -> None:
    phone = Telephone(status_wanted=True)
    phone.send("hi")
    for body in bodies:
        phone.comes(body)
        for head in (b"\x01\x01\x00\x00", b"\x03", b"\x05"):
            phone.comes(head + body)
    for message in phone.machine.take_messages():
        rpdu.parse(message.body)


def test_references_go_round() -> None:
    phone = Telephone()
    seen = set()
    for _ in range(300):
        phone.send("hi")
        message, data, submit = phone.submitted()
        seen.add((data.reference, submit.reference))
        phone.acknowledged(message, data)
    assert len(seen) == 256


@pytest.mark.parametrize("destination", ["sip:bob@example", ""])
def test_no_number_to_send_to(destination: str) -> None:
    with pytest.raises(LocalError):
        Telephone().send("hi", destination)


def test_no_number_for_a_service_centre() -> None:
    with pytest.raises(LocalError):
        ShortMessages(SmsSettings(PSI, "centre"), random.Random(1))


def test_every_row_names_its_action_and_rule() -> None:
    for row in (*TRANSITIONS.values(), *DELIVERIES.values()):
        assert callable(getattr(ShortMessages, f"_{row.action}"))
        assert row.rule.startswith(("TS ", "RFC "))
    kinds = {value for name, value in vars(Came).items() if name.isupper()}
    assert set(DELIVERIES) == kinds


def test_every_row_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of this file once more, and which rows it took."""
    reached = set()

    class Watched(dict[tuple[str, str], object]):
        def get(self, key: tuple[str, str], default: object = None) -> object:
            reached.add(key)
            return TRANSITIONS.get(key, default)

    monkeypatch.setattr("sipua.sms.exchange.TRANSITIONS", Watched())
    test_submit_accepted_acknowledged_reported()
    test_the_parts_follow_one_another()
    test_one_part_refused_is_the_whole_text_refused_and_the_next_text_goes_on()
    test_rp_error_without_a_report()
    test_the_network_refuses()
    test_the_message_is_lost()
    test_the_service_centre_keeps_silent(True)
    test_the_service_centre_keeps_silent(False)
    test_the_acknowledgement_overtakes_the_202()
    for status, outcome in ((0, "delivered"), (0x20, "trying")):
        for accepted in (True, False):
            test_the_report_overtakes_the_acknowledgement(status, outcome, accepted)
    assert set(TRANSITIONS) <= reached
