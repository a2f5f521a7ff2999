"""IPv4 and IPv6 packets, put together again where they were fragmented.

RFC 791, RFC 8200. Checksums are not looked at: a capture on the sender's side
sees them before the network card has filled them in.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address
from typing import NamedTuple

TCP, UDP = 6, 17
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION = 0, 43, 44, 51, 60
EXTENSIONS = frozenset((HOP_BY_HOP, ROUTING, DESTINATION, 135, 139, 140))  # RFC 7045 §4
MAX_EXTENSIONS = 16
MAX_DATAGRAM = 0xFFFF  # octets
MAX_PENDING = 256  # datagrams of which fragments are missing
UNIT = 8  # octets, in which fragment offsets count
MAX_NAMES = 1 << 16  # addresses whose text is kept


class Packet(NamedTuple):
    """What one IP packet carries; ``missing`` octets of it were not captured."""

    protocol: int
    source: str
    destination: str
    payload: bytes
    missing: int


class Reassembly:
    """Takes IP packets as they come, gives whole ones."""

    def __init__(self) -> None:
        self._pending: OrderedDict[tuple[object, ...], Datagram] = OrderedDict()
        self._names: dict[bytes, str] = {}

    def __len__(self) -> int:
        """Datagrams of which fragments are missing."""
        return len(self._pending)

    def take(self, data: bytes) -> Packet | None:
        """The packet in ``data``, or the one it completes; None for what is neither."""
        version = data[0] >> 4 if data else 0
        if version == 4:
            return self._version_4(data)
        return self._version_6(data) if version == 6 else None

    def _version_4(self, data: bytes) -> Packet | None:
        header = (data[0] & 0x0F) * 4
        if header < 20 or len(data) < header:
            return None
        # A length of 0 is what a kernel writes that leaves segmentation to the network card.
        length = data[2] << 8 | data[3] or len(data)
        if length < header:
            return None
        payload = data[header:length]
        missing = length - header - len(payload)
        position = (data[6] << 8 | data[7]) & 0x3FFF
        if position:
            last = not position & 0x2000
            key = (data[12:20], data[4:6], data[9])
            whole = self._fragment(key, (position & 0x1FFF) * UNIT, last, payload, missing)
            if whole is None:
                return None
            payload = whole
        name = self._name
        return Packet(data[9], name(data[12:16]), name(data[16:20]), payload, missing)

    def _version_6(self, data: bytes) -> Packet | None:
        if len(data) < 40:
            return None
        length = data[4] << 8 | data[5] or len(data) - 40
        payload = data[40 : 40 + length]
        missing = length - len(payload)
        protocol = data[6]
        for _ in range(MAX_EXTENSIONS):
            if protocol == FRAGMENT:
                if len(payload) < 8:
                    return None
                position = payload[2] << 8 | payload[3]
                following = payload[0]
                if position & 0xFFF9:  # else it is whole (RFC 6946)
                    # RFC 8200 §4.5: the header that follows is told by the first fragment,
                    # and is the same in all of them where it is UDP or TCP.
                    key = (data[8:40], payload[4:8], following)
                    last = not position & 1
                    whole = self._fragment(key, position & 0xFFF8, last, payload[8:], missing)
                    if whole is None:
                        return None
                    payload = whole
                else:
                    payload = payload[8:]
                protocol = following
            elif protocol in EXTENSIONS or protocol == AUTHENTICATION:
                if len(payload) < 2:
                    return None
                size = (payload[1] + 2) * 4 if protocol == AUTHENTICATION else (payload[1] + 1) * 8
                protocol, payload = payload[0], payload[size:]
            else:
                name = self._name
                return Packet(protocol, name(data[8:24]), name(data[24:40]), payload, missing)
        return None

    def _fragment(
        self, key: tuple[object, ...], offset: int, last: bool, data: bytes, missing: int
    ) -> bytes | None:
        """The datagram that this fragment completes, or None."""
        if missing or offset + len(data) > MAX_DATAGRAM:
            return None
        datagram = self._pending.get(key)
        if datagram is None:
            if len(self._pending) >= MAX_PENDING:
                self._pending.popitem(last=False)
            datagram = self._pending[key] = Datagram()
        if not datagram.add(offset, last, data):
            return None
        del self._pending[key]
        return bytes(datagram.octets)

    def _name(self, address: bytes) -> str:
        name = self._names.get(address)
        if name is None:
            if len(self._names) >= MAX_NAMES:
                self._names.clear()
            name = ".".join(map(str, address)) if len(address) == 4 else str(IPv6Address(address))
            self._names[address] = name
        return name


class Datagram:
    """The fragments of one datagram so far. Where two overlap, the later one counts."""

    __slots__ = ("_covered", "_size", "octets")

    def __init__(self) -> None:
        self.octets = bytearray()
        self._covered = bytearray()  # a 1 for each unit that is there
        self._size: int | None = None

    def add(self, offset: int, last: bool, data: bytes) -> bool:
        """Take a fragment; True when the datagram is whole."""
        end = offset + len(data)
        first = offset // UNIT
        beyond = end // UNIT
        if last:
            self._size = end
            beyond = -(-end // UNIT)
        if len(self.octets) < end:
            self.octets += bytes(end - len(self.octets))
            self._covered += bytes(-(-end // UNIT) - len(self._covered))
        self.octets[offset:end] = data
        self._covered[first:beyond] = b"\1" * (beyond - first)
        if self._size is None:
            return False
        del self.octets[self._size :]
        return 0 not in self._covered[: -(-self._size // UNIT)]
