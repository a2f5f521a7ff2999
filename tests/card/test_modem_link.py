"""The SIM in a modem: whole sessions and odd modems, on a pty with the emulated card behind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import ModuleType

import pytest
from fake_modem import FakeModem, Manners

from card import profile
from card.aka.milenage import Milenage
from card.aka.vector import make_vector
from card.emulator.card import EmulatedCard
from card.errors import CardError, NoCard, NoReader, PinRequired, TransmitError
from card.exchange import Exchange
from card.isim import IsimSession
from card.link import CardLink
from card.readers import modem
from card.readers.locate import open_card
from card.session import CardSession
from card.uicc import Uicc
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.settings import AgentSettings

SHIPPED = profile.shipped()
SELECT_MF = bytes.fromhex("00A4000C023F00")

Plug = Callable[..., FakeModem]


@pytest.fixture
def plug() -> Iterator[Plug]:
    """A modem with the shipped card in it, and the manners asked for."""
    with ExitStack() as plugged:

        def make(**manners: object) -> FakeModem:
            one = FakeModem(EmulatedCard(SHIPPED), Manners(**manners))  # type: ignore[arg-type]
            plugged.callback(one.close)
            return one

        yield make


@pytest.fixture
def opened(plug: Plug) -> Iterator[Callable[..., CardLink]]:
    with ExitStack() as links:

        def make(**manners: object) -> CardLink:
            link = open_card(f"at:{plug(**manners).device}")
            links.callback(link.close)
            return link

        yield make


Opened = Callable[..., CardLink]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a silent modem is waited for; the pty answers within a millisecond."""
    monkeypatch.setattr(modem, "WAKE_SECONDS", 0.1)
    monkeypatch.setattr(modem, "COMMAND_SECONDS", 0.3)
    monkeypatch.setattr(modem, "BUSY_PAUSE", 0.01)
    monkeypatch.setattr(modem, "EARLY_OK_SECONDS", 0.1)


ODD_MODEMS = {
    "as specified": {},
    "echo": {"echo": True},
    "lower case": {"lower_case": True},
    "no quotes": {"quotes": False},
    "spaced OK": {"end": "\r\n\r\nOK \r\n\r\n"},
    "bare line feeds": {"end": "\nOK\n"},
    "unsolicited lines": {"unsolicited": '\r\n+CREG: 1,"00C0"\r\n\r\n^RSSI: 17\r\n\r\nRING\r\n'},
    "GET RESPONSE done": {"fetches": True},
    "length in octets": {"octet_length": True},
    "deaf at first": {"deaf_for": 2},
    "SIM busy at first": {"busy_for": 3},
    "SIM busy in words": {"busy_for": 2, "in_words": True},
    "no AT+CPIN": {"pin_state": "SIM PIN"},
    "piecewise": {"piecewise": True},
    "all at once": {
        **{"echo": True, "lower_case": True, "fetches": True, "deaf_for": 1, "busy_for": 1},
        **{"unsolicited": "\r\nRING\r\n", "end": "\r\n\r\nOK\r\n"},
    },
}


@pytest.mark.parametrize("manners", ODD_MODEMS.values(), ids=ODD_MODEMS)
def test_a_whole_session_through_an_odd_modem(opened: Opened, manners: dict[str, object]) -> None:
    link = opened(**manners)
    uicc = Uicc(Exchange(link))
    assert uicc.iccid() == SHIPPED.iccid
    isim = IsimSession(uicc, uicc.choose("auto"))
    assert SHIPPED.isim is not None
    assert isim.impi() == SHIPPED.isim.impi
    secrets = SHIPPED.authentication
    vector = make_vector(Milenage(secrets.k, secrets.opc), bytes(range(16)), 64, b"\x80\x00")
    assert isim.authenticate(vector.rand, vector.autn).res == vector.xres
    assert (link.atr, link.waits, link.insertions) == (b"", True, 0)


def test_a_registration_through_a_modem(
    plug: Plug, sipua_core: CoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modem, "COMMAND_SECONDS", 5)
    with_modem = plug(echo=True, unsolicited="\r\n+CREG: 1\r\n")
    hop = sipua_core.hop("UDP")
    settings = AgentSettings(pcscf=f"udp:{hop.address}:{hop.port}")
    with UserAgent(CardChoice(f"at:{with_modem.device}"), settings) as agent:
        result = agent.register()
    assert result.verdict.value == "registered", result.reason
    assert result.card is not None
    assert result.card.reader == f"at:{with_modem.device}"
    assert result.card.iccid == SHIPPED.iccid
    assert sipua_core.bindings(result.impi or "")


