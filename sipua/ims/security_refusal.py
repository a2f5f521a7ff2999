"""Refusals by which no security agreement comes about (RFC 3329), and what they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sipua.sip.message import Response

SEC_AGREE = "sec-agree"

NAMED_BY = {420: "Unsupported", 421: "Require", 494: "Security-Server"}
"""By status, the field that tells what it is about."""

MAX_NAMED = 200
"""Characters of that field which are passed on."""


def is_security_refusal(response: Response, *, required: bool = False) -> bool:
    """Whether it is for want of an agreement: 494 (RFC 3329 §2.3.1); 421 that wants sec-agree (RFC
    3261 §21.4.15); 420 for sec-agree where we have ``required`` it and do without nothing else
    (RFC 3261 §21.4.5). One that does not say what it is about, as it must, can mean nothing else.
    """
    status = response.status
    if status == 494:
        return True
    if status != 421 and not (status == 420 and required):
        return False
    extensions = {each.lower() for each in response.headers.legible(NAMED_BY[status])}
    return not extensions or SEC_AGREE in extensions


def named_by(response: Response) -> str:
    """What the refusal is about, to be told behind status and reason; "" where it does not say."""
    name = NAMED_BY.get(response.status, "")
    value = ", ".join(response.headers.all(name)) if name else ""
    return f", {name}: {value[:MAX_NAMED]}" if value else ""
