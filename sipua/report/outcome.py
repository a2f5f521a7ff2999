"""How what was captured ended, and what to do next: said by our own trace, or worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.capture.captured import CaptureRemark
    from sipua.report.trace import Document, Trace

HINT = "hint: "
MAX_HINTS = 12


class Hint(NamedTuple):
    """What was found, why it matters and what to do; each may be empty."""

    what: str
    why: str = ""
    todo: str = ""


class Outcome(NamedTuple):
    """``word`` is the verdict's, or ours where no verdict was recorded."""

    word: str
    sentence: str
    good: bool
    hints: tuple[Hint, ...]


def outcome_of(trace: Trace) -> Outcome:
    """The last verdict that the trace holds; else what ``explain`` makes of it."""
    found = _findings(trace.documents)
    recorded = [end for each in trace.remarks if (end := verdict_in(each)) is not None]
    told = [
        Hint(line.removeprefix(HINT))
        for each in trace.remarks
        for line in each.text.split("\n")
        if line.startswith(HINT) and not _is_said(line.removeprefix(HINT), found)
    ]
    if recorded:
        verdict, reason = recorded[-1]
        good = verdict.exit_status == 0
        steps = () if good or told else tuple(Hint(step) for step in verdict.next_steps)
        hints = (*found, *told, *steps)
        return Outcome(verdict.value, reason or verdict.sentence, good, hints[:MAX_HINTS])
    wrong = [each for each in trace.documents if each["wrong"]]
    if wrong:
        counted = f" ({len(wrong)} of {len(trace.documents)} dialogs)" if len(wrong) > 1 else ""
        return Outcome(
            "something is wrong", f"{wrong[0]['summary']}{counted}", False, found[:MAX_HINTS]
        )
    if trace.apdus and not trace.messages:
        return Outcome("card only", "The card was asked; there is no SIP in it.", True, ())
    if not trace.documents:
        what = "There is no SIP in it." if not trace.messages else "No dialog is complete in it."
        return Outcome("nothing to judge", what, False, found[:MAX_HINTS])
    return Outcome("nothing wrong", trace.documents[-1]["summary"], True, found[:MAX_HINTS])


def verdict_in(remark: CaptureRemark) -> tuple[Verdict, str] | None:
    """The verdict and its reason, where a remark is the end of one of our attempts."""
    word, colon, reason = remark.text.partition("\n")[0].partition(": ")
    for verdict in Verdict:
        if colon and verdict.value == word:
            return verdict, reason
    return None


def _is_said(sentence: str, hints: tuple[Hint, ...]) -> bool:
    """Whether a finding says that already."""
    return any(sentence.rstrip(".") in text for hint in hints for text in hint)


def _findings(documents: list[Document]) -> tuple[Hint, ...]:
    """Every finding once, those that are wrong first."""
    all_of = [finding for document in documents for finding in document["findings"]]
    all_of.sort(key=lambda finding: not finding["wrong"])
    hints = [Hint(each["what"], each["why"], each["todo"]) for each in all_of]
    return tuple(dict.fromkeys(hints))
