"""What a card that does not do leads to as advice."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from declared_hints import collected
from test_verdicts import Sipua, copied, register_at, sipua

from card.apdu import AUTHENTICATE
from card.emulator.card import EmulatedCard
from card.emulator.vpcd_server import VpcdServer
from card.profile import Profile
from sipua.agent.identity_module import CardChoice
from sipua.agent.observer import Observer
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.settings import AgentSettings
from sipua.trace.step import Step
from sipua.verdict import Verdict

__all__ = ["collected", "copied", "sipua"]  # fixtures

LISTENING = ("127.0.0.1", 0)


def test_pin(
    sipua: Sipua,
    sipua_core_factory: CoreFactory,
    copied: Callable[..., Profile],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How many tries are left is told, and what may be done with them."""
    monkeypatch.delenv("SIPUA_PIN", raising=False)
    profile = copied("pin")
    command = register_at(sipua_core_factory(profiles=[profile]), profile)
    wrong = tmp_path / "wrong"
    wrong.write_text("1111\n")
    guess = [*command, "--pin-file", str(wrong)]
    told = []
    for argv in (command, guess, guess, guess, [*guess, "--force-pin"], guess, command):
        _, result = sipua(*argv)
        told.append((result["verdict"], result["hints"]))
    assert [verdict for verdict, _ in told] == [
        *("pin-required", "pin-wrong", "pin-wrong", "pin-blocked"),
        *("pin-blocked", "pin-blocked", "pin-required"),
    ]
    required, first, second, last, spent, blocked, unasked = [hints for _, hints in told]
    assert "--pin-file" in required[0]
    assert "3 tries are left for it." in required
    assert first[0].startswith("2 tries are left; do not guess")
    assert "One try is left, and another wrong PIN blocks" in second[0]
    assert "--force-pin spends" in last[0]
    for hints in (spent, blocked, unasked):
        assert hints == ["No try is left: only the PUK helps: sipua card pin unblock."]


def test_no_application(
    sipua: Sipua, sipua_core_factory: CoreFactory, copied: Callable[..., Profile]
) -> None:
    profile = copied("usim")
    core = sipua_core_factory(profiles=[profile])
    _, result = sipua(*register_at(core, profile, "--application", "isim"))
    assert result["verdict"] == "no-application"
    assert result["hints"][0].startswith("--application auto takes whichever the card has")


def test_a_state_file_that_is_damaged(
    sipua: Sipua, sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    command = register_at(sipua_core, sipua_card_profile)
    sipua(*command)
    (state,) = Path(sipua_card_profile.path).parent.glob("*.state.json")
    state.write_text("{")
    _, result = sipua(*command)
    assert result["verdict"] == "card-error"
    assert str(state) in result["reason"]
    assert "-vvv" in result["hints"][0]


def test_no_reader(sipua: Sipua, sipua_core: CoreServer) -> None:
    """Nobody serves a card there."""
    with socket.create_server(LISTENING) as taken:
        port = taken.getsockname()[1]
    there = ("--card", f"vpcd:127.0.0.1:{port}", "--pcscf", str(sipua_core.hop("UDP")))
    _, result = sipua("register", *there)
    assert result["verdict"] == "no-reader"
    assert "sipua card list" in result["hints"][0]
    assert any("--card emulated" in hint for hint in result["hints"])


def test_a_card_that_is_pulled(sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    """It answers who the subscriber is, and is gone when the challenge comes."""
    server = VpcdServer(EmulatedCard(sipua_card_profile), *LISTENING)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()

    def pull(step: Step) -> None:
        if step.target == "card":
            server.stop()
            thread.join(20)
            server.close()

    settings = AgentSettings(pcscf=str(sipua_core.hop("UDP")))
    card = CardChoice(f"vpcd:127.0.0.1:{server.port}")
    with UserAgent(card, settings, Observer(on_step=pull)) as agent:
        result = agent.register()
    assert result.verdict in (Verdict.NO_CARD, Verdict.NO_READER), result.reason
    assert "sipua card list" in result.hints[0]


def test_a_reader_without_a_card(sipua: Sipua, sipua_core: CoreServer) -> None:
    """Whoever serves it tells an empty ATR."""
    with socket.create_server(LISTENING) as listener:

        def tell_nothing() -> None:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionError):
                if connection.recv(64):
                    connection.sendall(b"\0\0")
                while connection.recv(64):
                    pass

        thread = threading.Thread(target=tell_nothing, daemon=True)
        thread.start()
        card = f"vpcd:127.0.0.1:{listener.getsockname()[1]}"
        _, result = sipua("register", "--card", card, "--pcscf", str(sipua_core.hop("UDP")))
        thread.join(20)
    assert result["verdict"] == "no-card"
    assert result["hints"][0].startswith("Put the card in, contacts down")


def test_a_way_that_is_not_installed(
    sipua: Sipua, sipua_core: CoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    _, result = sipua("register", "--card", "pcsc", "--pcscf", str(sipua_core.hop("UDP")))
    assert result["verdict"] == "no-reader"
    assert result["hints"][0].startswith("Install what is missing, or name the card")


class SlowCard(EmulatedCard):
    """Takes its time over AUTHENTICATE."""

    def transmit(self, command: bytes) -> bytes:
        if command[1] == AUTHENTICATE:
            time.sleep(3.0)
        return super().transmit(command)


def test_a_card_that_is_slower_than_the_user_waits(
    sipua: Sipua, sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    server = VpcdServer(SlowCard(sipua_card_profile), *LISTENING)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    card = ("--card", f"vpcd:127.0.0.1:{server.port}")
    _, result = sipua("register", *card, "--pcscf", str(sipua_core.hop("UDP")), "--timeout", "1")
    server.stop()
    thread.join(20)
    server.close()
    assert result["verdict"] == "timeout"
    assert "-vvv for the card, what was asked last" in result["hints"][0]
