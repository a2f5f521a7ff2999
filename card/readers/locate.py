"""From the text of ``--card`` to a link (see README, "Cards")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.errors import NoReader

if TYPE_CHECKING:
    from card.link import CardLink
    from card.readers.pcsc import Reader

SPELLINGS = (
    "pcsc, pcsc:NUMBER, pcsc:PART-OF-NAME, pcsc:iccid=DIGITS, pcsc:imsi=DIGITS, "
    "emulated or emulated:PROFILE.toml"
)


def open_card(text: str) -> CardLink:
    """Open the card that ``text`` names.

    Raises NoReader, NoCard, TransmitError, ProfileError, StateError.
    """
    kind, _, rest = text.partition(":")
    if kind == "emulated":
        from card.readers.emulated import EmulatedLink

        return EmulatedLink(rest)
    if kind == "pcsc":
        from card.readers.choice import open_reader

        return open_reader(rest)
    raise NoReader(f"there is no kind of card called {text!r}; it is one of {SPELLINGS}")


def list_readers() -> list[Reader]:
    """Every PC/SC reader, in the order that ``pcsc:NUMBER`` counts from 0.

    No card is touched. Raises NoReader when there is no PC/SC service.
    """
    from card.readers.pcsc import readers

    return readers()
