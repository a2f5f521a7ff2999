"""Alice calls Bob: the user agent as a library.

Each has a SIM in software; the embedded network challenges every INVITE, and
the SIMs answer. All of it runs in this process, and nothing of it stays.

For a network and a SIM of your own: ``CardChoice("pcsc")`` is the card in the
first PC/SC reader, ``AgentSettings(pcscf="udp:192.0.2.10:5060")`` the way to the
network, and the core is left out.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from card.profile import load
from card.readers.emulated import EmulatedLink
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.call_report import CallReport
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.settings import AgentSettings

CARDS = Path(__file__).parent
BOB = "sip:bob@ims.mnc001.mcc001.3gppnetwork.org"
PATIENCE = 30.0


def user_agent(card: str, network: str) -> UserAgent:
    """A subscriber of the network. Nothing is sent before it is asked to do something."""
    # A card that remembers nothing: its sequence numbers start anew, as the network's do.
    link = EmulatedLink(str(CARDS / card), remember=False)
    return UserAgent(CardChoice(link), AgentSettings(pcscf=network))


@contextmanager
def listening(agent: UserAgent, plan: ListenPlan) -> Iterator[list[CallReport]]:
    """The agent takes calls in a thread of its own; yields what it reports, as it comes.

    A user agent belongs to one thread. Only ``interrupt`` may come from another.
    """
    reports: list[CallReport] = []
    registered = threading.Event()

    def heard(report: CallReport) -> None:
        reports.append(report)
        if report.event == "registered":
            registered.set()

    thread = threading.Thread(target=agent.listen, args=(plan, heard))
    thread.start()
    try:
        if not registered.wait(PATIENCE):
            raise RuntimeError("Bob could not be registered")
        yield reports
    finally:
        agent.interrupt()
        thread.join(PATIENCE)


def main() -> int:
    """Make one call; returns its exit status."""
    profiles = [load(str(CARDS / name)) for name in ("alice.toml", "bob.toml")]
    with CoreServer(profiles, challenge={"INVITE": 407}) as core:
        network = str(core.hop("UDP"))
        with user_agent("alice.toml", network) as alice, user_agent("bob.toml", network) as bob:
            plan = CallPlan(duration=2.0, digits="42#")
            with listening(bob, ListenPlan(media="echo")) as heard:
                result = alice.call(BOB, plan, lambda report: print("alice:", report.event))
    for report in heard:
        print("bob:  ", report.event, report.details)
    print(f"{result.verdict.value}: {result.reason}")
    print("answers to INVITE:", *[s.status for s in result.exchange if s.method == "INVITE"])
    return result.exit_status


if __name__ == "__main__":
    sys.exit(main())
