"""One UICC: its applications, its files, its PIN (TS 102 221 §8, §11, §13).

Files are read by their SFI, which needs no SELECT; a card that does not know
SFIs is asked by file identifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeVar

from card import pin as pins
from card.apdu import ALL, READ_BINARY, READ_RECORD, SELECT, STATUS, Command, Response, meaning
from card.coding.basic import ISIM_AID, USIM_AID, Application, is_unused
from card.errors import AnswerError, NoApplication, StatusError
from card.fcp import CYCLIC, LINEAR_FIXED, PIN1, TRANSPARENT, Fcp, PinEntry, parse_fcp
from card.files.ef import EF_DIR, EF_ICCID, MF, Ef

if TYPE_CHECKING:
    from card.exchange import Exchange

T = TypeVar("T")
Choice = Literal["auto", "isim", "usim"]

NO_DATA, RETURN_FCP = 0x0C, 0x04  # P2 of SELECT
BY_FID, BY_AID = 0x00, 0x04  # P1 of SELECT
ABSOLUTE = 0x04  # P2 of READ RECORD: P1 is the record's number
P2_REFUSED = frozenset((0x6A81, 0x6A86, 0x6B00))
SFI_REFUSED = P2_REFUSED | {0x6700, 0x6981, 0x6986, 0x6A82}
NOT_FOUND = frozenset((0x6A82, 0x6A88, 0x9404))
NO_SUCH_RECORD = frozenset((0x6A83, 0x9402))
MOST_RECORDS = 254
MOST_OCTETS = 0x7FFF  # READ BINARY addresses no further
PREFERENCE: dict[Choice, tuple[str, ...]] = {
    "auto": ("isim", "usim"),  # TS 33.203 §8: an ISIM, where there is one, is the one to use
    "isim": ("isim",),
    "usim": ("usim",),
}


class Uicc:
    """A card behind an exchange. Every method may raise NoCard, TransmitError,
    AnswerError, StatusError and, where the card protects a file, PinRequired.

    Each method is a PC/SC transaction; hold ``exchange.transaction()`` around
    several of them, and a directory once selected is not selected again.
    """

    __slots__ = ("_fcp", "_select_p2", "_selected", "_verified_pin", "exchange")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._select_p2 = NO_DATA
        self._selected: tuple[int, bytes] = (-1, b"")
        self._fcp = Fcp()
        self._verified_pin: tuple[bytes, int] | None = None

    def iccid(self) -> str:
        """The card's number, as printed on it (EF_ICCID)."""
        with self.in_directory():
            return EF_ICCID.decode(self.read_binary(EF_ICCID))

    def applications(self) -> list[Application]:
        """Every application that EF_DIR lists, in its order."""
        with self.in_directory():
            return list(self._listed())

    def choose(self, kind: Choice = "auto") -> Application:
        """The application to use: the ISIM before the USIM for ``auto``.

        A card without EF_DIR is asked for them by name. Raises NoApplication.
        """
        wanted = PREFERENCE[kind]
        found: dict[str, Application] = {}
        with self.in_directory():
            try:
                for application in self._listed():
                    found.setdefault(application.kind, application)
                    if application.kind == wanted[0]:
                        break
            except StatusError as error:
                if error.sw not in NOT_FOUND:
                    raise
                found = self._probed(wanted)
        for each in wanted:
            if each in found:
                return found[each]
        listed = ", ".join(name.upper() for name in found if name != "other") or "neither"
        raise NoApplication(
            f"the card has no {' or '.join(wanted).upper()} (of USIM and ISIM it lists {listed})"
        )

    @contextmanager
    def in_directory(self, application: Application | None = None) -> Iterator[None]:
        """A transaction in the application's ADF, or in the MF."""
        with self.exchange.transaction():
            self.make_current(application)
            yield

    def make_current(self, application: Application | None = None) -> None:
        """Select the application, or the MF, unless it is current. Raises NoApplication."""
        aid = application.aid if application else b""
        if self._selected != (self.exchange.selections, aid):
            self.select(application)

    def select(self, application: Application | None = None) -> None:
        """Select an application by its full AID, or the MF. Raises NoApplication."""
        self._selected = (-1, b"")
        self._fcp = Fcp()
        if application is None:
            response = self._select(BY_FID, MF.to_bytes(2, "big"))
        else:
            response = self._select(BY_AID, application.aid)
            if response.sw in NOT_FOUND:
                raise NoApplication(
                    f"the card lists {application.label or application.kind} but does not know it"
                    f" ({response.sw:04X} {meaning(response.sw)})"
                )
        if not (response.ok or response.warning):
            raise StatusError(response.sw, meaning(response.sw), "SELECT")
        if response.data:
            self._fcp = _fcp_in(response)
        self._selected = (self.exchange.selections, application.aid if application else b"")

    def read_binary(self, ef: Ef[T]) -> bytes:
        """A transparent file of the current directory, whole."""
        assert not ef.linear
        if ef.sfi is not None:
            response = self._read(READ_BINARY, 0x80 | ef.sfi, 0, ef.size)
            if response.sw not in SFI_REFUSED and (response.data or not response.ok):
                return self._binary(ef, response)
        size = self._select_ef(ef).size
        response = self._read(READ_BINARY, 0, 0, min(size or ef.size, ALL))
        return self._binary(ef, response)

    def read_record(self, ef: Ef[T], number: int) -> bytes:
        """One record (from 1) of a linear file of the current directory.

        StatusError 6A83 says that there is no such record.
        """
        for record in self._records(ef, number):
            return record
        raise StatusError(0x6A83, meaning(0x6A83), f"READ RECORD {ef.name}")

    def records(self, ef: Ef[T]) -> Iterator[bytes]:
        """The records of a linear file of the current directory, unused ones left out.

        Read one by one as they are asked for: select nothing else meanwhile.
        """
        return (record for record in self._records(ef, 1) if not is_unused(record))

    def enter(self, fid: int) -> None:
        """Select a directory below the current one. Raises StatusError 6A82."""
        self._selected = (-1, b"")
        response = self._select(BY_FID, fid.to_bytes(2, "big"))
        if not (response.ok or response.warning):
            raise StatusError(response.sw, meaning(response.sw), f"SELECT {fid:04X}")

    def read_file(self, ef: Ef[T]) -> tuple[Fcp, list[bytes]]:
        """A file of the current directory by its identifier, whatever its structure:
        its FCP, and its records or its octets as the only one.

        What the card says of the structure counts, not the declaration.
        """
        fcp = self._select_ef(ef)
        structure = fcp.structure or (LINEAR_FIXED if ef.linear else TRANSPARENT)
        if structure == TRANSPARENT:
            response = self._read(READ_BINARY, 0, 0, min(fcp.size or ef.size, ALL))
            return fcp, [self._binary(ef, response)]
        if structure not in (LINEAR_FIXED, CYCLIC):
            raise AnswerError(f"{ef.name} is a {structure}, which is not read")
        response = self._read(READ_RECORD, 1, ABSOLUTE, min(fcp.record_length or ALL, ALL))
        return fcp, list(self._records_after(ef, 1, response, ABSOLUTE))

    def pin_tries(self) -> int | None:
        """Tries left for the user's PIN; None when the card does not ask for it."""
        with self.exchange.transaction():
            reference, enabled = self._user_pin()
            return pins.tries_left(self.exchange, reference) if enabled else None

    def verify_pin(self, pin: str, *, force: bool = False) -> None:
        """Verify the user's PIN, unless the card does not ask for it.

        Raises PinMalformed, PinWrong, and PinBlocked, also when fewer than two
        tries are left and ``force`` is not given.
        """
        block = pins.pin_block(pin)
        with self.exchange.transaction():
            reference, enabled = self._user_pin()
            if enabled:
                pins.verify(self.exchange, block, reference, force=force)
                self._verified_pin = block, reference

    def verify_again(self) -> bool:
        """Verify the PIN that the card took before, which another program's reset made it
        forget; False when there is none. Raises PinWrong, PinBlocked.
        """
        if self._verified_pin is None:
            return False
        block, reference = self._verified_pin
        self._verified_pin = None  # a PIN that is refused now was changed: not a third time
        pins.verify(self.exchange, block, reference)
        self._verified_pin = block, reference
        return True

    def directory_pins(self) -> tuple[PinEntry, ...] | None:
        """The keys of the current directory; None where the card does not say."""
        if self._fcp.pins is None:
            self._fcp = _fcp_in(self.exchange.send(Command(0x80, STATUS, 0, 0, le=ALL)))
        return self._fcp.pins

    def forget_fcp(self) -> None:
        """What was known of the current directory may have changed."""
        self._fcp = Fcp()

    def forget_pin(self) -> None:
        """Do not verify the PIN again that the card took before."""
        self._verified_pin = None

    def _user_pin(self) -> tuple[int, bool]:
        """The user's PIN in the current directory's FCP, and whether the card asks for it;
        PIN1 where the card does not say.
        """
        self.directory_pins()
        return self._fcp.pin or (PIN1, True)

    def _listed(self) -> Iterator[Application]:
        for record in self.records(EF_DIR):
            try:
                application = EF_DIR.decode(record)
            except AnswerError:
                continue  # one bad record must not hide the others
            yield application

    def _probed(self, wanted: tuple[str, ...]) -> dict[str, Application]:
        """The first wanted application that answers to the start of its AID."""
        for kind in wanted:
            start = ISIM_AID if kind == "isim" else USIM_AID
            response = self.exchange.send(Command(0, SELECT, BY_AID, RETURN_FCP, start, ALL))
            self._selected = (-1, b"")
            if response.ok:
                return {kind: Application(_fcp_in(response).aid or start)}
        return {}

    def _select(self, p1: int, name: bytes) -> Response:
        """SELECT without asking for data; a card that refuses that is asked for the FCP."""
        if self._select_p2 == NO_DATA:
            response = self.exchange.send(Command(0, SELECT, p1, NO_DATA, name))
            if response.sw not in P2_REFUSED:
                return response
            self._select_p2 = RETURN_FCP
        return self.exchange.send(Command(0, SELECT, p1, RETURN_FCP, name, ALL))

    def _select_ef(self, ef: Ef[T]) -> Fcp:
        fid = ef.fid.to_bytes(2, "big")
        response = self.exchange.send(Command(0, SELECT, BY_FID, RETURN_FCP, fid, ALL))
        if response.sw in P2_REFUSED:
            response = self.exchange.send(Command(0, SELECT, BY_FID, NO_DATA, fid))
        if not (response.ok or response.warning):
            raise self._refused(response, f"SELECT {ef.name}")
        return _fcp_in(response)

    def _read(self, ins: int, p1: int, p2: int, le: int) -> Response:
        return self.exchange.send(Command(0, ins, p1, p2, le=le))

    def _binary(self, ef: Ef[T], response: Response) -> bytes:
        """The file's octets from its first READ on; 256 at a time."""
        name = f"READ BINARY {ef.name}"
        if not (response.ok or response.warning):
            raise self._refused(response, name)
        if not response.data:
            raise AnswerError(f"{name} was answered {response.sw:04X} without data")
        data = response.data
        while response.data and len(data) % ALL == 0 and len(data) <= MOST_OCTETS:
            response = self._read(READ_BINARY, len(data) >> 8, len(data) & 0xFF, ALL)
            if response.ok or response.warning:
                data += response.data
            else:
                break  # 6B00: the file ends here
        return data

    def _records(self, ef: Ef[T], first: int) -> Iterator[bytes]:
        assert ef.linear
        response, p2 = self._first_record(ef, first)
        yield from self._records_after(ef, first, response, p2)

    def _records_after(self, ef: Ef[T], first: int, response: Response, p2: int) -> Iterator[bytes]:
        """The record in ``response``, whose number is ``first``, and those after it."""
        for number in range(first + 1, MOST_RECORDS + 2):
            if response.sw in NO_SUCH_RECORD:
                return
            if not (response.ok or response.warning):
                raise self._refused(response, f"READ RECORD {ef.name}")
            if not response.data:
                raise AnswerError(f"READ RECORD {ef.name} was answered 9000 without data")
            yield response.data
            response = self._read(READ_RECORD, number, p2, min(len(response.data), ALL))

    def _first_record(self, ef: Ef[T], number: int) -> tuple[Response, int]:
        """The answer, and the P2 that reads the records after it."""
        if ef.sfi is not None:
            p2 = ef.sfi << 3 | ABSOLUTE
            response = self._read(READ_RECORD, number, p2, ALL)
            if response.sw not in SFI_REFUSED and (response.data or not response.ok):
                return response, p2
        length = self._select_ef(ef).record_length
        return self._read(READ_RECORD, number, ABSOLUTE, min(length or ALL, ALL)), ABSOLUTE

    def _refused(self, response: Response, command: str) -> Exception:
        if response.sw in pins.ACCESS_REFUSED or response.sw in pins.BLOCKED:
            return pins.pin_required(response.sw, command)
        return StatusError(response.sw, meaning(response.sw), command)


def _fcp_in(response: Response) -> Fcp:
    """The FCP in an answer; one that cannot be read says no more than none at all."""
    try:
        return parse_fcp(response.data)
    except AnswerError:
        return Fcp()
