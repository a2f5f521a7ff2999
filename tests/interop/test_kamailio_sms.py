"""Kamailio's smsops as the service centre, as laboratories with Open5GS have it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.app import run
from interop.kamailio_scscf import answers_options
from interop.program import Program, free_port, required, wait_until

CONFIGURATION = Path(__file__).with_name("kamailio_sms") / "ipsmgw.cfg"
CENTRE, BOB = "+15550100099", "+15550100002"


class ServiceCentre:
    """Kamailio with smsops on one loopback port."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        argv = [required("kamailio", "kamailio"), "-DD", "-E", "-f", str(CONFIGURATION)]
        argv += ["-m", "32", "-M", "8", "-Y", str(directory), "-w", str(directory)]
        argv += ["-P", str(directory / "kamailio.pid"), "-l", f"udp:127.0.0.1:{self.port}"]
        self.program = Program(argv, directory / "kamailio.log", cwd=directory)
        self.program.wait_ready(lambda: answers_options(self.port), seconds=20)

    def judged(self, kind: str) -> list[str]:
        """What it has said of RPDUs of this kind, ``data`` or ``answer``."""
        mark = f"JUDGED {kind} "
        lines = self.program.log.splitlines()
        return [line.partition(mark)[2] for line in lines if mark in line]


@pytest.fixture
def centre() -> Iterator[ServiceCentre]:
    with tempfile.TemporaryDirectory(prefix="sipua-kamailio-") as directory:
        centre = ServiceCentre(Path(directory))
        try:
            yield centre
        finally:
            centre.program.stop()


@pytest.fixture
def options(centre: ServiceCentre, tmp_path: Path) -> list[str]:
    card = (Path(__file__).parents[2] / "card/emulator/default.toml").read_text()
    (tmp_path / "card.toml").write_text(card)
    return [
        *("--card", f"emulated:{tmp_path / 'card.toml'}"),
        *("--pcscf", f"udp:127.0.0.1:{centre.port}", "--service-centre", CENTRE),
    ]


def test_a_text_there_and_back(
    centre: ServiceCentre, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = "See you at eight [sharp]"
    # It delivers at once what it was given, so that one who sends and waits hears it.
    status = run(["sms", "send", BOB, text, *options, "--status-report", "6", "--json"])
    told: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    # ? is the filler of a number with an odd count of digits
    assert centre.judged("data") == [
        f"type=0 centre={CENTRE[1:]}? tpdu=1 to={BOB[1:]} coding=0 parts= part= text={text}"
    ]
    assert [each for each in told if each.get("event") == "submitted"]
    (received,) = [each for each in told if each.get("event") == "sms"]
    assert (received["text"], received["from"]) == (text, BOB)
    wait_until(lambda: bool(centre.judged("answer")), 20, "our RP-ACK")
    assert centre.judged("answer")[0].startswith("type=2 reference=77 to=")
    # It reports on nothing, which is what the verdict says.
    assert (status, told[-1]["verdict"], told[-1]["submitted"]) == (41, "timeout", 1)


def test_a_long_text(centre: ServiceCentre, options: list[str]) -> None:
    text = "To be, or not to be, that is the question. " * 5
    assert run(["sms", "send", BOB, text, *options]) == 0
    first, second = centre.judged("data")
    assert first.endswith(f"parts=2 part=1 text={text[:153]}")
    assert second.endswith(f"parts=2 part=2 text={text[153:]}")


def test_another_script(centre: ServiceCentre, options: list[str]) -> None:
    """Kamailio 5.6 cuts UCS-2 short when it shows it: the beginning has to do."""
    text = "Съешь ещё булок"
    assert run(["sms", "send", BOB, text, *options]) == 0
    (data,) = centre.judged("data")
    assert "coding=8" in data
    assert data.partition("text=")[2].startswith(text[:10])
