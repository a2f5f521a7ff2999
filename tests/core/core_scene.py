"""Two subscribers of one network, the second with as many phones as a test wants."""

from __future__ import annotations

from core_ue import Network, Ue

from card.profile import Profile, shipped
from sipua.auth.scheme import Answer
from sipua.auth.schemes import aka
from sipua.core.gate import Demand
from sipua.ims.events import AuthenticationRequired
from sipua.ims.request import OutgoingRequest
from sipua.sip.message import Request, Response
from sipua.sip.timers import TimerValues

PROFILE = shipped()
assert PROFILE.isim is not None
DOMAIN = PROFILE.isim.domain


def subscriber(number: int) -> Profile:
    assert PROFILE.isim is not None
    isim = PROFILE.isim._replace(
        impi=f"{number}@{DOMAIN}", impu=(uri(number), f"tel:+1555{number}")
    )
    return PROFILE._replace(imsi=f"00101000000000{number}", isim=isim)


def uri(number: int) -> str:
    return f"sip:user{number}@{DOMAIN}"


class Scene:
    """Two registered subscribers, alice (1) and bob (2); ``phones`` are bob's, the first
    one by the transport ``bobs``."""

    def __init__(
        self,
        *,
        bobs: str = "UDP",
        phones: int = 1,
        timers: TimerValues | None = None,
        faults: tuple[str, ...] = (),
        every: Demand | None = None,
        **demands: Demand,
    ) -> None:
        """``every`` is the demand on all methods, ``demands`` those by method."""
        if every is not None:
            demands["*"] = every
        profiles = [subscriber(1), subscriber(2)]
        self.network = Network(profiles, timers, **demands)
        self.alice = Ue(self.network, profiles[0], "192.0.2.11").register()
        self.phones = [
            Ue(self.network, profiles[1], f"192.0.2.{20 + number}", "UDP" if number else bobs)
            for number in range(phones)
        ]
        for phone in self.phones:
            phone.register()
        if self.phones:
            self.bob = self.phones[0]
        for fault in faults:
            self.network.faults.add(fault)
        self.sent = Request("INVITE", "")  # the last INVITE of alice

    def invite(self, target: str = "", **headers: str) -> list[int]:
        """Have alice send an INVITE; the statuses that came back at once."""
        lines = {"Contact": f"<{self.alice.contact}>"} | headers
        self.sent = self.request(target or uri(2), "INVITE", **lines)
        return [each.status for each in self.alice.send(self.sent)]

    def call(self, target: str = "") -> None:
        """Have alice send an INVITE and answer its challenges."""
        contact = (("Contact", f"<{self.alice.contact}>"),)
        self.alice.request(target or uri(2), "INVITE", headers=contact)
        self.sent = self.alice.sent[-1]

    def cancel(self, **headers: str) -> list[int]:
        """Have alice cancel the last INVITE."""
        number = self.sent.cseq.number
        lines = {"CSeq": f"{number} CANCEL", "Call_ID": self.sent.call_id} | headers
        cancel = self.request(self.sent.uri, "CANCEL", **lines)
        return [each.status for each in self.alice.cancel(cancel)]

    def acknowledge(self, response: Response | None = None) -> None:
        """Have alice acknowledge a refusal (RFC 3261 §17.1.1.3)."""
        refusal = response or self.alice.told
        ack = self.request(
            self.sent.uri,
            "ACK",
            CSeq=f"{refusal.cseq.number} ACK",
            Call_ID=refusal.call_id,
            To=refusal.headers.get("To") or "",
        )
        self.alice.cancel(ack)

    def told(self) -> list[int]:
        """The statuses alice has been told for INVITE, 100 left out."""
        return [
            each.status
            for each in self.alice.inbox
            if isinstance(each, Response) and each.cseq.method == "INVITE" and each.status > 100
        ]

    def request(self, target: str = uri(2), method: str = "MESSAGE", **headers: str) -> Request:
        """A request of alice as a list of lines; ``headers`` replace or, empty, remove."""
        lines = {
            "Max_Forwards": "70",
            "From": f"<{uri(1)}>;tag=1",
            "To": f"<{target}>",
            "Call_ID": "1@alice",
            "CSeq": f"1 {method}",
        } | headers
        fields = [(name.replace("_", "-"), value) for name, value in lines.items() if value]
        return Request(method, target, fields)

    def answered_challenge(self, method: str = "MESSAGE") -> Request:
        """A request of alice that answers its challenge, not sent yet."""
        contact = (("Contact", f"<{self.alice.contact}>"),)
        settings = self.alice.settings(uri(2), method, headers=contact)
        machine = OutgoingRequest(settings, self.alice.rng)
        machine.start(self.network.now)
        (first,) = machine.take_requests()
        (response,) = self.alice.send(first)
        machine.response_received(response, self.network.now)
        (asked,) = machine.take_events()
        assert isinstance(asked, AuthenticationRequired)
        machine.card_answered(self.alice.card(asked), self.network.now)
        (second,) = machine.take_requests()
        return second

    def answered(self, request: Request, challenge: Response) -> Request:
        """The request once more, with the answer to a 407 of scheme aka."""
        (value,) = challenge.headers.all("Proxy-Authenticate")
        asked = aka.read_challenge(value, "Proxy-Authenticate")
        wanted = AuthenticationRequired(asked.rand, asked.autn, asked.scheme, asked.algorithm)
        answer = Answer(asked, self.alice.card(wanted), self.alice.identity.impi, "cnonce")
        again = Request(request.method, request.uri, request.headers.copy(), request.body)
        again.headers.add(*aka.write_credentials(answer, request.method, request.uri, b""))
        again.headers.set("CSeq", f"{request.cseq.number + 1} {request.method}")
        return again

    def status(self, request: Request) -> int:
        """What alice is answered at once."""
        (response,) = self.alice.send(request)
        return response.status
