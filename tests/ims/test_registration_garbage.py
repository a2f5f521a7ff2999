"""Whatever the headers of a response hold, an attempt goes on or ends; nothing is raised."""

from __future__ import annotations

import random

from registrar_by_hand import CONTACT, OPEN, RES, Exchange, challenge

from sipua.auth.schemes import aka
from sipua.ims.table import State

NAMES = (
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Contact",
    "Expires",
    "Min-Expires",
    "Retry-After",
    "Service-Route",
    "Path",
    "P-Associated-URI",
)
SEEDS = (
    aka.write_challenge(challenge(3)),
    f"<{CONTACT}>;expires=60",
    f'"A, \\"B\\"" <{CONTACT}>;q=0.5;expires="7", <tel:+49>;x',
    'rspauth="00", qop=auth, nc=00000001, cnonce="x"',
    "120 (in a \\( while);duration=3",
    "sip:",
    "",
)
NOISE = '",;=<>()\\ \t*:@[]%0Aaé\udcff\0'
STATUSES = (200, 204, 300, 302, 401, 407, 408, 421, 423, 500, 503, 603)


def garbled(text: str, rng: random.Random) -> str:
    characters = list(text)
    for _ in range(rng.randrange(6)):
        at = rng.randrange(len(characters) + 1)
        characters[at : at + rng.randrange(3)] = rng.choice(NOISE) * rng.randrange(3)
    return "".join(characters)


def test_garbled_headers() -> None:
    rng = random.Random(20)
    ends: set[str] = set()
    for round_ in range(3000):
        exchange = rng.choice(OPEN)(Exchange())
        headers = [
            (rng.choice(NAMES), garbled(rng.choice(SEEDS), rng)) for _ in range(rng.randrange(8))
        ]
        cseq = exchange.request.headers.get("CSeq")
        exchange.registration.take_events()
        exchange.respond(rng.choice(STATUSES), *headers)
        moved = exchange.request.headers.get("CSeq") != cseq
        assert exchange.registration.take_events() or moved, round_
        if exchange.state == State.ASKING:
            exchange.card(RES)
        ends.add(exchange.state)
    assert {State.ENDED, State.REGISTERED, State.ANSWERED, State.WAITING} <= ends
