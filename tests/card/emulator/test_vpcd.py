"""The card's side of vpcd's protocol, against a reader played by the test on loopback."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from raw_terminal import USIM, fixture_card

from card.emulator import vpcd
from card.emulator.card import EmulatedCard
from card.emulator.vpcd import VpcdCard
from card.errors import NoReader, StateError
from card.statefile import StateFile

OFF, ON, RESET, ATR = b"\x00", b"\x01", b"\x02", b"\x04"


class Reader:
    """vpcd's part: listens, takes one card, sends length and payload in two writes as vpcd does."""

    def __init__(self, port: int = 0) -> None:
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self.listener.getsockname()[1]
        self.connection: socket.socket | None = None

    def take_card(self) -> None:
        self.listener.settimeout(5)
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(5)

    def tell(self, payload: bytes) -> None:
        assert self.connection is not None
        self.connection.sendall(len(payload).to_bytes(2, "big"))
        self.connection.sendall(payload)

    def ask(self, payload: bytes) -> bytes:
        self.tell(payload)
        return self.hear(int.from_bytes(self.hear(2), "big"))

    def hear(self, count: int) -> bytes:
        """Exactly so many octets; MSG_WAITALL does not wait on a socket with a timeout."""
        assert self.connection is not None
        heard = b""
        while len(heard) < count:
            octets = self.connection.recv(count - len(heard))
            assert octets, "the card went away"
            heard += octets
        return heard

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.listener.close()


class Running:
    """A VpcdCard in a thread, and how it ended."""

    def __init__(self, card: EmulatedCard, port: int) -> None:
        self.vpcd = VpcdCard(card, port=port)
        self.ready = threading.Event()
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.vpcd.run(self.ready.set)
        except Exception as error:
            self.error = error

    def end(self) -> None:
        self.vpcd.stop()
        self.thread.join(5)
        assert not self.thread.is_alive()
        self.vpcd.close()


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture
def running(reader: Reader) -> Iterator[Running]:
    running = Running(EmulatedCard(fixture_card("pin")), reader.port)
    reader.take_card()
    yield running
    running.end()


def test_atr_commands_and_power(reader: Reader, running: Running) -> None:
    assert not running.ready.is_set(), "no reader has spoken yet"
    assert reader.ask(ATR) == EmulatedCard(fixture_card("pin")).atr
    assert running.ready.wait(5)
    for power in (ON, RESET, OFF, ON):
        reader.tell(power)
        select = bytes.fromhex(f"00A4040C10{USIM}")
        assert reader.ask(select) == b"\x90\x00"
        assert reader.ask(bytes.fromhex("00B0870009")) == b"\x69\x82"
        assert reader.ask(bytes.fromhex("0020000108 32343638FFFFFFFF")) == b"\x90\x00"
        assert reader.ask(bytes.fromhex("00B0870009"))[-2:] == b"\x90\x00"


def test_messages_in_pieces_and_several_at_once(reader: Reader, running: Running) -> None:
    assert reader.connection is not None
    command = bytes.fromhex("80F2000C00")
    stream = b"\x00\x01\x01" + b"\x00\x05" + command + b"\x00\x00" + b"\x00\x01\x63"
    stream += b"\x00\x05" + command + b"\x00\x01\x04"
    for octet in stream[:-6]:
        reader.connection.sendall(bytes([octet]))
    reader.connection.sendall(stream[-6:])
    atr = EmulatedCard(fixture_card("pin")).atr
    expected = b"\x00\x02\x90\x00" * 2 + len(atr).to_bytes(2, "big") + atr
    assert reader.hear(len(expected)) == expected


def test_it_comes_back_after_the_reader_was_away(reader: Reader, running: Running) -> None:
    for _ in range(2):
        assert reader.ask(ATR)[0] == 0x3B
        reader.close()
        again = Reader(reader.port)
        reader.listener, reader.connection = again.listener, None
        reader.take_card()
        assert reader.ask(bytes.fromhex("80F2000C00")) == b"\x90\x00"
    assert running.thread.is_alive()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NoReader, match=rf"127\.0\.0\.1:{port} \(Connection refused\).*vsmartcard"):
        VpcdCard(EmulatedCard(fixture_card("usim")), port=port).run()


def test_another_card_is_in_the_reader(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vpcd, "_FIRST_WORD_SECONDS", 0.05)
    with pytest.raises(NoReader, match=f"take the next reader \\(port {reader.port + 1}\\)"):
        VpcdCard(EmulatedCard(fixture_card("usim")), port=reader.port).run()


def test_stop_ends_it_while_it_waits(reader: Reader) -> None:
    running = Running(EmulatedCard(fixture_card("usim")), reader.port)
    reader.take_card()
    assert reader.ask(ATR)
    before = len(os.listdir("/proc/self/fd"))
    running.end()
    running.vpcd.stop()
    running.vpcd.close()
    assert running.error is None
    assert len(os.listdir("/proc/self/fd")) == before - 3, "its socket and its pipe are closed"
    assert reader.connection is not None
    assert reader.connection.recv(1) == b""


def test_a_card_that_cannot_store_says_so_on_both_sides(reader: Reader, tmp_path: Path) -> None:
    with StateFile(str(tmp_path / "pin.state.json")) as state:
        running = Running(EmulatedCard(fixture_card("pin"), state), reader.port)
        reader.take_card()
        (tmp_path / "pin.state.json.tmp").mkdir()
        assert reader.ask(bytes.fromhex("0020000108 32343638FFFFFFFF")) == b"\x65\x81"
        running.end()
    assert isinstance(running.error, StateError)
