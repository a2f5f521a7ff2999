"""The machine of one request outside a dialog, which any server on its way may challenge.

RFC 3261 §8.1 and §22, TS 24.229 §5.1.2A. Each round is the same request with
the next CSeq: a 401 of the far end and a 407 of a proxy may come one after the
other, and every answer given so far goes along (RFC 3261 §22.3). The
transaction layer adds Via with a new branch, and acknowledges an INVITE that
was refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.auth.answers import Answers
from sipua.errors import LocalError
from sipua.ims.events import Answered, Ended
from sipua.ims.machine import Finding, Machine, sentence
from sipua.ims.register_response import retry_after
from sipua.ims.request_table import TRANSITIONS
from sipua.ims.security_refusal import is_security_refusal
from sipua.ims.table import Input
from sipua.sip.grammar import is_token
from sipua.sip.message import Request
from sipua.sip.names import KEYS

if TYPE_CHECKING:
    from sipua.randomness import Randomness
    from sipua.sip.message import Response

WRITTEN_HERE = frozenset(
    {
        *("via", "max-forwards", "route", "record-route", "from", "to", "call-id", "cseq"),
        *("content-length", "content-type", "authorization", "proxy-authorization"),
    }
)
"""Header fields that nobody may add: a second one would make the request another."""


class RequestSettings(NamedTuple):
    """One request of one subscriber.

    ``uri`` is Request-URI and To, as ``target.read_target`` gives it; ``route``
    holds Route values, the first hop first. ``headers`` are added to those that
    every request has. ``schemes``, ``plain_res`` and ``refusal_wait`` are as in
    RegistrationSettings.
    """

    method: str
    uri: str
    impi: str
    impu: str
    domain: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = ""
    route: tuple[str, ...] = ()
    user_agent: str = ""
    schemes: tuple[str, ...] = ()
    plain_res: bool = False
    refusal_wait: float = 4.0


class OutgoingRequest(Machine):
    """Carries one request through its challenges to its final response.

    Its end is Answered for a 2xx, Ended for all else.
    """

    TRANSITIONS = TRANSITIONS

    def __init__(self, settings: RequestSettings, rng: Randomness) -> None:
        """Raises LocalError for header fields that cannot be added."""
        check_headers(settings.headers)
        answers = Answers(settings.impi, rng, settings.schemes, plain_res=settings.plain_res)
        super().__init__(answers, settings.refusal_wait)
        self.settings = settings
        self._number = 0
        self._call_id = f"{rng.getrandbits(128):032x}"
        self._tag = f"{rng.getrandbits(64):016x}"

    def start(self, now: float) -> None:
        """Send it; raises LocalError when it was sent before."""
        self._call(Finding(Input.START), now)

    def _cseq(self) -> str:
        return f"{self._number} {self.settings.method}"

    def _understand_other(self, response: Response, found: Finding) -> None:
        status = response.status
        if status < 300:
            found.happened = Input.ACCEPTED
            found.response = response
        elif status == 403:
            found.happened = Input.FORBIDDEN
        elif status == 408:
            found.happened = Input.TIMED_OUT
        elif is_security_refusal(response):
            found.happened = Input.SECURITY
        elif 500 <= status < 600:
            found.happened = Input.SERVER_FAILED
            seconds = retry_after(response)
            if seconds is not None:
                found.reason += f", Retry-After {seconds} s"

    # What is done ---------------------------------------------------------------------

    def _begin(self, _found: Finding, _now: float) -> None:
        self._send_answers()

    def _end(self, found: Finding, _now: float) -> None:
        assert found.verdict is not None
        answers = self._answers
        challenge = answers.last_challenge
        if found.response is not None:
            uri = self.settings.uri
            hints = tuple(
                f"The network did not prove itself by {name}: {error}."
                for name, error in answers.doubts(found.response, uri)
            )
            self._events.append(Answered(found.response, answers.resynchronised, hints))
            return
        from sipua.ims.request_advice import advise  # not needed when it goes well

        algorithm = challenge.algorithm if challenge else ""
        hints = advise(found.verdict, self.settings, found.status, algorithm)
        self._events.append(Ended(found.verdict, sentence(found.reason), hints))

    def _send_answers(self) -> None:
        settings = self.settings
        self._number += 1
        headers = [
            ("Max-Forwards", "70"),
            *(("Route", route) for route in settings.route),
            ("From", f"<{settings.impu}>;tag={self._tag}"),
            ("To", f"<{settings.uri}>"),
            ("Call-ID", self._call_id),
            ("CSeq", self._cseq()),
            ("P-Preferred-Identity", f"<{settings.impu}>"),
            *self._answers.credentials(settings.method, settings.uri, settings.body),
        ]
        if settings.user_agent:
            headers.append(("User-Agent", settings.user_agent))
        headers += settings.headers
        if settings.body:
            headers.append(("Content-Type", settings.content_type))
        self._requests.append(Request(settings.method, settings.uri, headers, settings.body))


def check_headers(headers: tuple[tuple[str, str], ...]) -> None:
    """Refuse header fields which are none, or are written by this program itself.

    Raises LocalError.
    """
    for name, value in headers:
        if not is_token(name):
            raise LocalError(f"{name[:40]!r} is not the name of a header field")
        if not value.replace("\t", " ").isprintable():
            raise LocalError(f"the header field {name} may not hold line ends or control codes")
        if KEYS[name] in WRITTEN_HERE:
            raise LocalError(f"the header field {name} is written by this program")
