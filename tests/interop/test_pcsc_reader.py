"""Our PC/SC reader against the real pcscd, with emulated cards in vpcd's readers.

The first reader stays empty in most tests, as vpcd's first reader does on a
machine with a real one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from card import profile
from card.aka.milenage import Milenage
from card.aka.result import MacFailure, SynchronisationFailure
from card.aka.vector import Vector, make_vector
from card.emulator.card import ATR, EmulatedCard
from card.emulator.vpcd import VpcdCard
from card.errors import NoCard, NoReader, PinRequired, TransmitError
from card.exchange import Exchange
from card.isim import IsimSession
from card.link import CardLink
from card.profile import Profile
from card.readers.locate import list_readers, open_card
from card.uicc import Uicc
from interop.pcscd import Pcscd

SHIPPED = profile.shipped()
OTHER = SHIPPED._replace(iccid="8900101000000000002", imsi="001010000000002")
PIN_ENABLED = OTHER._replace(pin=SHIPPED.pin._replace(enabled=True))
ATR_T1 = bytes.fromhex("3B800181")  # T=1 and nothing else
SECONDS = 5.0


class Pulled(Exception):
    """Ends the card's connection in the middle of a command."""


class InsertedCard:
    """An emulated card in one of vpcd's readers, run by a thread of its own."""

    def __init__(self, pcscd: Pcscd, slot: int, card: EmulatedCard) -> None:
        self._pcscd = pcscd
        self._slot = slot
        self._vpcd = VpcdCard(card, port=pcscd.ports[slot])
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        pcscd.wait_for_card(slot)

    def _run(self) -> None:
        with suppress(Pulled):
            self._vpcd.run()

    def pull(self) -> None:
        self._vpcd.stop()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        self._vpcd.close()
        if self._pcscd.running:
            self._pcscd.wait_for_card(self._slot, present=False)


Insert = Callable[..., InsertedCard]


@pytest.fixture
def insert(pcscd: Pcscd) -> Iterator[Insert]:
    """Puts a card (or a profile's card) into a reader, by default the second one."""
    with ExitStack() as inserted:

        def into(card: EmulatedCard | Profile = SHIPPED, slot: int = 1) -> InsertedCard:
            powered = EmulatedCard(card) if isinstance(card, Profile) else card
            one = InsertedCard(pcscd, slot, powered)
            inserted.callback(one.pull)
            return one

        yield into


@pytest.fixture
def connect(insert: Insert) -> Iterator[Callable[[str], CardLink]]:
    """``open_card``, closed at the end, before the cards are pulled."""
    with ExitStack() as opened:

        def open_and_remember(text: str = "pcsc") -> CardLink:
            link = open_card(text)
            opened.callback(link.close)
            return link

        yield open_and_remember


Connect = Callable[..., CardLink]


def vector(sqn: int) -> Vector:
    secrets = SHIPPED.authentication
    return make_vector(Milenage(secrets.k, secrets.opc), bytes(range(16)), sqn, b"\x80\x00")


def isim_on(link: CardLink) -> IsimSession:
    uicc = Uicc(Exchange(link))
    return IsimSession(uicc, uicc.choose("isim"))


def test_readers_are_listed(pcscd: Pcscd, insert: Insert) -> None:
    insert()
    first, second = list_readers()
    assert tuple(first) == (pcscd.readers[0], False, b"")
    assert tuple(second) == (pcscd.readers[1], True, ATR)


@pytest.mark.parametrize("text", ["pcsc", "pcsc:1", "pcsc:00 01", "pcsc:SIPUA TEST"])
def test_the_reader_that_holds_a_card(
    pcscd: Pcscd, insert: Insert, connect: Connect, text: str
) -> None:
    insert()
    link = connect(text)
    assert link.reader == pcscd.readers[1]
    assert link.atr == ATR
    assert link.waits
    assert Uicc(Exchange(link)).iccid() == SHIPPED.iccid


@pytest.mark.parametrize("text", ["pcsc:2", "pcsc:nobody's"])
def test_no_such_reader(pcscd: Pcscd, insert: Insert, connect: Connect, text: str) -> None:
    insert()
    with pytest.raises(NoReader, match=f"0: {pcscd.readers[0]}, 1: {pcscd.readers[1]}"):
        connect(text)


@pytest.mark.parametrize("text", ["pcsc", "pcsc:0", "pcsc:00 00", "pcsc:iccid=1", "pcsc:imsi=1"])
def test_empty_readers(pcscd: Pcscd, connect: Connect, text: str) -> None:
    with pytest.raises(NoCard, match=f"no card in 0: {pcscd.readers[0]}"):
        connect(text)


@pytest.mark.parametrize("text", [f"pcsc:iccid={OTHER.iccid}", f"pcsc:imsi={OTHER.imsi}"])
def test_by_identity(pcscd: Pcscd, insert: Insert, connect: Connect, text: str) -> None:
    insert(SHIPPED, 0)
    insert(OTHER, 1)
    assert connect(text).reader == pcscd.readers[1]
    assert connect(text.replace(OTHER.iccid, SHIPPED.iccid).replace(OTHER.imsi, SHIPPED.imsi))
    with pytest.raises(NoCard, match="no card in a reader has the I"):
        connect(text + "9")


def test_by_imsi_behind_a_pin(pcscd: Pcscd, insert: Insert, connect: Connect) -> None:
    insert(PIN_ENABLED)
    with pytest.raises(NoCard, match=r"not read: sipua test 00 01: .* wants PIN1"):
        connect(f"pcsc:imsi={OTHER.imsi}")
    assert connect(f"pcsc:iccid={OTHER.iccid}")


