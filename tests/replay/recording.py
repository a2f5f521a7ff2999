"""Traces of our own user agent at the embedded network, one a scene.

    PYTHONPATH=.:tests python tests/replay/recording.py

makes those in ``fixtures/captures`` anew. The keys are those of TS 35.208; the traces show none.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from interop.program import free_port
from interop.subscription import Subscription, write_profile
from phones.answering import Answering

from card.profile import load
from sipua.agent.call_plan import CallPlan
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.capture.recorder import Recorder
from sipua.capture.trace_file import TraceFile
from sipua.core.server import CoreServer
from sipua.settings import AgentSettings
from sipua.sip.hop import Hop

CAPTURES = Path(__file__).parent.parent.parent / "fixtures" / "captures"
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
IMSIS = ("001010000000011", "001010000000012")


class Scene(NamedTuple):
    """What the network does, by its faults, and what the user asks for."""

    faults: tuple[str, ...] = ()
    transport: str = "UDP"
    ask: Callable[[UserAgent, Subscription], object] = lambda agent, _: agent.register()
    long_res: bool = False
    timeout: float = 32.0


def _come_and_go(agent: UserAgent, _: Subscription) -> None:
    agent.register()
    agent.deregister()


def _call(agent: UserAgent, bob: Subscription) -> None:
    agent.call(bob.impu, CallPlan(duration=0.1))


def _be_called(agent: UserAgent, alice: Subscription) -> None:
    """``agent`` is registered and listens: see ``record``."""


SCENES = {
    "registration": Scene(),
    "registration-and-removal": Scene(ask=_come_and_go, transport="TCP"),
    "resynchronisation": Scene(("sqn-behind",)),
    "mac-failure": Scene(("wrong-mac",)),
    "wrong-response": Scene(long_res=True),
    "refused-403": Scene(("403",)),
    "interval-too-brief": Scene(("423=700000",)),
    "password-asked-for": Scene(("md5",)),
    "silence": Scene(("silence",), timeout=1.2),
    "call": Scene(ask=_call, transport="TCP"),
    "call-by-udp-and-tcp": Scene(ask=_call),  # its INVITE is too large for UDP
    "incoming-call": Scene(ask=_be_called),
}


def record(scene: Scene, path: Path, folder: Path) -> None:
    """Play the scene with cards in ``folder`` and leave its trace at ``path``."""
    alice, bob = (write_profile(folder, imsi, DOMAIN) for imsi in IMSIS)
    known = load(str(alice.path))
    if scene.long_res:
        text = alice.path.read_text().replace(
            'algorithm = "milenage"', 'algorithm = "milenage"\nres_length = 16'
        )
        network = folder / "network.toml"
        network.write_text(text)
        known = load(str(network))
    core = CoreServer(
        [known, load(str(bob.path))],
        _places(scene),
        faults=scene.faults,
        challenge={"INVITE": 407},
    )
    file = TraceFile(str(path), private=False)
    try:
        with core:
            hop = core.hop(scene.transport)
            recorder = Recorder(file.write, time.time_ns)
            observer = Observer(recorder=recorder)
            if scene.ask is _call:
                with Answering(_agent(bob, hop)), _agent(alice, hop, observer) as agent:
                    scene.ask(agent, bob)
            elif scene.ask is _be_called:
                with Answering(_agent(bob, hop, observer)), _agent(alice, hop) as caller:
                    _call(caller, bob)
            else:
                with _agent(alice, hop, observer, scene.timeout) as agent:
                    scene.ask(agent, bob)
        recorder.catch_up()
    finally:
        file.close()


def _places(scene: Scene) -> list[tuple[str, str, int]]:
    """Where the network listens: a call by UDP finds TCP at the same port."""
    if scene.ask is _call and scene.transport == "UDP":
        port = free_port()
        return [(transport, "127.0.0.1", port) for transport in ("UDP", "TCP")]
    return [(scene.transport, "127.0.0.1", 0)]


def _agent(
    subscription: Subscription, hop: Hop, observer: Observer | None = None, timeout: float = 32.0
) -> UserAgent:
    settings = AgentSettings(pcscf=str(hop), timeout=timeout)
    return UserAgent(CardChoice(subscription.card), settings, observer)


if __name__ == "__main__":
    CAPTURES.mkdir(exist_ok=True)
    for name, scene in SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            record(scene, CAPTURES / f"{name}.pcapng", Path(folder))
        print(name)
