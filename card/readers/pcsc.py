"""Cards in real readers, through the PC/SC service (pcscd) and pyscard.

pyscard's low-level calls are used: they return their result as a number, and
connections end when they are told to, not when Python collects them.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

from card.apdu import VERIFY_PIN
from card.errors import CardError, NoCard, NoReader, TransmitError
from card.link import CardLink
from card.readers.t0 import without_le

SUCCESS = 0x00000000
PROTO_MISMATCH = 0x8010000F
NO_READERS_AVAILABLE = 0x8010002E
TIMEOUT = 0x8010000A
RESET_CARD = 0x80100068
COMM_ERROR = 0x80100013
NOT_TRANSACTED = 0x80100016

REMOVAL_SIGNS = frozenset((COMM_ERROR, NOT_TRANSACTED))
REMOVAL_SECONDS = 1.0  # pcscd asks its readers several times a second

# What a PC/SC result means to people; {} is the reader's name.
FAILURES: dict[int, tuple[type[CardError], str]] = {
    0x80100003: (NoReader, "the connection to {} is gone: the PC/SC service was restarted"),
    0x80100009: (NoReader, "the reader {} is not there any more"),
    0x8010000B: (TransmitError, "another program holds the card in {} for itself alone; end it"),
    0x8010000C: (NoCard, "there is no card in {}"),
    PROTO_MISMATCH: (TransmitError, "another program uses the card in {} with another protocol"),
    0x80100017: (NoReader, "the reader {} was unplugged"),
    0x8010001D: (NoReader, "there is no PC/SC service: is pcscd running?"),
    0x8010001E: (
        NoReader,
        "the PC/SC service stopped or refused this program: is pcscd running, and of the same"
        " version as libpcsclite (they often differ in containers)?",
    ),
    COMM_ERROR: (TransmitError, "the reader {} lost the connection to the card or to pcscd"),
    NOT_TRANSACTED: (TransmitError, "the reader {} did not carry the command"),
    0x80100066: (TransmitError, "the card in {} does not answer; is it in the right way round?"),
    0x80100067: (TransmitError, "the card in {} has no power"),
    RESET_CARD: (TransmitError, "another program reset the card in {}; try again"),
    0x80100069: (NoCard, "the card was taken out of {}"),
    0x8010006A: (NoReader, "this user may not use the PC/SC service (polkit refuses)"),
}


class Reader(NamedTuple):
    """One reader: its name, whether a card is in it, and that card's ATR."""

    name: str
    present: bool
    atr: bytes


class Service:
    """A context of the PC/SC service. Raises NoReader when there is none."""

    __slots__ = ("_context", "scard")

    def __init__(self) -> None:
        self.scard = _import_scard()
        result, self._context = self.scard.SCardEstablishContext(self.scard.SCARD_SCOPE_SYSTEM)
        self.check(result, "(none)")

    def check(self, result: int, reader: str) -> None:
        """Raise what a PC/SC result stands for, unless it is success."""
        code = result & 0xFFFFFFFF
        if code == SUCCESS:
            return
        kind, sentence = FAILURES.get(code, (TransmitError, ""))
        if not sentence:
            sentence = f"the reader {{}} failed: {self.scard.SCardGetErrorMessage(result)}"
        raise kind(f"{sentence.format(reader)} (PC/SC {code:08X})")

    def readers(self) -> list[Reader]:
        """All readers, as pcscd orders them; nothing is sent to any card."""
        scard = self.scard
        result, names = scard.SCardListReaders(self._context, [])
        if result & 0xFFFFFFFF == NO_READERS_AVAILABLE or not (result or names):
            return []
        self.check(result, "(any)")
        asked = [(name, scard.SCARD_STATE_UNAWARE) for name in names]
        result, states = scard.SCardGetStatusChange(self._context, 0, asked)
        self.check(result, "(any)")
        return [
            Reader(name, bool(state & scard.SCARD_STATE_PRESENT), bytes(atr))
            for name, state, atr in states
        ]

    def card_left(self, reader: str) -> bool:
        """Whether the card is out of the reader, or leaves it within REMOVAL_SECONDS."""
        scard = self.scard
        state, wait = scard.SCARD_STATE_UNAWARE, 0
        for _ in range(2):
            result, states = scard.SCardGetStatusChange(self._context, wait, [(reader, state)])
            if result & 0xFFFFFFFF == TIMEOUT:
                return False
            self.check(result, reader)
            state, wait = states[0][1], int(REMOVAL_SECONDS * 1000)
            if not state & scard.SCARD_STATE_PRESENT:
                return True
        return False

    def connect(self, reader: str) -> tuple[int, int]:
        """A card handle, shared, and its protocol: T=0 where the card has it, else T=1."""
        scard = self.scard
        for protocols in (scard.SCARD_PROTOCOL_T0, scard.SCARD_PROTOCOL_ANY):
            result, handle, protocol = scard.SCardConnect(
                self._context, reader, scard.SCARD_SHARE_SHARED, protocols
            )
            if result & 0xFFFFFFFF != PROTO_MISMATCH:
                break
        self.check(result, reader)
        return handle, protocol

    def release(self) -> None:
        """Leave the service."""
        self.scard.SCardReleaseContext(self._context)


