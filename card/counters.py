"""How often each card was asked to authenticate and given a PIN, kept on this machine.

A sequence number cannot be turned back and a PIN has few tries, so whoever
lends a card may want to know. One small JSON file for all cards.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from card.errors import StateError
from card.statefile import StateFile


class Counters(NamedTuple):
    """What this machine has sent to one card."""

    authentications: int = 0
    pin_tries: int = 0


def default_path() -> str:
    """sipua/counters.json in the XDG state folder."""
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative path is ignored
        base = os.path.expanduser("~/.local/state")
    return os.path.join(base, "sipua", "counters.json")


def count(iccid: str, *, is_pin: bool, path: str = "") -> None:
    """Count one AUTHENTICATE, or one PIN command.

    A count that cannot be written is lost: it must not keep a card from working.
    """
    try:
        with _locked(path or default_path()) as file:
            kept = file.load()
            authentications, pin_tries = _of(kept, iccid)
            kept[iccid] = {
                "authentications": authentications + (not is_pin),
                "pin_tries": pin_tries + is_pin,
            }
            file.save(kept)
    except StateError:
        return


def read(iccid: str, path: str = "") -> Counters:
    """The counts of one card. Raises StateError when they cannot be read."""
    place = path or default_path()
    if not os.path.exists(place):
        return Counters()
    with _locked(place) as file:
        return _of(file.load(), iccid)


@contextmanager
def _locked(path: str) -> Iterator[StateFile]:
    """The file, after whoever else is at it; nobody needs it longer than a millisecond."""
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        queue = os.open(f"{path}.queue", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"{path} cannot be locked: {error.strerror}") from error
    try:
        fcntl.flock(queue, fcntl.LOCK_EX)
        with StateFile(path) as file:
            yield file
    finally:
        os.close(queue)


def _of(kept: dict[str, Any], iccid: str) -> Counters:
    found = kept.get(iccid)
    if not isinstance(found, dict):
        return Counters()
    numbers = [found.get(name) for name in Counters._fields]
    return Counters(*(each if type(each) is int and each >= 0 else 0 for each in numbers))
