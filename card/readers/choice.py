"""Which PC/SC reader holds the card that the user means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from card.errors import CardError, NoCard, NoReader
from card.exchange import Exchange
from card.readers.pcsc import PcscLink, Reader, connect, readers
from card.uicc import Uicc
from card.usim import UsimSession

if TYPE_CHECKING:
    from card.readers.waiting import Waiting


def open_reader(which: str, waiting: Waiting | None = None) -> PcscLink:
    """The card that the text after ``pcsc:`` names: nothing, a number counted from 0, part
    of a reader's name, ``iccid=`` or ``imsi=``.

    It is waited for as told, now and when it is lost later on. Raises NoReader,
    NoCard, TransmitError.
    """
    if waiting is None:
        return _found(which, None)
    from card.readers.pcsc_changes import PcscChanges
    from card.readers.waiting import awaited

    return awaited(lambda: _found(which, waiting), waiting, PcscChanges())


def _found(which: str, waiting: Waiting | None) -> PcscLink:
    found = dict(enumerate(readers()))
    if not found:
        raise NoReader("the PC/SC service runs, but there is no reader")
    what, _, value = which.partition("=")
    if which.isascii() and which.isdecimal():
        fitting = {number: each for number, each in found.items() if str(number) == which}
    elif what in IDENTITIES:
        fitting = found
    else:
        part = which.casefold()
        fitting = {number: each for number, each in found.items() if part in each.name.casefold()}
    if not fitting:
        raise NoReader(f"no reader fits {which!r}; there is {_names(found)}")
    occupied = [each.name for each in fitting.values() if each.present]
    if not occupied:
        raise NoCard(f"there is no card in {_names(fitting)}")
    if what in IDENTITIES:
        return _identified(occupied, what, value, waiting)
    return _first(occupied, waiting)


def _first(names: list[str], waiting: Waiting | None) -> PcscLink:
    """The first card that can be connected to; if none can, why the first could not."""
    failures: list[CardError] = []
    for name in names:
        try:
            return connect(name, waiting)
        except CardError as error:
            failures.append(error)
    raise failures[0]


def _identified(names: list[str], what: str, value: str, waiting: Waiting | None) -> PcscLink:
    """The card whose ICCID or IMSI is ``value``; the others are given back."""
    silent: list[str] = []
    for name in names:
        try:
            link = connect(name, waiting)
        except CardError as error:
            silent.append(f"{name}: {error}")
            continue
        try:
            if IDENTITIES[what](Uicc(Exchange(link))) == value:
                return link
        except CardError as error:
            silent.append(f"{name}: {error}")
        except BaseException:
            link.close()
            raise
        link.close()
    unread = f"; not read: {'; '.join(silent)}" if silent else ""
    raise NoCard(f"no card in a reader has the {what.upper()} {value}{unread}")


def _imsi(uicc: Uicc) -> str:
    return UsimSession(uicc, uicc.choose("usim")).imsi()


IDENTITIES: dict[str, Callable[[Uicc], str]] = {"iccid": Uicc.iccid, "imsi": _imsi}


def _names(found: dict[int, Reader]) -> str:
    return ", ".join(f"{number}: {each.name}" for number, each in found.items())
