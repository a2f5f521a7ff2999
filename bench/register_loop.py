"""One user agent that registers again and again: the closed loop that run.py measures.

Arguments: card profile, UDP port of the registrar on loopback, registrations.
Prints the seconds they took, without the start of the process.
"""

from __future__ import annotations

import sys
import time

from sipua.agent import UserAgent
from sipua.identity_module import CardChoice
from sipua.settings import AgentSettings
from sipua.verdict import Verdict


def main(profile: str, port: str, count: str) -> None:
    """Register ``count`` times, one after another, each time from the first REGISTER on."""
    settings = AgentSettings(pcscf=f"udp:127.0.0.1:{port}")
    begin = time.perf_counter()
    with UserAgent(CardChoice(f"emulated:{profile}"), settings) as agent:
        for _ in range(int(count)):
            result = agent.register()
            if result.verdict is not Verdict.REGISTERED:
                raise SystemExit(f"{result.verdict.value}: {result.reason}")
    print(time.perf_counter() - begin)


if __name__ == "__main__":
    main(*sys.argv[1:])
