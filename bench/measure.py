"""Times and CPU of child processes, taken side by side, and the table they end up in."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Cost(NamedTuple):
    """What one child process cost, in seconds; ``cpu`` is user and system time."""

    wall: float
    cpu: float


class Figure(NamedTuple):
    """One comparison. ``ratio`` is ours against theirs, ``target`` its bound if it has one.

    ``at_least`` says that more is better; otherwise ``target`` is an upper bound.
    """

    name: str
    ours: str
    theirs: str
    ratio: float
    target: float | None = None
    at_least: bool = False

    @property
    def judgement(self) -> str:
        """ "met", "NOT MET", or empty where there is no target."""
        if self.target is None:
            return ""
        met = self.ratio >= self.target if self.at_least else self.ratio <= self.target
        return "met" if met else "NOT MET"

    @property
    def bound(self) -> str:
        """The target as people write it."""
        return "" if self.target is None else f"{'≥' if self.at_least else '≤'} {self.target:g}"


def run(
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
) -> Cost:
    """Run a command to its end, its output thrown away.

    Raises RuntimeError when its exit status is not one of ``expected``.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expected:
        raise RuntimeError(f"{' '.join(argv)} ended with {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def interleaved(rounds: int, *measure: Callable[[], float]) -> list[float]:
    """Call each in turn, ``rounds`` times over, and return the median of each.

    In turn, so that whatever else the machine does meets all of them alike.
    """
    samples = [[one() for one in measure] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*samples, strict=True)]


class Rounds:
    """Several measures by name, taken in turn, ``rounds`` times over."""

    def __init__(self, rounds: int, measures: Mapping[str, Callable[[], float]]) -> None:
        self._taken = [{name: take() for name, take in measures.items()} for _ in range(rounds)]

    def median(self, name: str) -> float:
        """Of one measure."""
        return statistics.median(taken[name] for taken in self._taken)

    def ratio(self, ours: str, theirs: str) -> float:
        """The median of what each round gives; a round meets both with the same machine."""
        return statistics.median(taken[ours] / taken[theirs] for taken in self._taken)


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines of text, each with its verdict."""
    head = ("", "ours", "compared with", "ratio", "target", "")
    rows = [
        (
            figure.name,
            figure.ours,
            figure.theirs,
            f"{figure.ratio:.2f}",
            figure.bound,
            figure.judgement,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    )
