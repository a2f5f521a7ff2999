"""SIPp, the foreign user agent: one scenario, run to its end."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from interop.program import free_port, required

SCENARIOS = Path(__file__).with_name("sipp")


class SippResult(NamedTuple):
    """How a run ended: calls that went through and calls that did not, and the messages."""

    successful: int
    failed: int
    messages: str
    errors: str


def run_sipp(
    directory: Path,
    scenario: str,
    target: tuple[str, int] | None,
    options: Sequence[str] = (),
    *,
    transport: str = "udp",
    port: int = 0,
    calls: int = 1,
    seconds: float = 20,
) -> SippResult:
    """Run a scenario against ``target`` (None: it is called) until ``calls`` have ended.

    ``scenario`` is a file of the folder ``sipp``, or the name of one that SIPp
    brings. A call waits at most 5 s for each message, the whole run ``seconds``.
    """
    own = scenario.endswith(".xml")
    argv = [
        required("sipp", "sip-tester"),
        *(("-sf", str(SCENARIOS / scenario)) if own else ("-sn", scenario)),
        *("-i", "127.0.0.1", "-p", str(port or free_port())),
        *("-t", {"udp": "u1", "tcp": "t1"}[transport]),
        *("-m", str(calls), "-l", "1", "-nostdin"),
        *("-recv_timeout", "5000", "-timeout", f"{seconds:.0f}", "-timeout_error"),
        *("-trace_msg", "-message_file", str(directory / "messages")),
        *("-trace_err", "-error_file", str(directory / "errors")),
        *("-trace_stat", "-stf", str(directory / "statistics")),
        *options,
        *([f"{target[0]}:{target[1]}"] if target else []),
    ]
    subprocess.run(
        argv,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=seconds + 10,
        check=False,
    )
    with (directory / "statistics").open(newline="") as table:
        last = list(csv.DictReader(table, delimiter=";"))[-1]
    return SippResult(
        int(last["SuccessfulCall(C)"]),
        int(last["FailedCall(C)"]),
        _text(directory / "messages"),
        _text(directory / "errors"),
    )


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
