"""From what was seen, one after the other, to explained dialogs: the front door of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.capture.captured import CapturedApdu
from sipua.explain.card_answers import CardAnswers
from sipua.explain.dialogs import Dialogs
from sipua.explain.explanation import explain
from sipua.explain.search import MAX_TRIES, Budget

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sipua.explain.dialogs import Dialog
    from sipua.explain.explanation import Document
    from sipua.explain.heard import Heard
    from sipua.explain.subscriber import Subscriber


REFUSALS = (401, 403, 407, 421, 494)
"""Responses that are about who asks."""


class Investigation:
    """Takes SIP messages and APDUs, gives a document for each dialog that has ended.

    ``subscribers`` are those whose keys are known. ``everything`` asks for
    dialogs that have nothing to do with authentication, too. ``tries`` is how much
    may be spent on the search for mistakes. Memory is bounded.
    """

    def __init__(
        self,
        subscribers: Sequence[Subscriber] = (),
        *,
        show_secrets: bool = False,
        everything: bool = False,
        tries: int = MAX_TRIES,
    ) -> None:
        self._subscribers = tuple(subscribers)
        self._show_secrets = show_secrets
        self._everything = everything
        self._dialogs = Dialogs()
        self._cards = CardAnswers()
        self._budget = Budget(tries)

    def take(self, seen: Heard | CapturedApdu) -> Iterator[Document]:
        """Take one; dialogs come in the order in which they began."""
        if isinstance(seen, CapturedApdu):
            self._cards.take(seen)
        else:
            yield from self._explained(self._dialogs.take(seen))

    def finish(self) -> Iterator[Document]:
        """The dialogs that are still open."""
        yield from self._explained(self._dialogs.finish())

    def _explained(self, dialogs: Iterator[Dialog]) -> Iterator[Document]:
        for dialog in dialogs:
            if self._everything or _matters(dialog):
                yield explain(
                    dialog, self._subscribers, self._cards, self._budget, self._show_secrets
                )


def _matters(dialog: Dialog) -> bool:
    """Whether it has to do with authentication, or is a registration or a refusal."""
    return any(
        each.asked or each.told or each.method == "REGISTER" or each.status in REFUSALS
        for each in dialog.exchanges
    )
