"""The security associations of one registration, from the first challenge to the last packet.

Sans-I/O, for the user agent and the P-CSCF alike: told what happened and when,
it hands out what an engine has to install and remove.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.ipsec.association import MIN_SPI
from sipua.ipsec.life_table import TRANSITIONS, Input, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.ipsec.association import AssociationSet
    from sipua.randomness import Randomness

AWAIT_AUTHENTICATION = 240.0
"""Seconds that a temporary set waits for its 200: reg-await-auth (TS 24.229 Table 7.8.1)."""
BEYOND_REGISTRATION = 30.0
"""Seconds that a set outlives the registration it belongs to (TS 24.229 §5.1.1.5.1)."""


class Install(NamedTuple):
    """To be put to work."""

    associations: AssociationSet


class Remove(NamedTuple):
    """To be taken down."""

    associations: AssociationSet


Action = Install | Remove


class _Held:
    """A set, and until when it is good."""

    __slots__ = ("associations", "until")

    def __init__(self, associations: AssociationSet, until: float) -> None:
        self.associations = associations
        self.until = until


class SecurityAssociations:
    """At most one temporary set, one in use, and one whose transactions have not ended.

    ``state`` is one of ``life_table.State``.
    """

    def __init__(self) -> None:
        self.state = State.NONE
        self._temporary: _Held | None = None
        self._in_use: _Held | None = None
        self._old: list[_Held] = []
        self._actions: list[Action] = []

    # What there is --------------------------------------------------------------------

    @property
    def temporary(self) -> AssociationSet | None:
        """The set that carries the answer to a challenge, and nothing else (TS 33.203 §7.4.1a)."""
        return self._temporary.associations if self._temporary else None

    @property
    def in_use(self) -> AssociationSet | None:
        """The set that carries everything else."""
        return self._in_use.associations if self._in_use else None

    @property
    def old(self) -> tuple[AssociationSet, ...]:
        """Sets kept for what began under them."""
        return tuple(held.associations for held in self._old)

    @property
    def spis(self) -> set[int]:
        """Every SPI that is taken, of both sides: they all share their keys' IV space."""
        every = [held for held in (self._temporary, self._in_use, *self._old) if held]
        return {
            each.spi
            for held in every
            for each in (*held.associations.inbound, *held.associations.outbound)
        }

    # What happens ---------------------------------------------------------------------

    def agreed(self, associations: AssociationSet, now: float) -> None:
        """Take note of a challenge whose RES, CK and IK are known: its set becomes temporary."""
        self._handle(Input.AGREED, now, associations=associations)

    def failed(self, now: float) -> None:
        """Take note of AUTS, a wrong MAC, or no common mechanism: nothing new is set up."""
        self._handle(Input.FAILED, now)

    def accepted(self, expires: float, now: float) -> None:
        """Take note of a 200 that grants ``expires`` seconds."""
        self._handle(Input.ACCEPTED, now, expires=expires)

    def refused(self, now: float) -> None:
        """Take note that the REGISTER was refused or never answered."""
        self._handle(Input.REFUSED, now)

    def finished(self, now: float) -> None:
        """Let go of the older sets: their transactions have ended."""
        self._handle(Input.FINISHED, now)

    def close(self, now: float) -> None:
        """Let go of everything."""
        self._handle(Input.CLOSED, now)

    def deadline(self) -> float | None:
        """When ``tick`` is wanted next, None for never."""
        held = [each.until for each in (self._temporary, self._in_use, *self._old) if each]
        return min(held, default=None)

    def tick(self, now: float) -> None:
        """Let go of what has run out."""
        if self._temporary and now >= self._temporary.until:
            self._handle(Input.LAPSED, now)
        if self._in_use and now >= self._in_use.until:
            self._handle(Input.EXPIRED, now)
        for held in [each for each in self._old if now >= each.until]:
            self._old.remove(held)
            self._remove(held)

    def take_actions(self) -> list[Action]:
        """What the engine has to do, in this order."""
        actions, self._actions = self._actions, []
        return actions

    # What is done ---------------------------------------------------------------------

    def _handle(
        self,
        happened: str,
        now: float,
        associations: AssociationSet | None = None,
        expires: float = 0.0,
    ) -> None:
        row = TRANSITIONS[self.state, happened]
        self.state = row.next_state
        match row.action:
            case "set_up" | "replace":
                self._discard()
                assert associations is not None
                self._temporary = _Held(associations, now + AWAIT_AUTHENTICATION)
                self._actions.append(Install(associations))
            case "discard":
                self._discard()
            case "take_into_use":
                self._take_into_use(now + expires + BEYOND_REGISTRATION)
            case "prolong":
                assert self._in_use is not None
                # lifetimes are never shortened (TS 33.203 §7.4.1)
                self._in_use.until = max(self._in_use.until, now + expires + BEYOND_REGISTRATION)
            case "drop_old":
                self._drop_old()
            case "expire":
                self._expire()
            case "close":
                self._discard()
                self._expire()
                self._drop_old()

    def _take_into_use(self, until: float) -> None:
        assert self._temporary is not None
        if self._in_use is not None:
            self._drop_old()  # at most six associations in each direction (TS 33.203 §7.4.1a)
            self._old.append(self._in_use)
            until = max(until, self._in_use.until)
        self._temporary.until = until
        self._in_use, self._temporary = self._temporary, None

    def _discard(self) -> None:
        if self._temporary is not None:
            self._remove(self._temporary)
            self._temporary = None

    def _expire(self) -> None:
        if self._in_use is not None:
            self._remove(self._in_use)
            self._in_use = None

    def _drop_old(self) -> None:
        for held in self._old:
            self._remove(held)
        self._old.clear()

    def _remove(self, held: _Held) -> None:
        self._actions.append(Remove(held.associations))


def new_spis(rng: Randomness, taken: Iterable[int]) -> tuple[int, int]:
    """Two SPIs for our client and server port, unlike each other and ``taken``.

    ``taken`` holds the other side's too: a P-CSCF must not choose those of the
    user agent, as both directions have the same keys (TS 33.203 §7.1).
    """
    avoided = set(taken)
    chosen: list[int] = []
    while len(chosen) < 2:
        spi = rng.getrandbits(32)
        if spi >= MIN_SPI and spi not in avoided:
            avoided.add(spi)
            chosen.append(spi)
    return chosen[0], chosen[1]
