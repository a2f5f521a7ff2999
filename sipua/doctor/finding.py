"""What an examination finds: one line each, with what to do about it."""

from __future__ import annotations

from typing import NamedTuple

OK = "ok"
WARNING = "warning"  # works, but will not always
FAILED = "failed"
NOT_TRIED = "not tried"


class Finding(NamedTuple):
    """``subject`` in ``area`` is in ``state``; ``told`` says how, ``remedy`` what to do."""

    area: str
    subject: str
    state: str
    told: str
    remedy: str = ""
