"""What must outlive the process: a small JSON file, locked and replaced whole.

The SQN of a card or of an AuC must never go back, so a state is on the disk
before anything that depends on it leaves the program. A file that cannot be
read is never silently started afresh.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING, Any, NoReturn

from card.errors import StateError

if TYPE_CHECKING:
    from card.profile import Profile

_LIMIT = 1 << 20
"""Octets read at most; a state of ours has a few hundred."""


def default_path(profile: Profile, kind: str = "state") -> str:
    """Where the state of ``profile`` lives: NAME.``kind``.json beside the profile.

    When that folder cannot be written, or the profile is the one that ships:
    sipua/cards/ICCID.``kind``.json in the XDG state folder. The card uses kind
    "state"; an AuC takes another kind, since both may run at the same time.
    """
    if profile.path:
        folder, name = os.path.split(os.path.abspath(profile.path))
        if os.access(folder, os.W_OK):
            return os.path.join(folder, f"{name.removesuffix('.toml')}.{kind}.json")
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative path is ignored
        base = os.path.expanduser("~/.local/state")
    return os.path.join(base, "sipua", "cards", f"{profile.iccid}.{kind}.json")


class StateFile:
    """One locked state file. Use as a context manager, or call ``close``.

    The lock (flock on PATH.lock, so it dies with the process) is taken here and
    held until ``close``: a card is in one reader, an AuC is one. Raises
    StateError when another process holds it or the folder cannot be written.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._temporary = f"{path}.tmp"
        self._lock = _take_lock(f"{path}.lock", path)

    def __enter__(self) -> StateFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def load(self) -> dict[str, Any]:
        """The stored state; empty when there is none yet.

        Raises StateError when the file is there but cannot be used.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StateError(f"{self.path} cannot be read: {error.strerror}") from error
        try:
            content = os.read(descriptor, _LIMIT)
        except OSError as error:
            raise StateError(f"{self.path} cannot be read: {error.strerror}") from error
        finally:
            os.close(descriptor)
        try:
            state = json.loads(content)
        except (ValueError, RecursionError):
            self.damaged("it is not JSON")
        if not isinstance(state, dict):
            self.damaged("it does not hold a JSON object")
        return state

    def damaged(self, why: str) -> NoReturn:
        """Raise the StateError for a file whose content cannot be right."""
        raise StateError(
            f"the state file {self.path} is damaged: {why}. It holds the sequence numbers, so it is"
            " not replaced by itself: put back a copy, or delete it to start again from the"
            " profile's sqn and PIN (the network and the card then resynchronise)"
        ) from None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the stored state (0.3 ms on a disk with a write cache).

        The new state outlives the process from here on. A kill or a power cut
        at any moment leaves the old state or the new one, whole. Raises
        StateError; the old state then still stands.
        """
        if self._lock < 0:
            raise StateError(f"{self.path} was closed and cannot be written any more")
        content = json.dumps(state).encode()
        try:
            descriptor = os.open(
                self._temporary,
                os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC,
                0o600,
            )
            try:
                written = os.write(descriptor, content)
                if written != len(content):
                    raise OSError(0, "the disk is full")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(self._temporary, self.path)
        except OSError as error:
            raise StateError(f"{self.path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Give the lock back. May be called twice. The .lock file stays: removing it races."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _take_lock(lock_path: str, path: str) -> int:
    """The descriptor that holds the lock, with our process id written in the file."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        try:
            descriptor = os.open(lock_path, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(lock_path), 0o700, exist_ok=True)
            descriptor = os.open(lock_path, flags, 0o600)
    except OSError as error:
        raise StateError(
            f"the state file {path} cannot be locked: {error.strerror} ({lock_path})"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise StateError(
            f"{path} is in use by process {holder or '(unknown)'}; a card can be in one place"
            " only: end that process, or use another profile"
        ) from None
    except OSError as error:
        os.close(descriptor)
        raise StateError(f"the state file {path} cannot be locked: {error.strerror}") from error
    return descriptor
