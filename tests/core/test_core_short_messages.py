"""The service centre of the embedded network: what it takes, delivers, refuses and reports."""

from __future__ import annotations

import pytest
from core_scene import Scene, subscriber
from core_ue import ADDRESS, PORT, Ue
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.core.routing import Routing
from sipua.core.short_messages import ShortMessageCentre, number_of
from sipua.core.subscriber import from_profile
from sipua.sip.hop import Hop
from sipua.sip.message import Request
from sipua.sms import rpdu, tpdu
from sipua.sms.address import Address, read_address
from sipua.sms.rpdu import CONTENT_TYPE, RpAck, RpData, RpError, RpSmma
from sipua.sms.segmentation import split
from sipua.sms.timestamp import Timestamp
from sipua.sms.tpdu import Deliver, DeliverReport, StatusReport, Submit, SubmitReport

NOW = Timestamp(2026, 11, 22, 9, 0, 0, 4)
BOB = "+15552"
CENTRE = "tel:+15550100099"


class Office(Scene):
    """Alice and Bob, whose network has a service centre."""

    def __init__(self, phones: int = 1) -> None:
        super().__init__(phones=phones)
        network = self.network
        own = [Hop(transport, ADDRESS, PORT) for transport in ("UDP", "TCP")]
        routing = Routing(network.directory, network.registrar, own)

        def open_centre() -> ShortMessageCentre:
            here = (ADDRESS, PORT)
            return ShortMessageCentre(
                network.endpoint, routing, network.directory, lambda _: here, lambda: NOW
            )

        network.proxy._open_centre = open_centre

    def submit(
        self, text: str = "hello", number: str = BOB, *, status_wanted: bool = False
    ) -> rpdu.Rpdu:
        """Alice submits; what the service centre says to that."""
        (user_data,) = split(text)
        unit = Submit(9, read_address(number), user_data, status_wanted=status_wanted)
        return self.say(self.alice, RpData(5, unit.to_bytes(), destination=Address("1", 1)))

    def say(self, phone: Ue, message: rpdu.Rpdu | bytes, **more: str) -> rpdu.Rpdu:
        """A telephone sends an RPDU, which is taken; the RPDU that comes back to it."""
        self.tell(phone, message)
        return rpdu.parse(phone.got("MESSAGE")[-1].body)

    def tell(self, phone: Ue, message: rpdu.Rpdu | bytes) -> None:
        body = message if isinstance(message, bytes) else message.to_bytes()
        phone.request(CENTRE, body=body, content_type=CONTENT_TYPE)
        assert phone.told.status == 202


def delivered(message: Request) -> tuple[RpData, Deliver | StatusReport | SubmitReport]:
    data = rpdu.parse(message.body)
    assert isinstance(data, RpData)
    assert data.from_network
    assert str(data.originator) == "+15550100099"
    return data, tpdu.parse_from_network(data.user_data)


def test_taken_and_delivered() -> None:
    office = Office()
    assert office.submit() == RpAck(5, SubmitReport(NOW).to_bytes(), from_network=True)
    answer = office.alice.got("MESSAGE")[-1]
    assert answer.headers.get("In-Reply-To") == office.alice.sent[-1].call_id
    (message,) = office.bob.got("MESSAGE")
    assert message.uri == office.bob.contact
    assert message.headers.get("Content-Type") == CONTENT_TYPE
    assert (message.headers.get("P-Asserted-Identity") or "").startswith("<sip:ipsmgw@")
    assert "In-Reply-To" not in message.headers
    _, deliver = delivered(message)
    assert isinstance(deliver, Deliver)
    assert (deliver.user_data.text, deliver.sent) == ("hello", NOW)
    assert str(deliver.originator) == "+15551"


