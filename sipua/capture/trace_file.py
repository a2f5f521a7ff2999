"""The file of ``--trace``, written without a buffer: what happened is in it when it happened."""

from __future__ import annotations

import os
import stat

from sipua.capture.errors import CaptureError


class TraceFile:
    """A file that is never in the way: what cannot be written is noted in ``fault``."""

    def __init__(self, path: str, *, private: bool) -> None:
        """Make the file or empty it; ``private`` has nobody but its owner read it (mode 0600).

        Raises CaptureError.
        """
        self.path = path
        self.fault = ""
        mode = 0o600 if private else 0o666
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
            if private and stat.S_ISREG(os.fstat(self._fd).st_mode):
                os.fchmod(self._fd, mode)  # it may have been there before
        except OSError as error:
            raise CaptureError(f"cannot write the trace to {path}: {error.strerror}") from error

    def write(self, block: bytes) -> None:
        """Write it down now; after a failure nothing more is written."""
        if self.fault:
            return
        try:
            written = os.write(self._fd, block)
            while written < len(block):
                written += os.write(self._fd, block[written:])
        except OSError as error:
            self.fault = f"the trace in {self.path} is not complete: {error.strerror}"

    def close(self) -> None:
        """Close it; nothing is written afterwards."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
