"""What a modem says to one AT command (ITU-T V.250 §5.7, 3GPP TS 27.007 §9), without I/O."""

from __future__ import annotations

MOST_OCTETS = 64 * 1024  # unsolicited lines included

_REFUSALS = frozenset(("ERROR", "COMMAND NOT SUPPORT", "COMMAND NOT SUPPORTED"))
_CME_ERROR = "+CME ERROR:"


class AtAnswer:
    """Takes in octets until ``ended``.

    ``said`` is what follows ``prefix`` on the one line that begins with it;
    None while there was none. ``error`` is None for a good end, "" for a
    refusal without a reason, else what +CME ERROR says. ``early_ok`` tells that
    an OK came before the line that was asked for: it belongs to something
    before, or there will be no answer. Echo and what the modem says of its own
    accord are passed over.
    """

    __slots__ = ("_command", "_length", "_prefix", "_rest", "early_ok", "ended", "error", "said")

    def __init__(self, command: str, prefix: str = "") -> None:
        self._command = command
        self._prefix = prefix
        self._rest = b""
        self._length = 0
        self.said: str | None = None
        self.error: str | None = None
        self.early_ok = False
        self.ended = False

    def feed(self, octets: bytes) -> None:
        """Take in what came; after MOST_OCTETS without an end it is a refusal."""
        self._length += len(octets)
        *lines, self._rest = (self._rest + octets).replace(b"\n", b"\r").split(b"\r")
        for line in lines:
            if not self.ended:
                self._hear(line.decode("ascii", "replace").strip("\x00 \t"))
        if self._length > MOST_OCTETS and not self.ended:
            self._end("it does not stop talking")

    def _hear(self, line: str) -> None:
        upper = line.upper()
        if not line or upper == self._command.upper():
            return
        if self._prefix and upper.startswith(self._prefix):
            self.said = line[len(self._prefix) :].strip()
        elif upper == "OK":
            if self._prefix and self.said is None:
                self.early_ok = True
            else:
                self._end(None)
        elif upper in _REFUSALS:
            self._end("")
        elif upper.startswith(_CME_ERROR):
            self._end(line[len(_CME_ERROR) :].strip())

    def _end(self, error: str | None) -> None:
        self.ended = True
        self.error = error
