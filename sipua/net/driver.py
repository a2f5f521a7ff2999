"""One turn of the loop that joins a Network, an Endpoint and the clock."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Literal

from sipua.net.events import Failed, Received, StunReceived

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.net.events import NetEvent
    from sipua.net.network import Network
    from sipua.sip.endpoint import Endpoint
    from sipua.sip.hop import Hop

    OnMessage = Callable[[Literal["sent", "received"], bytes, Hop], None]


SOON = 0.02
"""Seconds."""


class Driver:
    """Feeds what arrives to the endpoint, sends what it has to say, keeps its timers.

    Who calls turn() takes the endpoint's events afterwards. ``on_message`` sees
    every message at the edge to the network: direction, octets, peer.
    ``when_idle`` is called when nothing has happened for SOON: for what can wait
    until there is time.
    """

    def __init__(
        self,
        network: Network,
        endpoint: Endpoint,
        clock: Callable[[], float] = time.monotonic,
        on_message: OnMessage | None = None,
        when_idle: Callable[[], None] | None = None,
    ) -> None:
        """``clock`` gives seconds which never go back."""
        self.network = network
        self.endpoint = endpoint
        self.clock = clock
        self.on_message = on_message
        self.on_stun: Callable[[bytes, Hop], None] | None = None
        self.when_idle = when_idle
        self._calls: deque[Callable[[], None]] = deque()

    def turn(self, limit: float | None = None) -> None:
        """Wait for a message, a timer or submitted work, at most ``limit`` seconds, and do it."""
        endpoint = self.endpoint
        self.flush()
        deadline = endpoint.deadline()
        if deadline is not None:
            left = max(0.0, deadline - self.clock())
            limit = left if limit is None else min(limit, left)
        events = self._poll(0.0 if self._calls else limit)
        now = self.clock()
        for event in events:
            if isinstance(event, Received):
                if self.on_message is not None:
                    self.on_message("received", event.data, event.source)
                endpoint.receive(event.data, event.source, now)
            elif isinstance(event, StunReceived):
                if self.on_stun is not None:
                    self.on_stun(event.data, event.source)
            elif isinstance(event, Failed):
                endpoint.transport_failed(event.hop, event.error, now)
        for _ in range(len(self._calls)):
            self._calls.popleft()()
        endpoint.tick(now)
        self.flush()

    def _poll(self, limit: float | None) -> list[NetEvent]:
        if self.when_idle is not None and (limit is None or limit > SOON):
            events = self.network.poll(SOON)
            if events:
                return events
            self.when_idle()
            if limit is not None:
                limit -= SOON
        return self.network.poll(limit)

    def flush(self) -> None:
        """Send what the endpoint wants sent."""
        for data, hop in self.endpoint.take_outgoing():
            if self.on_message is not None:
                self.on_message("sent", data, hop)
            self.network.send(data, hop)

    def submit(self, call: Callable[[], None]) -> None:
        """Have ``call`` run in the loop's thread at its next turn; any thread may submit."""
        self._calls.append(call)
        self.network.wake()
