"""A ladder diagram, drawn step by step as the steps happen.

Pure text: lanes stand from left to right, every step is one arrow with its
label above it and, to the right of the last lane, what it carried or proved.
"""

from __future__ import annotations

from textwrap import wrap
from typing import NamedTuple

from sipua.trace.step import LANES, Step

_MARGIN = 3
_SPAN = 20
_WIDE_SPAN = 27
_WIDE = 100
_NOTE_GAP = 3
_NARROWEST_NOTE = 24


class Glyphs(NamedTuple):
    """What the lines are drawn with."""

    lane: str
    line: str
    right: str
    left: str
    tee_right: str
    tee_left: str


UNICODE = Glyphs("│", "─", "▶", "◀", "├", "┤")
ASCII = Glyphs("|", "-", ">", "<", "+", "+")


class Ladder:
    """Draws steps for a terminal ``width`` columns wide."""

    def __init__(self, width: int = 80, glyphs: Glyphs = UNICODE) -> None:
        self._glyphs = glyphs
        span = _WIDE_SPAN if width >= _WIDE else _SPAN
        self._columns = {lane: _MARGIN + i * span for i, lane in enumerate(LANES)}
        self._note_column = self._columns[LANES[-1]] + 1 + _NOTE_GAP
        beside = width - self._note_column
        self._note_beside = beside >= _NARROWEST_NOTE
        self._note_width = beside if self._note_beside else max(width - 2, _NARROWEST_NOTE)

    def header(self) -> list[str]:
        """The names of the lanes, centred above them."""
        row = [" "] * (self._note_column + 4)
        for lane, column in self._columns.items():
            start = max(column - len(lane) // 2, 0)
            row[start : start + len(lane)] = lane
        return ["".join(row).rstrip()]

    def step(self, step: Step) -> list[str]:
        """The rows of one step; one that goes nowhere is a note beside the lanes."""
        if step.source == step.target:
            return [f"{self._lanes():<{self._note_column}}{step.note}"]
        rows = [self._label_row(step), self._arrow_row(step)]
        if not step.note:
            return rows
        note = wrap(step.note, self._note_width)
        if not self._note_beside:
            return rows + [f"  {line}" for line in note]
        while len(rows) < len(note):
            rows.append(self._lanes())
        return [
            f"{row:<{self._note_column}}{line}".rstrip()
            for row, line in zip(rows, note + [""] * (len(rows) - len(note)), strict=True)
        ]

    def _lanes(self) -> str:
        row = [" "] * (self._columns[LANES[-1]] + 1)
        for column in self._columns.values():
            row[column] = self._glyphs.lane
        return "".join(row)

    def _label_row(self, step: Step) -> str:
        row = list(self._lanes())
        start = min(self._columns[step.source], self._columns[step.target]) + 2
        space = abs(self._columns[step.source] - self._columns[step.target]) - 3
        label = step.label if len(step.label) <= space else f"{step.label[: space - 3]}..."
        row[start : start + space] = f"{label:<{space}}"
        return "".join(row)

    def _arrow_row(self, step: Step) -> str:
        row = list(self._lanes())
        glyphs = self._glyphs
        start, end = self._columns[step.source], self._columns[step.target]
        low, high = min(start, end), max(start, end)
        row[low + 1 : high] = glyphs.line * (high - low - 1)
        if end > start:
            row[start], row[end - 1] = glyphs.tee_right, glyphs.right
        else:
            row[start], row[end + 1] = glyphs.tee_left, glyphs.left
        return "".join(row)
