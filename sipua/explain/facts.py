"""The plain facts of challenges and exchanges, as ``explain --json`` prints them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sipua.auth.redaction import MASK
from sipua.explain.nonce_parts import parts_of
from sipua.explain.right_answer import described
from sipua.explain.rounds import ASSUMED_METHOD

if TYPE_CHECKING:
    from sipua.auth.scheme import AkaChallenge
    from sipua.explain.exchange import Exchange
    from sipua.explain.opening import Opened
    from sipua.explain.rounds import Round
    from sipua.explain.subscriber import Subscriber

Document = dict[str, Any]


def challenge_facts(round_: Round) -> Document:
    """A challenge taken apart."""
    challenge = round_.challenge
    parts = parts_of(challenge)
    data = parts.server_data
    return {
        "at": seconds(round_.exchange.answered_at if round_.seen else round_.exchange.at),
        "seen": round_.seen,
        "header": challenge.header,
        "scheme": challenge.scheme,
        "algorithm": challenge.algorithm or None,
        "realm": challenge.realm or None,
        "qop": list(challenge.qop_options),
        "stale": challenge.stale,
        "rand": parts.rand.hex(),
        "sqn_xor_ak": parts.sqn_xor_ak.hex(),
        "amf": parts.amf.hex(),
        "mac": parts.mac.hex(),
        "server_data": (data.hex() if isinstance(data, bytes) else data) or None,
    }


def exchange_facts(exchange: Exchange) -> Document:
    """One request and its final response."""
    ms = None
    if exchange.at >= 0 and exchange.answered_at >= 0:
        ms = round((exchange.answered_at - exchange.at) * 1000, 3)
    return {
        "at": seconds(exchange.at),
        "method": exchange.method or None,
        "source": exchange.source or None,
        "destination": exchange.destination or None,
        "transport": exchange.transport or None,
        "copies": exchange.copies,
        "status": exchange.status or None,
        "reason": exchange.reason or None,
        "ms": ms,
    }


def seconds(at: float) -> float | None:
    """A time to the microsecond; None where none is known."""
    return round(at, 6) if at >= 0 else None


def secrets(autn: Opened, challenge: AkaChallenge) -> Document:
    """RES, CK, IK and AK: for who asked to see them."""
    res, ck, ik, ak = autn.functions.f2345(challenge.rand)
    return {"res": res.hex(), "ck": ck.hex(), "ik": ik.hex(), "ak": ak.hex()}


def without_res(text: str, autn: Opened | None, challenge: AkaChallenge) -> str:
    """Text from which RES is taken out, wherever a terminal may have put it."""
    if autn is None:
        return text
    res = autn.functions.f2345(challenge.rand)[0].hex()
    return re.sub(res, MASK, text, flags=re.IGNORECASE)


def right_answer(round_: Round, subscriber: Subscriber | None, *, show_secrets: bool) -> Document:
    """What a right answer looks like, with the values of the answer that was given."""
    exchange, told = round_.answers[0] if round_.answers else (round_.exchange, None)
    username = subscriber.impi if subscriber else ""
    if not username and told is not None:
        username = told.get("username")
    uri = exchange.uri or (told.get("uri") if told is not None else "")
    if not uri and subscriber is not None and subscriber.domain:
        uri = f"sip:{subscriber.domain}"
    return described(
        round_.challenge,
        username,
        exchange.method or ASSUMED_METHOD,
        uri,
        subscriber if uri else None,
        told.get("cnonce") if told is not None else "",
        exchange.body,
        show_secrets=show_secrets,
    )
