"""Changes of a session by us: one at a time, and glare (RFC 3261 §14.1, RFC 3311 §5.1).

The machine knows when a change may be sent; what is in it the session knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.randomness import Randomness
    from sipua.sip.offer_answer import LocalMedia


class Change(NamedTuple):
    """A re-INVITE or UPDATE that is wanted; ``media`` None for one that only refreshes."""

    method: str
    media: LocalMedia | None


# States
FREE = "free"
BLOCKED = "blocked"  # an INVITE of the peer's waits for its ACK
SENT = "sent"
WAITING = "waiting"  # after a 491

# Stimuli
WANT = "want"
WANT_BLOCKED = "want while an INVITE of the peer's goes on"
RELEASED = "the peer's INVITE is over"
TAKEN = "2xx"
COLLIDED = "491"
REFUSED = "refused"
DUE = "due"
DUE_BLOCKED = "due while an INVITE of the peer's goes on"

# (state, stimulus): next state, action, section; a change that is wanted while another one
# is on its way is kept, and nothing else happens
TRANSITIONS = {
    (FREE, WANT): (SENT, "send", "RFC 3261 §14.1"),
    (FREE, WANT_BLOCKED): (BLOCKED, "", "RFC 3261 §14.1"),
    (BLOCKED, RELEASED): (SENT, "send", "RFC 3261 §14.1"),
    (SENT, TAKEN): (FREE, "go_on", "RFC 3261 §14.1"),
    (SENT, REFUSED): (FREE, "go_on", "RFC 3261 §14.1"),
    (SENT, COLLIDED): (WAITING, "wait", "RFC 3261 §14.1"),
    (WAITING, DUE): (SENT, "send", "RFC 3261 §14.1"),
    (WAITING, DUE_BLOCKED): (BLOCKED, "", "RFC 3261 §14.1"),
}


class Modification:
    """When to send the changes that are wanted.

    ``owner`` tells whether we made the Call-ID, which decides who waits longer
    after a 491. ``send`` is called with a change when it may go.
    """

    __slots__ = ("_at", "_owner", "_rng", "_send", "_wanted", "sent", "state")

    def __init__(
        self, rng: Randomness, send: Callable[[Change, float], None], *, owner: bool
    ) -> None:
        self.state = FREE
        self.sent: Change | None = None
        self._wanted: Change | None = None
        self._at = 0.0
        self._rng = rng
        self._send = send
        self._owner = owner

    def feed(self, stimulus: str, now: float) -> None:
        """Run the row for this; without one nothing happens."""
        row = TRANSITIONS.get((self.state, stimulus))
        if row is None:
            return
        self.state, action, _ = row
        if action == "send":
            self._send_wanted(now)
        elif action == "wait":
            self._wait(now)
        elif action == "go_on" and self._wanted is not None:
            self.feed(WANT, now)

    def want(self, change: Change, now: float, *, blocked: bool) -> None:
        """Have this change sent as soon as it may be; a later one takes the place of one that
        waits, but a mere refresh does not."""
        if change.media is not None or self._wanted is None:
            self._wanted = change
        self.feed(WANT_BLOCKED if blocked and self.state != SENT else WANT, now)

    def _send_wanted(self, now: float) -> None:
        self.sent, self._wanted = self._wanted, None
        assert self.sent is not None
        self._send(self.sent, now)

    def _wait(self, now: float) -> None:
        """2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in steps of 10 ms."""
        if self._wanted is None or self._wanted.media is None:
            self._wanted = self.sent
        steps = self._rng.getrandbits(16)
        self._at = now + ((210 + steps % 191) if self._owner else steps % 201) / 100

    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return self._at if self.state == WAITING else None

    def tick(self, now: float, *, blocked: bool) -> None:
        """Let time pass."""
        if self.state == WAITING and now >= self._at:
            self.feed(DUE_BLOCKED if blocked else DUE, now)
