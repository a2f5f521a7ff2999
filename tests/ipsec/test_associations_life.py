"""The life of the associations in virtual time: every row of the table, and a long story."""

from __future__ import annotations

import random

import pytest
from associations_of import CK, IK
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.ipsec.association import AssociationSet, Side
from sipua.ipsec.associations import (
    AWAIT_AUTHENTICATION,
    BEYOND_REGISTRATION,
    Install,
    Remove,
    SecurityAssociations,
    new_spis,
)
from sipua.ipsec.keys import expand
from sipua.ipsec.life_table import TRANSITIONS, Input, State
from sipua.ipsec.suite import CURRENT

EXPIRES = 3600.0


def agreement(number: int) -> AssociationSet:
    """The n-th set: new SPIs and client ports, the server ports stay (TS 33.203 §7.4)."""
    spi = 0x1000 + 8 * number
    return AssociationSet(
        Side("10.83.0.1", 20000 + number, 5064, spi, spi + 1),
        Side("10.83.0.2", 30000 + number, 6064, spi + 2, spi + 3),
        CURRENT[0],
        expand(CURRENT[0], CK, IK),
    )


class Story:
    """A machine with an engine that does as it is told."""

    def __init__(self) -> None:
        self.machine = SecurityAssociations()
        self.installed: list[AssociationSet] = []
        self.now = 0.0
        self.number = 0

    def happens(self, what: str) -> Story:
        machine = self.machine
        if what == Input.AGREED:
            self.number += 1
            machine.agreed(agreement(self.number), self.now)
        elif what == Input.ACCEPTED:
            machine.accepted(EXPIRES, self.now)
        elif what == Input.LAPSED:
            self.wait(AWAIT_AUTHENTICATION)
        elif what == Input.EXPIRED:
            self.wait(EXPIRES + BEYOND_REGISTRATION)
        else:
            method = "close" if what == Input.CLOSED else what
            getattr(machine, method)(self.now)
        for action in machine.take_actions():
            if isinstance(action, Install):
                assert action.associations not in self.installed
                self.installed.append(action.associations)
            else:
                assert isinstance(action, Remove)
                self.installed.remove(action.associations)
        return self

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.machine.tick(self.now)

    def stands(self) -> tuple[object, object, tuple[object, ...]]:
        machine = self.machine
        return machine.temporary, machine.in_use, machine.old


TO_STATE: dict[str, tuple[str, ...]] = {
    State.NONE: (),
    State.TEMPORARY: (Input.AGREED,),
    State.PROTECTED: (Input.AGREED, Input.ACCEPTED),
    State.RENEWING: (Input.AGREED, Input.ACCEPTED, Input.AGREED),
}
TEMP, USED, NEW = agreement(1), agreement(1), agreement(2)
RESULTS: dict[tuple[str, str], tuple[object, object, tuple[object, ...]]] = {
    (State.NONE, Input.AGREED): (agreement(1), None, ()),
    (State.NONE, Input.FAILED): (None, None, ()),
    (State.NONE, Input.ACCEPTED): (None, None, ()),
    (State.NONE, Input.REFUSED): (None, None, ()),
    (State.NONE, Input.FINISHED): (None, None, ()),
    (State.NONE, Input.CLOSED): (None, None, ()),
    (State.TEMPORARY, Input.AGREED): (NEW, None, ()),
    (State.TEMPORARY, Input.FAILED): (None, None, ()),
    (State.TEMPORARY, Input.ACCEPTED): (None, TEMP, ()),
    (State.TEMPORARY, Input.REFUSED): (None, None, ()),
    (State.TEMPORARY, Input.FINISHED): (TEMP, None, ()),
    (State.TEMPORARY, Input.LAPSED): (None, None, ()),
    (State.TEMPORARY, Input.CLOSED): (None, None, ()),
    (State.PROTECTED, Input.AGREED): (NEW, USED, ()),
    (State.PROTECTED, Input.FAILED): (None, USED, ()),
    (State.PROTECTED, Input.ACCEPTED): (None, USED, ()),
    (State.PROTECTED, Input.REFUSED): (None, USED, ()),
    (State.PROTECTED, Input.FINISHED): (None, USED, ()),
    (State.PROTECTED, Input.EXPIRED): (None, None, ()),
    (State.PROTECTED, Input.CLOSED): (None, None, ()),
    (State.RENEWING, Input.AGREED): (agreement(3), USED, ()),
    (State.RENEWING, Input.FAILED): (None, USED, ()),
    (State.RENEWING, Input.ACCEPTED): (None, NEW, (USED,)),
    (State.RENEWING, Input.REFUSED): (None, USED, ()),
    (State.RENEWING, Input.FINISHED): (NEW, USED, ()),
    (State.RENEWING, Input.LAPSED): (None, USED, ()),
    (State.RENEWING, Input.CLOSED): (None, None, ()),
}


