"""tshark as the judge of capture files."""

from __future__ import annotations

import subprocess
from pathlib import Path

from interop.program import required

SEPARATOR = "\x1f"
WARNING = 0x00600000  # severity of an expert item, as Wireshark counts


class Tshark:
    """What tshark makes of one capture."""

    def __init__(self, path: Path) -> None:
        """Skips the test where there is no tshark."""
        self._program = required("tshark", "tshark")
        self._path = path

    def rows(self, only: str, *fields: str) -> list[tuple[str, ...]]:
        """These fields of each packet that the display filter ``only`` lets pass."""
        argv = ["-T", "fields", "-E", f"separator={SEPARATOR}", "-E", "occurrence=f"]
        argv += [word for field in fields for word in ("-e", field)]
        lines = self._run("-Y", only, *argv).splitlines()
        return [tuple(line.split(SEPARATOR)) for line in lines]

    def complaints(self) -> str:
        """Malformed packets, wrong checksums and whatever experts warn of, in words; else ""."""
        doubts = f"_ws.malformed || _ws.expert.severity >= {WARNING}"
        return self._run("-Y", doubts, "-V")

    def _run(self, *argv: str) -> str:
        checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
        checks += ["-o", "tcp.check_checksum:TRUE"]
        done = subprocess.run(
            [self._program, "-n", "-2", *checks, "-r", str(self._path), *argv],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout
