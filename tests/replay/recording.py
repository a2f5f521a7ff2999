"""Traces of our own user agent at the embedded network, one a scene.

    PYTHONPATH=.:tests python tests/replay/recording.py [SCENE...]

makes those in ``fixtures/captures`` anew, or some of them. The keys are those of TS 35.208; the
traces show none.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from interop.program import free_port
from interop.subscription import Subscription, write_profile
from phones.answering import PATIENCE, Answering

from card.profile import load
from sipua.agent.attendance import Attendance
from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.calls.telephone import Telephone
from sipua.agent.identity_module import CardChoice
from sipua.agent.reporter import Reporter
from sipua.agent.texts.texter import Texter
from sipua.agent.user_agent import Observer, UserAgent
from sipua.capture.recorder import Recorder
from sipua.capture.trace_file import TraceFile
from sipua.core.server import CoreServer
from sipua.ims.call import Call
from sipua.ims.call_table import CallState
from sipua.result import CallResult
from sipua.settings import AgentSettings

CAPTURES = Path(__file__).parent.parent.parent / "fixtures" / "captures"
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
PSI = "tel:+15550100099"
IMSIS = ("001010000000011", "001010000000012")


class Others(NamedTuple):
    """Who else there is: Bob with his user agent, and the network."""

    bob: Subscription
    agent: UserAgent
    core: CoreServer


class Scene(NamedTuple):
    """What the network does, by its faults, and what Alice, who is recorded, asks for.

    With ``bob`` he is registered and does that with calls. With ``plan`` Alice is registered and
    listens, while ``others`` do something.
    """

    faults: tuple[str, ...] = ()
    transport: str = "UDP"
    ask: Callable[[UserAgent, Subscription], object] = lambda agent, _: agent.register()
    long_res: bool = False
    settings: AgentSettings = AgentSettings()
    bob: ListenPlan | None = None
    plan: ListenPlan | None = None
    others: Callable[[Subscription, Others], object] | None = None
    sms: str = ""
    """Sent to Bob's number by a service centre, which says in a MESSAGE what became of it."""


# What Alice does -------------------------------------------------------------------------------


def _come_and_go(agent: UserAgent, _: Subscription) -> None:
    agent.register()
    agent.deregister()


def _call(agent: UserAgent, bob: Subscription) -> None:
    agent.call(bob.impu, CallPlan(duration=0.1))


def _call_until_he_leaves(agent: UserAgent, bob: Subscription) -> None:
    agent.call(bob.impu)


def _give_up(agent: UserAgent, bob: Subscription) -> None:
    agent.call(bob.impu, CallPlan(cancel_after=0.3))


def _dial_and_hold(agent: UserAgent, bob: Subscription) -> None:
    """Two digits in INFO, then a hold, for which there is no command."""
    agent.register()
    standing = agent._conversation
    assert standing is not None
    reporter = Reporter(None)
    telephone = Telephone(agent._equipment, agent.settings, standing, reporter)
    attendance = Attendance(agent._equipment, standing, reporter, telephone)

    def until(seconds: float) -> float:
        end = time.monotonic() + seconds
        while attendance.turn(end) < end:
            pass
        return end

    try:
        call = telephone.place(
            bob.impu, CallPlan(digits="1#", digits_by="info"), CallResult(bob.impu)
        )
        while call.machine.state != CallState.ACTIVE:
            until(0.05)
        for wish in (Call.hold, Call.resume):
            now = until(0.4)
            wish(call.machine, now)
            call.line.carry_on(now)
        call.hang_up(until(0.4))
        while telephone.goes_on:
            attendance.turn()
    finally:
        attendance.close()


def _ask(agent: UserAgent, bob: Subscription) -> None:
    agent.options(bob.impu)


def _write(agent: UserAgent, bob: Subscription) -> None:
    agent.message(bob.impu, "good morning")


# What is done to Alice -------------------------------------------------------------------------


def _is_called(alice: Subscription, others: Others) -> None:
    _call(others.agent, alice)


def _is_called_and_leaves(alice: Subscription, others: Others) -> None:
    _call_until_he_leaves(others.agent, alice)