@pytest.mark.parametrize("atr", [ATR, ATR_T1], ids=["T=0", "T=1"])
def test_a_whole_session(insert: Insert, connect: Connect, atr: bytes) -> None:
    card = EmulatedCard(SHIPPED)
    card.atr = atr
    insert(card)
    exchange = Exchange(connect("pcsc"))
    uicc = Uicc(exchange)
    with exchange.transaction():
        assert uicc.iccid() == SHIPPED.iccid
        isim = IsimSession(uicc, uicc.choose("auto"))
        assert SHIPPED.isim is not None
        assert isim.impi() == SHIPPED.isim.impi
        assert isim.impu_at(0) == SHIPPED.isim.impu[0]
        assert isim.domain() == SHIPPED.isim.domain
    good = vector(64)
    assert isim.authenticate(good.rand, good.autn).res == good.xres
    assert exchange.apdus <= 16
    with pytest.raises(SynchronisationFailure):
        isim.authenticate(good.rand, good.autn)
    with pytest.raises(MacFailure):
        isim.authenticate(good.rand, bytes(16))


def test_nobody_comes_between_select_and_authenticate(insert: Insert, connect: Connect) -> None:
    insert()
    ours, theirs = connect("pcsc"), connect("pcsc")
    through = threading.Event()

    def other_program() -> None:
        theirs.transmit(bytes.fromhex("00A4000C023F00"))
        through.set()

    ours.begin_transaction()
    thread = threading.Thread(target=other_program)
    thread.start()
    assert not through.wait(0.3)
    ours.end_transaction()
    assert through.wait(SECONDS)
    thread.join(SECONDS)


def test_another_program_selects_and_resets(insert: Insert, connect: Connect) -> None:
    insert()
    ours, theirs = connect("pcsc"), connect("pcsc")
    isim = isim_on(ours)
    impi = isim.impi()
    theirs.transmit(bytes.fromhex("00A4000C023F00"))
    assert isim.impi() == impi
    theirs.reset()
    assert isim.impi() == impi
    theirs.reset()
    good = vector(64)
    assert isim.authenticate(good.rand, good.autn).res == good.xres
    theirs.reset()
    with pytest.raises(TransmitError, match="another program reset the card"):
        ours.transmit(bytes.fromhex("00A4000C023F00"))
    assert ours.transmit(bytes.fromhex("00A4000C023F00")) == b"\x90\x00"


def test_a_verified_pin_is_not_left_behind(insert: Insert, connect: Connect) -> None:
    insert(PIN_ENABLED)
    ours, theirs = connect("pcsc"), connect("pcsc")
    uicc = Uicc(Exchange(ours))
    uicc.verify_pin("1234")
    assert IsimSession(uicc, uicc.choose("isim")).impi()
    ours.close()
    with pytest.raises(PinRequired):
        isim_on(theirs).impi()


def test_without_a_pin_the_card_is_left_as_it_is(insert: Insert, connect: Connect) -> None:
    insert()
    ours, theirs = connect("pcsc"), connect("pcsc")
    isim_on(ours)
    ours.close()
    assert theirs.transmit(bytes.fromhex("00A4000C023F00")) == b"\x90\x00"


def test_close_twice_and_use_after_it(insert: Insert, connect: Connect) -> None:
    insert()
    link = connect("pcsc")
    link.close()
    link.close()
    with pytest.raises(NoCard, match="closed"):
        link.transmit(bytes.fromhex("00A4000C023F00"))


def test_a_card_pulled_between_commands(insert: Insert, connect: Connect) -> None:
    card = insert()
    isim = isim_on(connect("pcsc"))
    card.pull()
    with pytest.raises(NoCard, match="taken out"):
        isim.impi()
    with pytest.raises(NoCard, match="taken out"):
        isim.authenticate(bytes(16), bytes(16))


def test_a_card_pulled_during_authenticate(insert: Insert, connect: Connect) -> None:
    class Slippery(EmulatedCard):
        def transmit(self, command: bytes) -> bytes:
            if command[1] == 0x88:
                raise Pulled
            return super().transmit(command)

    insert(Slippery(SHIPPED))
    isim = isim_on(connect("pcsc"))
    with pytest.raises(NoCard, match="taken out"):
        isim.authenticate(bytes(16), bytes(16))
    with pytest.raises(NoCard, match="taken out"):
        isim.impi()


def test_a_card_put_back_is_found_again(insert: Insert, connect: Connect) -> None:
    card = insert()
    link = connect("pcsc")
    isim = isim_on(link)
    card.pull()
    with pytest.raises(NoCard, match="taken out"):
        isim.impi()
    insert()
    assert isim.impi()
    good = vector(64)
    assert isim.authenticate(good.rand, good.autn).res == good.xres
    assert link.insertions == 1
    assert link.atr == ATR


def test_pcscd_stopped_and_started(pcscd: Pcscd, insert: Insert, connect: Connect) -> None:
    insert()
    link = connect("pcsc")
    isim = isim_on(link)
    pcscd.stop()
    with pytest.raises(NoReader):
        isim.impi()
    with pytest.raises(NoReader, match="is pcscd running"):
        list_readers()
    with pytest.raises(NoReader, match="is pcscd running"):
        open_card("pcsc")
    pcscd.start()
    pcscd.wait_for_card(1)
    assert isim.impi()
    assert link.insertions == 1
    link.close()
    with pytest.raises(NoCard, match="closed"):
        isim.impi()
