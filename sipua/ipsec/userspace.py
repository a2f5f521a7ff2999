"""ESP in this process, for machines whose kernel has none.

Protected sockets are bound to a TUN device. What they send comes to us as IP
packets, is sealed and leaves by a raw socket; ESP that arrives on the raw
socket is opened and handed in through the device. Nothing in the clear can
reach or leave such a socket, whatever the routing table says.
"""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from sipua.ipsec import packet
from sipua.ipsec.database import AssociationDatabase
from sipua.ipsec.engine import Engine
from sipua.ipsec.errors import EngineError, EspError, MissingCapability, SequenceExhausted
from sipua.ipsec.esp import PROTOCOL
from sipua.ipsec.packet import Packet
from sipua.ipsec.tun import Tun

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.ipsec.association import AssociationSet

_BURST = 64  # packets taken in one turn, so that others get theirs
_LARGEST = 0xFFFF
_IP_MTU_DISCOVER = 10  # linux/in.h; the socket module does not name them
_IP_PMTUDISC_DONT = 0


class UserSpaceEngine(Engine):
    """ESP for one local address, IPv4 or IPv6.

    ``on_drop`` is told of each packet that is dropped.
    """

    name = "user space"

    def __init__(
        self,
        address: str,
        random_bytes: Callable[[int], bytes] = os.urandom,
        on_drop: Callable[[EspError], None] | None = None,
    ) -> None:
        """Raises MissingCapability when privileges or /dev/net/tun are missing, or EngineError."""
        self._address = str(ip_address(address))
        self._on_drop = on_drop
        self._database = AssociationDatabase(random_bytes)
        self._raw = _raw_socket(self._address)
        try:
            self._tun = Tun(6 if ":" in self._address else 4)
        except EngineError:
            self._raw.close()
            raise
        self.interface = self._tun.name
        self.descriptors = (
            (self._tun.fileno, self._sent_here),
            (self._raw.fileno(), self._received),
        )

    def install(self, associations: AssociationSet) -> None:
        """See Engine."""
        if associations.ours.address != self._address:
            raise EngineError(f"this engine is for {self._address} only")
        self._database.add(associations.inbound, associations.outbound)

    def remove(self, associations: AssociationSet) -> None:
        """See Engine; what waits to be sent under them is sent."""
        self._sent_here(0)
        self._database.remove(associations.inbound, associations.outbound)

    def counters(self) -> dict[str, int]:
        """See Engine; the names are those of ``database.Counters``."""
        return self._database.counters.to_json()

    def close(self) -> None:
        """See Engine; what waits to be sent is sent."""
        self._sent_here(0)
        self._raw.close()
        self._tun.close()

    def _sent_here(self, _mask: int) -> None:
        for _ in range(_BURST):
            data = self._tun.read()
            if not data:
                return
            try:
                sealed = self._database.seal(packet.read(data))
            except SequenceExhausted:
                self._database.counters.unsent += 1
            except EspError as error:
                self._dropped(error)
            else:
                self._send(sealed)

    def _send(self, sealed: Packet) -> None:
        try:
            self._raw.sendto(sealed.payload, (sealed.destination, 0))
        except OSError:  # no route, a full queue: as if it had been lost on the way
            self._database.counters.unsent += 1

    def _received(self, _mask: int) -> None:
        for _ in range(_BURST):
            try:
                data, source = self._raw.recvfrom(_LARGEST)
            except OSError:  # none waits, or an ICMP error about an earlier one
                return
            try:
                arrived = self._arrived(data, source[0])
                opened = packet.write(self._database.open(arrived))
            except EspError as error:
                self._dropped(error)
            else:
                if not self._tun.write(opened):
                    self._database.counters.unsent += 1

    def _arrived(self, data: bytes, source: str) -> Packet:
        """IPv4 shows its header on a raw socket, IPv6 does not."""
        if ":" not in self._address:
            return packet.read(data)
        return Packet(source.partition("%")[0], self._address, PROTOCOL, data)

    def _dropped(self, error: EspError) -> None:
        if self._on_drop is not None:
            self._on_drop(error)


def _raw_socket(address: str) -> socket.socket:
    version = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        made = socket.socket(version, socket.SOCK_RAW | socket.SOCK_NONBLOCK, PROTOCOL)
    except PermissionError:
        raise MissingCapability(
            "CAP_NET_RAW", "run as root, or give the program CAP_NET_RAW"
        ) from None
    except OSError as error:
        raise MissingCapability("raw sockets", f"cannot be had: {error.strerror}") from None
    try:
        made.bind((address, 0))
        if version == socket.AF_INET:
            made.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DONT)
    except OSError as error:
        made.close()
        raise EngineError(f"{address} is not an address of this machine: {error}") from None
    return made
