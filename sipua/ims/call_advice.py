"""What to check next when a call of ours did not come about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ims import request_advice
from sipua.ims.request import RequestSettings
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.ims.call_settings import CallSettings

NO_COMMON_MEDIA = (415, 488, 606)


def advise(
    verdict: Verdict, settings: CallSettings, target: str, status: int = 0, algorithm: str = ""
) -> tuple[str, ...]:
    """Sentences for the verdict of a call to ``target``, the most probable cause first.

    ``status`` is that of the final response, 0 for none; ``algorithm`` that of
    the last challenge answered.
    """
    if verdict is Verdict.REJECTED:
        if status in NO_COMMON_MEDIA:
            return (
                "No codec, transport or address of our offer suits the other side: compare both "
                "session descriptions with -vv.",
            )
        if status == 484:
            return (
                f"{target} is too short for the network: write tel:+ and the whole number, "
                "country code first.",
            )
        if status in (420, 421):
            return (
                "One side insists on an extension that the other has not: see Require and "
                "Unsupported of the answer with -vv.",
            )
    if verdict is Verdict.NO_ANSWER and status == 480:
        return (f"{target} is known, but not there: not registered, or its phone is not reached.",)
    request = RequestSettings(
        method="INVITE",
        uri=target,
        impi=settings.impi,
        impu=settings.impu,
        domain="",
        plain_res=settings.plain_res,
    )
    return request_advice.advise(verdict, request, status, algorithm)
