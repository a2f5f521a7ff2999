"""What to check next when a request other than REGISTER was not accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ims.advice import ALWAYS
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.ims.request import RequestSettings


UNABLE = (501, 513)
"""Server failures which no patience helps against (RFC 3261 §21.5.2, §21.5.7)."""


def advise(
    verdict: Verdict, settings: RequestSettings, status: int = 0, algorithm: str = ""
) -> tuple[str, ...]:
    """Sentences for the verdict, the most probable cause first.

    ``status`` is that of the last response, 0 for none; ``algorithm`` that of
    the last challenge answered.
    """
    if verdict is Verdict.REJECTED or status in UNABLE:
        return _rejected(settings, status)
    if verdict is Verdict.SERVER_ERROR:
        return (
            "Try again later; if it stays, see with -vv (Server, Via) which element failed, and "
            "look at its log.",
        )
    if verdict is Verdict.WRONG_RESPONSE:
        return _wrong_response(settings, algorithm)
    if verdict is Verdict.NO_AKA_OFFERED:
        return (
            f"See which scheme the network is told to use for {settings.method}: it can be AKA "
            "for REGISTER and a password for the rest.",
        )
    if verdict is Verdict.TIMEOUT:
        return (
            f"Nobody answered for {settings.uri}: it may be registered and gone. See whether its "
            "phone is on, and in the network's log how far the request came.",
        )
    return ALWAYS.get(verdict, verdict.next_steps)


def _wrong_response(settings: RequestSettings, algorithm: str) -> tuple[str, ...]:
    hints = (
        f"The card accepted AUTN, so both sides hold the same key: see that the IMPI "
        f"{settings.impi} may speak for {settings.impu}.",
        f"It may also be {settings.uri} that forbids it, and not the network.",
    )
    if algorithm.startswith("AKAv2"):
        other = "without" if settings.plain_res else "with"
        return (
            f"Some servers mean RES itself by {algorithm}, not what RFC 4169 derives from it: "
            f"try it {other} --plain-res.",
            *hints,
        )
    return hints


def _rejected(settings: RequestSettings, status: int) -> tuple[str, ...]:
    if status == 404:
        return (f"See that {settings.uri} is spelled as the network knows it.",)
    if status in (408, 410, 480):
        return (f"{settings.uri} is known there, but not registered: see that its phone is on.",)
    if status in (405, 501):
        return (f"Not everybody can do {settings.method}: ask with `sipua options`.",)
    if status in (413, 513):
        return ("The request is too large for somebody on its way: send less.",)
    if status in (482, 483):
        return (f"The request goes round in circles: see how the network routes {settings.uri}.",)
    if status == 403:
        return (f"See that {settings.impu} is registered, and allowed to do {settings.method}.",)
    if 300 <= status < 400:
        return (f"{settings.uri} is elsewhere now: see the Contact of the answer with -vv.",)
    return (
        f"See with -vv whether it is the network that says so or {settings.uri} itself (Server, "
        "Via), and why (Reason, Warning).",
    )
