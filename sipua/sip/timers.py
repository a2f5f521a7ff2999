"""The timers of RFC 3261 §17 and RFC 6026, in seconds."""

from __future__ import annotations

# Timer names, as the machines' tables use them.
A, B, D, E, F = "Timer A", "Timer B", "Timer D", "Timer E", "Timer F"
G, H, I, J, K = "Timer G", "Timer H", "Timer I", "Timer J", "Timer K"  # noqa: E741
L, M = "Timer L", "Timer M"
TRYING = "100 after 200 ms"  # RFC 3261 §17.2.1; it has no letter


class TimerValues:
    """How long each timer runs (RFC 3261 table 4).

    Timers D, I, J and K are zero over reliable transports, which the machines see to.
    """

    __slots__ = ("d", "t1", "t2", "t4", "transaction", "trying")

    def __init__(self, t1: float = 0.5, t2: float = 4.0, t4: float = 5.0, d: float = 32.0) -> None:
        self.t1 = t1  # round-trip estimate; Timers A, E, G start with it
        self.t2 = t2  # longest interval between retransmissions, INVITE requests excepted
        self.t4 = t4  # how long a message may stay in the network; Timers I, K
        self.d = d  # Timer D: at least 32 s whatever T1 is
        self.transaction = 64 * t1  # Timers B, F, H, J, L, M
        self.trying = 0.2  # a server transaction answers INVITE with 100 after this time


def ims_timers() -> TimerValues:
    """Those of a user equipment on a radio link (TS 24.229 table 7.8)."""
    return TimerValues(t1=2.0, t2=16.0, t4=17.0, d=128.0)
