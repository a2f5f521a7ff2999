"""tshark as the judge of capture files."""

from __future__ import annotations

import subprocess
from pathlib import Path

from interop.program import required

SEPARATOR = "\x1f"
WARNING = 0x00600000  # severity of an expert item, as Wireshark counts


class Tshark:
    """What tshark makes of one capture."""

    def __init__(self, path: Path, *, checksums: bool = True) -> None:
        """``checksums``: look at them. Skips the test where there is no tshark."""
        self._checks = str(checksums).upper()
        self._program = required("tshark", "tshark")
        self._path = path

    def rows(self, only: str, *fields: str, every: bool = False) -> list[tuple[str, ...]]:
        """These fields of each packet that the display filter ``only`` lets pass.

        The first value of each, or ``every`` one, with commas between them.
        """
        argv = ["-T", "fields", "-E", f"separator={SEPARATOR}"]
        argv += ["-E", "occurrence=a" if every else "occurrence=f"]
        argv += [word for field in fields for word in ("-e", field)]
        lines = self._run("-Y", only, *argv).splitlines()
        return [tuple(line.split(SEPARATOR)) for line in lines]

    def complaints(self) -> str:
        """Malformed packets, wrong checksums and whatever experts warn of, in words; else ""."""
        doubts = f"_ws.malformed || _ws.expert.severity >= {WARNING}"
        return self._run("-Y", doubts, "-V")

    def _run(self, *argv: str) -> str:
        settings = ["-o", "tcp.reassemble_out_of_order:TRUE"]
        for protocol in ("ip", "udp", "tcp"):
            settings += ["-o", f"{protocol}.check_checksum:{self._checks}"]
        done = subprocess.run(
            [self._program, "-n", "-2", *settings, "-r", str(self._path), *argv],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout
