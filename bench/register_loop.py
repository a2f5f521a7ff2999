"""One user agent that registers again and again: the loops that run.py measures.

Arguments: card profile, UDP port of the registrar on loopback, registrations, where
the emulated card keeps its sequence numbers ("disk" or "memory"), how many registrations
to begin in a second (0 begins each when the one before has ended), and the file for a
trace, if any. A real card has a memory of its own, and SIPp keeps none, so "memory"
compares like with like. Prints the seconds the loop took, without the start of the process.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from card.readers.emulated import EmulatedLink
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.agent.conversation import Conversation
    from sipua.ims.registration import Registration

MOST_AT_A_TIME = 100  # begun and not ended; more would only wait for each other


def main(profile: str, port: str, count: str, memory: str, rate: str, trace: str = "") -> None:
    """Register ``count`` times, each time from the first REGISTER on."""
    settings = AgentSettings(pcscf=f"udp:127.0.0.1:{port}")
    card = EmulatedLink(profile, remember=memory == "disk")
    observer = traced(trace) if trace else None
    begin = time.perf_counter()
    with UserAgent(CardChoice(card), settings, observer) as agent:
        if float(rate):
            at_rate(agent, int(count), float(rate))
        else:
            for _ in range(int(count)):
                check(agent.register())
    print(time.perf_counter() - begin)


def at_rate(agent: UserAgent, count: int, rate: float) -> None:
    """Begin ``rate`` registrations a second, however long each takes, and see all end well."""
    begin = time.monotonic()
    begun = 0
    open_ones: list[Conversation[Registration]] = []
    while begun < count or open_ones:
        due = begin + begun / rate if begun < count else None
        if due is not None and time.monotonic() >= due and len(open_ones) < MOST_AT_A_TIME:
            open_ones.append(agent.start())
            begun += 1
            continue
        agent.turn(due if len(open_ones) < MOST_AT_A_TIME else None)
        for ended in [each for each in open_ones if each.settled]:
            check(ended.result)
            open_ones.remove(ended)


def check(result: RegistrationResult) -> None:
    """End the process when this is no registration."""
    if result.verdict is not Verdict.REGISTERED:
        raise SystemExit(f"{result.verdict.value}: {result.reason}")


def traced(path: str) -> Observer:
    """What ``--trace`` sets up."""
    from sipua.capture.recorder import Recorder
    from sipua.capture.trace_file import TraceFile

    return Observer(recorder=Recorder(TraceFile(path, private=False).write, time.time_ns))


if __name__ == "__main__":
    main(*sys.argv[1:])
