"""What can go wrong between this program and a card.

Each class names one failure, so that callers decide by type and people read a
sentence. No message ever carries a key, a RES or a PIN.
"""

from __future__ import annotations


class CardError(Exception):
    """Any failure of a reader, of a card, or in talking to one."""


class NoReader(CardError):
    """No PC/SC service, or no reader that fits what was asked for."""


class NoSuchWay(NoReader):
    """A text that names no card, or a way that needs something which is not installed."""


class NoCard(CardError):
    """The reader is empty, or the card went away while it was in use."""


class NoApplication(CardError):
    """The card carries neither USIM nor ISIM, or not the one asked for."""


class TransmitError(CardError):
    """The reader or its driver failed to carry a command; the card may be fine."""


class AnswerError(CardError):
    """The card answered with bytes that do not follow the specification."""


class StatusError(CardError):
    """The card answered with a status word that the command does not expect.

    ``sw`` is SW1 SW2 as one number, ``command`` the instruction's name.
    """

    def __init__(self, sw: int, meaning: str, command: str) -> None:
        super().__init__(f"{command} was answered {sw:04X} ({meaning})")
        self.sw = sw
        self.meaning = meaning
        self.command = command


class PinRequired(CardError):
    """The card wants PIN1 and none was given. ``sw`` is its status word, 0 before any."""

    def __init__(self, message: str, sw: int = 0) -> None:
        super().__init__(message)
        self.sw = sw


class PinMalformed(CardError):
    """The PIN is not 4 to 8 decimal digits; it was not sent to the card."""


class PinWrong(CardError):
    """The PIN, or the PUK that ``name`` says, was refused; ``tries_left`` tries remain."""

    def __init__(self, tries_left: int, name: str = "PIN") -> None:
        super().__init__(f"the card refused the {name}, {tries_left} tries left")
        self.tries_left = tries_left


class PinBlocked(CardError):
    """The PIN is blocked, or so few tries remain that none was spent.

    ``tries_left`` is what the card reported; 0 means blocked.
    """

    def __init__(self, message: str, tries_left: int) -> None:
        super().__init__(message)
        self.tries_left = tries_left


class PinDisabled(CardError):
    """The PIN is disabled, and the card changes an enabled one only; nothing was sent."""


class CardProtected(CardError):
    """The card is on the list of protected ones, which are only read; nothing was sent."""


class NotSent(CardError):
    """A dry run came to a command that costs the card something; it was not sent."""


class ProfileError(CardError):
    """The TOML profile of an emulated card cannot be used; the message names the key."""


class StateError(CardError):
    """The state file of an emulated card cannot be read, locked or written."""
