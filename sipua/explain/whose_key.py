"""Which of the subscribers whose keys are known a challenge was meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.result import MacFailure
from card.aka.vector import open_autn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sipua.explain.rounds import Round
    from sipua.explain.subscriber import Subscriber


def subscriber_of(round_: Round, subscribers: Sequence[Subscriber]) -> Subscriber | None:
    """Who is named; else the only one, if nobody is named; else whose key made AUTN.

    None where none of these is so: a key is not held against somebody else.
    """
    named = list(round_.exchange.names)
    for exchange, told in round_.answers:
        named += [told.get("username"), *exchange.names]
    for subscriber in subscribers:
        if subscriber.is_named(named):
            return subscriber
    if len(subscribers) == 1 and not (subscribers[0].names and any(named)):
        return subscribers[0]
    for subscriber in subscribers:
        try:
            open_autn(subscriber.functions, round_.challenge.rand, round_.challenge.autn)
        except MacFailure:
            continue
        return subscriber
    return None
