"""The voice of one call: an RTP socket and what is done with what it brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sipua.media.port import MediaPort
from sipua.sip.offer_answer import LocalMedia

if TYPE_CHECKING:
    from sipua.net.driver import Driver
    from sipua.net.rtp import RtpSocket
    from sipua.sip.offer_answer import Stream

DISCARD = 9
"""The port of an inactive stream that nobody will ever send to (RFC 863)."""


class CallMedia:
    """``mode`` is sink, echo or none; ``local`` what we say of our side of the stream."""

    def __init__(self, mode: str, driver: Driver, address: str, rng: Any) -> None:
        """Raises LocalError when there is no port to be had."""
        self.mode = mode
        self.port = MediaPort(mode, rng)
        self._clock = driver.clock
        self._socket: RtpSocket | None = None
        if mode == "none":
            self.local = LocalMedia(address, DISCARD, direction="inactive")
        else:
            self._socket = driver.network.open_rtp(address, self._arrived)
            self.local = LocalMedia(address, self._socket.port)

    def use(self, stream: Stream | None, now: float) -> None:
        """Take the stream as it was agreed; None: there is none."""
        self.port.use(stream, now)
        self._flush()

    def send_digits(self, digits: str, now: float) -> None:
        """DTMF by RTP events; raises LocalError when none were agreed."""
        self.port.send_digits(digits, now)
        self._flush()

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return self.port.deadline()

    def tick(self, now: float) -> None:
        """Let time pass."""
        self.port.tick(now)
        self._flush()

    def statistics(self) -> dict[str, Any]:
        """What came and went, as JSON carries it."""
        return self.port.statistics._asdict()

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _arrived(self, datagram: bytes, source: tuple[str, int]) -> None:
        self.port.receive(datagram, source, self._clock())
        self._flush()

    def _flush(self) -> None:
        for datagram, target in self.port.take_outgoing():
            if self._socket is not None:
                self._socket.send(datagram, target)
