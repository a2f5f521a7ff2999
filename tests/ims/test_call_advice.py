"""Every verdict of a call says what to check next, and names whom it is about."""

from __future__ import annotations

import pytest

from sipua.ims.call_advice import advise
from sipua.ims.call_settings import CallSettings
from sipua.sip.offer_answer import LocalMedia
from sipua.verdict import Verdict

BOB = "sip:bob@x"
SETTINGS = CallSettings(
    impi="a@x", impu="sip:a@x", contact="sip:a@127.0.0.1", media=LocalMedia("127.0.0.1", 4000)
)
STATUSES = (0, *range(300, 306), 380, *range(400, 494), 500, 503, 600, 603, 604, 606)


@pytest.mark.parametrize("status", STATUSES)
def test_a_refusal_has_advice_whatever_its_status(status: int) -> None:
    assert all(hint.endswith(".") for hint in advise(Verdict.REJECTED, SETTINGS, BOB, status))
    assert advise(Verdict.REJECTED, SETTINGS, BOB, status)


@pytest.mark.parametrize(
    ("verdict", "status", "told"),
    [
        (Verdict.REJECTED, 404, BOB),
        (Verdict.REJECTED, 403, "sip:a@x is registered"),
        (Verdict.REJECTED, 488, "codec"),
        (Verdict.REJECTED, 606, "codec"),
        (Verdict.REJECTED, 484, "country code"),
        (Verdict.REJECTED, 420, "Unsupported"),
        (Verdict.WRONG_RESPONSE, 403, "a@x may speak for sip:a@x"),
        (Verdict.NO_ANSWER, 480, f"{BOB} is known, but not there"),
        (Verdict.NO_ANSWER, 408, "--ring-timeout"),
        (Verdict.BUSY, 486, "600"),
        (Verdict.DECLINED, 603, "barring"),
        (Verdict.CANCELLED, 487, "--cancel-after"),
        (Verdict.CALL_LOST, 200, "481"),
        (Verdict.UNEXPECTED, 486, "--expect"),
        (Verdict.TIMEOUT, 0, BOB),
        (Verdict.SERVER_ERROR, 500, "log"),
    ],
)
def test_what_is_said(verdict: Verdict, status: int, told: str) -> None:
    assert told in " ".join(advise(verdict, SETTINGS, BOB, status))


def test_akav2_has_a_cause_of_its_own() -> None:
    first = advise(Verdict.WRONG_RESPONSE, SETTINGS, BOB, 407, "AKAv2-MD5")[0]
    assert "with --plain-res" in first