@pytest.mark.parametrize(
    ("cme", "kind", "words"),
    [
        ("10", NoCard, "refuses AT.CSIM: SIM not inserted"),
        ("SIM failure", NoCard, "SIM failure"),
        ("11", PinRequired, "SIM PIN required"),
        ("4", TransmitError, "operation not supported"),
        ("100", TransmitError, "unknown"),
        ("999", TransmitError, "999"),
        ("-", TransmitError, "no generic SIM access"),
    ],
)
def test_what_a_modem_refuses(opened: Opened, cme: str, kind: type[CardError], words: str) -> None:
    link = opened(cme=cme)
    with pytest.raises(kind, match=words):
        link.transmit(SELECT_MF)


@pytest.mark.parametrize(
    "answer",
    [
        *('+CSIM: 4,"90"', '+CSIM: 4,"9z00"', '+CSIM: x,"9000"', "+CSIM:", '+CSIM: 3,"900"'),
        f'+CSIM: {259 * 2},"{"00" * 259}"',
    ],
)
def test_an_answer_that_cannot_be_read(opened: Opened, answer: str) -> None:
    link = opened(answer=answer)
    with pytest.raises(TransmitError, match="cannot be read"):
        link.transmit(SELECT_MF)


def test_ok_without_an_answer(opened: Opened) -> None:
    link = opened(answer="")
    with pytest.raises(TransmitError, match="said OK but gave no answer"):
        link.transmit(SELECT_MF)


def test_a_pin_is_not_quoted(opened: Opened) -> None:
    link = opened(silent_at=1)
    with pytest.raises(TransmitError) as failure:
        link.transmit(bytes.fromhex("00200001083132333435363738"))
    assert "3132" not in str(failure.value)


def test_no_sim(plug: Plug) -> None:
    with pytest.raises(NoCard, match="SIM not inserted"):
        open_card(f"at:{plug(pin_state='').device}")


def test_no_answer_and_the_next_transaction(plug: Plug) -> None:
    """An answer that comes late is not taken for the next one: the port is opened anew."""
    one = plug()
    with CardSession(f"at:{one.device}", "isim") as session:
        one.fall_silent()
        with pytest.raises(TransmitError, match="did not answer in time"):
            session.uicc.iccid()
        with pytest.raises(NoReader, match="is closed"):
            session.link.transmit(SELECT_MF)
        assert session.uicc.iccid() == SHIPPED.iccid
        assert session.link.insertions == 1


def test_the_device_disappears(plug: Plug) -> None:
    one = plug(vanish_at=2)
    link = open_card(f"at:{one.device}")
    link.transmit(SELECT_MF)
    with pytest.raises(NoReader, match="is gone"):
        link.transmit(SELECT_MF)
    with pytest.raises(NoReader, match=f"there is no {one.device}"):
        link.begin_transaction()
    link.close()
    link.close()
    link.begin_transaction()
    with pytest.raises(NoReader, match="closed"):
        link.transmit(SELECT_MF)


def test_nobody_answers(plug: Plug) -> None:
    with pytest.raises(NoReader, match="answers AT: is it a modem's command port"):
        open_card(f"at:{plug(deaf_for=99).device}")


def test_the_port_is_ours_alone(plug: Plug) -> None:
    one = plug()
    link = open_card(f"at:{one.device}")
    with pytest.raises(NoReader, match="another program has the modem's port"):
        open_card(f"at:{one.device}")
    link.close()
    open_card(f"at:{one.device},9600").close()


def test_ports_that_are_none(tmp_path: object) -> None:
    with pytest.raises(NoReader, match="is the modem plugged in"):
        open_card(f"at:{tmp_path}/none")
    with pytest.raises(NoReader, match="cannot be opened as a modem's port"):
        open_card("at:/dev/null")


def test_without_pyserial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(NoReader, match=r'not installed: pip install "sipua-usim\[modem\]"'):
        open_card("at:/dev/ttyUSB2")
    monkeypatch.setitem(sys.modules, "serial", ModuleType("serial"))
    with pytest.raises(NoReader, match=r"another program than pyserial"):
        open_card("at:/dev/ttyUSB2")


def test_reset_selects_the_mf(plug: Plug) -> None:
    one = plug()
    link = open_card(f"at:{one.device}")
    link.reset()
    link.close()
    assert one.heard[-1] == 'AT+CSIM=14,"00A4000C023F00"'
