"""What a series of APDUs says: the files they name, the values they read, what must be hidden.

APDUs mean something only in their order: SELECT decides which file is read, and GET
RESPONSE fetches the answer to the command before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from card import apdu
from card.apdu import Command, meaning, parse_command
from card.coding.basic import Application, is_unused
from card.errors import CardError
from card.files.catalogue import ADF, find
from card.files.ef import MF
from card.masking import masked, unmasked

if TYPE_CHECKING:
    from typing import Any

    from card.files.catalogue import Kind
    from card.files.ef import Ef
    from card.masking import TracedApdu

RES_TAG, AUTS_TAG = 0xDB, 0xDC  # TS 31.102 §7.1.2.1
MAC_WRONG = 0x9862
MAX_VALUE = 200
FETCHED = (0x61, 0x9F)
BY_AID, BY_PATH_FROM_MF, BY_PATH = 0x04, 0x08, 0x09


class ReadApdu(NamedTuple):
    """One APDU understood: ``shown`` is it as text with secrets blotted out, ``about`` what it
    asks, ``result`` what came of it; ``file`` the name of the file that it reads.

    ``authenticates`` tells AUTHENTICATE and the fetching of its answer; ``authentication`` is
    set at the end of it: RES, AUTS, MAC or the status word's meaning.
    """

    shown: TracedApdu
    about: str
    result: str
    file: str = ""
    authentication: str = ""
    authenticates: bool = False


class CardReader:
    """Told of each APDU in turn. With ``shows_secrets`` nothing is blotted out."""

    def __init__(self, *, shows_secrets: bool = False) -> None:
        self._shows_secrets = shows_secrets
        self._kind: Kind = ""
        self._directory: tuple[int, ...] = (MF,)
        self._ef: Ef[Any] | None = None
        self._cause: Command | None = None
        self._fetched = b""

    def take(self, octets: bytes, answer: bytes) -> ReadApdu | None:
        """Understand one; None for octets that are no APDU."""
        try:
            command = parse_command(octets)
        except ValueError:
            return None
        if len(answer) < 2:
            return None
        sw = answer[-2] << 8 | answer[-1]
        first = True
        if command.ins == apdu.GET_RESPONSE and self._cause is not None:
            cause, first = self._cause, not self._fetched
        else:
            cause, self._fetched = command, b""
        data = self._fetched + answer[:-2]
        about, file = self._about(cause) if command is cause else ("", self._file_of(cause))
        if command is not cause:
            about = f"fetches the answer to {cause.name}"
        secret = self._ef is not None and self._ef.secret
        shown = (
            unmasked(command, answer)
            if self._shows_secrets
            else masked(command, answer, cause.ins, first=first, secret=secret)
        )
        more = sw >> 8 in FETCHED
        self._cause, self._fetched = (cause, data) if more else (None, b"")
        asks = cause.ins in (apdu.AUTHENTICATE, apdu.AUTHENTICATE_CHAINED)
        read = ReadApdu(shown, about, meaning(sw), file, authenticates=asks)
        if more:
            return read
        return self._with_result(read, cause, data, sw, hidden=secret and not self._shows_secrets)

    def _with_result(
        self, read: ReadApdu, cause: Command, data: bytes, sw: int, *, hidden: bool
    ) -> ReadApdu:
        if read.authenticates:
            return read._replace(
                authentication=_authentication(data, sw),
                result=f"{read.result}{_authenticated(data, sw)}",
            )
        if cause.ins in (apdu.READ_BINARY, apdu.READ_RECORD) and data and not hidden:
            value = self._value(cause, data)
            if value:
                return read._replace(result=value)
        return read

    # What is asked -------------------------------------------------------------------------

    def _about(self, command: Command) -> tuple[str, str]:
        """What a command asks, and the name of the file it reads."""
        ins = command.ins
        if ins == apdu.SELECT:
            return f"selects {self._select(command)}", ""
        if ins in (apdu.READ_BINARY, apdu.READ_RECORD):
            by_sfi = self._by_sfi(command)
            if by_sfi:
                self._ef = self._find(f"sfi:{by_sfi:02X}")
            name = self._file_of(command)
            record = f", record {command.p1}" if ins == apdu.READ_RECORD and command.p1 else ""
            return f"reads {name}{record}", name
        if ins in (apdu.AUTHENTICATE, apdu.AUTHENTICATE_CHAINED):
            rand, autn = _vector(command)
            vector = f": RAND {rand.hex()}, AUTN {autn.hex()}" if autn else f": RAND {rand.hex()}"
            return f"has the card authenticate{vector}" if rand else "has the card authenticate", ""
        if ins == apdu.VERIFY_PIN and not command.data:
            return f"asks how many tries PIN {command.p2:02X} has", ""
        return command.name, ""

    def _by_sfi(self, command: Command) -> int:
        if command.ins == apdu.READ_BINARY:
            return command.p1 & 0x1F if command.p1 & 0x80 else 0
        return command.p2 >> 3

    def _file_of(self, command: Command) -> str:
        reads = command.ins in (apdu.READ_BINARY, apdu.READ_RECORD)
        if not reads:
            return ""
        return self._ef.name if self._ef is not None else "the selected file"

    def _select(self, command: Command) -> str:
        data = command.data
        self._ef = None
        if command.p1 == BY_AID:
            kind = Application(data).kind
            if kind == "other":
                return f"the application {data.hex().upper()}"
            self._kind, self._directory = kind, (ADF,)
            return f"the application {kind.upper()}"
        fids = tuple(data[at] << 8 | data[at + 1] for at in range(0, len(data) - 1, 2))
        if not fids:
            return "the application in use"
        if fids == (MF,):
            self._directory = (MF,)
            return "the master file"
        before = {BY_PATH_FROM_MF: (MF,), BY_PATH: self._directory}.get(command.p1, ())
        if fids[0] in (MF, ADF):
            before = ()
        path = before + fids
        if path[-1] == ADF or path[-1] >> 8 in (0x7F, 0x5F):  # directories, TS 102 221 §8.6
            self._directory = path
            return f"directory {'/'.join(f'{fid:04X}' for fid in path)}"
        if len(path) > 1:
            self._directory = path[:-1]
        self._ef = self._find(f"{path[-1]:04X}")
        return self._ef.name if self._ef is not None else f"file {path[-1]:04X}"

    def _find(self, file: str) -> Ef[Any] | None:
        """A file of the current directory."""
        directory = self._directory
        if directory[0] == MF and len(directory) > 1 and directory[1] == ADF:
            directory = directory[1:]
        path = "/".join(f"{fid:04X}" for fid in directory)
        try:
            return find(f"{path}/{file}", self._kind).ef
        except ValueError:
            return None

    def _value(self, command: Command, data: bytes) -> str:
        """What was read, decoded; empty where nobody can tell."""
        offset = 0 if self._by_sfi(command) else command.p1 << 8
        if command.ins == apdu.READ_BINARY and offset | command.p2:
            return ""
        if is_unused(data):
            return "unused"
        if self._ef is None:
            return ""
        try:
            value = self._ef.decode(data)
        except (CardError, ValueError, IndexError, KeyError):
            return "octets that do not fit the file's coding"
        shown = _shown(value)
        return shown if len(shown) <= MAX_VALUE else f"{shown[:MAX_VALUE]}…"


def _shown(value: object) -> str:
    """A decoded value for people."""
    if isinstance(value, bytes):
        return value.hex().upper()
    if hasattr(value, "_asdict"):
        parts = value._asdict().items()
        return ", ".join(f"{name} {_shown(each)}" for name, each in parts if each not in ("", None))
    if isinstance(value, tuple | list | set | frozenset):
        return ", ".join(_shown(each) for each in sorted(value, key=str))
    return str(value)


def _vector(command: Command) -> tuple[bytes, bytes]:
    """RAND and AUTN of an AUTHENTICATE, empty where they are not there."""
    data = command.data
    if not data or len(data) < 1 + data[0]:
        return b"", b""
    rand, rest = data[1 : 1 + data[0]], data[1 + data[0] :]
    return rand, rest[1 : 1 + rest[0]] if rest else b""


def _authentication(data: bytes, sw: int) -> str:
    if data[:1] == bytes((RES_TAG,)):
        return "RES"
    if data[:1] == bytes((AUTS_TAG,)):
        return "AUTS"
    if sw == MAC_WRONG:
        return "MAC"
    return meaning(sw)


def _authenticated(data: bytes, sw: int) -> str:
    kind = _authentication(data, sw)
    if kind == "RES":
        return "; RES, CK and IK: AUTN's MAC was right, its SQN fresh"
    if kind == "AUTS":
        return f"; AUTS {data[2:16].hex()}: AUTN's MAC was right, its SQN not fresh"
    return ""
