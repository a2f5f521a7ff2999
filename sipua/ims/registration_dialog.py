"""What the REGISTERs of one registration have in common: Call-ID, tag and CSeq.

RFC 3261 §10.2.4 wants one Call-ID and a rising CSeq for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.auth.answers import Answers
from sipua.auth.scheme import CHALLENGE_HEADERS
from sipua.auth.schemes.aka import initial_credentials
from sipua.ims.register_request import METHOD, RegisterWriter

if TYPE_CHECKING:
    from sipua.ims.register_request import RegistrationSettings
    from sipua.randomness import Randomness
    from sipua.sip.message import Request


class RegistrationDialog:
    """Writes the requests of one registration, with the ``answers`` given so far."""

    __slots__ = ("_call_id", "_cseq", "_settings", "_tag", "_writer", "answers")

    def __init__(
        self, settings: RegistrationSettings, writer: RegisterWriter, rng: Randomness
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._call_id = f"{rng.getrandbits(128):032x}"
        self._tag = f"{rng.getrandbits(64):016x}"
        self._cseq = 0
        self.answers = Answers(settings.impi, rng, settings.schemes, plain_res=settings.plain_res)

    @property
    def cseq(self) -> str:
        """CSeq of the last request, as its response repeats it."""
        return f"{self._cseq} {METHOD}"

    @property
    def is_used(self) -> bool:
        """Whether a request has been written."""
        return self._cseq > 0

    def opening(self, uri: str, expires: int, *, reuse: bool) -> Request:
        """The first request of an attempt.

        With ``reuse`` it carries the last answers, counted on, where those may
        serve again (TS 24.229 §5.1.1.4.1); else the empty credentials.
        """
        self.answers.forget_unusable(reuse=reuse)
        return self.request(uri, expires)

    def request(self, uri: str, expires: int) -> Request:
        """A request with every answer there is, each nonce used once more."""
        credentials = self.answers.credentials(METHOD, uri)
        if CHALLENGE_HEADERS[401] not in self.answers.given:
            settings = self._settings
            empty = initial_credentials(settings.impi, settings.domain, uri, settings.algorithm)
            credentials.insert(0, ("Authorization", empty))
        self._cseq += 1
        return self._writer.write(
            uri,
            self._call_id,
            self._tag,
            self.cseq,
            expires=expires,
            credentials=credentials,
        )
