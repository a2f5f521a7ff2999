"""Reading any file: one that was asked for, or a walk over all that are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from card.apdu import ALL, READ_BINARY, READ_RECORD, Command, meaning
from card.coding.basic import Application, is_unused
from card.errors import AnswerError, NoApplication, PinRequired, StatusError
from card.fcp import LINEAR_FIXED, TRANSPARENT
from card.files.catalogue import ADF, DIRECTORIES, Directory, Place
from card.pin import ACCESS_REFUSED, BLOCKED, pin_required
from card.uicc import ABSOLUTE, MOST_OCTETS, MOST_RECORDS, NO_SUCH_RECORD, NOT_FOUND, Uicc

BY_SFI = 0x80  # in P1 of READ BINARY
NOT_TRANSPARENT = 0x6981
MOST_APDUS = 1400  # of a walk, after which it goes to no further file


class Content(NamedTuple):
    """What a file holds: one part, or a part a record. ``problem`` says why there is none."""

    place: Place
    structure: str = ""
    parts: tuple[bytes, ...] = ()
    problem: str = ""

    def value(self, part: bytes) -> Any:
        """What a part means; None when it is unused, has no declared coding or does not follow
        it.
        """
        decode = self.place.ef.decode
        if decode is bytes or is_unused(part):
            return None
        try:
            return decode(part)
        except AnswerError:
            return None

    def __repr__(self) -> str:
        return f"Content({self.place.path}, {len(self.parts)} parts)"


def read(uicc: Uicc, place: Place, applications: list[Application]) -> Content:
    """The file at ``place``; ``applications`` are those of the card.

    Raises NoApplication, PinRequired, StatusError, AnswerError and what the link raises.
    """
    with uicc.exchange.transaction():
        _enter(uicc, place.directory, applications)
        return _read_here(uicc, place)


def walk(uicc: Uicc, applications: list[Application]) -> Iterator[Content]:
    """Every known file that the card has, those included that it does not let be read."""
    end = uicc.exchange.apdus + MOST_APDUS
    with uicc.exchange.transaction():
        for directory in DIRECTORIES:
            try:
                _enter(uicc, directory, applications)
            except (NoApplication, StatusError):
                continue
            for ef in directory.files:
                if uicc.exchange.apdus >= end:
                    return
                content = _try(uicc, Place(directory, ef))
                if content is not None:
                    yield content


def _try(uicc: Uicc, place: Place) -> Content | None:
    """The content, or what keeps it from being read; None when there is no such file."""
    try:
        return _read_here(uicc, place)
    except PinRequired as error:
        return Content(place, problem=f"not allowed ({error.sw:04X}): it takes PIN1, or more")
    except StatusError as error:
        if error.sw in NOT_FOUND:
            return None
        return Content(place, problem=str(error))
    except AnswerError as error:
        return Content(place, problem=str(error))


def _enter(uicc: Uicc, directory: Directory, applications: list[Application]) -> None:
    application = None
    if directory.path[0] == ADF:
        application = next((each for each in applications if each.kind == directory.kind), None)
        if application is None:
            raise NoApplication(f"the card has no {directory.kind.upper() or 'application'}")
    with uicc.in_directory(application):
        for fid in directory.path[1:]:
            uicc.enter(fid)


def _read_here(uicc: Uicc, place: Place) -> Content:
    with uicc.exchange.secret(place.ef.secret):
        if place.by_sfi:
            structure, parts = _read_by_sfi(uicc, place)
        else:
            fcp, parts = uicc.read_file(place.ef)
            structure = fcp.structure or (LINEAR_FIXED if place.ef.linear else TRANSPARENT)
    return Content(place, structure, tuple(parts))


def _read_by_sfi(uicc: Uicc, place: Place) -> tuple[str, list[bytes]]:
    """READ BINARY, or READ RECORD where the card says that the file has records."""
    sfi = place.ef.sfi
    assert sfi is not None
    response = uicc.exchange.send(Command(0, READ_BINARY, BY_SFI | sfi, 0, le=ALL))
    if response.sw != NOT_TRANSPARENT:
        _check(response.sw, "READ BINARY")
        data = response.data
        while response.data and len(data) % ALL == 0 and len(data) <= MOST_OCTETS:
            offset = Command(0, READ_BINARY, len(data) >> 8, len(data) & 0xFF, le=ALL)
            response = uicc.exchange.send(offset)
            if not (response.ok or response.warning):
                break  # 6B00: the file ends here
            data += response.data
        return TRANSPARENT, [data]
    records: list[bytes] = []
    for number in range(1, MOST_RECORDS + 1):
        le = len(records[-1]) if records else ALL
        p2 = sfi << 3 | ABSOLUTE
        response = uicc.exchange.send(Command(0, READ_RECORD, number, p2, le=le))
        if response.sw in NO_SUCH_RECORD:
            break
        _check(response.sw, "READ RECORD")
        if not response.data:
            raise AnswerError("READ RECORD was answered without data")
        records.append(response.data)
    return LINEAR_FIXED, records


def _check(sw: int, command: str) -> None:
    if sw in ACCESS_REFUSED or sw in BLOCKED:
        raise pin_required(sw, command)
    if sw != 0x9000 and sw >> 8 not in {0x91, 0x62, 0x63}:
        raise StatusError(sw, meaning(sw), command)


def plain(value: Any) -> Any:
    """A decoded value as JSON knows it: names and values, lists, text, numbers."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(each) for name, each in value._asdict().items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return value.hex().upper()
    return value
