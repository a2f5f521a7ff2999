"""What the card was asked and answered, decoded beside the octets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.trace.markup import Markup, element

if TYPE_CHECKING:
    from sipua.report.trace import SeenApdu, Trace


def card_section(trace: Trace) -> Markup | None:
    """A table of APDUs; None where the trace holds none."""
    apdus = trace.apdus
    if not apdus:
        return None
    head = element(
        "tr",
        *(
            element("th", title, scope="col", class_="number" if title == "When" else None)
            for title in ("When", "Command", "Sent", "Answered", "Means")
        ),
    )
    rows = [_row(each, trace.began) for each in apdus]
    table = element("table", element("thead", head), element("tbody", *rows), class_="apdus")
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label="APDUs")


def _row(seen: SeenApdu, began: float) -> Markup:
    shown = seen.read.shown
    return element(
        "tr",
        element("td", f"+{(seen.at - began) * 1000:.2f} ms", class_="number"),
        element("td", element("b", shown.name), element("br"), seen.read.about),
        element("td", element("code", _spaced(shown.command)), class_="hex"),
        element(
            "td",
            element("code", _spaced(shown.answer[:-4]), " ", element("b", f"{shown.sw:04X}")),
            class_="hex",
        ),
        element("td", seen.read.result),
        id=f"a{seen.number}",
    )


def _spaced(digits: str) -> str:
    """Octets apart, so that lines can break between them."""
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))
