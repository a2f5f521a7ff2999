"""What one attempt did and how it ended: the facts that people read and JSON carries."""

from __future__ import annotations

from typing import Any, NamedTuple

from sipua.verdict import Verdict


class SipExchange(NamedTuple):
    """One request and the final answer to it; ``status`` is 0 where none came."""

    method: str
    status: int
    reason: str
    ms: float
    transport: str


class CardUse(NamedTuple):
    """The card that was asked, and what asking it cost."""

    reader: str
    atr: str
    iccid: str | None
    application: str
    apdus: int
    ms: float


class RegistrationResult:
    """Filled in while a registration goes on; ``verdict`` is set when it has ended."""

    __slots__ = (
        "algorithm",
        "associated_uris",
        "card",
        "contact",
        "domain",
        "elapsed_ms",
        "exchange",
        "expires",
        "hints",
        "impi",
        "impu",
        "local",
        "protection",
        "reason",
        "registrar",
        "resynchronised",
        "scheme",
        "service_route",
        "verdict",
    )

    def __init__(self) -> None:
        self.verdict = Verdict.INTERNAL_ERROR
        self.reason = Verdict.INTERNAL_ERROR.sentence
        self.hints: list[str] = []
        self.scheme: str | None = None
        self.algorithm: str | None = None
        self.impi: str | None = None
        self.impu: str | None = None
        self.domain: str | None = None
        self.registrar: str | None = None
        self.local: str | None = None
        self.contact: str | None = None
        self.protection: str | None = None
        self.expires: int | None = None
        self.service_route: list[str] = []
        self.associated_uris: list[str] = []
        self.resynchronised = False
        self.exchange: list[SipExchange] = []
        self.card: CardUse | None = None
        self.elapsed_ms = 0.0

    @property
    def exit_status(self) -> int:
        """Exit status of the process that made this attempt."""
        return self.verdict.exit_status

    def end(self, verdict: Verdict, reason: str = "", hints: list[str] | None = None) -> None:
        """Set how the attempt ended; what is left empty is the verdict's own."""
        self.verdict = verdict
        self.reason = reason or verdict.sentence
        self.hints = list(hints or verdict.next_steps)

    def to_json(self) -> dict[str, Any]:
        """The document of ``register --json``; what is absent is None, never missing."""
        return {
            "verdict": self.verdict.value,
            "exit_status": self.exit_status,
            "reason": self.reason,
            "hints": self.hints,
            "scheme": self.scheme,
            "algorithm": self.algorithm,
            "impi": self.impi,
            "impu": self.impu,
            "domain": self.domain,
            "registrar": self.registrar,
            "local": self.local,
            "contact": self.contact,
            "protection": self.protection,
            "expires": self.expires,
            "service_route": self.service_route,
            "associated_uris": self.associated_uris,
            "resynchronised": self.resynchronised,
            "exchange": [step._asdict() for step in self.exchange],
            "card": self.card and self.card._asdict(),
            "elapsed_ms": self.elapsed_ms,
        }


class RequestResult(RegistrationResult):
    """What became of a request other than REGISTER, and of the registration it stands on.

    ``answer`` holds header fields of the 2xx by name, in small letters: what the
    far end can do and, by its URIs, who it is.
    """

    __slots__ = ("answer", "method", "target")

    def __init__(self, method: str, target: str) -> None:
        super().__init__()
        self.method = method
        self.target = target
        self.answer: dict[str, list[str]] = {}

    @property
    def status(self) -> int | None:
        """Status of the last final response to it; None where none came."""
        for step in reversed(self.exchange):
            if step.method == self.method:
                return step.status or None
        return None

    def to_json(self) -> dict[str, Any]:
        """The document of ``register --json``, and what is known of the request."""
        return {
            **super().to_json(),
            "method": self.method,
            "target": self.target,
            "status": self.status,
            "answer": self.answer,
        }


class CallResult(RequestResult):
    """What became of a call, and of the registration it stands on.

    ``cause`` is one of sipua.ims.call_events.Cause; ``ring_ms`` runs from INVITE
    to its final response, ``talk_ms`` from there to the end. ``media`` holds the
    statistics of the voice stream, None when there was none. ``peer`` is the URI
    of the other side, ``asserted`` those that the network vouches for (RFC 3325);
    ``peer_name`` and ``asserted_name`` are display names, None where none came.
    """

    __slots__ = (
        "asserted",
        "asserted_name",
        "cause",
        "digits_received",
        "final_status",
        "media",
        "peer",
        "peer_name",
        "ring_ms",
        "talk_ms",
    )

    def __init__(self, target: str) -> None:
        super().__init__("INVITE", target)
        self.cause: str | None = None
        self.final_status: int | None = None
        self.peer: str | None = None
        self.peer_name: str | None = None
        self.asserted: list[str] = []
        self.asserted_name: str | None = None
        self.ring_ms: float | None = None
        self.talk_ms: float | None = None
        self.media: dict[str, Any] | None = None
        self.digits_received = ""

    @property
    def status(self) -> int | None:
        """Final status of the INVITE; None where none came."""
        return self.final_status

    def to_json(self) -> dict[str, Any]:
        """The document of a request, and what is known of the call."""
        return {
            **super().to_json(),
            "cause": self.cause,
            "peer": self.peer,
            "peer_name": self.peer_name,
            "asserted": self.asserted,
            "asserted_name": self.asserted_name,
            "ring_ms": self.ring_ms,
            "talk_ms": self.talk_ms,
            "media": self.media,
            "digits_received": self.digits_received,
        }
