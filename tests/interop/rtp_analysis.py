"""What tshark makes of the RTP in a capture."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from interop.program import required

SECONDS = 120  # until a tshark that hangs is given up


class RtpStream(NamedTuple):
    """A row of ``-z rtp,streams``; distances and jitter as min, mean and max in ms."""

    source: str
    ssrc: int
    payload: str
    packets: int
    lost: int
    distance: tuple[float, ...]
    jitter: tuple[float, ...]


class RtpAnalysis:
    """Runs tshark on captures, with nobody's preferences."""

    def __init__(self, home: Path) -> None:
        """``home`` is an empty folder; skips the test if tshark is not installed."""
        self._program = required("tshark", "tshark")
        self._environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        self._environment["LC_ALL"] = "C"

    def fields(self, capture: Path, which: str, names: Sequence[str]) -> list[dict[str, str]]:
        """These fields of every packet that the display filter ``which`` lets through.

        A field that is not there is "", one that is there twice "first,second".
        """
        wanted = [word for name in names for word in ("-e", name)]
        table = self._run(capture, "-Y", which, "-T", "fields", "-E", "separator=/t", *wanted)
        rows = [line.split("\t") for line in table.splitlines()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def streams(self, capture: Path) -> list[RtpStream]:
        """The streams in the capture, which must have some."""
        found = []
        for line in self._run(capture, "-q", "-z", "rtp,streams").splitlines():
            words = line.split()
            if len(words) >= 17 and words[6].startswith("0x"):
                numbers = tuple(float(word) for word in words[11:17])
                ssrc, payload, packets, lost = int(words[6], 16), *words[7:10]
                counts = int(packets), int(lost)
                found.append(RtpStream(words[2], ssrc, payload, *counts, numbers[:3], numbers[3:]))
        assert found
        return found

    def complaints(self, capture: Path) -> str:
        """Every packet with a malformed field, or with a warning or an error of a dissector."""
        return self._run(capture, "-Y", "_ws.malformed || _ws.expert.severity >= warning", "-V")

    def _run(self, capture: Path, *arguments: str) -> str:
        done = subprocess.run(
            [self._program, "-n", "-r", str(capture), *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
