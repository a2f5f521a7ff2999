"""The authentication centre: vectors for the subscribers, and resynchronisation.

SQN_HE, the network's counter, must never repeat, so with a state file it is on
the disk before a vector leaves. Not every vector pays for that: the file holds
how far the counter may run, ``BLOCK`` steps ahead, and is written again only
when those are used up. After a restart the counter goes on behind the block;
the at most 256 steps of SEQ skipped so are nothing against the 2^28 that a USIM
follows (TS 33.102 §C.2.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from card.aka.algorithm import functions_of
from card.aka.result import MacFailure
from card.aka.sequence import IND_BITS, SQN_MAX, next_sqn, resync
from card.aka.vector import Vector, make_vector, open_auts
from sipua.errors import CredentialsError, LocalError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from card.statefile import StateFile
    from sipua.core.subscriber import Subscriber

BLOCK = 256
"""Steps of SEQ reserved by one write of the state file."""

RAND_OCTETS = 16

_WRONG_MAC = (1 << 64) - 1


class Octets(Protocol):
    """Where RAND comes from: random.SystemRandom, or a seeded Random in a test."""

    def randbytes(self, n: int, /) -> bytes:
        """``n`` octets nobody can guess."""
        ...


class Auc:
    """Makes vectors for the given subscribers; not to be shared between threads."""

    def __init__(
        self, subscribers: Iterable[Subscriber], rng: Octets, state: StateFile | None = None
    ) -> None:
        """Counters go on from ``state``, or from the profiles' sqn without one.

        Raises StateError (card.errors) if the state cannot be read or written.
        """
        self._rng = rng
        self._state = state
        self._accounts = {each.impi: _Account(each) for each in subscribers}
        if state is not None:
            self._recall(state)

    def vector(self, impi: str, *, behind: bool = False, wrong_mac: bool = False) -> Vector:
        """A fresh vector; each has its own SQN and the next IND in turn.

        IND goes round (TS 33.102 §C.1.2), so that of several challenges under
        way at once a card accepts all, in any order. ``behind`` gives an SQN
        whose SEQ is 0, which no card accepts, and ``wrong_mac`` a MAC-A with
        every bit turned over. Raises LocalError for an unknown IMPI.
        """
        account = self._account(impi)
        sqn = next_sqn(account.sqn, IND_BITS, account.sqn + 1)
        if behind:
            sqn &= (1 << IND_BITS) - 1
        else:
            self._advance(account, sqn)
        rand = self._rng.randbytes(RAND_OCTETS)
        vector = make_vector(account.functions, rand, sqn, account.amf)
        if wrong_mac:
            mac = int.from_bytes(vector.autn[8:], "big") ^ _WRONG_MAC
            vector = vector._replace(autn=vector.autn[:8] + mac.to_bytes(8, "big"))
        return vector

    def resynchronise(self, impi: str, rand: bytes, auts: bytes) -> None:
        """Take over the card's SQN_MS if ours is out of its range (TS 33.102 §6.3.5).

        ``rand`` is that of the challenge which AUTS answers. Raises
        CredentialsError if AUTS was not made with this subscriber's key.
        """
        account = self._account(impi)
        try:
            sqn_ms = open_auts(account.functions, rand, auts)
        except MacFailure as error:
            raise CredentialsError(str(error), 403, "AUTS Not Valid") from error
        sqn = resync(account.sqn, sqn_ms)
        if sqn != account.sqn:
            account.reserved = 0
            self._advance(account, sqn)

    def _account(self, impi: str) -> _Account:
        account = self._accounts.get(impi)
        if account is None:
            raise LocalError(f"no subscriber of this network has the IMPI {impi}")
        return account

    def _advance(self, account: _Account, sqn: int) -> None:
        """Count on to ``sqn``, on the disk first."""
        if self._state is not None and sqn >= account.reserved:
            before = account.reserved
            account.reserved = _ahead(sqn)
            try:
                self._save(self._state)
            except Exception:
                account.reserved = before
                raise
        account.sqn = sqn

    def _recall(self, state: StateFile) -> None:
        kept = state.load()
        for account in self._accounts.values():
            sqn = kept.pop(account.imsi, account.sqn)
            if type(sqn) is not int or not 0 <= sqn <= SQN_MAX:
                state.damaged(f"the counter of {account.imsi} is not a number of 48 bits")
            account.sqn = sqn
            account.reserved = _ahead(sqn)
        self._others = kept  # subscribers that are not served today keep their counters
        self._save(state)

    def _save(self, state: StateFile) -> None:
        counters = {each.imsi: each.reserved for each in self._accounts.values()}
        state.save(self._others | counters)


class _Account:
    """One subscriber's functions and counter; ``reserved`` is the SQN from which on a
    write to the state file must come first."""

    __slots__ = ("amf", "functions", "imsi", "reserved", "sqn")

    def __init__(self, subscriber: Subscriber) -> None:
        secret = subscriber.authentication
        self.functions = functions_of(secret)
        self.amf = secret.amf
        self.imsi = subscriber.imsi
        self.sqn = secret.sqn
        self.reserved = 0


def _ahead(sqn: int) -> int:
    return min(sqn + (BLOCK << IND_BITS), SQN_MAX)
