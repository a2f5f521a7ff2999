"""A card elsewhere on the network: our server and our client, each against the other and against
peers that mean no good."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card import profile
from card.emulator import vpcd_server
from card.emulator.card import EmulatedCard
from card.emulator.vpcd_server import VpcdServer
from card.errors import NoCard, NoReader, StateError, TransmitError
from card.exchange import Exchange
from card.link import CardLink
from card.readers import vpcd
from card.readers.locate import open_card
from card.readers.waiting import Waiting
from card.session import CardSession
from card.statefile import StateFile
from card.uicc import Uicc
from card.vpcd import Unframer, framed
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.settings import AgentSettings

SHIPPED = profile.shipped()
SELECT_MF = bytes.fromhex("00A4000C023F00")
ATR = EmulatedCard(SHIPPED).atr


class Serving:
    """A card served on a free port of loopback, by a thread, until ``end``."""

    def __init__(self, card: EmulatedCard, port: int = 0) -> None:
        self.server = VpcdServer(card, "127.0.0.1", port)
        self.port = self.server.port
        self.error: Exception | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(5)

    def _run(self) -> None:
        try:
            self.server.run(self._ready.set)
        except Exception as error:
            self.error = error

    def end(self) -> None:
        self.server.stop()
        self._thread.join(5)
        assert not self._thread.is_alive()
        self.server.close()
        self.server.close()


@pytest.fixture
def serving() -> Iterator[Serving]:
    one = Serving(EmulatedCard(SHIPPED))
    yield one
    one.end()


@pytest.fixture
def connect(serving: Serving) -> Iterator[Callable[[], CardLink]]:
    with ExitStack() as links:

        def make() -> CardLink:
            link = open_card(f"vpcd:127.0.0.1:{serving.port}")
            links.callback(link.close)
            return link

        yield make


Connect = Callable[[], CardLink]


def test_a_registration_with_a_card_elsewhere(serving: Serving, sipua_core: CoreServer) -> None:
    hop = sipua_core.hop("UDP")
    settings = AgentSettings(pcscf=f"udp:{hop.address}:{hop.port}")
    card = f"vpcd:127.0.0.1:{serving.port}"
    with UserAgent(CardChoice(card), settings) as agent:
        result = agent.register()
    assert result.verdict.value == "registered", result.reason
    assert result.card is not None
    assert (result.card.reader, result.card.atr) == (card, ATR.hex())


def test_no_apdu_waits_for_a_delayed_ack(connect: Connect) -> None:
    link = connect()
    started = time.perf_counter()
    for _ in range(50):
        assert link.transmit(SELECT_MF) == b"\x90\x00"
    assert time.perf_counter() - started < 1.0


def test_one_after_the_other_but_not_two_at_once(connect: Connect) -> None:
    first = connect()
    with pytest.raises(NoCard, match="another program may have the card"):
        connect()
    assert first.transmit(SELECT_MF) == b"\x90\x00"
    first.close()
    first.close()
    with pytest.raises(NoCard, match="is closed"):
        first.transmit(SELECT_MF)
    assert connect().transmit(SELECT_MF) == b"\x90\x00"


def test_power_and_reset(connect: Connect) -> None:
    link = connect()
    usim = bytes.fromhex("00A4040C10A0000000871002FFFFFFFF8907090000")
    read_imsi = bytes.fromhex("00B0870009")
    assert link.transmit(usim) == b"\x90\x00"
    assert link.transmit(read_imsi)[-2:] == b"\x90\x00"
    link.reset()
    assert link.transmit(read_imsi)[-2:] != b"\x90\x00"


def test_a_server_restarted_is_found_again_at_the_next_transaction(serving: Serving) -> None:
    with CardSession(f"vpcd:127.0.0.1:{serving.port}") as session:
        serving.end()
        with pytest.raises(NoCard, match="went away"):
            session.uicc.iccid()
        with pytest.raises(NoReader, match="nobody serves a card at vpcd:127"):
            session.uicc.iccid()
        again = Serving(EmulatedCard(SHIPPED), serving.port)
        assert session.uicc.iccid() == SHIPPED.iccid
        assert session.link.insertions == 1
        again.end()
        other = Serving(EmulatedCard(SHIPPED._replace(iccid="8900101000000000002")), serving.port)
        with pytest.raises(NoCard, match="went away"):
            session.uicc.iccid()
        with pytest.raises(NoCard, match="another card was put into"):
            session.uicc.iccid()
        session.close()
        other.end()


def test_a_server_started_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    told: list[str] = []
    late: list[Serving] = []

    def tell(what: str) -> None:
        told.append(what)
        late.append(Serving(EmulatedCard(SHIPPED), port))

    link = open_card(f"vpcd:127.0.0.1:{port}", Waiting(10, tell))
    assert Uicc(Exchange(link)).iccid() == SHIPPED.iccid
    link.close()
    late[0].end()
    assert told == [
        f"Waiting for a card: nobody serves a card at vpcd:127.0.0.1:{port}: Connection refused"
    ]


def test_a_server_that_was_lost_is_waited_for(serving: Serving) -> None:
    again: list[Serving] = []

    def tell(what: str) -> None:
        assert "nobody serves a card" in what
        again.append(Serving(EmulatedCard(SHIPPED), serving.port))

    with CardSession(f"vpcd:127.0.0.1:{serving.port}", waiting=Waiting(10, tell)) as session:
        serving.end()
        with pytest.raises(NoCard, match="went away"):
            session.uicc.iccid()
        assert session.uicc.iccid() == SHIPPED.iccid
        assert session.link.insertions == 1
    again[0].end()


def test_an_address_that_is_taken(serving: Serving) -> None:
    with pytest.raises(NoReader, match=r"cannot offer the card at .*: Address already in use"):
        VpcdServer(EmulatedCard(SHIPPED), "127.0.0.1", serving.port)


def test_a_card_that_cannot_store_says_so_on_both_sides(tmp_path: Path) -> None:
    path = tmp_path / "card.state.json"
    enabled = SHIPPED._replace(pin=SHIPPED.pin._replace(enabled=True))
    with StateFile(str(path)) as state:
        serving = Serving(EmulatedCard(enabled, state))
        link = open_card(f"vpcd:127.0.0.1:{serving.port}")
        (tmp_path / "card.state.json.tmp").mkdir()
        assert link.transmit(bytes.fromhex("0020000108 39393939FFFFFFFF")) == b"\x65\x81"
        link.close()
        serving.end()
    assert isinstance(serving.error, StateError)


# Peers that mean no good ------------------------------------------------------------------


def test_a_peer_that_says_nothing_or_half_a_message_is_hung_up_on(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vpcd_server, "MESSAGE_SECONDS", 0.2)
    for half in (b"", b"\x00", b"\xff\xff" + bytes(100), framed(b"\x04") + b"\x00\x07\x00"):
        with socket.create_connection(("127.0.0.1", serving.port)) as peer:
            peer.settimeout(5)
            peer.sendall(half)
            while peer.recv(100):
                pass
    link = open_card(f"vpcd:127.0.0.1:{serving.port}")
    time.sleep(0.5)  # a peer may be silent between messages as long as it likes
    assert link.transmit(SELECT_MF) == b"\x90\x00"
    link.close()


def test_a_peer_that_drips_octets_is_hung_up_on(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vpcd_server, "MESSAGE_SECONDS", 0.3)
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", serving.port)) as peer, suppress(OSError):
        peer.sendall(b"\xff\xff")
        while time.monotonic() - started < 5:
            peer.sendall(b"\x00")
            time.sleep(0.02)
    assert time.monotonic() - started < 4


def test_garbage_does_not_end_the_server(serving: Serving) -> None:
    for garbage in (b"\x00\x00", framed(b"\x63"), framed(bytes(60000)), b"\x00\x03\x00\xa4\x04"):
        with socket.create_connection(("127.0.0.1", serving.port)) as peer:
            peer.sendall(garbage + framed(b"\x04"))
            peer.settimeout(5)
            assert peer.recv(100)
    assert open_card(f"vpcd:127.0.0.1:{serving.port}").transmit(SELECT_MF) == b"\x90\x00"
    assert serving.error is None


@contextmanager
def saying(*answers: bytes, drip: float = 0) -> Iterator[int]:
    """A server that says these octets, one after each message it hears; gives its port."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            unframer, left = Unframer(), list(answers)
            while left and (octets := connection.recv(4096)):
                for message in unframer.feed(octets):
                    if message != b"\x01" and left:
                        answer = left.pop(0)
                        for piece in [answer[i : i + 1] for i in range(len(answer))]:
                            connection.sendall(piece)
                            time.sleep(drip)
            while connection.recv(4096):
                pass

    def quietly() -> None:
        try:
            serve()
        except OSError:
            return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=quietly, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (framed(bytes(259)), r"announces an answer of 259 octets|more than it was asked"),
        (b"\xff\xff" + bytes(10), "announces an answer of 65535 octets"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "announces an answer of 18516 octets"),
        (framed(b"\x90\x00") * 2, "more than it was asked"),
    ],
)
def test_answers_that_are_none(answer: bytes, words: str) -> None:
    with saying(framed(ATR), answer) as port:
        link = open_card(f"vpcd:127.0.0.1:{port}")
        with pytest.raises(TransmitError, match=words):
            _ask_twice(link)
        with pytest.raises(NoCard, match="is closed"):
            link.transmit(SELECT_MF)


