"""Relay protocol data units (TS 24.011 §7.3), which SIP carries as application/vnd.3gpp.sms."""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import LocalError, ParseError
from sipua.sms.address import Address, rp_octets, take_rp
from sipua.sms.octets import Reader

CONTENT_TYPE = "application/vnd.3gpp.sms"

_DATA, _ACK, _ERROR, _SMMA = 0, 2, 4, 6
_FROM_NETWORK = 1
_TYPE = 0x07
_USER_DATA = 0x41

MAX_USER_DATA = 233
"""Octets of a TPDU (§8.2.5.3)."""


class RpData(NamedTuple):
    """RP-DATA (§7.3.1): from the telephone with a ``destination``, the service centre; from the
    network with an ``originator``, the service centre as well."""

    reference: int
    user_data: bytes
    originator: Address | None = None
    destination: Address | None = None
    from_network: bool = False

    def to_bytes(self) -> bytes:
        """The RPDU; raises LocalError for a TPDU too long."""
        return (
            bytes([_DATA | self.from_network, self.reference])
            + rp_octets(self.originator)
            + rp_octets(self.destination)
            + _with_length(self.user_data)
        )


class RpAck(NamedTuple):
    """RP-ACK (§7.3.3). ``user_data`` is a report TPDU, or empty."""

    reference: int
    user_data: bytes = b""
    from_network: bool = False

    def to_bytes(self) -> bytes:
        """The RPDU; raises LocalError for a TPDU too long."""
        return bytes([_ACK | self.from_network, self.reference]) + _optional(self.user_data)


class RpError(NamedTuple):
    """RP-ERROR (§7.3.4). ``cause`` is explained in ``sipua.sms.causes``."""

    reference: int
    cause: int
    user_data: bytes = b""
    from_network: bool = False
    diagnostics: bytes = b""

    def to_bytes(self) -> bytes:
        """The RPDU; raises LocalError for a TPDU too long."""
        return (
            bytes([_ERROR | self.from_network, self.reference])
            + _with_length(bytes([self.cause]) + self.diagnostics)
            + _optional(self.user_data)
        )


class RpSmma(NamedTuple):
    """RP-SMMA (§7.3.2): the telephone has room again."""

    reference: int

    def to_bytes(self) -> bytes:
        """The RPDU."""
        return bytes([_SMMA, self.reference])


Rpdu = RpData | RpAck | RpError | RpSmma


def parse(data: bytes) -> Rpdu:
    """Any RPDU, of either direction; raises ParseError. What follows it is passed over."""
    reader = Reader(data, "RPDU")
    kind = reader.octet("message type") & _TYPE
    reference = reader.octet("message reference")
    from_network = bool(kind & _FROM_NETWORK)
    if kind == _SMMA:
        return RpSmma(reference)
    kind -= from_network
    if kind == _DATA:
        originator = take_rp(reader, "originator address")
        destination = take_rp(reader, "destination address")
        user_data = reader.take(reader.octet("user data"), "user data")
        return RpData(reference, user_data, originator, destination, from_network)
    if kind == _ACK:
        return RpAck(reference, _take_optional(reader), from_network)
    if kind == _ERROR:
        cause = reader.take(reader.octet("cause"), "cause")
        if not cause:
            raise ParseError("the RP-ERROR gives no cause")
        user_data = _take_optional(reader)
        return RpError(reference, cause[0] & 0x7F, user_data, from_network, cause[1:])
    raise ParseError("RPDUs of type 7 are not known")


def _with_length(value: bytes) -> bytes:
    if len(value) > MAX_USER_DATA:
        raise LocalError(f"{len(value)} octets do not fit into one RPDU")
    return bytes([len(value)]) + value


def _optional(user_data: bytes) -> bytes:
    return bytes([_USER_DATA]) + _with_length(user_data) if user_data else b""


def _take_optional(reader: Reader) -> bytes:
    """User data as an optional element; other elements are passed over (§9.3)."""
    if not reader.left or reader.octet("element") != _USER_DATA:
        return b""
    return reader.take(reader.octet("user data"), "user data")
