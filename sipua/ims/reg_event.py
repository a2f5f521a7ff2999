"""The reg event package (RFC 3680): who is registered, and what the network did about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import ParseError
from sipua.ims import reginfo
from sipua.ims.events import Event
from sipua.ims.reginfo import TERMINATED, View
from sipua.ims.subscription import Subscription
from sipua.sip.inspection import Refused
from sipua.sip.uri import SipUri
from sipua.sip.uri_equality import same_uri

if TYPE_CHECKING:
    from sipua.ims.machine import Finding
    from sipua.ims.reginfo import Contact, Document
    from sipua.ims.subscription_settings import SubscriptionSettings
    from sipua.randomness import Randomness


class Action:
    """What our registration has to do about a change of its own contact."""

    NOTHING = "nothing"
    RENEW = "renew"  # at once: the network wants to authenticate us anew
    REGISTER_ANEW = "register-anew"
    REGISTER_LATER = "register-later"
    GIVE_UP = "give-up"  # and do not register again by ourselves
    GONE = "gone"  # it ended as we or time would have it


class Consequence(NamedTuple):
    """An action, and by which rule."""

    action: str
    rule: str


CONSEQUENCES = {
    "registered": Consequence(Action.NOTHING, "RFC 3680 §4.7.1"),
    "created": Consequence(Action.NOTHING, "RFC 3680 §4.7.1"),
    "refreshed": Consequence(Action.NOTHING, "RFC 3680 §4.7.1"),
    "shortened": Consequence(Action.RENEW, "TS 24.229 §5.1.1.5.2"),
    "deactivated": Consequence(Action.REGISTER_ANEW, "TS 24.229 §5.1.1.7"),
    "probation": Consequence(Action.REGISTER_LATER, "RFC 3680 §4.7.1"),
    "rejected": Consequence(Action.GIVE_UP, "TS 24.229 §5.1.1.7"),
    "unregistered": Consequence(Action.GONE, "RFC 3680 §4.7.1"),
    "expired": Consequence(Action.GONE, "RFC 3680 §4.7.1"),
}
"""By the event of a contact (RFC 3680 §5.1)."""

_UNKNOWN_END = Consequence(Action.GONE, "RFC 3680 §5.1")
_UNKNOWN = Consequence(Action.NOTHING, "RFC 3680 §5.1")
_ONLY_TERMINATED = (Action.REGISTER_ANEW, Action.REGISTER_LATER, Action.GIVE_UP, Action.GONE)


class ContactChanged(Event):
    """What a document says of one contact of ``aor``; ``ours`` for our own, whose registration
    has ``action`` to do, where it is to wait after ``seconds``."""

    __slots__ = ("action", "aor", "contact", "ours", "rule", "seconds")

    def __init__(self, aor: str, contact: Contact, *, ours: bool) -> None:
        consequence = consequence_of(contact) if ours else _UNKNOWN
        self.aor = aor
        self.contact = contact
        self.ours = ours
        self.action = consequence.action
        self.rule = consequence.rule
        self.seconds = max(0, contact.retry_after)


class RegEventSubscription(Subscription):
    """Follows the registrations of one public identity; ``view`` is what is known of them."""

    def __init__(self, settings: SubscriptionSettings, rng: Randomness) -> None:
        super().__init__(settings, rng)
        self.view = View()

    def _begin(self, found: Finding, now: float) -> None:
        self.view = View()
        super()._begin(found, now)

    def _take_document(self, content_type: str, body: bytes) -> bool:
        given = content_type.partition(";")[0].strip().lower()
        if given != reginfo.CONTENT_TYPE:
            accept = ("Accept", reginfo.CONTENT_TYPE)
            raise Refused(f"content of type {given[:60]!r}", 415, accept)
        document = reginfo.parse(body)
        missed = self.view.has_missed(document)
        known = self._ours()
        if self.view.take(document):
            self._events += changes(document, self.settings.contact)
            self._events += self._vanished(known, document)
        return missed

    def _ours(self) -> list[tuple[str, Contact]]:
        """Our own contacts that are bound, as far as is known."""
        ours = self.settings.contact
        return [each for each in self.view.contacts() if _is_same(each[1].uri, ours)]

    def _vanished(
        self, known: list[tuple[str, Contact]], document: Document
    ) -> list[ContactChanged]:
        """Bindings of ours that ended without a word: some registrars name no contact in a
        registration which they have terminated."""
        bound = {aor for aor, _ in self._ours()}
        told = {each.aor for each in changes(document, self.settings.contact) if each.ours}
        return [
            ContactChanged(aor, contact._replace(state=TERMINATED, event="unregistered"), ours=True)
            for aor, contact in known
            if aor not in bound and aor not in told
        ]


def changes(document: Document, contact: str) -> list[ContactChanged]:
    """One for each contact of the document; ``contact`` is our own URI."""
    return [
        ContactChanged(registration.aor, each, ours=_is_same(each.uri, contact))
        for registration in document.registrations
        for each in registration.contacts
    ]


def consequence_of(contact: Contact) -> Consequence:
    """What the state of our contact means; where state and event differ, the state counts."""
    found = CONSEQUENCES.get(contact.event)
    terminated = contact.state == TERMINATED
    if found is None or (found.action in _ONLY_TERMINATED) != terminated:
        return _UNKNOWN_END if terminated else _UNKNOWN
    return found


def _is_same(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return same_uri(SipUri.parse(one), SipUri.parse(other))
    except ParseError:
        return False
