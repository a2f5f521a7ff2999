"""A modem on a pty that holds a card: AT commands in a thread, with the manners a test gives it."""

from __future__ import annotations

import os
import pty
import threading
import time
import tty
from contextlib import suppress
from typing import NamedTuple

from card.emulator.card import EmulatedCard


class Manners(NamedTuple):
    """How this modem behaves; the defaults are those of the specification."""

    echo: bool = False
    lower_case: bool = False
    quotes: bool = True
    end: str = "\r\nOK\r\n"
    unsolicited: str = ""  # said before and after every answer
    fetches: bool = False  # does GET RESPONSE itself
    octet_length: bool = False  # counts octets where characters are meant
    in_words: bool = False  # +CME ERROR as after AT+CMEE=2
    pin_state: str = "READY"
    cme: str = ""  # what every AT+CSIM is refused with
    answer: str | None = None  # said to AT+CSIM in place of the card's
    vanish_at: int = 0  # the AT+CSIM, counted from 1, during which the device disappears
    silent_at: int = 0  # the AT+CSIM which is never answered
    deaf_for: int = 0  # commands missed before the modem is awake
    busy_for: int = 0  # AT+CPIN? answered with "SIM busy"
    piecewise: bool = False  # one character at a time


class FakeModem:
    """Runs until ``close``; ``device`` is the pty's name, ``heard`` the commands it got."""

    def __init__(self, card: EmulatedCard, manners: Manners) -> None:
        self.heard: list[str] = []
        self._card = card
        self._manners = manners
        self._apdus = 0
        self._busy = manners.busy_for
        self._open()

    def _open(self) -> None:
        self._side, side = pty.openpty()
        tty.setraw(side)
        self.device = os.ttyname(side)
        self._held: int | None = side  # without an open slave the master reads EIO
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._vanish()
        self._thread.join(5)

    def fall_silent(self) -> None:
        """Leave the next AT+CSIM without an answer."""
        self._manners = self._manners._replace(silent_at=self._apdus + 1)

    def _vanish(self) -> None:
        if not self._ended.is_set():
            self._ended.set()
            for descriptor in (self._held, self._side):
                if descriptor is not None:
                    os.close(descriptor)

    def _run(self) -> None:
        waiting = b""
        with suppress(OSError):
            while not self._ended.is_set():
                waiting += os.read(self._side, 4096)
                *commands, waiting = waiting.split(b"\r")
                for command in commands:
                    self._hear(command.decode().strip())

    def _hear(self, command: str) -> None:
        manners = self._manners
        self.heard.append(command)
        if len(self.heard) <= manners.deaf_for:
            return
        if manners.echo:
            self._say(command + "\r")
        self._say(manners.unsolicited)
        if command.startswith("AT+CSIM="):
            self._csim(command)
        elif command == "AT+CPIN?" and self._busy:
            self._busy -= 1
            self._refuse("14", "SIM busy")
        elif command == "AT+CPIN?" and manners.pin_state:
            self._say(f"\r\n+CPIN: {manners.pin_state}\r\n{manners.end}")
        elif command == "AT+CPIN?":
            self._refuse("10", "SIM not inserted")
        elif command.startswith("AT"):
            self._say(manners.end)
        self._say(manners.unsolicited)

    def _csim(self, command: str) -> None:
        manners = self._manners
        self._apdus += 1
        if self._apdus == manners.vanish_at:
            self._vanish()
            return
        if self._apdus == manners.silent_at:
            return
        length, _, text = command.removeprefix("AT+CSIM=").partition(",")
        assert len(text.strip('"')) == int(length), command
        if manners.cme:
            self._say(
                "\r\nERROR\r\n" if manners.cme == "-" else f"\r\n+CME ERROR: {manners.cme}\r\n"
            )
            return
        answer = self._card.transmit(bytes.fromhex(text.strip('"')))
        while manners.fetches and answer[-2] == 0x61:
            fetch = bytes((int(text.strip('"')[:2], 16) & 3, 0xC0, 0, 0, answer[-1]))
            answer = answer[:-2] + self._card.transmit(fetch)
        digits = answer.hex() if manners.lower_case else answer.hex().upper()
        count = len(answer) if manners.octet_length else len(digits)
        said = f'"{digits}"' if manners.quotes else digits
        line = f"+CSIM: {count},{said}" if manners.answer is None else manners.answer
        self._say(f"\r\n{line}\r\n{manners.end}")

    def _refuse(self, number: str, words: str) -> None:
        self._say(f"\r\n+CME ERROR: {words if self._manners.in_words else number}\r\n")

    def _say(self, text: str) -> None:
        pieces = list(text) if self._manners.piecewise else [text]
        for piece in pieces:
            os.write(self._side, piece.encode())
            if self._manners.piecewise:
                time.sleep(0.0002)
