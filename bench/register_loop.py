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

from card.readers.emulated import EmulatedLink
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

MOST_AT_A_TIME = 100  # begun and not ended; more would only wait for each other
TICK = 0.004  # seconds; SIPp's clock: at 2000/s it begins eight at once, as a trace shows


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
    """Begin ``rate`` registrations a second, however long each takes, and see all end well.

    Those of one TICK begin together, as SIPp's do.
    """
    together = max(1, round(rate * TICK))
    begin = time.monotonic()
    begun = ended = 0
    while ended < count:
        due = None
        if begun < count and begun - ended < MOST_AT_A_TIME:
            due = begin + begun // together * together / rate
            if time.monotonic() >= due:
                agent.start()
                begun += 1
                continue
        for conversation in agent.turn(due):
            check(conversation.result)
            ended += 1


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
