"""A ladder as SVG: a file or part of a page, readable in light and dark and read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.trace.markup import Markup, element, visible
from sipua.trace.text_width import fitted, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sipua.trace.step import Step

GOOD, BAD, PLAIN = "good", "bad", "plain"


class Lane(NamedTuple):
    """A participant: ``name`` as steps call it, ``where`` it is or what it says it is."""

    name: str
    where: str = ""


class Rung(NamedTuple):
    """A step with its time in seconds since the beginning, where to read more, and its mood:
    ``good`` proved something, ``bad`` refused, ``plain`` otherwise."""

    step: Step
    at: float | None = None
    href: str = ""
    mood: str = PLAIN


# All in the unit of the picture, of which a screen pixel is one at full size.
TIMES = 76.0  # the column of times
SPAN = 208.0  # between two lanes
BOX_WIDTH = 168.0
BOX_HEIGHT = 46.0
NOTES = 372.0  # the column of notes
GAP = 22.0
TOP = 12.0
SIZE = 13.0
SMALL = 11.5
LINE = 17.0
LABEL_ABOVE = 7.0
RUNG_PADDING = 11.0
MAX_LABEL_LINES = 3

STYLE = """\
.ladder{--ink:#1b2430;--soft:#5a6675;--rail:#b9c3cf;--box:#eef2f7;--edge:#c6d0dc;--band:#f6f8fb;
--arrow:#2458c5;--good:#14713f;--bad:#b3261e;--back:#fff;color-scheme:light dark;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){.ladder{--ink:#e7ecf3;--soft:#a5b1c0;--rail:#47525f;
--box:#222b36;--edge:#3b4755;--band:#171d25;--arrow:#86aefc;--good:#6fd39b;--bad:#ff8f86;--back:#10151b}}
@media print{.ladder{--ink:#000;--soft:#333;--rail:#999;--box:#fff;--edge:#666;--band:#fff;
--arrow:#000;--good:#0a4d28;--bad:#8c1d18;--back:#fff}}
.ladder text{fill:var(--ink);font-size:13px}
.ladder .mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.ladder .small{fill:var(--soft);font-size:11.5px}
.ladder .name{font-weight:600}
.ladder .label{paint-order:stroke;stroke:var(--back);stroke-width:5px;stroke-linejoin:round}
.ladder .rail{stroke:var(--rail);stroke-width:1.5}
.ladder .box{fill:var(--box);stroke:var(--edge)}
.ladder .band{fill:var(--band)}
.ladder .line{stroke:var(--arrow);stroke-width:1.8}
.ladder .tip{fill:var(--arrow)}
.ladder .good .line{stroke:var(--good)}.ladder .good .tip{fill:var(--good)}
.ladder .bad .line{stroke:var(--bad)}.ladder .bad .tip{fill:var(--bad)}
.ladder .proof{font-weight:600}
.ladder .good .proof{fill:var(--good)}.ladder .bad .proof{fill:var(--bad)}
.ladder .reach{fill:transparent;stroke:none}
.ladder a:hover .reach{fill:var(--arrow);fill-opacity:.07}
.ladder a:focus{outline:none}.ladder a:focus-visible .reach{stroke:var(--arrow);stroke-width:2}
"""

ALONE = """\
.paper{fill:#fff}@media (prefers-color-scheme:dark){.paper{fill:#10151b}}
@media print{.paper{fill:#fff}}
"""
"""What a picture that is a file of its own has besides: its background."""


def standalone(title: str, lanes: Sequence[Lane], rungs: Sequence[Rung]) -> str:
    """A whole SVG file, its background included."""
    drawn = _Drawing(lanes, rungs).svg(title, alone=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{drawn}\n'


def inline(title: str, lanes: Sequence[Lane], rungs: Sequence[Rung]) -> Markup:
    """The picture for a page that holds ``STYLE`` itself."""
    return _Drawing(lanes, rungs).svg(title, alone=False)


class _Drawing:
    """Where everything goes."""

    def __init__(self, lanes: Sequence[Lane], rungs: Sequence[Rung]) -> None:
        self.lanes = lanes
        self.rungs = rungs
        self.columns = {
            lane.name: TIMES + BOX_WIDTH / 2 + index * SPAN for index, lane in enumerate(lanes)
        }
        self.notes_at = TIMES + BOX_WIDTH + (len(self.columns) - 1) * SPAN + GAP
        self.width = self.notes_at + NOTES + GAP

    def svg(self, title: str, *, alone: bool) -> Markup:
        """The whole of it."""
        bands: list[Markup] = []
        groups: list[Markup] = []
        y = TOP + BOX_HEIGHT + RUNG_PADDING
        for number, rung in enumerate(self.rungs):
            group, height = self.rung(rung, y)
            groups.append(group)
            if number % 2:
                bands.append(self.across("band", y, height))
            y += height
        return element(
            "svg",
            element("title", title, id="picture-title"),
            element("desc", self.told(), id="picture-desc"),
            *((_style(), _paper()) if alone else ()),
            *bands,
            *(self.rail(x, y) for x in self.columns.values()),
            *(self.head(lane) for lane in self.lanes),
            *groups,
            xmlns="http://www.w3.org/2000/svg",
            class_="ladder",
            viewBox=f"0 0 {_n(self.width)} {_n(y + RUNG_PADDING)}",
            width=_n(self.width),
            height=_n(y + RUNG_PADDING),
            role="img" if alone else "group",
            aria_labelledby="picture-title picture-desc",
        )

    def told(self) -> str:
        """The picture in words, for who cannot see it."""
        names = ", ".join(
            f"{lane.name} ({lane.where})" if lane.where else lane.name for lane in self.lanes
        )
        steps = ". ".join(_sentence(rung.step) for rung in self.rungs)
        return f"Participants: {names}. {steps}."

    def head(self, lane: Lane) -> Markup:
        x = self.columns[lane.name]
        space = BOX_WIDTH - 16
        first = TOP + (BOX_HEIGHT / 2 + 4.5 if not lane.where else 20)
        return element(
            "g",
            element("title", f"{lane.name} {lane.where}".strip()),
            element(
                "rect",
                class_="box",
                x=_n(x - BOX_WIDTH / 2),
                y=_n(TOP),
                width=_n(BOX_WIDTH),
                height=_n(BOX_HEIGHT),
                rx="9",
            ),
            _text(
                fitted(visible(lane.name), SIZE * 1.08, space), x, first, "name", anchor="middle"
            ),
            _text(fitted(visible(lane.where), SMALL, space), x, TOP + 37, "small", anchor="middle"),
        )

    def rail(self, x: float, end: float) -> Markup:
        return element(
            "line", class_="rail", x1=_n(x), x2=_n(x), y1=_n(TOP + BOX_HEIGHT), y2=_n(end)
        )

    def across(self, class_: str, y: float, height: float) -> Markup:
        """A rectangle as wide as the picture."""
        return element(
            "rect",
            class_=class_,
            x="4",
            y=_n(y),
            width=_n(self.width - 8),
            height=_n(height),
            rx="6",
        )

    def rung(self, rung: Rung, y: float) -> tuple[Markup, float]:
        """One step drawn from ``y`` down, and how high it is."""
        step = rung.step
        is_remark = step.source == step.target
        notes = _lines(step.note, SIZE, NOTES)
        proofs = _lines(step.proof, SIZE * 1.08, NOTES)
        if is_remark and step.label:
            notes = _lines(f"{step.label}: {step.note}" if step.note else step.label, SIZE, NOTES)
        labels = [] if is_remark else self.labels(step)
        rows = max(len(notes) + len(proofs), len(labels) + 1 if labels else 1)
        height = rows * LINE + 2 * RUNG_PADDING
        first = y + RUNG_PADDING + LINE - 4
        parts = [self.across("reach", y, height)]
        if rung.at is not None:
            parts.append(_text(_clock(rung.at), TIMES - 14, first, "small mono", anchor="end"))
        if not is_remark:
            parts += self.arrow(step, labels, first)
        at = first
        for line, class_ in [(each, "note") for each in notes] + [
            (each, "proof") for each in proofs
        ]:
            parts.append(_text(line, self.notes_at, at, class_))
            at += LINE
        group = element("g", element("title", _sentence(step)), *parts, class_=rung.mood)
        return element("a", group, href=rung.href) if rung.href else group, height

    def labels(self, step: Step) -> list[str]:
        """The label in lines that fit between its lanes."""
        space = abs(self.columns[step.source] - self.columns[step.target]) - 22
        lines = _lines(step.label, SIZE * 1.08, space) or [""]
        if len(lines) > MAX_LABEL_LINES:
            rest = " ".join(lines[MAX_LABEL_LINES - 1 :])
            lines[MAX_LABEL_LINES - 1 :] = [fitted(rest, SIZE * 1.08, space)]
        return lines

    def arrow(self, step: Step, labels: list[str], first: float) -> list[Markup]:
        """The arrow below its label."""
        start, end = self.columns[step.source], self.columns[step.target]
        y = first + (len(labels) - 1) * LINE + LABEL_ABOVE + 3
        back = 10 if end > start else -10
        tip = f"{_n(end)},{_n(y)} {_n(end - back)},{_n(y - 5)} {_n(end - back)},{_n(y + 5)}"
        middle = (start + end) / 2
        return [
            element("line", class_="line", x1=_n(start), x2=_n(end - back + 1), y1=_n(y), y2=_n(y)),
            element("polygon", class_="tip", points=tip),
            *(
                _text(line, middle, first + number * LINE, "name label", anchor="middle")
                for number, line in enumerate(labels)
            ),
        ]


def _lines(text: str, size: float, space: float) -> list[str]:
    return wrapped(visible(text), size, space)


def _style() -> Markup:
    return element("style", Markup(STYLE + ALONE))


def _paper() -> Markup:
    return element("rect", class_="paper", width="100%", height="100%")


def _sentence(step: Step) -> str:
    ends = f"{step.source} to {step.target}" if step.source != step.target else step.source
    carried = "; ".join(filter(None, (step.note, step.proof)))
    return f"{ends}, {step.label}: {carried}" if carried else f"{ends}, {step.label}"


def _text(words: str, x: float, y: float, class_: str, anchor: str | None = None) -> Markup:
    return element("text", words, x=_n(x), y=_n(y), class_=class_, text_anchor=anchor)


def _clock(at: float) -> str:
    """Seconds since the beginning, short enough for the column."""
    return f"{at * 1000:.1f} ms" if at < 1 else f"{at:.3f} s" if at < 1000 else f"{at:.0f} s"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
