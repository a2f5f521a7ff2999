"""Each challenge of a dialog with the answers that were given to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.auth.algorithm import is_known
from sipua.auth.scheme import CREDENTIALS_HEADERS, AkaChallenge
from sipua.auth.selection import SCHEMES, scheme_named
from sipua.errors import ChallengeError
from sipua.explain.case import Case
from sipua.explain.credentials import scheme_of
from sipua.sip.headers import Challenge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.explain.case import Told
    from sipua.explain.dialogs import Dialog
    from sipua.explain.exchange import Exchange
    from sipua.explain.subscriber import Subscriber

ASSUMED_METHOD = "REGISTER"


class Round:
    """A challenge and its answers, in order. ``seen`` is False for one that is known from its
    answer only; ``exchange`` is the one that brought it, or its first answer."""

    __slots__ = ("answers", "challenge", "exchange", "seen")

    def __init__(self, challenge: AkaChallenge, exchange: Exchange, *, seen: bool = True) -> None:
        self.challenge = challenge
        self.exchange = exchange
        self.seen = seen
        self.answers: list[tuple[Exchange, Told]] = []


def rounds_of(dialog: Dialog) -> list[Round]:
    """The rounds of a dialog in the order of their challenges."""
    rounds: list[Round] = []
    for exchange in dialog.exchanges:
        for told in exchange.told:
            found = _answered(told, rounds)
            if found is None:
                before = dialog.before
                if before is not None and _fits(told, before):
                    found = Round(before, exchange, seen=False)
                else:
                    challenge = _told_of(told)
                    if challenge is None:
                        continue
                    found = Round(challenge, exchange, seen=False)
                rounds.append(found)
            found.answers.append((exchange, told))
        for offer in exchange.asked:
            if offer.challenge is not None:
                rounds.append(Round(offer.challenge, exchange))
    return rounds


def case_of(
    round_: Round,
    exchange: Exchange,
    told: Told,
    rounds: Iterable[Round],
    subscriber: Subscriber | None,
    next_nonces: tuple[str, ...] = (),
) -> Case:
    """One answer, with everything around it that a hypothesis may want."""
    others = [each for each in rounds if each is not round_]
    said = [other for each in (round_, *others) for _, other in each.answers if other is not told]
    before: list[Told] = []
    for _, other in round_.answers:
        if other is told:
            break
        before.append(other)
    return Case(
        round_.challenge,
        told,
        exchange.method or ASSUMED_METHOD,
        exchange.uri,
        exchange.body,
        exchange.request_known,
        subscriber,
        exchange.names,
        exchange.uris,
        exchange.hosts,
        tuple(each.challenge for each in others),
        tuple(dict.fromkeys(filter(None, (other.get("cnonce") for other in said)))),
        tuple(other.get("nc") for other in before if other.get("nonce") == told.get("nonce")),
        next_nonces,
    )


def _answered(told: Told, rounds: list[Round]) -> Round | None:
    """The newest challenge with this nonce, else the newest that it can be meant for.

    Credentials of another nonce, and not of AKA, answer something else: a password.
    """
    scheme = scheme_of(told)
    rounds = [each for each in rounds if each.challenge.scheme == scheme]
    for each in reversed(rounds):
        if "nonce" in told.params and told.get("nonce") == each.challenge.nonce:
            return each
    if scheme == "aka" and not is_known(told.get("algorithm")):
        return None
    for each in reversed(rounds):
        if CREDENTIALS_HEADERS[each.challenge.header] == told.header and each.seen:
            return each
    return rounds[-1] if rounds else None


def _fits(told: Told, challenge: AkaChallenge) -> bool:
    if scheme_of(told) != challenge.scheme:
        return False
    return challenge.scheme == "umts" or told.get("nonce") == challenge.nonce


def _told_of(told: Told) -> AkaChallenge | None:
    """The challenge that credentials must have answered, as far as they repeat it."""
    name = scheme_of(told)
    if name not in SCHEMES or name == "umts":
        return None
    scheme = scheme_named(name)
    repeated = Challenge(told.get(""))
    repeated.params = dict(told.params)
    if name == "pgp-umts":
        repeated.params.setdefault("algorithm", scheme.DEFAULT_ALGORITHM)
    header = next(header for header, answer in CREDENTIALS_HEADERS.items() if answer == told.header)
    if not scheme.recognises(repeated):
        return None
    try:
        return scheme.read(repeated, header)
    except ChallengeError:
        return None
