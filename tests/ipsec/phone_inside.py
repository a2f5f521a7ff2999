"""Run inside a namespace: a telephone with IPsec, which does in a call what it is told to.

Arguments: those of staying_inside.
"""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable
from typing import Any

from obeying import obey
from staying_inside import StayingInside

from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.calls.digits import CallDigits
from sipua.agent.calls.phone_call import PhoneCall
from sipua.agent.protection import Protection
from sipua.ims.call import Call
from sipua.ims.called import Called
from sipua.ims.registration import Registration

PATIENCE = 25.0
OLD_KEPT = 2.0
"""Seconds that the telephone keeps old associations, instead of 64*T1."""

Wish = Callable[[PhoneCall, float], None]


class PhoneInside(StayingInside):
    """Wishes are granted in the thread of the call."""

    def __init__(self, *arguments: str) -> None:
        super().__init__(*arguments)
        self._wishes: queue.SimpleQueue[Wish] = queue.SimpleQueue()

    def grant_wishes(self, call: PhoneCall, now: float) -> None:
        """What was wished for since."""
        while not self._wishes.empty():
            self._wishes.get()(call, now)
            call.line.carry_on(now)

    def _wish(self, wish: Wish) -> bool:
        self._wishes.put(wish)
        self.agent._equipment.wake()
        return True

    def take_calls(self, rings: bool, media: str) -> bool:
        """Register and answer calls, at once or when told to."""
        plan = ListenPlan(ring=1000.0 if rings else 0.0, media=media)
        return self._begin(lambda: self.agent.listen(plan, self.reports.append))

    def place(self, uri: str, digits: str = "") -> bool:
        """Register and call, and dial in the call by RTP."""
        plan = CallPlan(digits=digits)
        return self._begin(lambda: self.agent.call(uri, plan, self.reports.append))

    def answer(self) -> bool:
        return self._wish(lambda call, now: _called(call.machine).answer(now))

    def renew(self) -> bool:
        """The registration."""

        def wish(_call: PhoneCall, _now: float) -> None:
            assert self.agent._conversation is not None
            self.agent._conversation.begin(Registration.start, PATIENCE)

        return self._wish(wish)

    def info(self, digit: str) -> bool:
        """Dial in the call by INFO."""

        def wish(call: PhoneCall, now: float) -> None:
            call._digits = CallDigits(call.machine, call._media, call.log, digit, by="info")
            call._digits.begin(now)

        return self._wish(wish)

    def hold(self) -> bool:
        return self._wish(lambda call, now: call.machine.hold(now))

    def resume(self) -> bool:
        return self._wish(lambda call, now: call.machine.resume(now))

    def hang_up(self) -> bool:
        return self._wish(lambda call, now: call.hang_up(now))

    def await_reports(self, event: str, count: int) -> list[dict[str, Any]]:
        """Particulars of the first so many of a kind."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = [each.details for each in list(self.reports) if each.event == event]
            if len(found) >= count:
                return found[:count]
            time.sleep(0.02)
        return []

    def told(self) -> list[Any]:
        """Everything that was reported: what an assertion shows."""
        return [(each.event, each.details) for each in self.reports]


def _called(call: Call) -> Called:
    assert isinstance(call, Called)
    return call


def _hurry(inside: PhoneInside) -> None:
    """Have old associations go early, and wishes granted whenever a call is looked after."""
    begin, tick = Protection.__init__, PhoneCall.tick

    def begun(protection: Protection, *arguments: Any) -> None:
        begin(protection, *arguments)
        protection._old_kept = OLD_KEPT

    def ticked(call: PhoneCall, now: float) -> None:
        tick(call, now)
        inside.grant_wishes(call, now)

    setattr(Protection, "__init__", begun)  # noqa: B010  which mypy does not let be assigned to
    setattr(PhoneCall, "tick", ticked)  # noqa: B010


def main() -> None:
    inside = PhoneInside(*sys.argv[1:])
    _hurry(inside)
    obey(inside)
    inside.close()


if __name__ == "__main__":
    main()
