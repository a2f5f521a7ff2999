"""The one failure of this room."""

from __future__ import annotations

from sipua.errors import LocalError


class CaptureError(LocalError):
    """A file that is no capture this program reads, or one that cannot be written."""
