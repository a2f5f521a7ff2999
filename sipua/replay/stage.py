"""One recorded dialog, played: the peer and the card say what they said, at the times they said
it; what today's machine and transactions send is noted beside what was sent then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.agent.switchboard import answer
from sipua.errors import LocalError
from sipua.replay.randomness import RecordedRandomness, own_tag
from sipua.replay.recording import CardSaid, Recorded
from sipua.sip.endpoint import (
    AckReceived,
    Endpoint,
    RequestReceived,
    ResponseReceived,
    TransactionTimeout,
    TransportFailed,
)
from sipua.sip.headers import NameAddr
from sipua.sip.message import Request, Response, parse

if TYPE_CHECKING:
    from sipua.auth.scheme import Outcome
    from sipua.replay.recording import RecordedDialog
    from sipua.replay.roles import Role
    from sipua.sip.endpoint import ClientTransaction, ServerTransaction
    from sipua.sip.inspection import Abilities

    Message = Request | Response

MAX_TURNS = 10_000  # of a dialog
NO_LIMIT = 65535  # octets over UDP: by which transport it went was not the machine's choice


class Key(NamedTuple):
    """Names a message in its dialog: the ``copy``-th of the ``number``-th of its kind."""

    kind: str
    number: int
    copy: int

    def __str__(self) -> str:
        number = f" no. {self.number + 1}" if self.number else ""
        copy = f", sent again ({self.copy})" if self.copy else ""
        return f"{self.kind}{number}{copy}"


class Numbers:
    """Numbers requests of each method in the order in which they are seen first."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._methods: dict[str, int] = {}

    def of(self, method: str, branch: str) -> int:
        mark = method, branch
        if mark not in self._numbers:
            self._numbers[mark] = self._methods.get(method, 0)
            self._methods[method] = self._numbers[mark] + 1
        return self._numbers[mark]


class Book:
    """Gives each message of one side its name. ``theirs`` numbers the peer's requests: a response
    goes by the number of its request."""

    def __init__(self, theirs: Numbers) -> None:
        self._theirs = theirs
        self._own = Numbers()
        self._copies: dict[tuple[str, int], int] = {}

    def name(self, message: Message) -> Key:
        """The name of the next message."""
        branch = branch_of(message)
        if isinstance(message, Request):
            kind = message.method
            number = self._own.of(kind, branch)
        else:
            method = (message.headers.get("CSeq") or "").partition(" ")[2].strip()
            kind = f"{message.status} to {method}"
            number = self._theirs.of(method, branch)
        copy = self._copies.get((kind, number), -1) + 1
        self._copies[kind, number] = copy
        return Key(kind, number, copy)


class Said(NamedTuple):
    """A message and when it was sent, in seconds since 1970."""

    at: float
    message: Message


class Endless(LocalError):
    """Today's machines would not come to an end with this recording."""


