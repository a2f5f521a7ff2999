"""Where the time went: each request with its answer, as a bar on the common axis of its dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.trace.markup import Markup, element

if TYPE_CHECKING:
    from sipua.report.trace import Document, Trace

MAX_ROWS = 100


def timing_section(trace: Trace) -> Markup | None:
    """A table of exchanges; None where no request was seen."""
    exchanges = [
        exchange
        for document in trace.documents
        for exchange in document["exchanges"]
        if exchange["at"] is not None and exchange["method"] not in (None, "ACK")
    ]
    exchanges.sort(key=lambda exchange: float(exchange["at"]))
    if not exchanges:
        return None
    shown = exchanges[:MAX_ROWS]
    began = shown[0]["at"]
    whole = max(each["at"] + (each["ms"] or 0) / 1000 for each in shown) - began or 1.0
    head = element(
        "tr",
        element("th", "Request", scope="col"),
        element("th", "Answer", scope="col"),
        element("th", "Sent", scope="col", class_="number"),
        element("th", "Answered after", scope="col", class_="number"),
        element("th", "When", scope="col"),
    )
    rows = [_row(each, began, whole) for each in shown]
    left_out = len(exchanges) - len(shown)
    note = f"{left_out} exchanges more are left out." if left_out else None
    return element(
        "div",
        element("table", element("thead", head), element("tbody", *rows)),
        element("p", note, class_="small") if note else None,
        class_="wide",
    )


def _row(exchange: Document, began: float, whole: float) -> Markup:
    start = (exchange["at"] - began) / whole
    length = (exchange["ms"] or 0) / 1000 / whole
    status = exchange["status"] or 0
    challenged = status in (401, 407)
    mood = "" if challenged else "good" if 200 <= status < 300 else "bad"
    copies = exchange["copies"]
    again = f", sent {copies} times" if copies > 1 else ""
    answer = f"{status} {exchange['reason'] or ''}".strip() if status else "no answer"
    took = f"{exchange['ms']:.2f} ms" if exchange["ms"] is not None else "–"
    bar = element("i", class_=mood, style=f"left:{start:.2%};width:{min(length, 1 - start):.2%}")
    return element(
        "tr",
        element("td", f"{exchange['method']}{again}"),
        element("td", answer),
        element("td", f"+{(exchange['at'] - began) * 1000:.1f} ms", class_="number"),
        element("td", took, class_="number"),
        element("td", element("div", bar, class_="bar", aria_hidden="true")),
    )
