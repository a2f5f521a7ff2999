"""What was random when it was recorded, given out again in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.explain.credentials import read_told
from sipua.replay.comparison import CREDENTIALS
from sipua.sip.grammar import HEX_DIGITS
from sipua.sip.message import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.replay.recording import RecordedDialog

CALL_ID_BITS, SHORT_BITS, RSEQ_BITS = 128, 64, 31


class RecordedRandomness:
    """Call-ID, tag and client nonces of a recorded dialog, where ours have their form; numbers
    that count up for everything else."""

    def __init__(self, dialog: RecordedDialog, drawn: int = 1) -> None:
        """``drawn`` tells how often the machine draws a tag and a Call-ID before it sends."""
        self._count = 0
        short = ([*_number(own_tag(dialog), SHORT_BITS)] or [1]) * drawn
        for cnonce in dict.fromkeys(cnonces(dialog)):
            short += _number(cnonce, SHORT_BITS)
        self._queues = {
            CALL_ID_BITS: list(_number(dialog.call_id, CALL_ID_BITS)) * drawn,
            SHORT_BITS: short,
            RSEQ_BITS: list(_first_rseq(dialog)),
        }

    def getrandbits(self, k: int, /) -> int:
        """As random.Random's."""
        queue = self._queues.get(k)
        if queue:
            return queue.pop(0)
        self._count += 1
        return self._count % (1 << k)


def cnonces(dialog: RecordedDialog) -> Iterator[str]:
    """Every client nonce that the user agent used, in order."""
    for recorded in dialog.messages:
        if not recorded.sent or not isinstance(recorded.message, Request):
            continue
        for header in CREDENTIALS.values():
            for value in recorded.message.headers.all(header):
                cnonce = read_told(header, value).get("cnonce")
                if cnonce:
                    yield cnonce


def own_tag(dialog: RecordedDialog) -> str:
    """The tag by which the user agent made itself known."""
    if not dialog.incoming:
        return dialog.opening.from_.tag or ""
    answers = (each for each in dialog.sent if isinstance(each, Response))
    return next(filter(None, (each.to.tag for each in answers)), "")


def _first_rseq(dialog: RecordedDialog) -> Iterator[int]:
    """What gives the same first RSeq again (RFC 3262 §3)."""
    for message in dialog.sent:
        text = (message.headers.get("RSeq") or "").strip()
        if text.isdecimal() and 0 < len(text) < 11:
            yield max(int(text) - 1, 0)
            return


def _number(text: str, bits: int) -> Iterator[int]:
    """The number that a text of just so many hexadecimal digits is; nothing for any other text."""
    if len(text) == bits // 4 and not text.strip(HEX_DIGITS) and text == text.lower():
        yield int(text, 16)
