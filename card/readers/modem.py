"""The SIM in a modem, through AT+CSIM (3GPP TS 27.007 §8.17) on its serial port.

The modem's own software uses the SIM at the same time and cannot be kept off
it. A modem tells no ATR and does no reset of the SIM alone.
"""

from __future__ import annotations

import errno
import time
from types import ModuleType
from typing import Any

from card.errors import CardError, NoCard, NoReader, NoSuchWay, PinRequired, TransmitError
from card.readers.at_answer import AtAnswer
from card.readers.returning import ReturningLink
from card.readers.t0 import without_le

WAKE_SECONDS = 1.0  # for an AT; a modem that sleeps misses the first one
WAKE_TRIES = 3
STATUS_SECONDS = 5.0
COMMAND_SECONDS = 15.0  # for an APDU: some modems let it wait behind their own traffic
BUSY_SECONDS = 10.0  # in which a modem that has just started gets at its SIM
BUSY_PAUSE = 0.5
EARLY_OK_SECONDS = 1.0  # from an OK that came too early to the answer

SELECT_MF = bytes.fromhex("00A4000C023F00")
MOST_ANSWER_OCTETS = 256 + 2

# +CME ERROR by number, and in words after AT+CMEE=2 (TS 27.007 §9.2.1).
CME_ERRORS: dict[str, tuple[type[CardError], str]] = {
    "3": (TransmitError, "operation not allowed"),
    "4": (TransmitError, "operation not supported"),
    "10": (NoCard, "SIM not inserted"),
    "11": (PinRequired, "SIM PIN required"),
    "12": (PinRequired, "SIM PUK required"),
    "13": (NoCard, "SIM failure"),
    "14": (TransmitError, "SIM busy"),
    "15": (NoCard, "SIM wrong"),
    "16": (PinRequired, "incorrect password"),
    "17": (PinRequired, "SIM PIN2 required"),
    "18": (PinRequired, "SIM PUK2 required"),
    "100": (TransmitError, "unknown"),
}
NUMBERS = {words.upper(): number for number, (_, words) in CME_ERRORS.items()}
SIM_BUSY = "14"


