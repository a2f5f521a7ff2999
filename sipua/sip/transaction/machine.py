"""How a transaction's table is run.

A table maps (state, stimulus) to a row: the next state, what is done, and
where the specification says so. What has no row in a state is not for that
state: the stimulus is dropped, and a timer that runs is stopped when a state is
entered whose table has no row for it. So the tables say all there is to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from sipua.sip.message import Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from sipua.sip.events import Event
    from sipua.sip.hop import Hop
    from sipua.sip.timers import TimerValues

    # An action is given the transaction, the message that caused it or None, and the time.
    Action: TypeAlias = Callable[[Any, Any, float], None]

    class Layer(Protocol):
        """What a transaction needs from the endpoint it lives in."""

        timers: TimerValues

        def transmit(self, data: bytes, hop: Hop) -> None:
            """Put octets on their way."""

        def report(self, event: Event) -> None:
            """Tell the transaction user."""

        def wake(self, transaction: Transaction, at: float) -> None:
            """See to it that ``fire`` is called no later than ``at``."""

        def linger(self, transaction: Any, until: float) -> None:
            """Keep nothing of it but its name: what still comes for it until then is dropped."""

        def release(self, octets: int) -> None:
            """Count octets of a request as held no longer."""

        def ended(self, transaction: Transaction) -> None:
            """Forget a transaction that reached Terminated."""


# States; RFC 3261 figures 5 to 8, RFC 6026 figures 5 and 7
CALLING = "Calling"
TRYING = "Trying"
PROCEEDING = "Proceeding"
ACCEPTED = "Accepted"
COMPLETED = "Completed"
CONFIRMED = "Confirmed"
TERMINATED = "Terminated"

# Stimuli besides the timers of sipua.sip.timers
START = "start"
PROVISIONAL = "1xx"
SUCCESS = "2xx"
FAILURE = "300-699"
REQUEST = "request again"
ACK = "ACK"
TRANSPORT_ERROR = "transport error"

NEVER = float("inf")

RELEASED = Request("", "")
"""Stands for a request that is answered; its transaction only lingers."""


class Row:
    """What happens in one state on one stimulus: the next state, what is done, says who."""

    __slots__ = ("actions", "source", "state")

    def __init__(self, state: str, actions: tuple[Action, ...], source: str) -> None:
        self.state = state
        self.actions = actions
        self.source = source


Table: TypeAlias = dict[tuple[str, str], Row]


class Transaction:
    """One transaction. ``request`` is the one it is about, as long as it is needed; ``method``
    its method, ``hop`` the peer's address.
    """

    __slots__ = (
        *("hop", "interval", "layer", "method", "reliable", "request", "running", "state"),
        "woken_at",
    )

    TRANSITIONS: ClassVar[Table]
    INITIAL: ClassVar[str]

    def __init__(self, layer: Layer, request: Request, hop: Hop) -> None:
        self.layer = layer
        self.request = request
        self.method = request.method
        self.hop = hop
        self.reliable = hop.transport != "UDP"
        self.state = self.INITIAL
        self.running: dict[str, float] = {}  # timers and when they fire
        self.interval = 0.0  # of the retransmission timer, seconds
        self.woken_at = NEVER  # for the layer's schedule

    def feed(self, stimulus: str, now: float, message: object = None) -> bool:
        """Run the row for this stimulus; False when the state has none."""
        row = self.TRANSITIONS.get((self.state, stimulus))
        if row is None:
            return False
        if row.state is not self.state:
            self._enter(row.state)
        for action in row.actions:
            action(self, message, now)
        if row.state is TERMINATED:
            self.layer.ended(self)
        return True

    def _enter(self, state: str) -> None:
        self.state = state
        if self.running:
            table = self.TRANSITIONS
            for timer in [timer for timer in self.running if (state, timer) not in table]:
                del self.running[timer]

    def start_timer(self, timer: str, seconds: float, now: float) -> None:
        """Run a timer; one of zero seconds fires at once."""
        if seconds <= 0:
            self.feed(timer, now)
            return
        at = self.running[timer] = now + seconds
        if at < self.woken_at:
            self.layer.wake(self, at)

    def fire(self, now: float) -> float:
        """Feed the timers that are due; the time of the next one, or NEVER."""
        running = self.running
        while running:
            timer = min(running, key=running.__getitem__)
            at = running[timer]
            if at > now:
                return at
            del running[timer]
            self.feed(timer, now)
        return NEVER

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.state} {self.hop}>"
