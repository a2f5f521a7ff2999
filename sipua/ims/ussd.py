"""USSD over IMS that the user began (TS 24.390): a call that carries no voice, but questions
and answers.

The INVITE brings what the user typed, INFO what goes back and forth, BYE the
result; all else of the call is that of any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import LocalError, ParseError
from sipua.ims import multipart, ussd_data
from sipua.ims.caller import Caller
from sipua.ims.multipart import Part
from sipua.ims.ussd_data import CONTENT_TYPE, INFO_PACKAGE, UssdData
from sipua.ims.ussd_dialogue import NO_VOICE, UssdDialogue, UssdInput
from sipua.sip import sdp
from sipua.sip.offer_answer import OFFERED

if TYPE_CHECKING:
    from sipua.ims.call import News
    from sipua.ims.call_settings import CallSettings
    from sipua.randomness import Randomness
    from sipua.sip.message import Request, Response

DIAL_CHARACTERS = frozenset("0123456789*#+")


def dial_string(code: str, domain: str) -> str:
    """The Request-URI of a USSD code as it is dialled (TS 24.390 §4.5.4.1, RFC 4967).

    Raises LocalError for what is none.
    """
    plain = code.strip()
    if not plain or set(plain) - DIAL_CHARACTERS or len(plain) > ussd_data.MAX_CHARACTERS:
        raise LocalError(f"{code[:40]!r} is no USSD code of the characters 0-9 * # +")
    user = plain.replace("#", "%23")
    return f"sip:{user};phone-context={domain}@{domain};user=dialstring"


class Ussd(UssdDialogue, Caller):
    """One request of a user's, and what comes of it."""

    def __init__(
        self, settings: CallSettings, code: str, domain: str, rng: Randomness, language: str = "en"
    ) -> None:
        """Raises LocalError for a code that cannot be dialled."""
        self._request_data = UssdData(code.strip(), language)
        self.language = language
        media = settings.media._replace(port=0, codecs=NO_VOICE)
        super().__init__(settings._replace(media=media), dial_string(code, domain), rng)
        self._boundary = f"ussd-{rng.getrandbits(64):016x}"

    def _heard_success(self, response: Response, now: float) -> None:
        """Some networks answer without a session description, some put the result into the
        2xx."""
        content_type = response.headers.get("Content-Type") or ""
        try:
            parts = multipart.split(content_type, response.body)
        except ParseError:
            parts = []
        bodies = {part.media_type: part.body for part in parts}
        is_first = self.session is None
        session = self._branch(response)
        response.body = bodies.get(sdp.CONTENT_TYPE, b"")
        if session is not None and not response.body and session.media.state == OFFERED:
            session.media.refuse()  # there is no voice that it could be about
        super()._heard_success(response, now)
        if is_first and CONTENT_TYPE in bodies:
            self.take_result(CONTENT_TYPE, bodies[CONTENT_TYPE], now)

    def _establish(self, news: News, now: float) -> None:
        super()._establish(news, now)
        self.happened(UssdInput.TAKEN, UssdData(), now)

    def _write(self) -> Request:
        """INVITE with the user's request beside the description of a session without voice."""
        request = super()._write()
        parts = [
            Part(sdp.CONTENT_TYPE, request.body),
            Part(CONTENT_TYPE, self._request_data.to_bytes(), "render;handling=optional"),
        ]
        content_type, request.body = multipart.build(parts, self._boundary)
        headers = request.headers
        headers.set("Content-Type", content_type)
        headers.set("Accept", f"{sdp.CONTENT_TYPE}, {CONTENT_TYPE}, {multipart.MIXED}")
        headers.add("Recv-Info", INFO_PACKAGE)
        return request
