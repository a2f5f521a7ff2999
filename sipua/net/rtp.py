"""The UDP port of one voice stream."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from sipua.errors import LocalError
from sipua.net.address import bind, family, is_numeric, new_socket, numeric_host
from sipua.net.readiness import EVENT_READ

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.net.readiness import Readiness

    OnDatagram = Callable[[bytes, tuple[str, int]], None]

MAX_DATAGRAM = 65535
DATAGRAMS_PER_TURN = 32  # read before SIP has its turn again
ATTEMPTS = 64  # ports asked for until one is even; every second is


class RtpSocket:
    """An even port (RFC 3550 §11) of the kernel's choice at a numeric ``address``.

    The odd port above it, which would be that of RTCP, is not opened: RTCP is
    neither sent nor awaited.
    """

    def __init__(
        self,
        readiness: Readiness,
        address: str,
        on_datagram: OnDatagram,
        interface: str | None,
        on_close: Callable[[RtpSocket], None],
    ) -> None:
        """Bind, and have ``readiness`` tell of datagrams; raises LocalError or Unreachable."""
        self._readiness = readiness
        self._on_datagram = on_datagram
        self._on_close = on_close
        self._is_open = True
        self._socket = _even(address, interface)
        name = self._socket.getsockname()
        self.address, self.port = numeric_host(name), int(name[1])
        readiness.register(self._socket.fileno(), EVENT_READ, self._ready)

    def send(self, datagram: bytes, to: tuple[str, int]) -> bool:
        """Send one datagram; False if the system does not take it, which ends nothing.

        A host name is not sent to: finding its address would hold up the loop.
        """
        if not is_numeric(to[0]) or (":" in to[0]) != (":" in self.address):
            return False
        try:
            self._socket.sendto(datagram, to)
        except (OSError, OverflowError):  # lost, as it may be in any network; a port above 65535
            return False
        return True

    def close(self) -> None:
        """Give the port back. Datagrams that wait are not told of; closing twice is allowed."""
        if self._is_open:
            self._is_open = False
            self._readiness.unregister(self._socket.fileno())
            self._socket.close()
            self._on_close(self)

    def _ready(self, mask: int) -> None:
        for _ in range(DATAGRAMS_PER_TURN):
            try:
                datagram, name = self._socket.recvfrom(MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                # Closed by the last datagram, or an ICMP error for what was sent:
                # reading has taken the error away.
                return
            self._on_datagram(datagram, (numeric_host(name), name[1]))


def _even(address: str, interface: str | None) -> socket.socket:
    """A bound socket whose port is even; those with odd ones are kept until it is found."""
    odd: list[socket.socket] = []
    try:
        for _ in range(ATTEMPTS):
            made = new_socket(socket.SOCK_DGRAM, family(address), interface)
            bind(made, "UDP", address, 0)
            if made.getsockname()[1] % 2 == 0:
                return made
            odd.append(made)
    finally:
        for each in odd:
            each.close()
    raise LocalError(f"cannot open an even UDP port at {address}: {ATTEMPTS} ports were odd")