class PcscLink(CardLink):
    """The card in one reader, shared with other programs. Takes over ``service``.

    Raises NoCard and NoReader as FAILURES lists them, else TransmitError.
    """

    def __init__(self, service: Service, reader: str) -> None:
        self.reader = reader
        self._service = service
        self._handle: int | None = None
        self._pin_verified = False
        self._handle, self._protocol = service.connect(reader)
        result, _, _, _, atr = service.scard.SCardStatus(self._handle)
        self._atr = bytes(atr) if result == SUCCESS else b""

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._atr

    def transmit(self, command: bytes) -> bytes:
        """One command, in the form that the card's protocol gives it."""
        scard = self._service.scard
        is_t0 = self._protocol == scard.SCARD_PROTOCOL_T0
        if is_t0:
            command = without_le(command)
        pci = scard.SCARD_PCI_T0 if is_t0 else scard.SCARD_PCI_T1
        result, answer = scard.SCardTransmit(self._open(), pci, list(command))
        if result & 0xFFFFFFFF == RESET_CARD:
            self._reconnect(scard.SCARD_LEAVE_CARD)
        code = result & 0xFFFFFFFF
        # what drivers say of a card just pulled, before pcscd itself knows
        is_suspicious = code in REMOVAL_SIGNS or (code == SUCCESS and len(answer) < 2)
        if is_suspicious and self._service.card_left(self.reader):
            raise NoCard(f"the card was taken out of {self.reader} during a command")
        self._service.check(result, self.reader)
        octets = bytes(answer)
        if command[1] == VERIFY_PIN and len(command) > 5 and octets == b"\x90\x00":
            self._pin_verified = True
        return octets

    def reset(self) -> None:
        """Warm reset."""
        self._reconnect(self._service.scard.SCARD_RESET_CARD)

    def begin_transaction(self) -> None:
        """Waits for another program's transaction to end; sees its reset of the card, if any."""
        begin = self._service.scard.SCardBeginTransaction
        result = begin(self._open())
        if result & 0xFFFFFFFF == RESET_CARD:
            self._reconnect(self._service.scard.SCARD_LEAVE_CARD)
            result = begin(self._open())
        self._service.check(result, self.reader)

    def end_transaction(self) -> None:
        """Never fails: when the card has gone, the next command says so."""
        if self._handle is not None:
            scard = self._service.scard
            scard.SCardEndTransaction(self._handle, scard.SCARD_LEAVE_CARD)

    def close(self) -> None:
        """Disconnect. A PIN verified here is forgotten by a reset, so that the next program
        does not inherit it.
        """
        if self._handle is None:
            return
        scard = self._service.scard
        scard.SCardDisconnect(
            self._handle, scard.SCARD_RESET_CARD if self._pin_verified else scard.SCARD_LEAVE_CARD
        )
        self._handle = None
        self._service.release()

    def _open(self) -> int:
        if self._handle is None:
            raise NoCard(f"the connection to {self.reader} is closed")
        return self._handle

    def _reconnect(self, initialisation: int) -> None:
        scard = self._service.scard
        result, protocol = scard.SCardReconnect(
            self._open(), scard.SCARD_SHARE_SHARED, self._protocol, initialisation
        )
        self._service.check(result, self.reader)
        self._protocol = protocol
        self._pin_verified = False


def connect(name: str) -> PcscLink:
    """The card in one reader. Raises NoReader, NoCard, TransmitError."""
    service = Service()
    try:
        return PcscLink(service, name)
    except BaseException:
        service.release()
        raise


def readers() -> list[Reader]:
    """Every reader, in pcscd's order. Raises NoReader."""
    service = Service()
    try:
        return service.readers()
    finally:
        service.release()


def _import_scard() -> ModuleType:
    try:
        from smartcard import scard
    except ImportError as error:
        raise NoReader(
            "pyscard, which PC/SC readers need, is not installed:"
            f' pip install "sipua-usim[pcsc]" ({error})'
        ) from None
    assert isinstance(scard, ModuleType)
    return scard
