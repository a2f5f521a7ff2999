"""The schedule against the plainest there is: looking through every timer that runs."""

from __future__ import annotations

import random

from sipua.sip.endpoint import ClientTransaction, Endpoint
from sipua.sip.hop import Hop
from sipua.sip.message import Request
from sipua.sip.response import create_response

PEER = Hop("UDP", "192.0.2.1", 5060)
HEADERS = [
    ("From", "<sip:a@example.com>;tag=1"),
    ("To", "<sip:b@example.com>"),
    ("Call-ID", "c"),
]


def test_deadline_is_always_that_of_the_earliest_timer() -> None:
    """Requests of two kinds, answered out of order, late or not at all, come up in order."""
    rng = random.Random(7)
    endpoint = Endpoint(rng)
    transactions: list[ClientTransaction] = []
    now = 0.0
    for step in range(4000):
        if step < 1500 and rng.random() < 0.5:
            transactions.append(_send(endpoint, rng.choice(("INVITE", "OPTIONS")), step, now))
        elif rng.random() < 0.6 and (waiting := [each for each in transactions if each.is_waiting]):
            _answer(endpoint, rng.choice(waiting), now)
        timers = [at for each in transactions for at in each.running.values()]
        assert endpoint.deadline() == min(timers, default=None)
        now += rng.choice((0.001, 0.01, 0.1, 0.3))
        if step >= 1500 and timers:
            now = max(now, min(timers))
        endpoint.tick(now)
        transactions = [each for each in transactions if each.running]
    assert transactions == []
    assert endpoint.deadline() is None


def _send(endpoint: Endpoint, method: str, number: int, now: float) -> ClientTransaction:
    headers = [*HEADERS, ("CSeq", f"{number} {method}")]
    request = Request(method, "sip:b@example.com", headers)
    return endpoint.send_request(request, PEER, ("192.0.2.2", 5060), now)


def _answer(endpoint: Endpoint, transaction: ClientTransaction, now: float) -> None:
    response = create_response(transaction.request, 200, to_tag="2")
    response.headers.prepend("Via", transaction.via)
    endpoint.receive(response.to_bytes(), PEER, now)