@pytest.mark.parametrize(("state", "happened"), RESULTS)
def test_each_row(state: str, happened: str) -> None:
    story = Story()
    for step in TO_STATE[state]:
        story.happens(step)
    assert story.machine.state == state
    story.happens(happened)
    assert story.machine.state == TRANSITIONS[state, happened].next_state
    temporary, in_use, old = story.stands()
    assert (temporary, in_use, old) == RESULTS[state, happened]
    assert {*story.installed} == {*filter(None, (temporary, in_use, *old))}


def test_a_challenge_that_outlives_the_registration() -> None:
    story = Story().happens(Input.AGREED)
    story.machine.accepted(10, story.now)
    story.now = 30
    story.happens(Input.AGREED)
    story.wait(10)
    assert story.machine.state == State.TEMPORARY
    assert story.stands() == (NEW, None, ())


def test_every_row_is_among_these() -> None:
    assert set(RESULTS) | {(State.RENEWING, Input.EXPIRED)} == set(TRANSITIONS)


def test_auts_and_mac_failure_never_install_anything() -> None:
    """nothing on the way of a REGISTER with AUTS is new."""
    for state, steps in TO_STATE.items():
        story = Story()
        for step in steps:
            story.happens(step)
        before = list(story.installed)
        story.happens(Input.FAILED)
        assert not [each for each in story.installed if each not in before], state


def test_old_associations_wait_for_their_transactions_and_no_longer_than_they_live() -> None:
    story = Story()
    for step in (Input.AGREED, Input.ACCEPTED, Input.AGREED, Input.ACCEPTED):
        story.happens(step)
    assert story.machine.old == (agreement(1),)
    assert story.installed == [agreement(1), agreement(2)]
    story.happens(Input.FINISHED)
    assert story.installed == [agreement(2)]

    story.happens(Input.AGREED).happens(Input.ACCEPTED)
    assert story.machine.old == (agreement(2),)
    story.now += EXPIRES
    story.machine.accepted(EXPIRES, story.now)  # what is in use is prolonged, what is old is not
    story.wait(BEYOND_REGISTRATION)
    story.happens(Input.FINISHED)
    assert story.installed == [agreement(3)]


def test_lifetimes_are_never_shortened() -> None:
    story = Story().happens(Input.AGREED).happens(Input.ACCEPTED)
    story.machine.accepted(60, story.now)
    assert story.machine.deadline() == EXPIRES + BEYOND_REGISTRATION
    story.happens(Input.AGREED)
    story.machine.accepted(60, story.now)
    story.machine.take_actions()
    story.machine.finished(story.now)
    assert story.machine.deadline() == EXPIRES + BEYOND_REGISTRATION


def test_a_day_of_reauthentications_leaves_nothing() -> None:
    story = Story()
    for renewal in range(48):
        story.happens(Input.AGREED)
        if renewal % 7 == 3:
            story.happens(Input.FAILED).happens(Input.AGREED)
        if renewal % 11 == 5:
            story.happens(Input.REFUSED).happens(Input.AGREED)
        story.happens(Input.ACCEPTED)
        assert len(story.installed) <= 2
        story.now += 100
        story.happens(Input.FINISHED)
        assert len(story.installed) == 1
        story.wait(1700)
    story.happens(Input.CLOSED)
    assert story.installed == []
    assert story.machine.deadline() is None
    assert story.machine.spis == set()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    Input.AGREED,
                    Input.FAILED,
                    Input.ACCEPTED,
                    Input.REFUSED,
                    Input.FINISHED,
                    Input.CLOSED,
                ]
            ),
            st.floats(0, 5000),
        ),
        max_size=40,
    )
)
def test_the_engine_has_what_the_machine_says(steps: list[str | float]) -> None:
    story = Story()
    for step in steps:
        if isinstance(step, str):
            story.happens(step)
        else:
            story.wait(step)
            story.happens(Input.FAILED if story.machine.temporary is None else Input.REFUSED)
        temporary, in_use, old = story.stands()
        assert {*story.installed} == {*filter(None, (temporary, in_use, *old))}
        assert len(story.machine.spis) == 4 * len(story.installed)
        assert (story.machine.deadline() is None) == (not story.installed)


def test_spis_avoid_those_of_both_sides() -> None:
    taken = set(range(256, 258 + 40))

    class Narrow(random.Random):
        def getrandbits(self, k: int) -> int:
            assert k == 32
            return super().getrandbits(10) % 301

    for seed in range(50):
        chosen = new_spis(Narrow(seed), taken)
        assert len({*chosen}) == 2
        assert not taken & {*chosen}
        assert min(chosen) >= 256