def _is_called_in_vain(alice: Subscription, others: Others) -> None:
    _give_up(others.agent, alice)


def _is_asked(alice: Subscription, others: Others) -> None:
    _ask(others.agent, alice)
    _write(others.agent, alice)


def _is_told(alice: Subscription, others: Others) -> None:
    """The network shortens her registration, which is renewed for that."""
    others.core.shorten(alice.impi, 600)
    end = time.monotonic() + PATIENCE
    while others.core.bindings(alice.impi)[0].event != "refreshed":
        assert time.monotonic() < end
        time.sleep(0.02)
    time.sleep(0.3)  # of which she is told, too


SCENES = {
    "registration": Scene(),
    "registration-and-removal": Scene(ask=_come_and_go, transport="TCP"),
    "resynchronisation": Scene(("sqn-behind",)),
    "mac-failure": Scene(("wrong-mac",)),
    "wrong-response": Scene(long_res=True),
    "refused-403": Scene(("403",)),
    "interval-too-brief": Scene(("423=700000",)),
    "password-asked-for": Scene(("md5",)),
    "silence": Scene(("silence",), settings=AgentSettings(timeout=1.2)),
    "call": Scene(ask=_call, transport="TCP", bob=ListenPlan()),
    "call-by-udp-and-tcp": Scene(ask=_call, bob=ListenPlan()),  # its INVITE is too large for UDP
    "call-cancelled": Scene(ask=_give_up, transport="TCP", bob=ListenPlan(what="ring")),
    "call-ended-by-the-callee": Scene(
        ask=_call_until_he_leaves, transport="TCP", bob=ListenPlan(duration=0.1)
    ),
    "call-with-digits-and-hold": Scene(ask=_dial_and_hold, transport="TCP", bob=ListenPlan()),
    "incoming-call": Scene(plan=ListenPlan(), others=_is_called),
    "incoming-call-hung-up": Scene(plan=ListenPlan(duration=0.1), others=_is_called_and_leaves),
    "incoming-call-cancelled": Scene(plan=ListenPlan(what="ring"), others=_is_called_in_vain),
    "options": Scene(ask=_ask, bob=ListenPlan()),
    "message": Scene(ask=_write, bob=ListenPlan()),
    "short-message": Scene(sms="good morning"),  # to who is not there
    "asked-by-others": Scene(plan=ListenPlan(), others=_is_asked),
    "reg-event": Scene(
        plan=ListenPlan(), others=_is_told, settings=AgentSettings(reg_event=True, expires=3600)
    ),
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
        challenge={"INVITE": 407, "MESSAGE": 407},
    )
    file = TraceFile(str(path), private=False)
    try:
        with core:
            recorder = Recorder(file.write, time.time_ns)
            settings = scene.settings._replace(pcscf=str(core.hop(scene.transport)))
            observer = Observer(recorder=recorder)
            hers = UserAgent(CardChoice(alice.card), settings, observer)
            his = UserAgent(CardChoice(bob.card), AgentSettings(pcscf=settings.pcscf))
            if scene.others is not None:
                with Answering(hers, scene.plan), his:
                    scene.others(alice, Others(bob, his, core))
            elif scene.bob is not None:
                with Answering(his, scene.bob), hers:
                    scene.ask(hers, bob)
            elif scene.sms:
                with Texter(CardChoice(alice.card), settings, observer, psi=PSI) as texter:
                    texter.send(f"+{bob.imsi}", scene.sms)
            else:
                with hers:
                    scene.ask(hers, bob)
        recorder.catch_up()
    finally:
        file.close()


def _places(scene: Scene) -> list[tuple[str, str, int]]:
    """Where the network listens: a call by UDP finds TCP at the same port."""
    if scene.transport == "UDP":
        port = free_port()
        return [(transport, "127.0.0.1", port) for transport in ("UDP", "TCP")]
    return [(scene.transport, "127.0.0.1", 0)]


if __name__ == "__main__":
    CAPTURES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SCENES:
        with tempfile.TemporaryDirectory() as folder:
            record(SCENES[name], CAPTURES / f"{name}.pcapng", Path(folder))
        print(name)
