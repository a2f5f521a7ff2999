"""Transfer protocol data units of short messages (TS 23.040 §9.2.2).

Everything is read that a telephone may get, and everything that it may send; what a
service centre writes is here too, for the network that this program can be.
"""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import ParseError
from sipua.sms import timestamp
from sipua.sms.address import Address, take_tp, tp_octets
from sipua.sms.coding import read_coding
from sipua.sms.octets import Reader
from sipua.sms.timestamp import Timestamp, read_timestamp
from sipua.sms.user_data import UserData, take_user_data

DELIVER, SUBMIT, STATUS_REPORT = 0, 1, 2
"""TP-Message-Type-Indicator; a report has that of what it reports on."""

_TYPE = 0x03
_NO_MORE = 0x04  # TP-MMS, and TP-RD of a SUBMIT
_VALIDITY = 0x18
_STATUS_WANTED = 0x20  # TP-SRR, TP-SRI, and TP-SRQ of a status report
_HEADER = 0x40
_REPLY_PATH = 0x80

_ENHANCED, _RELATIVE, _ABSOLUTE = 0x08, 0x10, 0x18

_HAS_PID, _HAS_DCS, _HAS_UD, _EXTENDED = 0x01, 0x02, 0x04, 0x80

Validity = int | Timestamp | bytes | None
"""TP-VP: the relative octet, a time, the seven octets of the enhanced format, or none."""


class Submit(NamedTuple):
    """SMS-SUBMIT: from the telephone to the service centre (§9.2.2.2)."""

    reference: int
    destination: Address
    user_data: UserData
    validity: Validity = None
    protocol: int = 0
    status_wanted: bool = False
    reject_duplicates: bool = False
    reply_path: bool = False

    def to_bytes(self) -> bytes:
        """The TPDU; raises LocalError for a text too long."""
        first = SUBMIT | _flags(self.user_data, self.status_wanted, self.reply_path)
        if self.reject_duplicates:
            first |= _NO_MORE
        validity = b""
        if isinstance(self.validity, int):
            first, validity = first | _RELATIVE, bytes([self.validity])
        elif isinstance(self.validity, Timestamp):
            first, validity = first | _ABSOLUTE, self.validity.to_octets()
        elif self.validity is not None:
            first, validity = first | _ENHANCED, self.validity
        return (
            bytes([first, self.reference])
            + tp_octets(self.destination)
            + bytes([self.protocol, self.user_data.coding.to_octet()])
            + validity
            + self.user_data.to_octets()
        )


class Deliver(NamedTuple):
    """SMS-DELIVER: from the service centre to the telephone (§9.2.2.1)."""

    originator: Address
    sent: Timestamp
    user_data: UserData
    protocol: int = 0
    more: bool = False
    status_wanted: bool = False
    reply_path: bool = False

    def to_bytes(self) -> bytes:
        """The TPDU; raises LocalError for a text too long."""
        first = DELIVER | _flags(self.user_data, self.status_wanted, self.reply_path)
        if not self.more:
            first |= _NO_MORE
        return (
            bytes([first])
            + tp_octets(self.originator)
            + bytes([self.protocol, self.user_data.coding.to_octet()])
            + self.sent.to_octets()
            + self.user_data.to_octets()
        )


class StatusReport(NamedTuple):
    """SMS-STATUS-REPORT: what became of a SUBMIT (§9.2.2.3).

    ``discharged`` is when that was; ``status`` is TP-Status (see ``sipua.sms.causes``).
    """

    reference: int
    recipient: Address
    sent: Timestamp
    discharged: Timestamp
    status: int
    more: bool = False
    of_command: bool = False

    def to_bytes(self) -> bytes:
        """The TPDU without any of its optional fields."""
        first = STATUS_REPORT | (0 if self.more else _NO_MORE)
        first |= _STATUS_WANTED if self.of_command else 0
        return (
            bytes([first, self.reference])
            + tp_octets(self.recipient)
            + self.sent.to_octets()
            + self.discharged.to_octets()
            + bytes([self.status])
        )


class DeliverReport(NamedTuple):
    """SMS-DELIVER-REPORT: the telephone's word on a DELIVER (§9.2.2.1a).

    ``failure`` is TP-Failure-Cause inside RP-ERROR, None inside RP-ACK.
    """

    failure: int | None = None
    user_data: UserData | None = None

    def to_bytes(self) -> bytes:
        """The TPDU; raises LocalError for a text too long."""
        return _report(DELIVER, self.failure, b"", self.user_data)


class SubmitReport(NamedTuple):
    """SMS-SUBMIT-REPORT: the service centre's word on a SUBMIT (§9.2.2.2a)."""

    sent: Timestamp
    failure: int | None = None
    user_data: UserData | None = None

    def to_bytes(self) -> bytes:
        """The TPDU; raises LocalError for a text too long."""
        return _report(SUBMIT, self.failure, self.sent.to_octets(), self.user_data)