def _ask_twice(link: CardLink) -> None:
    """An answer too many may come at once, or later."""
    link.transmit(SELECT_MF)
    time.sleep(0.1)
    link.transmit(SELECT_MF)


def test_no_card_has_no_atr() -> None:
    with saying(framed(b"")) as port, pytest.raises(NoCard, match="its ATR is empty"):
        open_card(f"vpcd:127.0.0.1:{port}")


def test_an_atr_that_is_too_long() -> None:
    with saying(framed(bytes(34))) as port, pytest.raises(TransmitError, match=r"34 octets|more"):
        open_card(f"vpcd:127.0.0.1:{port}")


@pytest.mark.parametrize("drip", [0, 0.05])
def test_an_answer_that_does_not_end(drip: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vpcd, "ANSWER_SECONDS", 0.3)
    with saying(framed(ATR), framed(bytes(200))[:100], drip=drip / 10) as port:
        link = open_card(f"vpcd:127.0.0.1:{port}")
        started = time.monotonic()
        with pytest.raises(TransmitError, match=r"did not answer within 0\.3 s"):
            link.transmit(SELECT_MF)
        assert time.monotonic() - started < 8
        link.close()


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 50))
def test_messages_come_out_as_they_went_in(messages: list[bytes], piece: int) -> None:
    stream = b"".join(framed(message) for message in messages)
    unframer = Unframer()
    heard: list[bytes] = []
    for start in range(0, len(stream), piece):
        heard += unframer.feed(stream[start : start + piece])
    assert heard == messages
    assert not unframer.under_way
