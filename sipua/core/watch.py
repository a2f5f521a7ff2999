"""One subscription to the reg event: the notifier's side of RFC 6665 §4.2.

A machine above the transactions of its NOTIFYs, run by a table like those, with
its timers in the same schedule. One NOTIFY at a time waits for its answer, so
that none overtakes another; what happens meanwhile is told by the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.core.contact_events import ACTIVE as REGISTERED
from sipua.core.contact_events import INIT, Change
from sipua.core.contact_events import TERMINATED as NOT_REGISTERED
from sipua.core.reginfo_writer import Registrations
from sipua.sip.transaction.machine import TERMINATED, Row, Table, Transaction

if TYPE_CHECKING:
    from sipua.core.contact_events import Changes
    from sipua.core.notifier import Notifier
    from sipua.core.subscriber import Subscriber
    from sipua.sip.dialog import Dialog
    from sipua.sip.endpoint import Endpoint
    from sipua.sip.hop import Hop
    from sipua.sip.message import Request

# States besides Terminated
RESPONSE_SENT = "resp_wait"
ACTIVE = "active"
NOTIFYING = "active, a NOTIFY unanswered"
CLOSING = "over, the NOTIFY before the last unanswered"

# Stimuli
SUBSCRIBED = "SUBSCRIBE"
UNSUBSCRIBED = "SUBSCRIBE with Expires: 0"
CHANGED = "contacts changed"
GONE = "no contact is left"
OUSTED = "too many subscriptions"
OVER = "the subscription expires"
CONTACT_OVER = "a contact expires"
ANSWERED = "NOTIFY answered"
REFUSED = "NOTIFY refused for good"
LOST = "NOTIFY unanswered or undeliverable"
OWED = "something is left to tell"

REASONS = {GONE: "noresource", OUSTED: "rejected", UNSUBSCRIBED: "timeout", OVER: "timeout"}
"""Why a subscription ends (RFC 6665 §4.1.3)."""

DESTROYS = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})
"""Answers to NOTIFY after which there is no subscription any more (RFC 6665 §4.2.2)."""

MAX_OWED = 64
"""Changes of contacts kept until the NOTIFY before is answered; more are not told one by one."""


def grant(watch: Watch, seconds: int, now: float) -> None:
    """Let the subscription last so long from now."""
    watch.until = now + seconds
    watch.start_timer(OVER, seconds, now)


def owe_everything(watch: Watch, _: object, now: float) -> None:
    """The next NOTIFY has to tell the full state."""
    watch.owes_everything = True
    watch.owed.clear()
    watch.follow_contacts(now)


def owe(watch: Watch, changes: Changes, now: float) -> None:
    """The next NOTIFY has to tell these changes."""
    watch.owed.update((each.binding.id, each) for each in changes.contacts)
    if len(watch.owed) > MAX_OWED:
        watch.owes_everything = True
        watch.owed.clear()
    watch.follow_contacts(now)


def notify(watch: Watch, _: object, now: float) -> None:
    """Send what is owed."""
    watch.send(now)


def notify_if_owed(watch: Watch, _: object, now: float) -> None:
    """Send what has come up since the last NOTIFY."""
    if watch.owed or watch.owes_everything:
        watch.feed(OWED, now)


def expire_contacts(watch: Watch, _: object, now: float) -> None:
    """Have the registrar see what time it is."""
    watch.notifier.expire(watch.subscriber, now)
    watch.follow_contacts(now)


TRANSITIONS: Table = {
    (RESPONSE_SENT, SUBSCRIBED): Row(
        NOTIFYING, (grant, owe_everything, notify), "6665 §4.2.1.2, 3680 §4.3"
    ),
    (RESPONSE_SENT, UNSUBSCRIBED): Row(TERMINATED, (owe_everything, notify), "6665 §4.4.3"),
    (ACTIVE, SUBSCRIBED): Row(NOTIFYING, (grant, owe_everything, notify), "6665 §4.2.1.4"),
    (ACTIVE, UNSUBSCRIBED): Row(TERMINATED, (owe_everything, notify), "6665 §4.2.1.4"),
    (ACTIVE, CHANGED): Row(NOTIFYING, (owe, notify), "6665 §4.2.2, 3680 §4.7.2"),
    (ACTIVE, OWED): Row(NOTIFYING, (notify,), "6665 §4.2.2"),
    (ACTIVE, GONE): Row(TERMINATED, (owe, notify), "24.229 §5.4.2.1.2"),
    (ACTIVE, OUSTED): Row(TERMINATED, (owe_everything, notify), "6665 §4.2.2"),
    (ACTIVE, OVER): Row(TERMINATED, (owe_everything, notify), "6665 §4.2.1.4"),
    (ACTIVE, CONTACT_OVER): Row(ACTIVE, (expire_contacts,), "3680 §4.7.1"),
    (NOTIFYING, SUBSCRIBED): Row(NOTIFYING, (grant, owe_everything), "6665 §4.2.1.4"),
    (NOTIFYING, UNSUBSCRIBED): Row(CLOSING, (owe_everything,), "6665 §4.2.1.4"),
    (NOTIFYING, CHANGED): Row(NOTIFYING, (owe,), "3680 §4.7.2"),
    (NOTIFYING, GONE): Row(CLOSING, (owe,), "24.229 §5.4.2.1.2"),
    (NOTIFYING, OUSTED): Row(CLOSING, (owe_everything,), "6665 §4.2.2"),
    (NOTIFYING, OVER): Row(CLOSING, (owe_everything,), "6665 §4.2.1.4"),
    (NOTIFYING, CONTACT_OVER): Row(NOTIFYING, (expire_contacts,), "3680 §4.7.1"),
    (NOTIFYING, ANSWERED): Row(ACTIVE, (notify_if_owed,), "6665 §4.2.2"),
    (NOTIFYING, REFUSED): Row(TERMINATED, (), "6665 §4.2.2"),
    (NOTIFYING, LOST): Row(TERMINATED, (), "6665 §4.2.2"),
    (CLOSING, ANSWERED): Row(TERMINATED, (notify,), "6665 §4.2.2"),
    (CLOSING, REFUSED): Row(TERMINATED, (), "6665 §4.2.2"),
    (CLOSING, LOST): Row(TERMINATED, (), "6665 §4.2.2"),
}


class Watch(Transaction):
    """Tells one subscriber, in one dialog, what becomes of his contacts.

    ``hop`` is where the SUBSCRIBE came from, ``event`` its Event; ``until`` is when
    the subscription ends, ``version`` the number of the next document, ``owed``
    what that has to tell, by contact.
    """

    __slots__ = (
        "dialog",
        "event",
        "notifier",
        "owed",
        "owes_everything",
        "reason",
        "subscriber",
        "until",
        "version",
    )

    TRANSITIONS = TRANSITIONS
    INITIAL = RESPONSE_SENT

    def __init__(
        self,
        endpoint: Endpoint,
        notifier: Notifier,
        subscriber: Subscriber,
        dialog: Dialog,
        request: Request,
        hop: Hop,
    ) -> None:
        super().__init__(endpoint, request, hop)
        self.notifier = notifier
        self.subscriber = subscriber
        self.dialog = dialog
        self.event = request.headers.get("Event") or ""
        self.until = 0.0
        self.version = 0
        self.reason = ""
        self.owed: dict[int, Change] = {}
        self.owes_everything = False

    @property
    def is_over(self) -> bool:
        """Whether no refresh can keep it any more."""
        return self.state in (CLOSING, TERMINATED)

    def feed(self, stimulus: str, now: float, message: object = None) -> bool:
        """Run the row for this stimulus; the notifier forgets a watch that has ended."""
        if (self.state, stimulus) in self.TRANSITIONS:
            self.reason = REASONS.get(stimulus, self.reason)
        known = super().feed(stimulus, now, message)
        if known and self.state is TERMINATED:
            self.notifier.forget(self)
        return known

    def follow_contacts(self, now: float) -> None:
        """See to it that the end of a contact is noticed."""
        if self.state in (ACTIVE, NOTIFYING):
            ends = [each.until for each in self.notifier.bindings(self.subscriber, now)]
            if ends:
                self.start_timer(CONTACT_OVER, min(ends) - now, now)

    def send(self, now: float) -> None:
        """Send a NOTIFY with what is owed."""
        told, self.owed = list(self.owed.values()), {}
        is_full, self.owes_everything = self.owes_everything, False
        bindings = self.notifier.bindings(self.subscriber, now)
        if is_full:
            told = [Change(each, each.event) for each in bindings]
        state = REGISTERED if bindings else INIT if is_full else NOT_REGISTERED
        version, self.version = self.version, self.version + 1
        self.notifier.send(
            self, Registrations(self.subscriber.impus, told, state, is_full), version, now
        )

    def state_line(self, now: float) -> str:
        """Subscription-State of the next NOTIFY."""
        if self.reason:
            return f"terminated;reason={self.reason}"
        return f"active;expires={max(0, round(self.until - now))}"
