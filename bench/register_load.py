"""One user agent that starts registrations at a given rate, as SIPp does, several at a time.

Arguments: card profile, UDP port of the registrar on loopback, registrations, and
how many are started a second. The emulated card keeps its sequence numbers in memory.
"""

from __future__ import annotations

import sys
import time

from card.readers.emulated import EmulatedLink
from sipua.agent import UserAgent
from sipua.conversation import Conversation
from sipua.identity_module import CardChoice
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

TICK = 0.001  # seconds; SIPp's


def main(profile: str, port: str, count: str, rate: str) -> None:
    """Start ``count`` registrations, ``rate`` a second; all must succeed."""
    settings = AgentSettings(pcscf=f"udp:127.0.0.1:{port}")
    card = EmulatedLink(profile, remember=False)
    left = int(count)
    running: list[Conversation] = []
    with UserAgent(CardChoice(card), settings) as agent:
        begin = time.monotonic()
        started = 0
        while left or running:
            due = min(int((time.monotonic() - begin) * float(rate)) - started, left)
            running += [agent.start() for _ in range(due)]
            started += due
            left -= due
            agent.turn(begin + (started + 1) / float(rate) + TICK)
            settled = [each for each in running if each.settled]
            for each in settled:
                if each.result.verdict is not Verdict.REGISTERED:
                    raise SystemExit(f"{each.result.verdict.value}: {each.result.reason}")
            running = [each for each in running if not each.settled]


if __name__ == "__main__":
    main(*sys.argv[1:])