def parse_from_network(
    data: bytes, *, failed: bool = False
) -> Deliver | SubmitReport | StatusReport:
    """What a telephone got; raises ParseError.

    ``failed`` says that it came inside RP-ERROR: only there reports give a cause.
    """
    reader = Reader(data, "TPDU")
    first = reader.octet("first octet")
    kind = first & _TYPE
    if kind == STATUS_REPORT:
        return _take_status_report(reader, first)
    if kind == SUBMIT:
        failure = reader.octet("failure cause") if failed else None
        indicator = _take_indicator(reader)
        sent = read_timestamp(reader.take(timestamp.LENGTH, "time stamp"))
        return SubmitReport(sent, failure, _take_optional(reader, indicator, first))
    # the reserved type is read as a DELIVER (§9.2.3.1)
    originator = take_tp(reader, "originating address")
    protocol = reader.octet("protocol identifier")
    coding = read_coding(reader.octet("data coding scheme"))
    sent = read_timestamp(reader.take(timestamp.LENGTH, "time stamp"))
    user_data = take_user_data(reader, coding, with_header=bool(first & _HEADER))
    return Deliver(
        originator,
        sent,
        user_data,
        protocol,
        more=not first & _NO_MORE,
        status_wanted=bool(first & _STATUS_WANTED),
        reply_path=bool(first & _REPLY_PATH),
    )


def parse_from_terminal(data: bytes, *, failed: bool = False) -> Submit | DeliverReport:
    """What a service centre got; raises ParseError. ``failed`` as in ``parse_from_network``."""
    reader = Reader(data, "TPDU")
    first = reader.octet("first octet")
    kind = first & _TYPE
    if kind == DELIVER:
        failure = reader.octet("failure cause") if failed else None
        indicator = _take_indicator(reader) if reader.left else 0
        return DeliverReport(failure, _take_optional(reader, indicator, first))
    if kind != SUBMIT:
        raise ParseError(f"a TPDU of type {kind} from a telephone is not served here")
    reference = reader.octet("message reference")
    destination = take_tp(reader, "destination address")
    protocol = reader.octet("protocol identifier")
    coding = read_coding(reader.octet("data coding scheme"))
    validity = _take_validity(reader, first & _VALIDITY)
    return Submit(
        reference,
        destination,
        take_user_data(reader, coding, with_header=bool(first & _HEADER)),
        validity,
        protocol,
        status_wanted=bool(first & _STATUS_WANTED),
        reject_duplicates=bool(first & _NO_MORE),
        reply_path=bool(first & _REPLY_PATH),
    )


def _flags(user_data: UserData, status_wanted: bool, reply_path: bool) -> int:
    return (
        (_HEADER if user_data.header else 0)
        | (_STATUS_WANTED if status_wanted else 0)
        | (_REPLY_PATH if reply_path else 0)
    )


def _report(kind: int, failure: int | None, time: bytes, user_data: UserData | None) -> bytes:
    first = kind | (_HEADER if user_data is not None and user_data.header else 0)
    octets = bytes([first]) + (b"" if failure is None else bytes([failure]))
    if user_data is None:
        return octets + b"\0" + time
    coding = bytes([user_data.coding.to_octet()])
    return octets + bytes([_HAS_DCS | _HAS_UD]) + time + coding + user_data.to_octets()


def _take_validity(reader: Reader, form: int) -> Validity:
    if form == 0:
        return None
    if form == _RELATIVE:
        return reader.octet("validity period")
    octets = reader.take(timestamp.LENGTH, "validity period")
    return read_timestamp(octets) if form == _ABSOLUTE else octets


def _take_status_report(reader: Reader, first: int) -> StatusReport:
    """What may follow the status is passed over: nothing here depends on it."""
    return StatusReport(
        reader.octet("message reference"),
        take_tp(reader, "recipient address"),
        read_timestamp(reader.take(timestamp.LENGTH, "time stamp")),
        read_timestamp(reader.take(timestamp.LENGTH, "discharge time")),
        reader.octet("status"),
        more=not first & _NO_MORE,
        of_command=bool(first & _STATUS_WANTED),
    )


def _take_indicator(reader: Reader) -> int:
    """TP-Parameter-Indicator; further octets of it say nothing yet (§9.2.3.27)."""
    indicator = octet = reader.octet("parameter indicator")
    while octet & _EXTENDED:
        octet = reader.octet("parameter indicator")
    return indicator


def _take_optional(reader: Reader, indicator: int, first: int) -> UserData | None:
    if indicator & _HAS_PID:
        reader.octet("protocol identifier")
    coding = read_coding(reader.octet("data coding scheme") if indicator & _HAS_DCS else 0)
    if not indicator & _HAS_UD:
        return None
    return take_user_data(reader, coding, with_header=bool(first & _HEADER))
