"""The IP-SM-GW of the embedded network, and the service centre behind it (TS 24.341 §5.3.3).

It takes what telephones submit, acknowledges it, hands it to the subscriber with
that number if he is registered, and reports on it where that is wanted. Nothing is
kept for later: who is not there does not get it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.core.reply import Reply, written
from sipua.errors import LocalError, NetworkError, ParseError, PeerError
from sipua.sip.message import Request
from sipua.sms import rpdu, tpdu
from sipua.sms.address import MAX_DIGITS, MAX_TEXT, Address, alphanumeric, read_address
from sipua.sms.causes import (
    INVALID_MESSAGE,
    PROTOCOL_ERROR,
    TP_UNSPECIFIED,
)
from sipua.sms.rpdu import CONTENT_TYPE, RpAck, RpData, RpError
from sipua.sms.timestamp import Timestamp
from sipua.sms.tpdu import Deliver, StatusReport, Submit, SubmitReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.core.routing import Routing
    from sipua.core.subscriber import Directory, Subscriber
    from sipua.sip.endpoint import Endpoint, RequestReceived
    from sipua.sip.hop import Hop

UNASSIGNED_NUMBER = 1
DESTINATION_OUT_OF_ORDER = 27
"""RP-Cause for who is not a subscriber, and who is not there."""

REFUSED_BY_RECIPIENT = 0x42
"""TP-Status of what the recipient's telephone did not take."""

MAX_PENDING = 1024
"""Deliveries whose acknowledgement is waited for; the oldest is forgotten for a new one."""

NUMBER = Address("15550100099", 1)
"""Our own number, out of those that are nobody's."""


class _Delivery(NamedTuple):
    """A message at its recipient: whose it is, and what was submitted."""

    sender: Subscriber
    submit: Submit
    sent: Timestamp


