"""What a terminal owes any card around a link (TS 102 221 §7.3, ISO/IEC 7816-3 §12).

A card may hand its data out at once, announce it (61xx), or ask for another
length (6Cxx); all three occur on real readers. Whoever sends a command here
gets the whole answer and the final status word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from card.apdu import ALL, GET_RESPONSE, GSM_CLASS, PIN_INSTRUCTIONS, Command, Response
from card.errors import AnswerError

if TYPE_CHECKING:
    from card.link import CardLink
    from card.masking import TracedApdu
    from card.precaution import Precaution

MOST_FETCHES = 32  # GET RESPONSEs for one command, 8 KiB
WRONG_LENGTH = 0x6700
CHANNEL_BITS = 0x03  # of CLA: the logical channel
UNKNOWN = -1  # which card is in the reader


class Transaction:
    """The ``with`` block of ``Exchange.transaction``; one object serves them all."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __enter__(self) -> None:
        self._exchange.begin()

    def __exit__(self, *_: object) -> None:
        self._exchange.end()


class Exchange:
    """Commands to one card, counted in ``apdus`` and shown to ``trace``.

    ``trace`` gets every APDU that crosses the link, GET RESPONSE included,
    without PINs and keys; ``bare_trace`` gets it with everything in it, for a user who
    asked to see secrets. A ``precaution`` is asked
    before each command and may refuse it; ``on_insertion`` is called when a
    transaction begins with a card that was away meanwhile.
    ``selections`` grows whenever another program may have moved the card's
    current file: at the start of each outermost transaction on a shared card, at
    a reset, and when the card was put back.
    """

    __slots__ = (
        "_bare_trace",
        "_depth",
        "_masked",
        "_secret",
        "_trace",
        "_transaction",
        "_unmasked",
        "apdus",
        "insertions",
        "link",
        "on_insertion",
        "precaution",
        "selections",
    )

    def __init__(
        self,
        link: CardLink,
        trace: Callable[[TracedApdu], None] | None = None,
        bare_trace: Callable[[TracedApdu], None] | None = None,
    ) -> None:
        self.link = link
        self.apdus = 0
        self.selections = 0
        self.precaution: Precaution | None = None
        self.insertions = link.insertions
        self.on_insertion: Callable[[], None] | None = None
        self._secret = False
        self._trace = trace
        self._bare_trace = bare_trace
        if trace is not None or bare_trace is not None:
            from card.masking import masked, unmasked

            self._masked, self._unmasked = masked, unmasked
        self._depth = 0
        self._transaction = Transaction(self)

    def send(self, command: Command) -> Response:
        """Send one command; the answer is complete, whatever its status word.

        Raises NoCard and TransmitError from the link, AnswerError for an
        answer without a status word or one that never ends, CardProtected and
        NotSent from the precaution.
        """
        if self.precaution is not None:
            self.precaution(command)
        response = self._carry(command, command.ins, first=True)
        if response.sw >> 8 not in _ANNOUNCEMENTS:
            return response
        data = response.data
        gsm = command.cla == GSM_CLASS
        for _ in range(MOST_FETCHES):
            family = response.sw >> 8
            if family != 0x61 and not (gsm and family == 0x9F):
                return Response(data, response.sw)
            fetch = Command(
                GSM_CLASS if gsm else command.cla & CHANNEL_BITS,
                GET_RESPONSE,
                0,
                0,
                le=response.sw & 0xFF or ALL,
            )
            response = self._carry(fetch, command.ins, first=not data)
            data += response.data
        raise AnswerError(f"the card's answer to {command.name} does not end")

    def transaction(self) -> Transaction:
        """Keep other programs off the card, in a ``with`` block. Transactions may be nested."""
        return self._transaction

    def begin(self) -> None:
        """What a transaction begins with; see ``transaction``."""
        if not self._depth:
            self.link.begin_transaction()
            if self.link.shared:
                self.selections += 1
        self._depth += 1
        if self.link.insertions != self.insertions:
            self.insertions = self.link.insertions
            self.selections += 1
            if self.on_insertion is not None:
                try:
                    self.on_insertion()
                except BaseException:
                    self.insertions = UNKNOWN  # looked at again before anything else is sent
                    self.end()
                    raise

    def end(self) -> None:
        """What a transaction ends with."""
        self._depth -= 1
        if not self._depth:
            self.link.end_transaction()

    @contextmanager
    def secret(self, secret: bool = True) -> Iterator[None]:
        """What is read meanwhile holds keys: traces blot it out."""
        before, self._secret = self._secret, secret or self._secret
        try:
            yield
        finally:
            self._secret = before

    def reset(self) -> None:
        """Warm reset: current file MF, PINs unverified."""
        self.selections += 1
        self.link.reset()

    def _carry(self, command: Command, cause: int, *, first: bool) -> Response:
        """One command, said again with the right Le (6Cxx), without the Le behind its
        data (6700, as T=0 has it), and after a transient word, each at most once. A PIN
        command is never said twice.
        """
        may_correct = may_retry = command.ins not in PIN_INSTRUCTIONS
        while True:
            response = self._transmit(command, cause, first=first)
            family = response.sw >> 8
            if family == 0x6C and may_correct:
                command = command._replace(le=response.sw & 0xFF or ALL)
                may_correct = False
            elif response.sw == WRONG_LENGTH and may_correct and command.data and command.le:
                command = command._replace(le=None)
            elif may_retry and is_transient(response.sw):
                may_retry = False
            else:
                return response

    def _transmit(self, command: Command, cause: int, *, first: bool) -> Response:
        self.apdus += 1
        answer = self.link.transmit(command.to_bytes())
        if len(answer) < 2:
            raise AnswerError(f"the answer to {command.name} has no status word")
        if self._trace is not None:
            self._trace(self._masked(command, answer, cause, first=first, secret=self._secret))
        if self._bare_trace is not None:
            self._bare_trace(self._unmasked(command, answer))
        return Response(answer[:-2], answer[-2] << 8 | answer[-1])


_ANNOUNCEMENTS = frozenset((0x61, 0x9F))


def is_transient(sw: int) -> bool:
    """Status words that some cards give once and then work: 6400, 65xx, 6F00, 93xx."""
    return sw in {0x6400, 0x6F00} or sw >> 8 in {0x65, 0x93}
