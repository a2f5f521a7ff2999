"""What was random when it was recorded, given out again in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.explain.credentials import read_told
from sipua.replay.comparison import CREDENTIALS
from sipua.sip.grammar import HEX_DIGITS
from sipua.sip.message import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.replay.recording import RecordedDialog

CALL_ID_BITS, SHORT_BITS = 128, 64


class RecordedRandomness:
    """Call-ID, tag and client nonces of a recorded dialog, where ours have their form; numbers
    that count up for everything else."""

    def __init__(self, dialog: RecordedDialog) -> None:
        self._count = 0
        self._call_ids = list(_number(dialog.call_id, CALL_ID_BITS))
        tag = dialog.opening.from_.tag or ""
        self._short = [*_number(tag, SHORT_BITS)] or [1]
        for cnonce in dict.fromkeys(cnonces(dialog)):
            self._short += _number(cnonce, SHORT_BITS)

    def getrandbits(self, k: int, /) -> int:
        """As random.Random's."""
        queue = {CALL_ID_BITS: self._call_ids, SHORT_BITS: self._short}.get(k, [])
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


def _number(text: str, bits: int) -> Iterator[int]:
    """The number that a text of just so many hexadecimal digits is; nothing for any other text."""
    if len(text) == bits // 4 and not text.strip(HEX_DIGITS) and text == text.lower():
        yield int(text, 16)
