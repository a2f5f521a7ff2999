"""The JSON that our own commands print, told in words."""

from __future__ import annotations

from typing import Any

from sipua.verdict import Verdict


def explain_own(document: dict[str, Any]) -> dict[str, Any] | None:
    """What a document with a verdict tells; None for any other document.

    Values that are not what our commands write there are passed over.
    """
    try:
        verdict = Verdict(document.get("verdict"))
    except ValueError:
        return None
    reason = _text(document.get("reason")) or verdict.sentence
    wrong = verdict.exit_status != 0
    hints = [hint for hint in _list(document.get("hints")) if isinstance(hint, str)]
    hints += [step for step in verdict.next_steps if wrong and step not in hints]
    exchanges = [
        {
            "method": _text(step.get("method")),
            "status": step.get("status") if isinstance(step.get("status"), int) else None,
            "reason": _text(step.get("reason")),
            "transport": _text(step.get("transport")),
        }
        for step in _list(document.get("exchange"))
        if isinstance(step, dict)
    ]
    finding = {
        "code": verdict.value,
        "side": None,
        "what": reason,
        "why": verdict.sentence if reason != verdict.sentence else "",
        "todo": " ".join(hints),
        "wrong": wrong,
    }
    facts = ("scheme", "algorithm", "impi", "impu", "domain", "registrar", "local", "contact")
    return {
        "summary": reason,
        "wrong": wrong,
        **{name: _text(document.get(name)) or None for name in facts},
        "resynchronised": document.get("resynchronised") is True,
        "exchanges": exchanges,
        "challenges": [],
        "findings": [finding] if wrong else [],
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