class ShortMessageCentre:
    """Sends by the endpoint of the proxy, as an application server behind it would."""

    def __init__(
        self,
        endpoint: Endpoint,
        routing: Routing,
        directory: Directory,
        local_address: Callable[[Hop], tuple[str, int]],
        clock: Callable[[], Timestamp],
    ) -> None:
        """``clock`` gives the time of day."""
        self._endpoint = endpoint
        self._routing = routing
        self._directory = directory
        self._local_address = local_address
        self._clock = clock
        self._reference = 0
        self._messages = 0
        self._pending: dict[tuple[str, int], _Delivery] = {}

    def take(self, event: RequestReceived, sender: Subscriber, now: float) -> None:
        """Answer a MESSAGE with an RPDU: 202, and what follows in MESSAGEs of their own."""
        request = event.request
        accepted = written(self._endpoint, request, Reply(202))
        self._endpoint.respond(event.transaction, accepted, now)
        try:
            message = rpdu.parse(request.body)
        except ParseError:
            return
        call_id = request.headers.get("Call-ID") or ""
        if isinstance(message, RpData) and not message.from_network:
            self._submitted(message, sender, call_id, now)
        elif isinstance(message, RpAck | RpError):
            self._acknowledged(message, sender, now)

    def _submitted(self, data: RpData, sender: Subscriber, call_id: str, now: float) -> None:
        sent = self._clock()
        answer: RpAck | RpError
        try:
            submit = tpdu.parse_from_terminal(data.user_data)
        except ParseError:
            answer = _refusal(data, PROTOCOL_ERROR, sent)
            self._send(sender.impus[0], answer.to_bytes(), now, call_id)
            return
        if isinstance(submit, Submit):
            recipient = self._recipient(submit)
            cause = UNASSIGNED_NUMBER
            if recipient is not None:
                cause = self._deliver(_Delivery(sender, submit, sent), recipient, now)
        else:
            cause = INVALID_MESSAGE
        if cause:
            answer = _refusal(data, cause, sent)
        else:
            answer = RpAck(data.reference, SubmitReport(sent).to_bytes(), from_network=True)
        self._send(sender.impus[0], answer.to_bytes(), now, call_id)

    def _recipient(self, submit: Submit) -> Subscriber | None:
        try:
            return self._directory.by_impu(f"tel:{submit.destination}")
        except ParseError:  # digits that no URI has
            return None

    def _deliver(self, delivery: _Delivery, recipient: Subscriber, now: float) -> int:
        """RP-Cause of the refusal, 0 for none."""
        submit = delivery.submit
        deliver = Deliver(number_of(delivery.sender), delivery.sent, submit.user_data)
        reference = self._next_reference()
        self._pending[recipient.impi, reference] = delivery
        if len(self._pending) > MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        data = RpData(reference, deliver.to_bytes(), originator=NUMBER, from_network=True)
        if self._send(recipient.impus[0], data.to_bytes(), now):
            return 0
        self._pending.pop((recipient.impi, reference))
        return DESTINATION_OUT_OF_ORDER

    def _acknowledged(self, message: RpAck | RpError, recipient: Subscriber, now: float) -> None:
        delivery = self._pending.pop((recipient.impi, message.reference), None)
        if delivery is None or not delivery.submit.status_wanted:
            return
        status = 0 if isinstance(message, RpAck) else REFUSED_BY_RECIPIENT
        submit = delivery.submit
        report = StatusReport(
            submit.reference, submit.destination, delivery.sent, self._clock(), status
        )
        data = RpData(
            self._next_reference(), report.to_bytes(), originator=NUMBER, from_network=True
        )
        self._send(delivery.sender.impus[0], data.to_bytes(), now)

    def _next_reference(self) -> int:
        self._reference = (self._reference + 1) % 256
        return self._reference

    def _send(self, impu: str, body: bytes, now: float, in_reply_to: str = "") -> bool:
        """A MESSAGE of ours to the newest contact; whether there was one."""
        try:
            way = self._routing.ways(impu, now)[0]
            sent_by = self._local_address(way.hop)
            request = self._write(way.uri, impu, way.path, body, in_reply_to)
            self._endpoint.send_request(request, way.hop, sent_by, now)
        except (PeerError, NetworkError, LocalError):
            return False
        return True

    def _write(
        self, uri: str, impu: str, path: tuple[str, ...], body: bytes, in_reply_to: str
    ) -> Request:
        """TS 24.341 tables B.5-7 and B.6-1."""
        self._messages += 1
        domain = next(iter(sorted(self._directory.domains)))
        gateway = f"sip:ipsmgw@{domain}"
        headers = [
            ("Max-Forwards", "70"),
            *[("Route", value) for value in path],
            ("From", f"<{gateway}>;tag=sm{self._messages}"),
            ("To", f"<{impu}>"),
            ("Call-ID", f"sm{self._messages}-{id(self):x}@{domain}"),
            ("CSeq", f"{self._messages} MESSAGE"),
            ("P-Asserted-Identity", f"<{gateway}>"),
            ("Request-Disposition", "no-fork"),
            ("Accept-Contact", "*;+g.3gpp.smsip;require;explicit"),
            *([("In-Reply-To", in_reply_to)] if in_reply_to else []),
            ("Content-Type", CONTENT_TYPE),
        ]
        return Request("MESSAGE", uri, headers, body)


def number_of(subscriber: Subscriber) -> Address:
    """The number that stands for a subscriber: of a tel URI, else what his SIP URI begins with."""
    users = [
        impu.partition(":")[2].partition("@")[0]
        for impu in sorted(subscriber.impus, key=lambda impu: not impu.startswith("tel:"))
    ]
    for user in users:
        digits = user.partition(";")[0]
        if digits.removeprefix("+").isdecimal() and len(digits) <= MAX_DIGITS:
            return read_address(digits)
    try:
        return alphanumeric(users[0][:MAX_TEXT])
    except LocalError:
        return alphanumeric("?")


def _refusal(data: RpData, cause: int, sent: Timestamp) -> RpError:
    report = SubmitReport(sent, TP_UNSPECIFIED)
    return RpError(data.reference, cause, report.to_bytes(), from_network=True)
