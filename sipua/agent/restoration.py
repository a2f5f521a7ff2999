"""A new initial registration that the network has asked for by 504, and when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ims.outage import MOST, Outage

if TYPE_CHECKING:
    from sipua.ims.registration import Registration
    from sipua.randomness import Randomness
    from sipua.sip.message import Response


class Restoration:
    """``at`` is when to register anew, None while nobody asks for it; ``why`` is for people.

    The first time that is at once. A network which goes on asking is given the
    back-off of RFC 5626 §4.5, until it has been content for half an hour.
    """

    def __init__(self, rng: Randomness) -> None:
        self.at: float | None = None
        self.why = ""
        self._registration: Registration | None = None
        self._outage = Outage(rng)
        self._restored_at: float | None = None

    def hear(self, response: Response, now: float) -> None:
        """Take note of a 504 to a request that stands on the registration."""
        binding = self._registration.binding if self._registration is not None else None
        if binding is None or self.at is not None:
            return
        from sipua.ims.restoration import demand_in  # not needed when it goes well

        demand = demand_in(response, binding)
        if demand is None:
            return
        told = f": {demand.reason}" if demand.reason else ""
        self.why = f"The network asks for a new registration (504){told}."
        if self._restored_at is None or now >= self._restored_at + MOST:
            self._outage.over()
            self.at = now
        else:
            self.at = now + self._outage.wait()

    def is_due(self, now: float) -> bool:
        """Whether to register anew now."""
        return self.at is not None and now >= self.at

    def stands_on(self, registration: Registration, now: float) -> None:
        """This registration was made, and is the one that counts from now on."""
        self._registration = registration
        if self.at is not None:
            self.at, self._restored_at = None, now
