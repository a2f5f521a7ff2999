"""The registrar of the embedded network: an S-CSCF as a user agent sees it.

Sans-I/O: a request goes in, a response comes out. RFC 3261 §10.3 gives the
steps, TS 24.229 §5.4.1.2 what an IMS registrar adds to them.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from sipua.core.bindings import (
    Binding,
    ExpiryPolicy,
    IntervalTooBrief,
    active,
    asks_for_gruu,
    contact_value,
    read_contacts,
    update,
)
from sipua.core.challenger import ACCEPTED
from sipua.core.contact_events import SHORTENED, Change, Changes, changes
from sipua.core.gruu import instance_of, public_gruu
from sipua.core.reply import Reply, complaint, own_uri, refusal
from sipua.errors import PeerError
from sipua.sip.grammar import format_host
from sipua.sip.inspection import Abilities, inspect
from sipua.sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipua.core.challenger import Challenger
    from sipua.core.faults import Faults
    from sipua.core.subscriber import Directory, Subscriber
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request

ABILITIES = Abilities(
    methods=frozenset({"CANCEL", "OPTIONS", "REGISTER"}),
    extensions=frozenset({"gruu", "path"}),  # RFC 5627, RFC 3327
)


class Registrar:
    """Registers the subscribers of a directory.

    The IMPUs of one subscriber are one implicit registration set (TS 23.228
    §5.2.1a), so there is one list of bindings for each subscriber.
    """

    def __init__(
        self,
        directory: Directory,
        challenger: Challenger,
        faults: Faults,
        *,
        expiry: ExpiryPolicy = ExpiryPolicy(),  # noqa: B008  a tuple, never changed
        date: Callable[[], str] | None = None,
    ) -> None:
        """``date`` gives the text for the Date header of a 200."""
        self._directory = directory
        self._challenger = challenger
        self._faults = faults
        self._expiry = expiry
        self._date = date
        self._bindings: dict[str, list[Binding]] = {}
        self._ids = count(1)
        self._changes: list[Changes] = []

    def bindings(self, impi: str, now: float) -> list[Binding]:
        """Where this subscriber can be reached at the moment ``now``."""
        return active(self._bindings.get(impi, ()), now)

    def registered_from(self, source: Hop, now: float) -> list[str]:
        """The IMPIs of the subscribers who registered from this very hop."""
        return [
            impi
            for impi, bindings in self._bindings.items()
            if any(each.source[:3] == source[:3] for each in active(bindings, now))
        ]

    def take_changes(self) -> list[Changes]:
        """What has become of registrations, each once."""
        taken, self._changes = self._changes, []
        return taken

    def expire(self, subscriber: Subscriber, now: float) -> None:
        """Let go of the contacts whose time has come, which otherwise waits until it matters."""
        self._set(subscriber, self.bindings(subscriber.impi, now), now)

    def deregister(
        self, subscriber: Subscriber, event: str, now: float, retry_after: int = 0
    ) -> None:
        """The network ends a registration (TS 24.229 §5.4.1.5): one of BY_NETWORK."""
        self.expire(subscriber, now)
        ended = self._bindings.pop(subscriber.impi, [])
        if ended:
            told = [Change(each, event, retry_after) for each in ended]
            self._changes.append(Changes(subscriber, told, is_gone=True))

    def forget(self, subscriber: Subscriber) -> None:
        """Lose a registration, as by a restart: nobody is told."""
        self._bindings.pop(subscriber.impi, None)

    def shorten(self, subscriber: Subscriber, seconds: float, now: float) -> None:
        """Have contacts expire sooner, so that their owner registers, and is authenticated,
        again (TS 24.229 §5.4.1.6)."""
        self._set(
            subscriber,
            [
                each._replace(until=min(each.until, now + seconds), event=SHORTENED)
                for each in self.bindings(subscriber.impi, now)
            ],
            now,
        )

    def _set(self, subscriber: Subscriber, bindings: list[Binding], now: float) -> None:
        before = self._bindings.get(subscriber.impi, [])
        if bindings:
            self._bindings[subscriber.impi] = bindings
        else:
            self._bindings.pop(subscriber.impi, None)
        changed = changes(before, bindings, now)
        if changed:
            self._changes.append(Changes(subscriber, changed, is_gone=not bindings))

    def answer(self, request: Request, source: Hop, now: float) -> Reply:
        """The reply to any request, of whatever method.

        Raises StateError (card.errors) when the AuC's counter cannot be kept.
        """
        try:
            inspect(request, ABILITIES)
            if request.method == "REGISTER":
                return self._register(request, source, now)
        except IntervalTooBrief as error:
            return Reply(error.status, [("Min-Expires", str(error.min_expires))])
        except PeerError as error:
            return complaint(error)
        if request.method == "CANCEL":
            return Reply(481)  # RFC 3261 §9.2: nothing here is ever pending
        return Reply(200, [("Allow", ", ".join(sorted(ABILITIES.methods))), ("Supported", "path")])

    def _register(self, request: Request, source: Hop, now: float) -> Reply:
        """The steps of RFC 3261 §10.3; step 2 is done by ``inspect``."""
        if not self._is_served(request.uri, source):  # step 1
            raise PeerError(f"{request.uri} is not of this network", 404, "Domain Not Served")
        subscriber = self._directory.user_of(request)
        if subscriber is None:  # step 5, before 3, since the subscriber's key is needed
            raise PeerError(f"{request.to.uri} is not a subscriber", 404)
        faults = self._faults.of(subscriber.identities)
        if faults:
            refused = refusal(faults, source)
            if refused is not None:
                return refused
        expiry = self._expiry
        if "423" in faults:
            expiry = expiry._replace(least=int(faults["423"]), strict=True)
        asked = read_contacts(request, expiry)  # before 3, so that no vector is lost on a 423
        judgement = self._challenger.judge(subscriber, request, now)  # steps 3 and 4
        if judgement.word != ACCEPTED or "challenge-loop" in faults:
            challenge = self._challenger.challenge(subscriber, request, judgement, now, faults)
            return Reply(401, [challenge])
        bindings = self._bindings.get(subscriber.impi, [])
        bindings = update(bindings, asked, request, source, now, self._ids)  # steps 6 and 7
        self._set(subscriber, bindings, now)
        gruus = asks_for_gruu(request)
        lines = [
            ("Contact", contact_value(each, now, _gruu(each, request) if gruus else ""))
            for each in bindings
        ]
        if bindings:
            lines += _registered_lines(subscriber, request, source)
        if judgement.info:
            lines.append(("Authentication-Info", judgement.info))
        if self._date is not None:
            lines.append(("Date", self._date()))
        return Reply(200, lines)

    def _is_served(self, uri: str, source: Hop) -> bool:
        """Whether the Request-URI names a domain of ours, or the address it was sent to."""
        host = SipUri.parse(uri).host.lower()
        return host in self._directory.domains or (
            source.local is not None and host == format_host(source.local[0])
        )


def _gruu(binding: Binding, request: Request) -> str:
    """The GRUU of a contact as the public identity which registers; "" for none."""
    return public_gruu(request.to.uri, instance_of(binding)) if binding.has_gruu else ""


def _registered_lines(
    subscriber: Subscriber, request: Request, source: Hop
) -> list[tuple[str, str]]:
    """What a 200 says besides the bindings (TS 24.229 §5.4.1.2.2F)."""
    return [
        *(("Path", value) for value in request.headers.all("Path")),  # RFC 3327 §5.3
        ("Service-Route", f"<{own_uri(source, 'orig')};lr>"),  # RFC 3608 §6.3
        ("P-Associated-URI", ", ".join(f"<{impu}>" for impu in subscriber.impus)),
    ]
