"""A ladder diagram, drawn step by step as the steps happen.

Pure text: lanes stand from left to right, every step is one arrow with its
label above it and, to the right of the last lane, what it carried and proved.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from sipua.trace.step import LANES, REGISTRAR, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARGIN = 3
_SPANS = (27, 20)  # columns between two lanes; with room for a note beside them
_NARROWEST_SPAN = 9
_WIDE = 100
_NOTE_GAP = 3
_NARROWEST_NOTE = 24


class Glyphs(NamedTuple):
    """What the lines are drawn with; ``proof`` stands before what a step proved."""

    lane: str
    line: str
    right: str
    left: str
    tee_right: str
    tee_left: str
    proof: str


UNICODE = Glyphs("│", "─", "▶", "◀", "├", "┤", "→ ")
ASCII = Glyphs("|", "-", ">", "<", "+", "+", "=> ")


class Ladder:
    """Draws steps for a terminal ``width`` columns wide.

    A step from or to a lane that is not there yet adds it: on the right, or in the
    place of ``REGISTRAR`` while nobody has used that one.
    """

    def __init__(
        self, width: int = 80, glyphs: Glyphs = UNICODE, lanes: Sequence[str] = LANES
    ) -> None:
        self._glyphs = glyphs
        self._width = width
        self._lanes = list(lanes)
        self._used: set[str] = set()
        self._headed = False
        self._place()

    def _place(self) -> None:
        """Find the columns of the lanes and the room for notes."""
        between = len(self._lanes) - 1
        spans = _SPANS if self._width >= _WIDE else _SPANS[1:]
        for span in spans:
            beside = self._width - (_MARGIN + span * between + 1 + _NOTE_GAP)
            if beside >= _NARROWEST_NOTE:
                break
        else:
            span = _SPANS[-1]
            if between > 2:  # three lanes stand as they are, on however small a screen
                fitting = (self._width - _MARGIN - 1) // between
                span = min(span, max(fitting, _NARROWEST_SPAN))
        self._span = span
        self._columns = {lane: _MARGIN + i * span for i, lane in enumerate(self._lanes)}
        self._note_column = _MARGIN + span * between + 1 + _NOTE_GAP
        beside = self._width - self._note_column
        self._note_beside = beside >= _NARROWEST_NOTE
        self._note_width = beside if self._note_beside else max(self._width - 2, _NARROWEST_NOTE)

    def header(self) -> list[str]:
        """The names of the lanes, centred above them."""
        self._headed = True
        row = ""
        for lane, column in self._columns.items():
            name = lane if len(lane) < self._span else f"...{lane[4 - self._span :]}"
            row = f"{row:<{max(column - len(name) // 2, 0)}}"
            row = f"{row}{'' if not row or row.endswith(' ') else ' '}{name}"
        return [row.rstrip()]

    def step(self, step: Step) -> list[str]:
        """The rows of one step; one that goes nowhere is a note beside the lanes.

        The names of the lanes come first where they have not been told yet.
        """
        rows = self._join(step)
        notes = wrap(step.note, self._note_width) if step.source != step.target else [step.note]
        if step.proof:
            mark = self._glyphs.proof
            notes += wrap(mark + step.proof, self._note_width, subsequent_indent=" " * len(mark))
        if step.source == step.target:
            if step.label and step.label != step.note:
                notes.insert(0, step.label)
            return rows + [f"{self._rails():<{self._note_column}}{note}" for note in notes if note]
        drawn = [self._label_row(step), self._arrow_row(step)]
        if not self._note_beside:
            return rows + drawn + [f"  {line}" for line in notes]
        while len(drawn) < len(notes):
            drawn.append(self._rails())
        notes += [""] * (len(drawn) - len(notes))
        return rows + [
            f"{row:<{self._note_column}}{line}".rstrip()
            for row, line in zip(drawn, notes, strict=True)
        ]

    def _join(self, step: Step) -> list[str]:
        """Make room for lanes that are new; the header if there are any, or was none yet."""
        ends = {step.source, step.target}
        new = [end for end in (step.source, step.target) if end not in self._columns]
        for lane in dict.fromkeys(new):
            if REGISTRAR in self._columns and REGISTRAR not in self._used | ends:
                self._lanes[self._lanes.index(REGISTRAR)] = lane
            else:
                self._lanes.append(lane)
            self._place()
        self._used |= ends
        return self.header() if new or not self._headed else []

    def _rails(self) -> str:
        row = [" "] * (max(self._columns.values()) + 1)
        for column in self._columns.values():
            row[column] = self._glyphs.lane
        return "".join(row)

    def _label_row(self, step: Step) -> str:
        row = list(self._rails())
        start = min(self._columns[step.source], self._columns[step.target]) + 2
        space = abs(self._columns[step.source] - self._columns[step.target]) - 3
        row[start : start + space] = f"{_cut(step.label, space):<{space}}"
        return "".join(row)

    def _arrow_row(self, step: Step) -> str:
        row = list(self._rails())
        glyphs = self._glyphs
        start, end = self._columns[step.source], self._columns[step.target]
        low, high = min(start, end), max(start, end)
        row[low + 1 : high] = glyphs.line * (high - low - 1)
        if end > start:
            row[start], row[end - 1] = glyphs.tee_right, glyphs.right
        else:
            row[start], row[end + 1] = glyphs.tee_left, glyphs.left
        return "".join(row)


def _cut(text: str, space: int) -> str:
    """The text, or as much of it as fits with a mark that it goes on."""
    return text if len(text) <= space else f"{text[: space - 3]}..."
