"""Who is told what a user agent does while it does it: people, and a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, ParamSpec, Protocol

from sipua.auth.redaction import redact_message

if TYPE_CHECKING:
    from card.masking import TracedApdu
    from card.session import Trace
    from sipua.result import RegistrationResult
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request
    from sipua.trace.narration import Narrator
    from sipua.trace.step import Step

P = ParamSpec("P")

OnStep = Callable[["Step"], None]
OnMessage = Callable[[Literal["sent", "received"], bytes, "Hop"], None]


class Recorder(Protocol):
    """Who writes down all of it: steps, messages with both ends known, APDUs.

    Secrets are masked as for everybody else unless ``shows_secrets``; of messages
    it does that itself. It may put its work off until ``catch_up``, which is
    called when there is time, once it has been called at all.
    """

    way: Callable[[Hop], tuple[Hop, bool]]
    """Adds our own end to a hop, and tells whether IPsec protects it; set by who has the
    sockets."""

    @property
    def shows_secrets(self) -> bool: ...
    def step(self, step: Step) -> None: ...
    def message(self, direction: Literal["sent", "received"], data: bytes, hop: Hop) -> None: ...
    def apdu(self, apdu: TracedApdu) -> None: ...
    def ended(self, how: str) -> None: ...
    def catch_up(self) -> None: ...


class Observer:
    """Who is told what happens while it happens; each of the six may be left out.

    ``on_step``: each step of the exchange. ``on_message``: each SIP message at
    the edge to the network, session keys masked. ``on_apdu``: each APDU, secrets
    masked. ``on_request``: each request that came in and was accepted.
    ``recorder``: all of it, for a file. ``on_news``: sentences about a
    registration that stays: what the network did with it, outages.
    """

    __slots__ = ("on_apdu", "on_message", "on_news", "on_request", "on_step", "recorder")

    def __init__(
        self,
        on_step: OnStep | None = None,
        on_message: OnMessage | None = None,
        on_apdu: Trace | None = None,
        on_request: Callable[[Request], None] | None = None,
        recorder: Recorder | None = None,
        on_news: Callable[[str], None] | None = None,
    ) -> None:
        self.on_step = on_step
        self.on_message = on_message
        self.on_apdu = on_apdu
        self.on_request = on_request
        self.recorder = recorder
        self.on_news = on_news

    def news(self, sentence: str) -> None:
        """Something happened to the registration."""
        if self.on_news is not None:
            self.on_news(sentence)

    def ended(self, result: RegistrationResult) -> None:
        """An attempt has ended so."""
        if self.recorder is not None:
            said = [f"{result.verdict.value}: {result.reason}"]
            said += [f"hint: {hint}" for hint in result.hints]
            self.recorder.ended("\n".join(said))

    def narrator(self) -> Narrator | None:
        """Who tells the steps, if anybody listens."""
        recorder = self.recorder
        listening = _all_of(self.on_step, None if recorder is None else recorder.step)
        if listening is None:
            return None
        from sipua.trace.narration import Narrator

        return Narrator(listening, answers=self.on_step is not None)

    def card_traces(self) -> tuple[Trace | None, Trace | None]:
        """Who sees APDUs masked, and who sees them as they are."""
        recorder = self.recorder
        if recorder is None:
            return self.on_apdu, None
        if recorder.shows_secrets:
            return self.on_apdu, recorder.apdu
        return _all_of(self.on_apdu, recorder.apdu), None

    def messages(self, way: Callable[[Hop], tuple[Hop, bool]]) -> OnMessage | None:
        """Who sees messages; ``way`` is for the recorder. From now on it catches up."""
        recorder = self.recorder
        if recorder is not None:
            recorder.way = way
            recorder.catch_up()
        return _all_of(_redacted(self.on_message), None if recorder is None else recorder.message)

    @property
    def when_idle(self) -> Callable[[], None] | None:
        """What to do when there is time."""
        return self.recorder.catch_up if self.recorder is not None else None

    def catch_up(self) -> None:
        """Write down what was put off."""
        if self.recorder is not None:
            self.recorder.catch_up()


def _redacted(tell: OnMessage | None) -> OnMessage | None:
    if tell is None:
        return None
    return lambda direction, data, hop: tell(direction, redact_message(data), hop)


def _all_of(*hearers: Callable[P, None] | None) -> Callable[P, None] | None:
    """One hearer that tells all of those there are; None when there is none."""
    there = [each for each in hearers if each is not None]
    if len(there) < 2:
        return there[0] if there else None

    def tell(*what: P.args, **named: P.kwargs) -> None:
        for each in there:
            each(*what, **named)

    return tell
