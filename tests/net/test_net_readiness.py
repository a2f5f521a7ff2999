"""Who is told that a file descriptor is ready, and of what."""

from __future__ import annotations

import socket

from sipua.net.readiness import EVENT_READ, EVENT_WRITE, Readiness


def test_only_what_was_wanted_is_told() -> None:
    ours, theirs = socket.socketpair()
    told: list[int] = []
    readiness = Readiness()
    readiness.register(ours.fileno(), EVENT_READ, told.append)
    readiness.wait(0)
    assert told == []
    theirs.send(b"x")
    readiness.wait(None)
    assert told == [EVENT_READ]
    readiness.modify(ours.fileno(), EVENT_WRITE, told.append)
    readiness.wait(0)
    assert told == [EVENT_READ, EVENT_WRITE]
    readiness.unregister(ours.fileno())
    readiness.wait(0)
    assert len(told) == 2
    readiness.close()
    ours.close()
    theirs.close()


def test_a_hang_up_is_told_as_what_was_wanted() -> None:
    ours, theirs = socket.socketpair()
    told: list[int] = []
    readiness = Readiness()
    readiness.register(ours.fileno(), EVENT_READ, told.append)
    theirs.close()
    readiness.wait(None)
    assert told == [EVENT_READ]
    readiness.close()
    ours.close()


def test_what_was_closed_by_one_that_was_told_before_is_not_told() -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    told: list[int] = []
    readiness = Readiness()

    def close_the_other(number: int) -> None:
        told.append(number)
        readiness.unregister(pairs[1 - number][0].fileno())

    readiness.register(pairs[0][0].fileno(), EVENT_READ, lambda _: close_the_other(0))
    readiness.register(pairs[1][0].fileno(), EVENT_READ, lambda _: close_the_other(1))
    for _, theirs in pairs:
        theirs.send(b"x")
    readiness.wait(None)
    assert len(told) == 1
    readiness.close()
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
