"""One user agent that registers again and again: the closed loop that run.py measures.

Arguments: card profile, UDP port of the registrar on loopback, registrations,
"disk" or "memory": where the emulated card keeps its sequence numbers, and the
file for a trace, if any. A real card has a memory of its own, and SIPp keeps none,
so "memory" compares like with like.
Prints the seconds the loop took, without the start of the process.
"""

from __future__ import annotations

import sys
import time

from card.readers.emulated import EmulatedLink
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.settings import AgentSettings
from sipua.verdict import Verdict


def main(profile: str, port: str, count: str, memory: str, trace: str = "") -> None:
    """Register ``count`` times, one after another, each time from the first REGISTER on."""
    settings = AgentSettings(pcscf=f"udp:127.0.0.1:{port}")
    card = EmulatedLink(profile, remember=memory == "disk")
    observer = traced(trace) if trace else None
    begin = time.perf_counter()
    with UserAgent(CardChoice(card), settings, observer) as agent:
        for _ in range(int(count)):
            result = agent.register()
            if result.verdict is not Verdict.REGISTERED:
                raise SystemExit(f"{result.verdict.value}: {result.reason}")
    print(time.perf_counter() - begin)


def traced(path: str) -> Observer:
    """What ``--trace`` sets up."""
    from sipua.capture.recorder import Recorder
    from sipua.capture.trace_file import TraceFile

    return Observer(recorder=Recorder(TraceFile(path, private=False).write, time.time_ns))


if __name__ == "__main__":
    main(*sys.argv[1:])
