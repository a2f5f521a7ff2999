"""What the user wants of a call of his, and of the calls that come."""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import LocalError

MEDIA = ("sink", "echo", "none")
DIGIT_WAYS = ("rtp", "info")
ANSWERS = ("answer", "busy", "decline", "ring")
DIGITS = frozenset("0123456789*#ABCD")


class CallPlan(NamedTuple):
    """One call of ours. All times are seconds.

    ``duration`` runs from the answer to our BYE, None: until somebody hangs up.
    ``cancel_after`` runs from INVITE to CANCEL if nobody has answered by then,
    and ``ring_timeout`` likewise, but ends in no-answer. ``expect`` is the final
    status that counts as success, None: a call that was answered.

    ``media``: ``sink`` counts what arrives, ``echo`` sends it back, ``none``
    offers an inactive stream. ``digits`` are sent after the answer, by RTP
    events (RFC 4733) or in INFO as ``digits_by`` says. ``display_name`` goes
    into From. With ``follow_refer`` the other side may have us call somebody else
    (REFER, RFC 3515); the bill is ours.
    """

    duration: float | None = None
    cancel_after: float | None = None
    expect: int | None = None
    media: str = "sink"
    digits: str = ""
    digits_by: str = "rtp"
    headers: tuple[tuple[str, str], ...] = ()
    ring_timeout: float = 180.0
    display_name: str = ""
    follow_refer: bool = False

    def check(self) -> None:
        """Raises LocalError for what cannot be meant."""
        _check_media(self.media, self.digits, self.digits_by)
        if self.expect is not None and not 200 <= self.expect < 700:
            raise LocalError(f"{self.expect} is no final status (200 to 699)")
        if not self.display_name.isprintable():
            raise LocalError("a display name may not hold line ends or control codes")


class ListenPlan(NamedTuple):
    """What to do with each call that comes.

    It rings for ``ring`` seconds; then ``what`` happens: ``answer``, ``busy``
    (486), ``decline`` (603), or ``ring``: nothing more. After ``calls`` calls
    listening ends; None: it goes on. The rest as in CallPlan. ``ussd_answers``
    are given, one after the other, to what the network asks by USSD of its own
    accord; a question beyond them is declined.
    """

    ring: float = 0.0
    what: str = "answer"
    duration: float | None = None
    calls: int | None = None
    ussd_answers: tuple[str, ...] = ()
    media: str = "sink"
    digits: str = ""
    digits_by: str = "rtp"
    follow_refer: bool = False

    def check(self) -> None:
        """Raises LocalError for what cannot be meant."""
        _check_media(self.media, self.digits, self.digits_by)
        if self.what not in ANSWERS:
            raise LocalError(f"{self.what!r} is none of {', '.join(ANSWERS)}")


def _check_media(media: str, digits: str, digits_by: str) -> None:
    if media not in MEDIA:
        raise LocalError(f"{media!r} is none of {', '.join(MEDIA)}")
    if digits_by not in DIGIT_WAYS:
        raise LocalError(f"{digits_by!r} is none of {', '.join(DIGIT_WAYS)}")
    wrong = sorted(set(digits) - DIGITS)
    if wrong:
        raise LocalError(f"DTMF has no {wrong[0]!r}: digits are 0-9, *, # and A-D (RFC 4733 §3.2)")
    if digits and media == "none" and digits_by == "rtp":
        raise LocalError("without media no digits can be sent by RTP; send them by INFO")