class ModemLink(ReturningLink):
    """The SIM in the modem at the serial port ``device``; ``baud`` bits a second.

    Nothing is set in the modem but how it words its errors (AT+CMEE). A PIN
    once verified stays so: the modem does not reset its SIM for us. Raises
    NoReader when there is no such modem, NoCard when there is no SIM in it,
    PinRequired when the modem wants the PIN first, TransmitError when it does
    not do what it is asked.
    """

    def __init__(self, device: str, baud: int) -> None:
        self.reader = f"at:{device}"
        self._serial = _import_serial()
        self._device, self._baud = device, baud
        self._port: Any = None
        self.connect()

    @property
    def atr(self) -> bytes:
        """Empty: AT+CSIM carries commands only."""
        return b""

    def transmit(self, command: bytes) -> bytes:
        """One command, in the form that T=0 gives it; the modem may fetch the answer itself."""
        text = without_le(command).hex().upper()
        said = self._ask(f'AT+CSIM={len(text)},"{text}"', "+CSIM:", COMMAND_SECONDS)
        length, _, digits = said.partition(",")
        digits = digits.strip(' "')
        try:
            octets = bytes.fromhex(digits)
            # the length is that of the text; some modems give that of the octets
            is_whole = int(length) in (2 * len(octets), len(octets))
        except ValueError:
            is_whole = False
        if not is_whole or len(octets) > MOST_ANSWER_OCTETS:
            raise TransmitError(
                f"the modem at {self._device} gave an answer to AT+CSIM that cannot be read:"
                f" {len(digits)} characters, and {length[:8]!r} for their number"
            )
        return octets

    def reset(self) -> None:
        """Select the MF; a modem offers no more, and PINs stay verified."""
        self.transmit(SELECT_MF)

    @property
    def is_lost(self) -> bool:
        """Whether the port was given up: the device has gone, or an answer did not come."""
        return self._port is None

    def close(self) -> None:
        """Give the serial port back."""
        self.is_closed = True
        self._drop()

    def connect(self) -> None:
        """Open the port, wake the modem and ask for its SIM. Raises NoReader, NoCard."""
        self._port = self._opened()
        try:
            self._wake()
            self._converse("AT+CMEE=1", "", STATUS_SECONDS)  # a modem may refuse it
            self._look_for_sim()
        except BaseException:
            self._drop()
            raise

    def _opened(self) -> Any:
        try:
            return self._serial.Serial(
                self._device, self._baud, timeout=0, write_timeout=STATUS_SECONDS, exclusive=True
            )
        except (OSError, ValueError) as error:
            raise NoReader(_why_not_opened(self._device, error)) from None

    def _wake(self) -> None:
        for _ in range(WAKE_TRIES):
            if self._converse("AT", "", WAKE_SECONDS).ended:
                return
        raise NoReader(
            f"nothing at {self._device} answers AT: is it a modem's command port? (a USB modem"
            " has several ports, and two programs cannot share one)"
        )

    def _look_for_sim(self) -> None:
        """A modem that does not know AT+CPIN? may have a SIM all the same. Raises NoCard."""
        end = time.monotonic() + BUSY_SECONDS
        while True:
            answer = self._converse("AT+CPIN?", "+CPIN:", STATUS_SECONDS)
            number = _number(answer.error)
            if number == SIM_BUSY and time.monotonic() < end:
                time.sleep(BUSY_PAUSE)
            elif CME_ERRORS.get(number, (None,))[0] is NoCard:
                raise self._refusal("AT+CPIN", number)
            else:
                return

    def _ask(self, command: str, prefix: str, seconds: float) -> str:
        """What the modem says to a command that it has to answer.

        A modem that is late, or whose answer cannot be told from others, is
        left: what it says after that would be taken for the next answer.
        """
        answer = self._converse(command, prefix, seconds)
        name = command.partition("=")[0]  # the rest may be a PIN
        if answer.error is not None:
            raise self._refusal(name, answer.error)
        if not answer.ended or answer.said is None:
            self._drop()
            fault = "said OK but gave no answer" if answer.early_ok else "did not answer in time"
            raise TransmitError(f"the modem at {self._device} {fault} to {name}")
        return answer.said

    def _converse(self, command: str, prefix: str, seconds: float) -> AtAnswer:
        """Say ``command`` and hear the modem out, for ``seconds`` at most."""
        if self._port is None:
            raise NoReader(f"the connection to the modem at {self._device} is closed")
        answer = AtAnswer(command, prefix)
        end = time.monotonic() + seconds
        try:
            self._port.reset_input_buffer()
            self._port.write(command.encode() + b"\r")
            while not answer.ended and (left := end - time.monotonic()) > 0:
                was_early = answer.early_ok
                self._port.timeout = left
                answer.feed(self._port.read(1) + self._port.read(self._port.in_waiting))
                if answer.early_ok and not was_early:
                    end = min(end, time.monotonic() + EARLY_OK_SECONDS)
        except (OSError, self._serial.SerialException) as error:
            self._drop()
            raise NoReader(f"the modem at {self._device} is gone ({error})") from None
        return answer

    def _refusal(self, name: str, error: str) -> CardError:
        """What ERROR (no reason) or +CME ERROR, as a number or in words, stands for."""
        kind, words = CME_ERRORS.get(_number(error), (TransmitError, error))
        if not error:
            words = "it says ERROR and no more; perhaps it has no generic SIM access"
        return kind(f"the modem at {self._device} refuses {name}: {words}")

    def _drop(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None


def _number(error: str | None) -> str:
    """The number of a +CME ERROR that came as a number or in words."""
    return NUMBERS.get((error or "").upper(), error or "")


def _why_not_opened(device: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY):  # the lock of a program like this one; TIOCEXCL
        return f"another program has the modem's port {device} open; end it"
    if number == errno.EACCES:
        return f"this user may not open {device} (the group that may is usually dialout)"
    if number == errno.ENOENT:
        return f"there is no {device}: is the modem plugged in?"
    return f"{device} cannot be opened as a modem's port: {error}"


def _import_serial() -> ModuleType:
    try:
        import serial
    except ImportError:
        missing = "pyserial, which modems need, is not installed"
    else:
        if hasattr(serial, "Serial"):
            assert isinstance(serial, ModuleType)
            return serial
        missing = (
            "the installed package `serial` is another program than pyserial, which modems need"
            " (pip uninstall serial)"
        )
    raise NoSuchWay(f'{missing}: pip install "sipua-usim[modem]"')
