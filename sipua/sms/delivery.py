"""What the network's MESSAGEs hold: RPDUs, understood before anything is done about them."""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import ParseError
from sipua.sms import rpdu, tpdu
from sipua.sms.causes import (
    MANDATORY_INFORMATION,
    MEMORY_EXCEEDED,
    PROTOCOL_ERROR,
    TP_MEMORY_EXCEEDED,
    TP_UNSPECIFIED,
)
from sipua.sms.rpdu import RpAck, RpData, Rpdu, RpError
from sipua.sms.table import Came
from sipua.sms.tpdu import Deliver, DeliverReport, StatusReport

TYPE_0 = 0x40
"""TP-PID of a message that is acknowledged and shown to nobody (TS 23.040 §9.2.3.9)."""

_RP_DATA_FROM_NETWORK = 1
_MORE_TO_COME = 0x04

MAX_REMEMBERED = 64
"""Messages that are known again when the network sends them once more."""


class Delivery(NamedTuple):
    """What came, as far as it was understood; ``answer`` is RP-ACK or RP-ERROR, or empty.

    ``call_id`` and ``gateway`` are those of the MESSAGE and who the network says sent it.
    """

    came: str
    call_id: str
    gateway: str
    answer: bytes = b""
    message: Rpdu | None = None
    deliver: Deliver | None = None
    status: StatusReport | None = None
    reason: str = ""


class Inbox:
    """Reads what comes, knowing what came before. Without ``has_room`` texts are refused."""

    def __init__(self) -> None:
        self.has_room = True
        self._known: dict[bytes, None] = {}

    def read(self, body: bytes, call_id: str, gateway: str) -> Delivery:
        """What the body of a MESSAGE means; never raises."""
        try:
            message = rpdu.parse(body)
        except ParseError as error:
            return self._unreadable(body, call_id, gateway, str(error))
        if isinstance(message, RpData) and message.from_network:
            return self._read_data(message, call_id, gateway)
        if isinstance(message, RpAck | RpError) and message.from_network:
            came = Came.ACK if isinstance(message, RpAck) else Came.ERROR
            return Delivery(came, call_id, gateway, message=message)
        name = type(message).__name__
        reason = f"an {name} as telephones send it came from the network"
        return Delivery(Came.NONSENSE, call_id, gateway, reason=reason)

    def _unreadable(self, body: bytes, call_id: str, gateway: str, reason: str) -> Delivery:
        if len(body) >= 2 and body[0] & 7 == _RP_DATA_FROM_NETWORK:
            answer = RpError(body[1], MANDATORY_INFORMATION).to_bytes()
            return Delivery(Came.BAD_RP_DATA, call_id, gateway, answer, reason=reason)
        return Delivery(Came.NONSENSE, call_id, gateway, reason=reason)

    def _read_data(self, message: RpData, call_id: str, gateway: str) -> Delivery:
        acknowledgement = RpAck(message.reference, DeliverReport().to_bytes()).to_bytes()
        found = Delivery(Came.TEXT, call_id, gateway, acknowledgement, message)
        try:
            unit = tpdu.parse_from_network(message.user_data)
        except ParseError as error:
            return _bad(found, message, str(error))
        if isinstance(unit, StatusReport):
            return found._replace(came=Came.STATUS, status=unit)
        if not isinstance(unit, Deliver):
            return _bad(found, message, "a SUBMIT-REPORT came where it reports on nothing")
        found = found._replace(deliver=unit)
        if unit.protocol == TYPE_0:
            return found._replace(came=Came.SILENT)
        key = _key(message.user_data)
        if key in self._known:
            return found._replace(came=Came.TEXT_AGAIN)
        if not self.has_room:
            answer = _error(message, MEMORY_EXCEEDED, TP_MEMORY_EXCEEDED)
            return found._replace(came=Came.NO_ROOM, answer=answer, reason="there is no room")
        self._known[key] = None
        if len(self._known) > MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        return found


def _key(user_data: bytes) -> bytes:
    """The TPDU but for its word on whether more will come."""
    return bytes([user_data[0] & ~_MORE_TO_COME]) + user_data[1:]


def _error(message: RpData, cause: int, failure: int) -> bytes:
    return RpError(message.reference, cause, DeliverReport(failure).to_bytes()).to_bytes()


def _bad(found: Delivery, message: RpData, reason: str) -> Delivery:
    answer = _error(message, PROTOCOL_ERROR, TP_UNSPECIFIED)
    return found._replace(came=Came.BAD_TPDU, answer=answer, reason=reason)
