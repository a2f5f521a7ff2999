"""Cards that come late, leave and come back, in the real pcscd: waited for, found again."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from card.errors import NoCard, NoReader, TransmitError
from card.exchange import Exchange
from card.profile import Profile
from card.readers.locate import open_card
from card.readers.waiting import Waiting
from card.uicc import Uicc
from interop.command import SIPUA, environment
from interop.pcscd import Pcscd
from interop.program import wait_until
from interop.watched_card import inserted
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.core.bindings import ExpiryPolicy
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

AUTHENTICATE, VERIFY_PIN = 0x88, 0x20
LONG = 20.0  # for waits that something ends
SOON = 10.0  # in which it must then be noticed, on a busy machine too


class Awaiting:
    """``open_card`` in a thread, with what it says and what it gives."""

    def __init__(self, text: str, seconds: float = LONG) -> None:
        self.told: list[str] = []
        self.iccid = ""
        self.error: Exception | None = None
        self._text, self._seconds = text, seconds
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            link = open_card(self._text, Waiting(self._seconds, self.told.append))
            self.iccid = Uicc(Exchange(link)).iccid()
            link.close()
        except Exception as error:
            self.error = error

    def says(self, words: str) -> None:
        wait_until(lambda: any(words in each for each in self.told), SOON, words)
        assert self._thread.is_alive()

    def finds(self, iccid: str) -> None:
        self._thread.join(SOON)
        assert (self.iccid, self.error) == (iccid, None)


@pytest.fixture
def other(sipua_card_profile: Profile) -> Profile:
    return sipua_card_profile._replace(iccid="8900101000000000002", imsi="001010000000002")


def test_a_card_put_in_late(pcscd: Pcscd, sipua_card_profile: Profile) -> None:
    awaiting = Awaiting("pcsc")
    awaiting.says("there is no card in 0: sipua test 00 00, 1: sipua test 00 01")
    with inserted(pcscd, sipua_card_profile, 1):
        awaiting.finds(sipua_card_profile.iccid)
    assert len(awaiting.told) == 1


def test_the_card_that_fits(pcscd: Pcscd, sipua_card_profile: Profile, other: Profile) -> None:
    with inserted(pcscd, sipua_card_profile, 0):
        awaiting = Awaiting(f"pcsc:iccid={other.iccid}")
        awaiting.says(f"no card in a reader has the ICCID {other.iccid}")
        with inserted(pcscd, other, 1):
            awaiting.finds(other.iccid)


def test_pcscd_started_late(pcscd: Pcscd, sipua_card_profile: Profile) -> None:
    with inserted(pcscd, sipua_card_profile):
        pcscd.stop()
        awaiting = Awaiting("pcsc")
        awaiting.says("is pcscd running")
        pcscd.start()
        pcscd.wait_for_card()
        awaiting.finds(sipua_card_profile.iccid)


@contextmanager
def held(reader: str) -> Iterator[Callable[[], None]]:
    """The card in a reader, for another program alone, until what this gives is called."""
    from smartcard import scard

    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    assert result == 0
    result, handle, _ = scard.SCardConnect(
        context, reader, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_ANY
    )
    assert result == 0
    with contextlib.ExitStack() as holding:
        holding.callback(scard.SCardReleaseContext, context)
        holding.callback(scard.SCardDisconnect, handle, scard.SCARD_LEAVE_CARD)
        yield holding.close


def test_a_card_that_another_program_holds(pcscd: Pcscd, sipua_card_profile: Profile) -> None:
    with inserted(pcscd, sipua_card_profile), held(pcscd.readers[0]) as let_go:
        with pytest.raises(TransmitError, match="another program holds the card"):
            open_card("pcsc")
        awaiting = Awaiting("pcsc")
        awaiting.says("another program holds the card")
        let_go()
        awaiting.finds(sipua_card_profile.iccid)


def test_a_wait_that_ends_in_vain_and_costs_nothing(pcscd: Pcscd) -> None:
    told: list[str] = []
    started, cpu = time.monotonic(), time.process_time()
    with pytest.raises(NoCard, match="there is no card in"):
        open_card("pcsc", Waiting(1.2, told.append))
    assert 1.2 <= time.monotonic() - started < 10
    assert time.process_time() - cpu < 0.5
    assert len(told) == 1


def test_no_reader_by_that_name_is_waited_for(pcscd: Pcscd) -> None:
    with pytest.raises(NoReader, match="no reader fits 'nobody'"):
        open_card("pcsc:nobody", Waiting(0.1, lambda _: None))


def test_the_command_says_what_it_waits_for(
    pcscd: Pcscd, sipua_card_profile: Profile, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [*SIPUA, "card", "info", "--wait-card", "--json"],
        env=environment(tmp_path, pcscd.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Waiting for a card: there is no card in 0:")
        with inserted(pcscd, sipua_card_profile):
            output, errors = process.communicate(timeout=SOON)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (0, "")
    assert sipua_card_profile.iccid in json.dumps(json.loads(output))


# Registrations that stay -----------------------------------------------------------------


@pytest.fixture
def core(sipua_core_factory: CoreFactory) -> CoreServer:
    """Registrations last for 2 s here, so each second brings a challenge."""
    return sipua_core_factory(expiry=ExpiryPolicy(least=1, most=2))


class Stay:
    """A registration through PC/SC that is kept until ``end``."""

    def __init__(self, core: CoreServer, **choice: Any) -> None:
        hop = core.hop("UDP")
        self._agent = UserAgent(
            CardChoice("pcsc", **choice), AgentSettings(pcscf=f"udp:{hop.address}:{hop.port}")
        )
        result = self._agent.register()
        assert result.verdict is Verdict.REGISTERED, result.reason
        self.result: RegistrationResult | None = None
        self._thread = threading.Thread(target=self._stay, daemon=True)
        self._thread.start()

    def _stay(self) -> None:
        self.result = self._agent.stay()

    def ended(self) -> RegistrationResult:
        self._thread.join(SOON)
        assert self.result is not None
        return self.result

    def close(self) -> None:
        self._agent.interrupt()
        self._thread.join(SOON)
        self._agent.close()


@pytest.fixture
def stay(core: CoreServer) -> Iterator[Callable[..., Stay]]:
    with contextlib.ExitStack() as stays:

        def begin(**choice: Any) -> Stay:
            one = Stay(core, **choice)
            stays.callback(one.close)
            return one

        yield begin


Begin = Callable[..., Stay]


def authenticates(card: Any, seconds: float = SOON) -> None:
    before = len(card.commands(AUTHENTICATE))
    wait_until(lambda: len(card.commands(AUTHENTICATE)) > before, seconds, "a challenge")


@pytest.mark.parametrize("pin", [None, "1234"], ids=["without PIN", "PIN given"])
def test_a_stay_survives_a_card_pulled_out_and_put_back(
    pcscd: Pcscd, sipua_card_profile: Profile, stay: Begin, pin: str | None
) -> None:
    enabled = sipua_card_profile.pin._replace(enabled=pin is not None)
    profile = sipua_card_profile._replace(pin=enabled)
    with inserted(pcscd, profile) as card:
        ours = stay(pin=pin, waiting=Waiting(LONG, lambda _: None))
        authenticates(card)
    with inserted(pcscd, profile) as card:
        authenticates(card)
        authenticates(card)
        assert len([each for each in card.commands(VERIFY_PIN) if len(each) > 5]) == bool(pin)
        assert ours.result is None
        ours.close()
    assert ours.ended().verdict is Verdict.DEREGISTERED


def test_a_stay_survives_pcscd_restarted(
    pcscd: Pcscd, sipua_card_profile: Profile, stay: Begin
) -> None:
    with inserted(pcscd, sipua_card_profile) as card:
        ours = stay(waiting=Waiting(LONG, lambda _: None))
        pcscd.stop()
        pcscd.start()
        pcscd.wait_for_card()
        authenticates(card)
        ours.close()
    assert ours.ended().verdict is Verdict.DEREGISTERED


def test_a_stay_ends_when_the_card_is_gone(
    pcscd: Pcscd, sipua_card_profile: Profile, stay: Begin
) -> None:
    with inserted(pcscd, sipua_card_profile):
        ours = stay()
    ended = ours.ended()
    assert ended.verdict is Verdict.NO_CARD
    assert "taken out of sipua test 00 00" in ended.reason


def test_another_card_put_in_is_not_used(
    pcscd: Pcscd, sipua_card_profile: Profile, other: Profile, stay: Begin
) -> None:
    enabled = sipua_card_profile.pin._replace(enabled=True)
    with inserted(pcscd, sipua_card_profile._replace(pin=enabled)):
        ours = stay(pin="1234", waiting=Waiting(LONG, lambda _: None))
    with inserted(pcscd, other._replace(pin=enabled)) as card:
        ended = ours.ended()
        assert [each for each in card.commands(VERIFY_PIN) if len(each) > 5] == []
        assert card.commands(AUTHENTICATE) == []
    assert ended.verdict is Verdict.NO_CARD
    assert f"nother card was put into sipua test 00 00: {other.iccid}" in ended.reason
