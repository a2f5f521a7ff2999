"""From the text of ``--card`` to a link: the one table of ways to reach a card."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from card.errors import NoSuchWay

if TYPE_CHECKING:
    from card.link import CardLink
    from card.readers.pcsc import Reader
    from card.readers.returning import ReturningLink
    from card.readers.waiting import Waiting

    Opener = Callable[[Waiting | None], CardLink]

BAUD = 115200  # of a modem, unless told otherwise; USB modems do not care


def open_card(text: str, waiting: Waiting | None = None) -> CardLink:
    """Open the card that ``text`` names; wait for it as told.

    Raises NoSuchWay, NoReader, NoCard, TransmitError, ProfileError, StateError.
    """
    return way_to(text)(waiting)


def way_to(text: str) -> Opener:
    """How the card that ``text`` names is opened; nothing is touched yet.

    Raises NoSuchWay for a text that follows no spelling of WAYS.
    """
    kind, colon, rest = text.partition(":")
    way = KINDS.get(kind)
    opener = way(rest) if way and bool(colon) is bool(rest) else None
    if opener is None:
        raise NoSuchWay(f"{text!r} names no card. It is one of:\n{spellings()}")
    return opener


def list_readers() -> list[Reader]:
    """Every PC/SC reader, in the order that ``pcsc:NUMBER`` counts from 0.

    No card is touched. Raises NoReader when there is no PC/SC service.
    """
    from card.readers.pcsc import readers

    return readers()


def spellings() -> str:
    """WAYS as lines for people."""
    return "\n".join(f"  {way.spelling:<28}{way.meaning}" for way in WAYS)


class Way(NamedTuple):
    """One spelling of ``--card`` and what it stands for."""

    spelling: str
    meaning: str


WAYS = (
    Way("pcsc", "the first PC/SC reader that holds a card"),
    Way("pcsc:NUMBER", "a PC/SC reader by its place in `sipua card list`, from 0"),
    Way("pcsc:PART-OF-NAME", "a PC/SC reader by a part of its name"),
    Way("pcsc:iccid=DIGITS", "whichever PC/SC reader holds the card with this number"),
    Way("pcsc:imsi=DIGITS", "whichever PC/SC reader holds the card of this subscriber"),
    Way("at:DEVICE[,BAUD]", "the SIM in a modem, through AT+CSIM (3GPP TS 27.007)"),
    Way("vpcd:HOST:PORT", "a card elsewhere, as `sipua card emulate --serve` offers it"),
    Way("pysim:READER-OPTIONS", "a reader of an installed osmocom pySim, as `pysim:-p 0`"),
    Way("emulated", "the card that ships with this program"),
    Way("emulated:PROFILE.toml", "the card of a profile"),
)


def _pcsc(which: str) -> Opener:
    def opened(waiting: Waiting | None) -> CardLink:
        from card.readers.choice import open_reader

        return open_reader(which, waiting)

    return opened


def _emulated(path: str) -> Opener:
    def opened(_waiting: Waiting | None) -> CardLink:
        from card.readers.emulated import EmulatedLink

        return EmulatedLink(path)

    return opened


def _modem(text: str) -> Opener | None:
    device, comma, baud = text.partition(",")
    if not device or (comma and not _is_number(baud)):
        return None

    def opened() -> ReturningLink:
        from card.readers.modem import ModemLink

        return ModemLink(device, int(baud or BAUD))

    return _patient(opened)


def _vpcd(text: str) -> Opener | None:
    host, _, port = text.rpartition(":")
    if not host.strip("[]") or not _is_number(port) or not 0 < int(port) < 65536:
        return None

    def opened() -> ReturningLink:
        from card.readers.vpcd import VpcdLink

        return VpcdLink(host.strip("[]"), int(port))

    return _patient(opened)


def _pysim(options: str) -> Opener | None:
    if not options:
        return None

    def opened() -> ReturningLink:
        from card.readers.pysim import open_pysim

        return open_pysim(options)

    return _patient(opened)


def _patient(opened: Callable[[], ReturningLink]) -> Opener:
    """Where nothing tells when a card comes: tried again and again, if asked to wait."""

    def patiently(waiting: Waiting | None) -> CardLink:
        if waiting is None:
            return opened()
        from card.readers.waiting import Pauses, awaited

        link = awaited(opened, waiting, Pauses())
        link.waiting = waiting
        return link

    return patiently


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


KINDS: dict[str, Callable[[str], Opener | None]] = {
    "pcsc": _pcsc,
    "at": _modem,
    "vpcd": _vpcd,
    "pysim": _pysim,
    "emulated": _emulated,
}
