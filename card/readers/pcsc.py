"""Cards in real readers, through the PC/SC service (pcscd) and pyscard.

pyscard's low-level calls are used: they return their result as a number, and
connections end when they are told to, not when Python collects them.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from card.apdu import PIN_INSTRUCTIONS
from card.errors import CardError, NoCard, NoReader, NoSuchWay, TransmitError
from card.link import CardLink
from card.readers.t0 import without_le

if TYPE_CHECKING:
    from card.readers.waiting import Waiting

SUCCESS = 0x00000000
INVALID_HANDLE = 0x80100003
UNKNOWN_READER = 0x80100009
TIMEOUT = 0x8010000A
PROTO_MISMATCH = 0x8010000F
COMM_ERROR = 0x80100013
NOT_TRANSACTED = 0x80100016
READER_UNAVAILABLE = 0x80100017
NO_SERVICE = 0x8010001D
SERVICE_STOPPED = 0x8010001E
NO_READERS_AVAILABLE = 0x8010002E
UNPOWERED_CARD = 0x80100067
RESET_CARD = 0x80100068
REMOVED_CARD = 0x80100069

# After one of these the connection is of no use any more, whatever comes back.
LOST = frozenset(
    (
        *(INVALID_HANDLE, COMM_ERROR, READER_UNAVAILABLE, NO_SERVICE, SERVICE_STOPPED),
        *(UNPOWERED_CARD, REMOVED_CARD),
    )
)
NEW_READER = "\\\\?PnP?\\Notification"  # its state changes when a reader is plugged in or out

REMOVAL_SIGNS = frozenset((COMM_ERROR, NOT_TRANSACTED))
REMOVAL_SECONDS = 1.0  # pcscd asks its readers several times a second

# What a PC/SC result means to people; {} is the reader's name.
FAILURES: dict[int, tuple[type[CardError], str]] = {
    INVALID_HANDLE: (NoReader, "the connection to {} is gone: the PC/SC service was restarted"),
    UNKNOWN_READER: (NoReader, "the reader {} is not there any more"),
    0x8010000B: (TransmitError, "another program holds the card in {} for itself alone; end it"),
    0x8010000C: (NoCard, "there is no card in {}"),
    PROTO_MISMATCH: (TransmitError, "another program uses the card in {} with another protocol"),
    READER_UNAVAILABLE: (NoReader, "the reader {} was unplugged"),
    NO_SERVICE: (NoReader, "there is no PC/SC service: is pcscd running?"),
    SERVICE_STOPPED: (
        NoReader,
        "the PC/SC service stopped or refused this program: is pcscd running, and of the same"
        " version as libpcsclite (they often differ in containers)?",
    ),
    COMM_ERROR: (TransmitError, "the reader {} lost the connection to the card or to pcscd"),
    NOT_TRANSACTED: (TransmitError, "the reader {} did not carry the command"),
    0x80100066: (TransmitError, "the card in {} does not answer; is it in the right way round?"),
    UNPOWERED_CARD: (TransmitError, "the card in {} has no power"),
    RESET_CARD: (TransmitError, "another program reset the card in {}; try again"),
    REMOVED_CARD: (NoCard, "the card was taken out of {}"),
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
        present = self.scard.SCARD_STATE_PRESENT
        return [Reader(name, bool(state & present), atr) for name, state, atr in self._states()]

    def states(self) -> list[tuple[str, int]]:
        """Each reader's name and state, to be given to ``has_changed``."""
        return [(name, state) for name, state, _ in self._states()]

    def has_changed(self, states: list[tuple[str, int]], seconds: float) -> bool:
        """Whether a reader is not in this state any more, or comes or goes within ``seconds``.

        Raises NoReader when the service has gone.
        """
        watched = [*states, (NEW_READER, 0)]
        milliseconds = int(seconds * 1000) + 1
        result, _ = self.scard.SCardGetStatusChange(self._context, milliseconds, watched)
        if result & 0xFFFFFFFF not in (TIMEOUT, UNKNOWN_READER):
            self.check(result, "(any)")
            return True
        return self._names() != [name for name, _ in states]

    def _names(self) -> list[str]:
        result, names = self.scard.SCardListReaders(self._context, [])
        if result & 0xFFFFFFFF == NO_READERS_AVAILABLE:
            return []
        self.check(result, "(any)")
        return list(names)

    def _states(self) -> list[tuple[str, int, bytes]]:
        asked = [(name, self.scard.SCARD_STATE_UNAWARE) for name in self._names()]
        if not asked:
            return []
        result, states = self.scard.SCardGetStatusChange(self._context, 0, asked)
        self.check(result, "(any)")
        return [(name, state, bytes(atr)) for name, state, atr in states]

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

    A card that was lost (pulled out, reader unplugged, pcscd restarted) is
    looked for in the same reader when the next transaction begins, and waited
    for as ``waiting`` says. Raises NoCard and NoReader as FAILURES lists them,
    else TransmitError.
    """

    def __init__(self, service: Service, reader: str, waiting: Waiting | None = None) -> None:
        self.reader = reader
        self._service = service
        self._waiting = waiting
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
        if command[1] in PIN_INSTRUCTIONS and len(command) > 5 and octets == b"\x90\x00":
            self._pin_verified = True
        return octets

    def reset(self) -> None:
        """Warm reset."""
        self._reconnect(self._service.scard.SCARD_RESET_CARD)

    def begin_transaction(self) -> None:
        """Waits for another program's transaction to end; sees its reset of the card, if any."""
        result = self._begin()
        if result == RESET_CARD:
            self._reconnect(self._service.scard.SCARD_LEAVE_CARD)
            result = self._begin()
        if result in LOST:
            self._find_again(result)
            result = self._begin()
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

    def _begin(self) -> int:
        result: int = self._service.scard.SCardBeginTransaction(self._open())
        return result & 0xFFFFFFFF

    def _find_again(self, lost: int) -> None:
        """A new connection to the card that is in the reader now; else what ``lost`` stands for."""
        try:
            found = _connected(self.reader, self._waiting)
        except CardError:
            if self._waiting is not None:
                raise
            self._service.check(lost, self.reader)
            raise
        if self._handle is None:  # closed meanwhile, by another thread that gave us up
            found.close()
            self._open()
        else:
            self._service.scard.SCardDisconnect(self._handle, self._service.scard.SCARD_LEAVE_CARD)
            self._service.release()
        self._service = found._service
        self._handle, self._protocol, self._atr = found._handle, found._protocol, found._atr
        self._pin_verified = False
        self.insertions += 1

    def _reconnect(self, initialisation: int) -> None:
        scard = self._service.scard
        result, protocol = scard.SCardReconnect(
            self._open(), scard.SCARD_SHARE_SHARED, self._protocol, initialisation
        )
        self._service.check(result, self.reader)
        self._protocol = protocol
        self._pin_verified = False


def connect(name: str, waiting: Waiting | None = None) -> PcscLink:
    """The card in one reader; the link waits as told when it has lost it. Raises NoReader,
    NoCard, TransmitError.
    """
    service = Service()
    try:
        return PcscLink(service, name, waiting)
    except BaseException:
        service.release()
        raise


def _connected(name: str, waiting: Waiting | None) -> PcscLink:
    if waiting is None:
        return connect(name)
    from card.readers.pcsc_changes import PcscChanges
    from card.readers.waiting import awaited

    return awaited(lambda: connect(name), waiting, PcscChanges())


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
        raise NoSuchWay(
            "pyscard, which PC/SC readers need, is not installed:"
            f' pip install "sipua-usim[pcsc]" ({error})'
        ) from None
    assert isinstance(scard, ModuleType)
    return scard
