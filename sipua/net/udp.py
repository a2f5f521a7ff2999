"""SIP over UDP: one datagram, one message (RFC 3261 §18)."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.errors import LocalError
from sipua.net.address import (
    WILDCARDS,
    bind,
    family,
    new_socket,
    numeric_host,
    tie,
    unreachable,
)
from sipua.net.events import Failed, Received, StunReceived
from sipua.sip.hop import Hop
from sipua.sip.stun import is_stun

if TYPE_CHECKING:
    from sipua.net.events import NetEvent

MAX_DATAGRAM = 65535
FIRST_OF_TEXT = 0x20
RECEIVE_BUFFER = 1 << 20  # octets the kernel holds for us; a burst of registrations fits
ERRORS_PER_TURN = 64
DATAGRAMS_PER_TURN = 16  # read for one waking-up; then it is others' turn

# <linux/in.h>, <linux/in6.h>, <linux/errqueue.h>; Python 3.11 names only some of them.
IP_PKTINFO = 8
IP_RECVERR = 11
IPV6_RECVERR = 25
ORIGIN_ICMP = 2
ORIGIN_ICMP6 = 3

# (origin, type) of RFC 792 and RFC 4443. RFC 3261 §18.4 wants unreachable and parameter
# problem reported and the rest (time exceeded, source quench) ignored.
FATAL_ICMP = {(ORIGIN_ICMP, 3), (ORIGIN_ICMP, 12), (ORIGIN_ICMP6, 1), (ORIGIN_ICMP6, 4)}
FRAGMENTATION_NEEDED = (ORIGIN_ICMP, 3, 4)  # path MTU discovery; the kernel now fragments


class UdpSocket:
    """One bound UDP socket.

    ICMP errors come through the socket's error queue (IP_RECVERR), which names
    the destination each belongs to; so one socket serves every destination, and
    a dead one is known after one round trip instead of Timer F.
    """

    __slots__ = ("_events", "_receive", "_socket", "address", "fileno", "port", "wildcard")

    def __init__(
        self,
        events: list[NetEvent],
        address: str,
        port: int,
        interface: str | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """Bind to ``address`` and ``port`` (0: the kernel chooses); raises LocalError.

        Who is tied to an interface shares his port with those tied to others,
        unless he wants it ``alone``.
        """
        of = family(address)
        self._events = events
        self._socket = new_socket(socket.SOCK_DGRAM, of, None if alone else interface)
        bind(self._socket, "UDP", address, port)
        if alone and interface is not None:
            self._tie(interface)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        name = self._socket.getsockname()
        self.address, self.port = numeric_host(name), name[1]
        self.fileno = self._socket.fileno()
        self.wildcard = self.address in WILDCARDS
        self._receive = self._receive_anywhere if self.wildcard else self._receive_here
        if sys.platform == "linux":
            self._ask_linux(of)

    def _tie(self, interface: str) -> None:
        """Bound before it is tied, so the kernel has compared with everybody's ports."""
        try:
            tie(self._socket, interface)
        except LocalError:
            self._socket.close()
            raise
        with suppress(BlockingIOError):  # what came by another interface meanwhile
            while True:
                self._socket.recv(1)

    def _ask_linux(self, of: socket.AddressFamily) -> None:
        if of == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            if self.wildcard:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            if self.wildcard:
                self._socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)

    def send(self, data: bytes, hop: Hop) -> bool:
        """Send one datagram; False, and a Failed event, if the system does not take it."""
        try:
            self._transmit(data, hop)
        except BlockingIOError:
            pass  # a full send buffer loses the datagram as the network may: Timer E repeats it
        except OSError:
            # The error may belong to an earlier datagram, to somebody else: clear it, send again.
            self._read_errors()
            return self._send_again(data, hop)
        return True

    def _send_again(self, data: bytes, hop: Hop) -> bool:
        try:
            self._transmit(data, hop)
        except BlockingIOError:
            pass
        except OSError as error:
            self._events.append(Failed(hop, unreachable(hop, error)))
            return False
        return True

    def _transmit(self, data: bytes, hop: Hop) -> None:
        if self.wildcard and hop.local is not None and hop.local[0] != self.address:
            self._socket.sendmsg(
                [data], [_sender(hop.local[0])], 0, (hop.address, hop.port)
            )  # an answer leaves from the address that was asked
        else:
            self._socket.sendto(data, (hop.address, hop.port))

    def ready(self, mask: int) -> None:
        """Read what has arrived; more than a turn's share stays in the kernel's buffer."""
        for number in range(DATAGRAMS_PER_TURN):
            try:
                self._receive()
            except OSError:
                if number == 0:  # else all is read, or what is wrong wakes us up again
                    self._read_errors()
                return

    def _receive_here(self) -> None:
        data, name = self._socket.recvfrom(MAX_DATAGRAM)
        self._arrived(data, name, self.address)

    def _receive_anywhere(self) -> None:
        data, notes, _, name = self._socket.recvmsg(MAX_DATAGRAM, 128)
        self._arrived(data, name, _destination(notes) or self.address)

    def _arrived(self, data: bytes, name: tuple[str, int], address: str) -> None:
        if len(data) > 4 or data.strip(b"\r\n\0"):  # else a NAT keep-alive
            source = Hop("UDP", numeric_host(name), name[1], (address, self.port))
            event = StunReceived if data[0] < FIRST_OF_TEXT and is_stun(data) else Received
            self._events.append(event(data, source))

    def _read_errors(self) -> None:
        if sys.platform != "linux":
            return
        for _ in range(ERRORS_PER_TURN):
            try:
                _, notes, _, name = self._socket.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            for level, kind, note in notes:
                if (level, kind) in {
                    (socket.IPPROTO_IP, IP_RECVERR),
                    (socket.IPPROTO_IPV6, IPV6_RECVERR),
                }:
                    self._report(note, Hop("UDP", numeric_host(name), name[1]))

    def _report(self, note: bytes, hop: Hop) -> None:
        """Read a struct sock_extended_err (recvmsg(2), ip(7))."""
        number = int.from_bytes(note[:4], sys.byteorder)
        origin, kind, code = note[4], note[5], note[6]
        if (origin, kind) in FATAL_ICMP and (origin, kind, code) != FRAGMENTATION_NEEDED:
            self._events.append(Failed(hop, unreachable(hop, OSError(number, ""))))

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def _destination(notes: list[tuple[int, int, bytes]]) -> str | None:
    """Return our address that a datagram was sent to, from struct in_pktinfo or in6_pktinfo."""
    for level, kind, note in notes:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            return socket.inet_ntop(socket.AF_INET, note[4:8])
        if (level, kind) == (socket.IPPROTO_IPV6, getattr(socket, "IPV6_PKTINFO", None)):
            address = socket.inet_ntop(socket.AF_INET6, note[:16])
            zone = int.from_bytes(note[16:20], sys.byteorder)
            return f"{address}%{zone}" if address.startswith("fe80:") else address
    return None


def _sender(address: str) -> tuple[int, int, bytes]:
    """Make the ancillary datum which has a wildcard socket send from ``address``."""
    host, _, zone = address.partition("%")
    if ":" in host:
        index = int(zone or 0).to_bytes(4, sys.byteorder)
        packed = socket.inet_pton(socket.AF_INET6, host) + index
        return socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, packed
    packed = bytes(4) + socket.inet_pton(socket.AF_INET, host) + bytes(4)
    return socket.IPPROTO_IP, IP_PKTINFO, packed
