"""PC/SC that is not there: a sentence that says what to do. Each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASK = """
import sys
from card.errors import NoReader
from card.readers.locate import list_readers, open_card
for ask in (list_readers, lambda: open_card("pcsc"), lambda: open_card("pcsc:imsi=00101")):
    try:
        ask()
    except NoReader as error:
        print(error)
"""


def said(prelude: str = "", **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", prelude + ASK],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_without_pyscard() -> None:
    lines = said("import sys\nsys.modules['smartcard'] = None\n")
    assert len(lines) == 3
    assert all('pip install "sipua-usim[pcsc]"' in line for line in lines)


def test_without_pcscd(tmp_path: Path) -> None:
    lines = said(PCSCLITE_CSOCK_NAME=str(tmp_path / "none"))
    assert lines == ["there is no PC/SC service: is pcscd running? (PC/SC 8010001D)"] * 3
