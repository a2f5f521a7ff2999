"""The ladder of a trace: what each message and each question to the card carried and proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.masking import TracedApdu
from sipua.report.outcome import verdict_in
from sipua.report.trace import SeenApdu, SeenMessage
from sipua.sip.message import Request, Response
from sipua.trace.narration import (
    AUTS_PROVES,
    CHALLENGES,
    MAC_PROVES,
    RES_PROVES,
    credentials_note,
    response_note,
)
from sipua.trace.picture import BAD, GOOD, PLAIN, Rung
from sipua.trace.step import CARD, UE, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sipua.capture.captured import CaptureRemark
    from sipua.report.participants import Participants
    from sipua.report.trace import Document, Seen, Trace

MAX_RUNGS = 300
PIN_COMMANDS = ("VERIFY PIN", "CHANGE PIN", "UNBLOCK PIN", "DISABLE PIN", "ENABLE PIN")
NAMED_FILES = 6


class Story:
    """Turns what was seen into rungs. ``omitted`` counts messages beyond the limit."""

    def __init__(self, trace: Trace, participants: Participants) -> None:
        self._participants = participants
        self._began = trace.began
        self._answer: dict[tuple[str, str], Response] = {}
        self._methods: dict[tuple[str, str], str] = {}
        self.rungs: list[Rung] = []
        self.omitted = 0
        for each in trace.messages:
            if isinstance(each.message, Response) and each.message.status >= 200:
                self._answer.setdefault(_transaction(each), each.message)
        self._tell(trace.seen)

    def _tell(self, seen: Sequence[Seen]) -> None:
        reads: list[SeenApdu] = []
        for each in seen:
            if len(self.rungs) >= MAX_RUNGS:
                self.omitted += not isinstance(each, SeenApdu)
                continue
            if isinstance(each, SeenApdu) and not _stands_alone(each):
                reads.append(each)
                continue
            self._tell_reads(reads)
            reads = []
            if isinstance(each, SeenMessage):
                self._message(each)
            elif isinstance(each, SeenApdu):
                self._apdu(each)
            else:
                self._remark(each)
        self._tell_reads(reads)

    def _add(self, step: Step, at: float, href: str, mood: str = PLAIN) -> None:
        self.rungs.append(Rung(step, at - self._began, href, mood))

    # Messages ------------------------------------------------------------------------------

    def _message(self, seen: SeenMessage) -> None:
        source = self._participants.lane(seen.source)
        target = self._participants.lane(seen.destination)
        label, note, proof, mood = self._said(seen)
        if seen.again:
            note, proof, mood = "the same again: a retransmission", "", PLAIN
        if source == target:
            note = f"{label}: {note}" if note else label
        self._add(Step(source, target, label, note, proof), seen.at, f"#m{seen.number}", mood)

    def _said(self, seen: SeenMessage) -> tuple[str, str, str, str]:
        message = seen.message
        if message is None:
            return "not readable", seen.problem, "", BAD
        if isinstance(message, Request):
            return message.method, *self._request(seen, message)
        return f"{message.status} {message.reason}".strip(), *self._response(seen, message)

    def _request(self, seen: SeenMessage, request: Request) -> tuple[str, str, str]:
        note = _purpose(request)
        for answer in seen.answers:
            return note, *self._answered(answer, seen)
        return note, "", PLAIN

    def _answered(self, answer: Document, seen: SeenMessage) -> tuple[str, str]:
        """What credentials proved: by the key where there is one, else by what came of them."""
        kind, checked = answer["kind"], answer["checked"]
        final = self._answer.get(_transaction(seen))
        accepted = final is not None and final.status < 300
        if kind == "RES":
            if accepted:
                known = " (and the key given here says so, too)" if checked == "right" else ""
                return f"RES proven: the network accepted it{known}", GOOD
            if checked == "wrong":
                return "RES is wrong for the key given here", BAD
            if checked == "right":
                return "RES is right for the key given here", GOOD
        if kind == "AUTS" and answer["auts"] is not None:
            return _auts_words(answer["auts"])
        if kind == "reject":
            return "the card found AUTN's MAC wrong", BAD
        return "", PLAIN

    def _response(self, seen: SeenMessage, response: Response) -> tuple[str, str, str]:
        if response.status in CHALLENGES:
            for challenge in seen.challenges:
                return response_note(response), *_challenge_words(challenge)
            return response_note(response), "", PLAIN
        if 200 <= response.status < 300:
            return _granted(response), "", GOOD
        if response.status >= 300:
            telling = [
                f"{name}: {value}"
                for name in ("Warning", "Reason", "Retry-After", "Min-Expires", "Unsupported")
                if (value := response.headers.get(name)) is not None
            ]
            return "; ".join([response_note(response), *telling]), "", BAD
        return response_note(response), "", PLAIN

    # The card ------------------------------------------------------------------------------

    def _tell_reads(self, reads: list[SeenApdu]) -> None:
        """Everything the card was asked that is no authentication, in one rung."""
        if not reads:
            return
        files = list(dict.fromkeys(each.read.file for each in reads if each.read.file))
        note = f"reads {', '.join(files[:NAMED_FILES])}" if files else reads[0].read.about
        if len(files) > NAMED_FILES:
            note += f" and {len(files) - NAMED_FILES} files more"
        label = f"{len(reads)} APDUs" if len(reads) > 1 else reads[0].read.shown.name
        self._add(Step(UE, CARD, label, note), reads[0].at, f"#a{reads[0].number}")

    def _apdu(self, seen: SeenApdu) -> None:
        read = seen.read
        href = f"#a{seen.number}"
        if read.shown.name in PIN_COMMANDS:
            mood = GOOD if read.shown.sw == 0x9000 else BAD
            self._add(Step(UE, CARD, read.shown.name, read.result), seen.at, href, mood)
            return
        if not _is_fetch(read.shown):
            self._add(Step(UE, CARD, "AUTHENTICATE", "RAND and AUTN"), seen.at, href)
        if not read.authentication:
            return
        label, proof, mood = {
            "RES": ("RES, CK, IK", RES_PROVES, GOOD),
            "AUTS": ("AUTS", AUTS_PROVES, BAD),
            "MAC": ("MAC failure", MAC_PROVES, BAD),
        }.get(read.authentication, (f"{read.shown.sw:04X}", read.authentication, BAD))
        self._add(Step(CARD, UE, label, "", proof), seen.at, href, mood)

    def _remark(self, remark: CaptureRemark) -> None:
        text = remark.text.partition("\n")[0]
        verdict = verdict_in(remark)
        if verdict is None:
            self._add(Step(UE, UE, "", text), remark.at, "#remarks")
        else:
            mood = BAD if verdict[0].exit_status else GOOD
            self._add(Step(UE, UE, "", "", text), remark.at, "#remarks", mood)


def _stands_alone(seen: SeenApdu) -> bool:
    """Whether an APDU has a rung of its own."""
    read = seen.read
    return read.authenticates or read.shown.name in PIN_COMMANDS


def _is_fetch(shown: TracedApdu) -> bool:
    return shown.name == "GET RESPONSE"


def _transaction(seen: SeenMessage) -> tuple[str, str]:
    message = seen.message
    cseq = (message.headers.get("CSeq") or "") if message is not None else ""
    return seen.call_id, cseq


def _purpose(request: Request) -> str:
    """What a request is for, and what its credentials carry."""
    headers = request.headers
    if request.method == "REGISTER":
        expires = headers.get("Expires")
        takes_back = expires == "0" or headers.get("Contact") == "*"
        carried = credentials_note(request)
        return f"takes the registration back; {carried}" if takes_back else carried
    has_credentials = "Authorization" in headers or "Proxy-Authorization" in headers
    parts = [_CARRIES[request.method]] if request.method in _CARRIES else []
    if request.method in ("INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "REFER"):
        parts.append(f"to {request.uri}")
    if has_credentials:
        parts.append(credentials_note(request))
    if request.body:
        kind = (headers.get("Content-Type") or "a body").partition(";")[0]
        parts.append("an SDP offer or answer" if kind == "application/sdp" else kind)
    return "; ".join(parts)


_CARRIES = {
    "ACK": "the final answer has arrived",
    "BYE": "ends the call",
    "CANCEL": "takes the request back",
    "PRACK": "the provisional answer has arrived",
}


def _granted(response: Response) -> str:
    """What a 2xx grants."""
    headers = response.headers
    cseq = headers.get("CSeq") or ""
    if not cseq.endswith("REGISTER"):
        return "accepted, with an SDP answer" if response.body else "accepted"
    contact = headers.get("Contact")
    if contact is None:
        return "accepted: no binding is left"
    expires = _parameter(contact, "expires") or headers.get("Expires") or ""
    granted = f"accepted for {expires} s" if expires.isdigit() else "accepted"
    associated = headers.values("P-Associated-URI")
    return f"{granted}; also known as {', '.join(associated[:3])}" if associated else granted


def _parameter(value: str, name: str) -> str:
    for part in value.lower().split(";")[1:]:
        key, _, found = part.partition("=")
        if key.strip() == name:
            return found.strip()
    return ""


def _challenge_words(challenge: Document) -> tuple[str, str]:
    """What AUTN proved: by the key, else by what was answered to it."""
    autn = challenge["autn"]
    kinds = [answer["kind"] for answer in challenge["answers"]]
    if challenge["card"] is not None:
        kinds.insert(0, challenge["card"]["answer"])
    fresh = {"RES": "fresh", "AUTS": "not fresh"}.get(kinds[0] if kinds else "", "")
    if autn is not None and autn["mac"] == "right":
        sqn = f"SQN {autn['sqn']} (SEQ {autn['seq']}, IND {autn['ind']})"
        words = f"AUTN's MAC right, {sqn}{f', {fresh} to the card' if fresh else ''}"
        return words, BAD if fresh == "not fresh" else GOOD
    if autn is not None:
        return "AUTN's MAC is wrong for the key given here", BAD
    if fresh:
        return f"AUTN's MAC right, SQN {fresh}: the card says so", GOOD if "RES" in kinds else BAD
    if "reject" in kinds:
        return "AUTN's MAC wrong: the card says so", BAD
    return "", PLAIN


def _auts_words(auts: Document) -> tuple[str, str]:
    if auts.get("mac") == "right" and auts.get("sqn"):
        return f"AUTS right: the card's SQN is {auts['sqn']} (SEQ {auts['seq']})", GOOD
    if auts.get("mac") == "wrong":
        return "MAC-S in AUTS is wrong for the key given here", BAD
    return "", PLAIN
