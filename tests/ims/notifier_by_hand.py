"""The notifier of a subscription, played by the test: every message by hand, time by hand."""

from __future__ import annotations

import random
from typing import TypeVar

from registrar_by_hand import DOMAIN, IMPI, challenge

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from sipua.auth.schemes import aka
from sipua.ims import reginfo
from sipua.ims.events import Ended, Event
from sipua.ims.reg_event import RegEventSubscription
from sipua.ims.subscription_settings import SubscriptionSettings
from sipua.ims.table import State
from sipua.sip.message import Request, Response
from sipua.sip.parameters import Parameters
from sipua.verdict import Verdict

IMPU = f"sip:{IMPI}"
CONTACT = "sip:user@192.0.2.7:5062"
ROUTE = "<sip:orig@192.0.2.1;lr>"
NOTIFIER = "sip:scscf@192.0.2.20:6060"
SETTINGS = SubscriptionSettings(IMPU, IMPI, IMPU, CONTACT, route=(ROUTE,))

E = TypeVar("E", bound=Event)


def document(event: str = "registered", version: int = 0, state: str = "full") -> bytes:
    life = "active" if event in ("registered", "refreshed", "shortened") else "terminated"
    return (
        f'<reginfo xmlns="{reginfo.NAMESPACE}" version="{version}" state="{state}">'
        f'<registration aor="{IMPU}" id="r" state="{life}">'
        f'<contact id="c" state="{life}" event="{event}"><uri>{CONTACT}</uri></contact>'
        "</registration></reginfo>"
    ).encode()


class Notifier:
    """A subscription and who is asked."""

    def __init__(self, settings: SubscriptionSettings = SETTINGS) -> None:
        self.machine = RegEventSubscription(settings, random.Random(1))
        self.now = 1000.0
        self.requests: list[Request] = []
        self.events: list[Event] = []
        self.number = 100
        self.tag = "notifier"

    @property
    def state(self) -> str:
        return self.machine.state

    @property
    def request(self) -> Request:
        return self.requests[-1]

    @property
    def sent(self) -> int:
        return len(self.requests)

    def collect(self) -> Notifier:
        self.requests += self.machine.take_requests()
        self.events += self.machine.take_events()
        return self

    def start(self) -> Notifier:
        self.machine.start(self.now)
        self.collect()
        assert self.state == State.TRYING
        return self

    def stop(self) -> Notifier:
        self.machine.stop(self.now)
        return self.collect()

    def respond(self, status: int, *headers: tuple[str, str]) -> Notifier:
        cseq = ("CSeq", self.request.headers.get("CSeq") or "")
        self.machine.response_received(Response(status, "", [cseq, *headers]), self.now)
        return self.collect()

    def accept(self, expires: int = 600000) -> Notifier:
        return self.respond(200, ("Expires", str(expires)))

    def challenged(self, number: int = 0) -> Notifier:
        value = aka.write_challenge(challenge(number))
        return self.respond(401, ("WWW-Authenticate", value))

    def card(self, outcome: AkaResponse | SynchronisationFailure | MacFailure) -> Notifier:
        self.machine.card_answered(outcome, self.now)
        return self.collect()

    def fail(self, error: Exception) -> Notifier:
        self.machine.request_failed(error, self.now)
        return self.collect()

    def notification(self, state: str, body: bytes = b"", **more: str) -> Request:
        """A NOTIFY in the dialog that the last SUBSCRIBE made, or is about to."""
        asked = self.request.headers
        fields = {
            "Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKn",
            "From": f"<{IMPU}>;tag={self.tag}",
            "To": asked.get("From") or "",
            "Call-ID": asked.get("Call-ID") or "",
            "CSeq": f"{self.number} NOTIFY",
            "Contact": f"<{NOTIFIER}>",
            "Event": "reg",
            "Subscription-State": state,
            **({"Content-Type": reginfo.CONTENT_TYPE} if body else {}),
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        self.number += 1
        headers = [(name, value) for name, value in fields.items() if value]
        return Request("NOTIFY", CONTACT, headers, body)

    def notify(self, state: str = "active;expires=600000", body: bytes = b"", **more: str) -> int:
        """Have a NOTIFY come; returns the status it is answered."""
        request = self.notification(state, body, **more)
        assert self.machine.owns(request)
        self.machine.request_received(request, self.now)
        self.collect()
        (reply,) = self.machine.take_responses()
        assert reply.request is request
        assert reply.response.headers.get("CSeq") == request.headers.get("CSeq")
        return reply.response.status

    def active(self, expires: int = 600000) -> Notifier:
        self.start().accept(expires)
        assert self.notify(f"active;expires={expires}", document()) == 200
        assert self.state == "active"
        return self

    def pass_to_deadline(self) -> float:
        """Let exactly the time pass that it waits for; returns how long that was."""
        deadline = self.machine.deadline()
        assert deadline is not None
        sent, state = self.sent, self.state
        self.machine.tick(deadline - 0.001)
        self.collect()
        assert (self.sent, self.state) == (sent, state), "it did not wait"
        waited, self.now = deadline - self.now, deadline
        self.machine.tick(deadline)
        self.collect()
        return waited

    def event(self, kind: type[E]) -> E:
        """The last event of this kind."""
        return next(each for each in reversed(self.events) if isinstance(each, kind))

    def ended(self, verdict: Verdict) -> Ended:
        assert self.state == State.ENDED
        assert self.machine.deadline() is None
        event = self.events[-1]
        assert isinstance(event, Ended)
        assert event.verdict is verdict
        assert event.reason.endswith(".")
        return event

    def expires(self) -> int:
        return int(self.request.headers.get("Expires") or "-1")

    def verify(self, number: int, expected: AkaResponse, nc: int = 1) -> None:
        value = self.request.headers.get("Authorization")
        assert value is not None
        aka.verify(
            aka.read_credentials(value),
            challenge(number),
            expected,
            username=IMPI,
            method="SUBSCRIBE",
            uri=self.request.uri,
            nc=nc,
        )


__all__ = ["DOMAIN", "SETTINGS", "Notifier", "Parameters", "document"]