class Stage:
    """Plays ``dialog`` with ``role``; afterwards ``then`` and ``now`` hold who sent what."""

    def __init__(
        self,
        dialog: RecordedDialog,
        role: Role,
        card: list[CardSaid],
        answers: dict[tuple[bytes, bytes], Outcome],
        until: float,
        abilities: Abilities,
    ) -> None:
        """``answers`` are the card's to vectors, whose times are in ``card`` if they were
        captured; time goes on to ``until``. ``abilities`` are those of the whole user agent.
        ``unanswered`` counts messages of the peer's which nothing of today's asked for."""
        self.then: dict[Key, Said] = {}
        self.now: dict[Key, Said] = {}
        self.unanswered = 0
        self._dialog = dialog
        self._role = role
        self._card = card
        self._answers = answers
        self._until = until
        self._abilities = abilities
        self.turns = 0
        self._clock = dialog.began
        self._endpoint = Endpoint(RecordedRandomness(dialog), udp_limit=NO_LIMIT)
        self._peer = dialog.peer
        self._sent_by = _sent_by(dialog)
        self._theirs = Numbers()
        self._recorded, self._ours = Book(self._theirs), Book(self._theirs)
        self._recorded_branches: dict[tuple[str, str], Key] = {}
        self._clients: dict[ClientTransaction, Request] = {}
        self._servers: dict[Request, ServerTransaction] = {}

    def play(self) -> None:
        """From the first message to the end. Raises Endless."""
        card = [each for each in self._card if self._dialog.began <= each.at <= self._until]
        events: list[Recorded | CardSaid] = [*self._dialog.messages, *card]
        events.sort(key=lambda event: event.at)
        for event in events:
            self._advance(event.at)
            if isinstance(event, CardSaid):
                self._card_said(event)
            elif event.sent:
                self._was_sent(event)
            else:
                self._came(event)
        self._advance(self._until)

    def give_up(self) -> None:
        """The user's patience ended here."""
        self._role.give_up(self._clock)
        self._flush()

    # Time ----------------------------------------------------------------------------------

    def _advance(self, to: float) -> None:
        while True:
            times = [self._endpoint.deadline(), self._role.deadline()]
            due = min((at for at in times if at is not None), default=None)
            if due is None or due > to:
                break
            self._take_turn()
            self._clock = max(self._clock, due)
            self._endpoint.tick(self._clock)
            self._collect()
            self._role.tick(self._clock)
            self._flush()
        self._clock = max(self._clock, to)

    def _take_turn(self) -> None:
        self.turns += 1
        if self.turns > MAX_TURNS:
            raise Endless(f"there is no end to it within {MAX_TURNS} steps")

    # What was recorded ---------------------------------------------------------------------

    def _was_sent(self, event: Recorded) -> None:
        message = event.message
        key = self._recorded.name(message)
        self.then[key] = Said(event.at, message)
        if isinstance(message, Request):
            self._recorded_branches[message.method, branch_of(message)] = key
        if key.copy or key in self.now:
            return
        self._card_must_have_answered()
        if key not in self.now:
            self._role.prompt(message, self._clock)
            self._flush()

    def _came(self, event: Recorded) -> None:
        message = event.message
        translated: Message | None
        if isinstance(message, Response):
            translated = self._response_for_us(message)
        else:
            self._theirs.of(message.method, branch_of(message))
            translated = self._request_for_us(message)
        if translated is None:
            self.unanswered += 1
            return
        source = self._peer._replace(local=self._sent_by)
        self._endpoint.receive(translated.to_bytes(), source, self._clock)
        self._collect()
        self._flush()

    def _response_for_us(self, response: Response) -> Response | None:
        """The response, as if to the request that today's program sent in the place of the one
        recorded; None where it sent none."""
        method = (response.headers.get("CSeq") or "").partition(" ")[2].strip()
        key = self._recorded_branches.get((method, branch_of(response)))
        said = self.now.get(key) if key is not None else None
        vias = response.headers.values("Via")
        if said is None or not vias:
            return None
        ours = said.message
        headers = response.headers.copy()
        headers.replace("Via", [vias[0].replace(branch_of(response), branch_of(ours))])
        headers.set("Call-ID", ours.headers.get("Call-ID") or "")
        headers.set("CSeq", ours.headers.get("CSeq") or "")
        headers.set("From", ours.headers.get("From") or "")
        return Response(response.status, response.reason, headers, response.body)

    def _request_for_us(self, request: Request) -> Request | None:
        """A request of the peer's in the dialog that today's program has: our tag of today where
        it had that of the recording."""
        headers = request.headers.copy()
        if self._dialog.incoming:
            answers = (said.message for said in self.now.values())
            tag = next(filter(None, (_own_tag(each) for each in answers)), "")
        else:
            ours = next((said.message for said in self.now.values()), None)
            if ours is None:
                return None
            headers.set("Call-ID", ours.headers.get("Call-ID") or "")
            tag = _own_tag(ours)
        then = own_tag(self._dialog)
        to = headers.get("To") or ""
        if tag and then and NameAddr.parse(to).tag == then:
            head, _, tail = to.rpartition(then)
            headers.set("To", f"{head}{tag}{tail}")
        return Request(request.method, request.uri, headers, request.body)

    # The card ------------------------------------------------------------------------------

    def _card_said(self, said: CardSaid) -> None:
        asked = self._role.asked
        if asked is not None and (asked.rand, asked.autn) == (said.rand, said.autn):
            self._answer(said.outcome)

    def _card_must_have_answered(self) -> None:
        """Somebody went on after a challenge: where no APDU shows what the card said, what was
        told to the network does."""
        asked = self._role.asked
        if asked is not None and (asked.rand, asked.autn) in self._answers:
            self._answer(None)

    def _answer(self, outcome: Outcome | None) -> None:
        asked = self._role.asked
        assert asked is not None
        better = self._answers.get((asked.rand, asked.autn), outcome)
        if better is not None:
            self._role.card_answered(better, self._clock)
            self._flush()

    # What today's program does -------------------------------------------------------------

    def _collect(self) -> None:
        now = self._clock
        for event in self._endpoint.take_events():
            if isinstance(event, ResponseReceived):
                self._role.response_received(event.response, now)
            elif isinstance(event, RequestReceived):
                self._serve(event, now)
            elif isinstance(event, AckReceived):
                self._role.request_received(event.request, now)
            elif isinstance(event, TransactionTimeout | TransportFailed):
                failed = [each for each in self._clients if each is event.transaction]
                for client in failed:
                    error = TimeoutError("no response came")
                    self._role.request_failed(self._clients[client], error, now)

    def _serve(self, event: RequestReceived, now: float) -> None:
        request = event.request
        self._servers[request] = event.transaction
        role = self._role
        response = answer(
            request, self._abilities, self._endpoint, lambda: role.request_received(request, now)
        )
        if response is not None:
            self._endpoint.respond(event.transaction, response, now)

    def _flush(self) -> None:
        now = self._clock
        while True:
            self._take_turn()
            work = self._role.take_work(now)
            for ack in work.acks:
                self._endpoint.send_ack(ack, self._peer, self._sent_by)
            for request in work.requests:
                client = self._endpoint.send_request(request, self._peer, self._sent_by, now)
                self._clients[client] = request
            for invite in work.cancels:
                for client in [each for each, sent in self._clients.items() if sent is invite]:
                    self._endpoint.send_cancel(client, now)
            for request, response in work.replies:
                self._endpoint.respond(self._servers[request], response, now)
            if not (work.requests or work.acks or work.cancels or work.replies):
                break
        for data, _ in self._endpoint.take_outgoing():
            message = parse(data)
            self.now[self._ours.name(message)] = Said(now, message)


def _own_tag(message: Message) -> str:
    """The tag of who sent this."""
    end = message.from_ if isinstance(message, Request) else message.to
    return end.tag or ""


def _sent_by(dialog: RecordedDialog) -> tuple[str, int]:
    """What the user agent writes into Via."""
    for message in dialog.sent:
        if isinstance(message, Request):
            return message.top_via.sent_by
    return dialog.ue.address, dialog.ue.port


def branch_of(message: Message) -> str:
    """The branch of the topmost Via, "" where there is none."""
    vias = message.headers.values("Via")
    if not vias:
        return ""
    for part in vias[0].split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "branch":
            return value.strip()
    return ""
