"""A trace as one HTML page: nothing is loaded, nothing is run, and it prints.

All that came from the wire goes through ``sipua.trace.markup``, which escapes it. Should
that ever fail, the page's own policy still forbids scripts and requests.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sipua.report.card_section import card_section
from sipua.report.message_section import message_section
from sipua.report.outcome import outcome_of
from sipua.report.participants import Participants
from sipua.report.rungs import Story
from sipua.report.style import STYLE
from sipua.report.timing_section import timing_section
from sipua.trace.markup import Markup, element, joined
from sipua.trace.picture import STYLE as LADDER_STYLE
from sipua.trace.picture import inline, standalone
from sipua.version import VERSION

if TYPE_CHECKING:
    from sipua.report.outcome import Hint, Outcome
    from sipua.report.trace import Trace
    from sipua.trace.picture import Lane, Rung

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(trace: Trace, name: str) -> str:
    """The whole page; ``name`` is what the reader knows the trace by."""
    outcome = outcome_of(trace)
    participants = Participants(trace)
    story = Story(trace, participants)
    sections = [
        ("next", "Worth knowing" if outcome.good else "What to do next", _hints(outcome.hints)),
        ("ladder", "What happened", _ladder(name, participants.lanes, story)),
        ("timing", "Timing", timing_section(trace)),
        ("messages", "Messages", message_section(trace, participants, story.rungs)),
        ("card", "Card", card_section(trace)),
        ("remarks", "Remarks", _remarks(trace)),
    ]
    there = [(key, title, content) for key, title, content in sections if content is not None]
    body = joined(
        element("a", "Skip to what happened", class_="skip", href="#main"),
        element(
            "header",
            element("h1", f"SIP trace report · {name}"),
            _verdict(outcome),
            _facts(trace, participants),
            _contents([(key, title) for key, title, _ in there]),
        ),
        element(
            "main",
            *(
                element(
                    "section", element("h2", title, id=f"{key}-title"), content, id=key,
                    aria_labelledby=f"{key}-title",
                )
                for key, title, content in there
            ),
            id="main",
            tabindex="-1",
        ),
        _footer(trace),
    )  # fmt: skip
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{outcome.word} · {name}"),
        element("style", Markup(STYLE + LADDER_STYLE)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', body), lang='en')}\n"


def picture(trace: Trace, name: str) -> str:
    """The ladder alone, as an SVG file."""
    participants = Participants(trace)
    story = Story(trace, participants)
    rungs = [rung._replace(href="") for rung in story.rungs]
    return standalone(f"Ladder of {name}", participants.lanes, rungs)


def steps(trace: Trace) -> tuple[list[Lane], list[Rung]]:
    """The ladder as it is, for who draws it otherwise."""
    participants = Participants(trace)
    return participants.lanes, Story(trace, participants).rungs


def _verdict(outcome: Outcome) -> Markup:
    return element(
        "p",
        element("strong", outcome.word),
        element("span", outcome.sentence),
        class_=f"verdict {'good' if outcome.good else 'bad'}",
    )


def _facts(trace: Trace, participants: Participants) -> Markup:
    """Who, where and when."""
    found: dict[str, str] = {}
    for document in trace.documents:
        for challenge in document["challenges"]:
            scheme = "Digest" if challenge["scheme"] == "aka" else challenge["scheme"]
            found.setdefault(
                "authentication", " ".join(filter(None, (scheme, challenge["algorithm"])))
            )
            for answer in challenge["answers"]:
                username = _quoted(answer["value"], "username")
                if username:
                    found.setdefault("private identity", username)
    for message in trace.messages:
        if message.message is not None and message.message.headers.get("To"):
            found.setdefault("public identity", message.message.headers.get("To") or "")
            break
    transports = sorted({each.transport for each in trace.messages})
    nodes = [lane.name for lane in participants.lanes if lane.name not in ("card", "UE")]
    counted = [_counted(len(trace.messages), "SIP message"), _counted(len(trace.apdus), "APDU")]
    facts = {
        **found,
        "network": ", ".join(nodes),
        "transport": ", ".join(transports),
        "began": _date(trace.began) if trace.seen else "",
        "lasted": f"{trace.ended - trace.began:.3f} s" if trace.seen else "",
        "holds": ", ".join(counted),
    }
    return element(
        "dl",
        *(
            element("div", element("dt", key), element("dd", value))
            for key, value in facts.items()
            if value
        ),
        class_="facts",
    )


def _contents(sections: list[tuple[str, str]]) -> Markup:
    links = (element("li", element("a", title, href=f"#{key}")) for key, title in sections)
    return element("nav", element("ul", *links), aria_label="Contents")


def _hints(hints: tuple[Hint, ...]) -> Markup | None:
    if not hints:
        return None
    items = [
        element(
            "li",
            element("b", hint.what) if hint.why or hint.todo else hint.what,
            element("p", hint.why) if hint.why else None,
            element("p", hint.todo, class_="todo") if hint.todo else None,
        )
        for hint in hints
    ]
    return element("ul", *items, class_="hints")


def _ladder(name: str, lanes: list[Lane], story: Story) -> Markup | None:
    if not story.rungs:
        return None
    region = element(
        "div",
        inline(f"Ladder of {name}", lanes, story.rungs),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_labelledby="picture-title",
    )
    return joined(region, _omitted(story.omitted, "message"))


def _remarks(trace: Trace) -> Markup | None:
    remarks = [
        element("li", element("span", f"{each.at - trace.began:.3f} s ", class_="small"), each.text)
        for each in trace.remarks
    ]
    omitted = [_omitted(count, kind) for kind, count in trace.omitted.items()]
    if not remarks and not omitted:
        return None
    return joined(element("ul", *remarks, class_="hints lines") if remarks else None, *omitted)


def _footer(trace: Trace) -> Markup:
    hidden = any(each.hidden for each in trace.messages)
    said = [
        f"Written by sipua {VERSION}. This page loads nothing and runs nothing.",
        "RES, CK, IK, Kc and PINs are hidden."
        + (" Where they stood, messages are not octet for octet as on the wire." if hidden else ""),
    ]
    return element("footer", *(element("p", each) for each in said))


def _omitted(count: int, kind: str) -> Markup | None:
    if not count:
        return None
    text = f"{_counted(count, kind)} more: left out here, the capture holds them."
    return element("p", text, class_="small")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _quoted(value: str, name: str) -> str:
    _, found, rest = value.partition(f'{name}="')
    return rest.partition('"')[0] if found else ""


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
