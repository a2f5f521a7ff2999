"""Every SIP message: what it means, its challenges and answers taken apart, its lines beside the
octets they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.report.octets import hexadecimal, lines_of
from sipua.sip.message import Request
from sipua.trace.markup import Markup, element, joined

if TYPE_CHECKING:
    from sipua.report.octets import Line
    from sipua.report.participants import Participants
    from sipua.report.trace import Document, SeenMessage, Trace
    from sipua.trace.picture import Rung

NOT_IN_RUNGS = ("", "", "plain")


def message_section(trace: Trace, participants: Participants, rungs: list[Rung]) -> Markup | None:
    """One expandable part for each message; None where there is no message."""
    messages = trace.messages
    if not messages:
        return None
    told = {rung.href: (rung.step.note, rung.step.proof, rung.mood) for rung in rungs}
    return joined(
        *(
            _message(each, participants, told.get(f"#m{each.number}", NOT_IN_RUNGS), trace.began)
            for each in messages
        )
    )


def _message(
    seen: SeenMessage, participants: Participants, told: tuple[str, str, str], began: float
) -> Markup:
    note, proof, mood = told
    message = seen.message
    if message is None:
        title = "not readable"
    elif isinstance(message, Request):
        title = f"{message.method} {message.uri}"
    else:
        title = f"{message.status} {message.reason}"
    ends = f"{participants.lane(seen.source)} → {participants.lane(seen.destination)}"
    summary = element(
        "summary",
        element("b", f"{seen.number}. {title}", class_=mood),
        element("span", ends),
        element("span", f"+{(seen.at - began) * 1000:.1f} ms"),
        element("span", f"{seen.transport}, {len(seen.data)} octets, packet {seen.packet}"),
    )
    inside = element(
        "div",
        _meaning(seen, note, proof, mood),
        *(_challenge(each) for each in seen.challenges),
        *(_answer(each) for each in seen.answers),
        _octets(seen),
        class_="inside",
        id=f"m{seen.number}",
    )
    return element("details", summary, inside)


def _meaning(seen: SeenMessage, note: str, proof: str, mood: str) -> Markup:
    proof_class = {"good": "good-text", "bad": "bad-text"}.get(mood)
    hidden = "Secrets are hidden here; on the wire these octets were others."
    remarks = [line for line in seen.comment.split("\n") if not note or note not in line]
    comment = " · ".join(filter(None, remarks))
    return element(
        "div",
        element("p", note) if note else None,
        element("p", proof, class_=proof_class) if proof else None,
        element("p", f"Cannot be read: {seen.problem}.", class_="bad-text")
        if seen.problem
        else None,
        element("p", hidden, class_="small") if seen.hidden else None,
        element("p", comment, class_="small") if comment else None,
        class_="meaning",
    )


def _challenge(challenge: Document) -> Markup:
    """RAND and AUTN taken apart, and opened where the key is known."""
    autn = challenge["autn"]
    parts = {
        "scheme": " ".join(filter(None, (challenge["scheme"], challenge["algorithm"]))),
        "realm": challenge["realm"],
        "RAND": challenge["rand"],
        "SQN ⊕ AK": challenge["sqn_xor_ak"],
        "AMF": challenge["amf"],
        "MAC": challenge["mac"],
        "server data": challenge["server_data"],
        "qop": ", ".join(challenge["qop"]),
        "AUTN opened": _opened(autn) if autn is not None else None,
        "right answer": "; ".join(challenge["right_answer"]["formula"]),
    }
    return joined(element("h3", f"The challenge in {challenge['header']}"), _parts(parts))


def _answer(answer: Document) -> Markup:
    auts = answer["auts"]
    parts = {
        "tells": {"RES": "RES", "AUTS": "AUTS", "reject": "that the card refused AUTN"}.get(
            answer["kind"]
        ),
        "checked": answer["checked"],
    }
    if auts is not None:
        parts["AUTS"] = auts["octets"]
        if auts.get("mac"):
            parts["AUTS opened"] = _opened(auts)
    return joined(element("h3", f"The answer in {answer['header']}"), _parts(parts))


def _opened(facts: Document) -> str:
    if facts["sqn"] is None:
        return f"MAC {facts['mac']}"
    return f"MAC {facts['mac']}, SQN {facts['sqn']} (SEQ {facts['seq']}, IND {facts['ind']})"


def _parts(parts: dict[str, str | None]) -> Markup:
    pairs = [
        joined(element("dt", name), element("dd", element("code", value)))
        for name, value in parts.items()
        if value
    ]
    return element("dl", *pairs, class_="parts")


def _octets(seen: SeenMessage) -> Markup:
    head = element(
        "tr",
        element("th", "At", scope="col", class_="at"),
        element("th", "Octets", scope="col"),
        element("th", "Decoded", scope="col"),
    )
    rows = [_line(each) for each in lines_of(seen.data)]
    return element("table", element("thead", head), element("tbody", *rows), class_="octets mono")


def _line(line: Line) -> Markup:
    return element(
        "tr",
        element("td", f"{line.offset:04x}", class_="at"),
        element("td", "\n".join(hexadecimal(line.octets)), class_="hex"),
        element("td", _decoded(line.text), class_="text"),
    )


def _decoded(text: str) -> Markup:
    """A header line with its name set off."""
    name, colon, value = text.partition(":")
    if colon and name and name.replace("-", "").isalnum():
        return joined(element("b", f"{name}:"), value)
    return joined(text)
