"""The other side of a registration, played by the test: responses by hand, time by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from sipua.auth.scheme import AkaChallenge, Credentials
from sipua.auth.schemes import aka
from sipua.ims.events import (
    Ended,
    Event,
    Registered,
)
from sipua.ims.register_request import RegistrationSettings
from sipua.ims.registration import Registration
from sipua.ims.table import State
from sipua.sip.message import Request, Response
from sipua.verdict import Verdict

FLOW = json.loads((Path(__file__).parents[2] / "fixtures/flows/registration.json").read_text())[
    "verified_flows"
][0]
IMPI = FLOW["username"]
DOMAIN = FLOW["realm"]
CONTACT = "sip:192.0.2.7:5062;transport=tcp"
SETTINGS = RegistrationSettings(IMPI, f"sip:{IMPI}", DOMAIN, CONTACT)
RES = AkaResponse(bytes.fromhex(FLOW["RES"]), bytes.fromhex(FLOW["CK"]), bytes.fromhex(FLOW["IK"]))
AUTS = SynchronisationFailure(bytes(range(14)))

EventT = TypeVar("EventT", bound=Event)


class Exchange:
    """A registration and the network it talks to, played by the test."""

    def __init__(self, settings: RegistrationSettings = SETTINGS) -> None:
        self.registration = Registration(settings, random.Random(1))
        self.now = 1000.0
        self.requests: list[Request] = []
        self.challenge = challenge(0)

    @property
    def state(self) -> str:
        return self.registration.state

    @property
    def request(self) -> Request:
        return self.requests[-1]

    @property
    def credentials(self) -> Credentials:
        value = self.request.headers.get("Authorization")
        assert value is not None
        return aka.read_credentials(value)

    def collect(self) -> None:
        self.requests += self.registration.take_requests()

    def start(self) -> Exchange:
        self.registration.start(self.now)
        self.collect()
        assert self.state == State.TRYING
        return self

    def deregister(self) -> Exchange:
        self.registration.deregister(self.now)
        self.collect()
        return self

    def respond(self, status: int, *headers: tuple[str, str], reason: str = "") -> Exchange:
        cseq = self.request.headers.get("CSeq") or ""
        self.registration.response_received(
            Response(status, reason, [("CSeq", cseq), *headers]), self.now
        )
        self.collect()
        return self

    def challenged(
        self,
        number: int = 0,
        status: int = 401,
        algorithm: str = "AKAv1-MD5",
        *,
        stale: bool = False,
    ) -> Exchange:
        header = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        self.challenge = challenge(number, algorithm, header)._replace(stale=stale)
        return self.respond(status, (header, aka.write_challenge(self.challenge)))

    def card(self, outcome: AkaResponse | SynchronisationFailure | MacFailure) -> Exchange:
        self.registration.card_answered(outcome, self.now)
        self.collect()
        return self

    def fail(self, error: Exception) -> Exchange:
        self.registration.request_failed(error, self.now)
        self.collect()
        return self

    def accepted(self, expires: int = 3600, *headers: tuple[str, str]) -> Exchange:
        return self.respond(200, ("Contact", f"<{CONTACT}>;expires={expires}"), *headers)

    def registered(self, expires: int = 3600) -> Exchange:
        self.start().challenged(0).card(RES).accepted(expires)
        self.event(Registered)
        assert self.state == State.REGISTERED
        return self

    def pass_time(self, seconds: float) -> Exchange:
        self.now += seconds
        self.registration.tick(self.now)
        self.collect()
        return self

    def pass_to_deadline(self) -> Exchange:
        deadline = self.registration.deadline()
        assert deadline is not None
        sent = len(self.requests)
        state = self.state
        self.pass_time(deadline - self.now - 0.001)
        assert (len(self.requests), self.state) == (sent, state), "it did not wait"
        self.now = deadline
        return self.pass_time(0)

    def event(self, kind: type[EventT]) -> EventT:
        """The last event, which must be of this kind."""
        events = self.registration.take_events()
        assert events, "no event"
        assert isinstance(events[-1], kind), events
        return events[-1]

    def ended(self, verdict: Verdict) -> Ended:
        assert self.state == State.ENDED
        assert self.registration.deadline() is None
        sent = len(self.requests)
        event = self.event(Ended)
        assert event.verdict is verdict, event
        assert event.reason[0].isupper()
        assert event.reason.endswith(".")
        self.pass_time(1e6)
        assert len(self.requests) == sent
        assert self.registration.binding is None
        return event

    def verify(self, nc: int = 1, expected: AkaResponse = RES) -> None:
        """The last request holds a right answer to the last challenge."""
        aka.verify(
            self.credentials,
            self.challenge,
            expected,
            username=IMPI,
            method="REGISTER",
            uri=self.request.uri,
            nc=nc,
        )


def challenge(
    number: int, algorithm: str = "AKAv1-MD5", header: str = "WWW-Authenticate"
) -> AkaChallenge:
    rand = bytes.fromhex(FLOW["RAND"])[:15] + bytes([number])
    return aka.make_challenge(DOMAIN, rand, bytes.fromhex(FLOW["AUTN"]), algorithm, header=header)


OPEN: tuple[Callable[[Exchange], Exchange], ...] = (
    lambda exchange: exchange.start(),
    lambda exchange: exchange.start().challenged().card(RES),
    lambda exchange: exchange.start().challenged().card(AUTS),
)