@pytest.mark.parametrize(
    ("answer", "status"),
    [(RpAck, 0), (RpError, 0x42)],
)
def test_reported(answer: type[RpAck] | type[RpError], status: int) -> None:
    office = Office()
    office.submit(status_wanted=True)
    data, _ = delivered(office.bob.got("MESSAGE")[-1])
    reply = RpAck(data.reference) if answer is RpAck else RpError(data.reference, 22)
    office.tell(office.bob, reply)
    _, report = delivered(office.alice.got("MESSAGE")[-1])
    assert report == StatusReport(9, Address("15552", 1), NOW, NOW, status)
    count = len(office.alice.got("MESSAGE"))
    office.tell(office.bob, reply)  # once more
    assert len(office.alice.got("MESSAGE")) == count


def test_not_reported_unless_wanted() -> None:
    office = Office()
    office.submit()
    data, _ = delivered(office.bob.got("MESSAGE")[-1])
    office.tell(office.bob, RpAck(data.reference))
    assert len(office.alice.got("MESSAGE")) == 1


def test_somebody_else_cannot_acknowledge() -> None:
    office = Office()
    office.submit(status_wanted=True)
    data, _ = delivered(office.bob.got("MESSAGE")[-1])
    office.tell(office.alice, RpAck(data.reference))
    assert len(office.alice.got("MESSAGE")) == 1


@pytest.mark.parametrize(("number", "cause"), [("+19999", 1), ("*100#", 1), ("12", 1)])
def test_nobody_of_that_number(number: str, cause: int) -> None:
    refusal = Office().submit(number=number)
    assert isinstance(refusal, RpError)
    assert (refusal.reference, refusal.cause, refusal.from_network) == (5, cause, True)
    report = tpdu.parse_from_network(refusal.user_data, failed=True)
    assert report == SubmitReport(NOW, 0xFF)


def test_nobody_there() -> None:
    refusal = Office(phones=0).submit()
    assert isinstance(refusal, RpError)
    assert refusal.cause == 27


@pytest.mark.parametrize(
    ("unit", "cause"), [(b"", 111), (b"\x01", 111), (DeliverReport().to_bytes(), 95)]
)
def test_what_is_no_submit(unit: bytes, cause: int) -> None:
    office = Office()
    refusal = office.say(office.alice, RpData(7, unit, destination=Address("1", 1)))
    assert isinstance(refusal, RpError)
    assert (refusal.reference, refusal.cause) == (7, cause)


@pytest.mark.parametrize(
    "message",
    [b"\x07", RpSmma(1), RpAck(200), RpData(1, b"\x04", from_network=True)],
)
def test_what_wants_no_answer(message: rpdu.Rpdu | bytes) -> None:
    office = Office()
    office.tell(office.alice, message)
    assert office.alice.got("MESSAGE") == []


def test_other_messages_go_their_way() -> None:
    office = Office()
    office.alice.request("sip:user2@" + office.alice.identity.domain, body=b"x", content_type="a/b")
    assert office.bob.got("MESSAGE")[-1].body == b"x"


def test_only_subscribers_are_served() -> None:
    office = Office()
    stranger = Ue(office.network, subscriber(3), "192.0.2.99")
    machine = stranger.request(CENTRE, body=RpSmma(1).to_bytes(), content_type=CONTENT_TYPE)
    assert stranger.told.status >= 400, machine.state


def test_memory_is_bounded() -> None:
    office = Office()
    for _ in range(300):
        office.submit(status_wanted=True)
    centre = office.network.proxy._centre
    assert centre is not None
    assert len(centre._pending) <= 256  # RP-MR goes round


@pytest.mark.parametrize(
    ("impus", "number"),
    [
        (("sip:user@x", "tel:+15551"), "+15551"),
        (("sip:+491701@x;user=phone",), "+491701"),
        (("sip:001010123456789@x",), "001010123456789"),
        (("sip:alice.liddell@x",), "alice.lidde"),
        (("sip:жук@x",), "?"),
    ],
)
def test_who_a_text_is_from(impus: tuple[str, ...], number: str) -> None:
    assert str(number_of(from_profile(subscriber(1))._replace(impus=impus))) == number


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_garbage(body: bytes) -> None:
    office = Office()
    for head in (b"", b"\x00\x01\x00\x01\x91", b"\x02", b"\x04"):
        office.tell(office.alice, head + body)
