"""The notifier of the reg event, asked by our own subscription machine in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from core_scene import subscriber, uri
from core_ue import ADDRESS, PORT, Ue
from core_watcher import Watcher, watcher
from test_core_branch_table import Recorder, passes

from sipua.core.gate import Demand
from sipua.core.notifier import MAX_WATCHES
from sipua.core.watch import CLOSING, DESTROYS, MAX_OWED, NOTIFYING, TRANSITIONS, Watch
from sipua.ims.events import Ended
from sipua.ims.reg_event import Action
from sipua.sip.message import Request, Response
from sipua.sip.transaction.machine import TERMINATED
from sipua.verdict import Verdict

TIMER_F = 32.0


# The subscription --------------------------------------------------------------------------


def test_the_full_state_at_once() -> None:
    alice = watcher().subscribe()
    assert [each.status for each in alice.responses] == [200]
    accepted = alice.responses[0].headers
    assert accepted.get("Expires") == "600000"
    assert accepted.get("Allow-Events") == "reg"
    assert alice.subscription_state == "active;expires=600000"
    assert alice.last.headers.get("Event") == "reg"
    assert alice.last.uri == alice.ue.contact
    (document,) = alice.documents
    assert (document.version, document.full) == (0, True)
    assert [each.aor for each in document.registrations] == list(alice.ue.identity.impu)
    named, created = (each.contacts[0] for each in document.registrations)
    assert (named.state, named.event, named.uri) == ("active", "registered", alice.ue.contact)
    assert (created.state, created.event, created.uri) == ("active", "created", alice.ue.contact)
    assert named.id != created.id
    assert named.expires == 600000
    assert named.registered_for == 0
    assert named.call_id
    assert named.cseq == 2
    assert alice.machine.state == "active"


def test_by_tcp() -> None:
    alice = watcher("TCP").subscribe()
    alice.network.deregister("deactivated")
    assert alice.run().changes == [
        ("registered", Action.NOTHING),
        ("deactivated", Action.REGISTER_ANEW),
    ]


def test_it_is_challenged_where_that_is_configured() -> None:
    alice = watcher("UDP", ("SUBSCRIBE", Demand(401))).subscribe()
    assert [each.status for each in alice.responses] == [401, 200]
    assert "rspauth" in (alice.responses[1].headers.get("Authentication-Info") or "")
    assert alice.machine.state == "active"
    assert len(alice.watches) == 1


def test_a_refresh_tells_everything_again() -> None:
    alice = watcher().subscribe()
    alice.run(600_000 - 600 - 1)
    assert len(alice.notifies) == 1
    alice.ue.register()  # or else the registration would be over
    alice.run(301)
    assert [each.full for each in alice.documents] == [True, False, True]
    assert [each.version for each in alice.documents] == [0, 1, 2]
    assert alice.subscription_state == "active;expires=600000"
    assert len(alice.watches) == 1


def test_it_ends_as_the_subscriber_wants() -> None:
    alice = watcher().subscribe().stop()
    assert alice.subscription_state == "terminated;reason=timeout"
    assert alice.documents[-1].full
    assert alice.responses[-1].headers.get("Expires") == "0"
    assert alice.of(Ended)[0].verdict is Verdict.OK
    assert alice.watches == []


def test_it_ends_in_time() -> None:
    alice = watcher().with_settings(expires=100).subscribe()
    assert alice.subscription_state == "active;expires=100"
    never_refreshes(alice)
    alice.run(99.9)
    (watch,) = alice.watches
    alice.run(0.2)
    assert watch.state == TERMINATED
    states = [each.headers.get("Subscription-State") for each in alice.notifies]
    assert states[1] == "terminated;reason=timeout"
    assert states[2:] == ["active;expires=100"]  # the machine subscribes anew
    assert watch not in alice.watches


def never_refreshes(alice: Watcher) -> None:
    alice.machine.deadline = lambda: None  # type: ignore[method-assign]
    alice.machine.tick = lambda now: None  # type: ignore[method-assign]


def test_state_is_fetched_once() -> None:
    alice = watcher().with_settings(expires=0).subscribe()
    assert alice.subscription_state == "terminated;reason=timeout"
    assert [each.full for each in alice.documents] == [True]
    assert alice.watches == []


def test_nothing_asked_is_the_default_and_too_much_is_cut() -> None:
    for asked, granted in (("", "3761"), ("4294967295", "600000"), ("7", "7")):
        alice = watcher()
        (response,) = ask(alice, Expires=asked)
        assert (response.status, response.headers.get("Expires")) == (200, granted)
        alice.run()
        assert alice.subscription_state == f"active;expires={granted}"


# Changes -----------------------------------------------------------------------------------


def test_refreshed() -> None:
    alice = watcher().subscribe()
    alice.run(100)
    alice.register()
    assert alice.changes[1:] == [("refreshed", Action.NOTHING)]
    before, after = alice.documents
    assert (after.version, after.full) == (1, False)
    assert after.registrations[0].contacts[0].id == before.registrations[0].contacts[0].id
    assert after.registrations[0].contacts[0].registered_for == 100
    assert after.registrations[1].contacts[0].event == "refreshed"


def test_the_answer_to_register_comes_before_its_news() -> None:
    alice = watcher().subscribe()
    alice.octets.clear()
    alice.ue.register()
    starts = [each[:11] for each in alice.octets]
    assert starts == [b"SIP/2.0 401", b"SIP/2.0 200", b"NOTIFY sip:"]


def test_another_device_comes_and_goes() -> None:
    alice = watcher().subscribe()
    other = another_device(alice)
    alice.run()
    news = alice.documents[-1].registrations[0]
    assert news.state == "active"
    assert [(each.uri, each.event) for each in news.contacts] == [(other.contact, "registered")]
    assert len(alice.machine.view.contacts()) == 4  # two contacts of two identities
    other.register(expires=0)
    alice.run()
    news = alice.documents[-1].registrations[0]
    assert news.state == "active"
    assert [(each.state, each.event) for each in news.contacts] == [("terminated", "unregistered")]
    assert len(alice.machine.view.contacts()) == 2
    assert alice.changes == [("registered", Action.NOTHING)]  # nothing of our own


def test_unregistered() -> None:
    alice = watcher().subscribe()
    alice.ue.register(expires=0)
    alice.run()
    assert alice.changes[1:] == [("unregistered", Action.GONE)]
    assert alice.subscription_state == "terminated;reason=noresource"
    assert alice.watches == []


def test_expired() -> None:
    alice = watcher()
    alice.ue.register(expires=100)
    alice.subscribe()
    alice.run(99.9)
    assert len(alice.notifies) == 1
    alice.run(0.2)
    assert alice.changes[1:] == [("expired", Action.GONE)]
    assert alice.subscription_state == "terminated;reason=noresource"


def test_a_renewed_contact_does_not_expire() -> None:
    alice = watcher()
    alice.ue.register(expires=100)
    alice.subscribe()
    alice.run(50)
    alice.ue.register(expires=100)
    alice.run(99)
    assert [event for event, _ in alice.changes] == ["refreshed", "refreshed"]
    alice.run(2)
    assert alice.changes[-1] == ("expired", Action.GONE)


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("deactivated", Action.REGISTER_ANEW),
        ("rejected", Action.GIVE_UP),
        ("probation", Action.REGISTER_LATER),
    ],
)
def test_ended_by_the_network(event: str, action: str) -> None:
    alice = watcher().subscribe()
    alice.network.deregister(event, 45)
    alice.run()
    assert alice.changes[1:] == [(event, action)]
    news = alice.documents[-1]
    assert not news.full
    assert [each.state for each in news.registrations] == ["terminated", "terminated"]
    wait = news.registrations[0].contacts[0].retry_after
    assert wait == (45 if event == "probation" else -1)
    assert alice.subscription_state == "terminated;reason=noresource"
    assert alice.of(Ended)[0].verdict is Verdict.REJECTED
    assert alice.watches == []
    assert alice.network.registrar.bindings(alice.settings.impi, alice.network.now) == []


def test_shortened() -> None:
    alice = watcher().subscribe()
    alice.network.shorten(60)
    alice.run()
    assert alice.changes[1:] == [("shortened", Action.RENEW)]
    assert alice.documents[-1].registrations[0].contacts[0].expires == 60
    alice.run(30)
    alice.register()
    assert alice.changes[-1] == ("refreshed", Action.NOTHING)
    alice.run(60)
    assert alice.changes[-1] == ("refreshed", Action.NOTHING)  # it was saved
    alice.network.shorten(60)
    alice.run(61)
    assert alice.changes[-1] == ("expired", Action.GONE)


def test_registered_again_after_the_end() -> None:
    alice = watcher().subscribe()
    first = alice.documents[0].registrations[0].contacts[0].id
    alice.network.deregister("deactivated")
    alice.run()
    alice.register()
    assert len(alice.notifies) == 2  # nobody watches
    alice.subscribe()
    again = alice.documents[-1].registrations[0].contacts[0]
    assert (alice.documents[-1].version, again.event) == (0, "registered")
    assert again.id != first


# NOTIFYs that are not answered -------------------------------------------------------------


def test_one_at_a_time() -> None:
    alice = watcher()
    alice.subscribe()
    alice.deaf = True
    for _ in range(3):
        alice.ue.register()
        alice.run(0.1)
    (watch,) = alice.watches
    assert watch.state == NOTIFYING
    alice.deaf = False
    alice.run(1)  # repeated, answered, and then the others in one
    assert [each.version for each in alice.documents] == [0, 1, 2]
    assert alice.changes == [("registered", Action.NOTHING)] + [("refreshed", Action.NOTHING)] * 2


def test_it_ends_while_a_notify_is_not_answered() -> None:
    for end in ("gone", "over", "unsubscribed"):
        alice = watcher().with_settings(expires=10).subscribe()
        alice.deaf = True
        alice.ue.register()
        alice.run(0.1)
        if end == "gone":
            alice.network.deregister("deactivated")
        elif end == "over":
            never_refreshes(alice)
            alice.run(10)
        else:
            alice.stop()
        (watch,) = alice.watches
        assert watch.state == CLOSING
        alice.deaf = False
        alice.run(5)
        reason = "noresource" if end == "gone" else "timeout"
        assert alice.subscription_state == f"terminated;reason={reason}", end
        assert [each.version for each in alice.documents] == [0, 1, 2]
        assert alice.watches == []


def test_a_refresh_while_a_notify_is_not_answered() -> None:
    alice = watcher().subscribe()
    alice.deaf = True
    alice.ue.register()
    alice.run(0.1)
    alice.deaf = False
    dialog = alice.machine.dialog
    assert dialog is not None
    lines = [("Event", "reg"), ("Expires", "50"), ("Contact", f"<{alice.ue.contact}>")]
    alice.ue.send(dialog.request("SUBSCRIBE", lines))
    (watch,) = alice.watches
    assert watch.until == alice.network.now + 50
    alice.run(1)
    assert [each.full for each in alice.documents] == [True, False, True]
    assert alice.subscription_state == "active;expires=50"


def test_nobody_answers() -> None:
    alice = watcher().subscribe()
    alice.deaf = True
    alice.ue.register()
    alice.run(TIMER_F + 1)
    assert alice.watches == []
    alice = watcher().subscribe()
    alice.deaf = True
    alice.ue.register()
    alice.run(0.1)
    alice.network.deregister("rejected")
    alice.run(TIMER_F + 1)
    assert alice.watches == []


@pytest.mark.parametrize("status", [481, 489, 480])
def test_refused_for_good(status: int) -> None:
    alice = watcher().subscribe()
    alice.answer = status
    alice.register()
    assert alice.watches == []
    sent = len(alice.notifies)
    alice.register()
    assert len(alice.notifies) == sent


def test_refused_for_good_at_its_end() -> None:
    alice = watcher().subscribe()
    alice.deaf = True
    alice.ue.register()
    alice.run(0.1)
    alice.network.deregister("deactivated")
    alice.deaf, alice.answer = False, 481
    alice.run(1)
    assert alice.watches == []


@pytest.mark.parametrize("status", [500, 503, 400])
def test_other_refusals_leave_it(status: int) -> None:
    assert status not in DESTROYS
    alice = watcher().subscribe()
    alice.answer = status
    alice.register()
    alice.answer = 0
    alice.register()
    assert len(alice.watches) == 1
    # the machine has missed one, and asks for everything
    assert [each.version for each in alice.documents] == [0, 1, 2, 3]
    assert [each.full for each in alice.documents] == [True, False, False, True]


def test_many_changes_come_to_the_full_state() -> None:
    alice = watcher().subscribe()
    alice.deaf = True
    alice.ue.register()
    alice.run(0.01)
    for number in range(MAX_OWED + 1):
        other = another_device(alice, number)
        other.register(expires=0)
        alice.run(0.01)
    (watch,) = alice.watches
    assert watch.owes_everything
    assert len(watch.owed) <= MAX_OWED
    alice.deaf = False
    alice.run(5)
    assert [each.full for each in alice.documents] == [True, False, True]
    assert len(alice.machine.view.contacts()) == 2


def test_a_contact_expires_while_a_notify_is_not_answered() -> None:
    alice = watcher()
    other = another_device(alice)
    other.register(expires=60)
    alice.subscribe()
    alice.run(59.8)
    alice.deaf = True
    alice.ue.register()
    alice.run(0.4)
    alice.deaf = False
    alice.run(1)
    assert alice.documents[-1].registrations[0].contacts[0].event == "expired"


# What is refused ---------------------------------------------------------------------------


def ask(alice: Watcher, target: str = "", **headers: str) -> list[Response]:
    """A SUBSCRIBE as a list of lines; ``headers`` replace or, empty, remove."""
    identity = alice.ue.identity
    to = target or identity.impu[0]
    lines = {
        "Max_Forwards": "70",
        "From": f"<{identity.impu[0]}>;tag=1",
        "To": f"<{to}>",
        "Call_ID": "1@alice",
        "CSeq": "1 SUBSCRIBE",
        "Contact": f"<{alice.ue.contact}>",
        "Event": "reg",
        "Expires": "600",
    } | headers
    fields = [(name.replace("_", "-"), value) for name, value in lines.items() if value]
    body = b"<filter/>" if "Content_Type" in headers else b""
    return alice.ue.send(Request("SUBSCRIBE", to, fields, body))


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (uri(2), {}, 403),
        ("tel:+15552", {}, 403),
        (uri(3), {}, 404),
        ("", {"From": f"<{uri(3)}>;tag=1"}, 403),
        ("", {"Accept": "application/pidf+xml"}, 406),
        ("", {"Accept": "application/pidf+xml, application/reginfo+xml;q=0.1"}, 200),
        ("", {"Accept": "*/*"}, 200),
        ("", {"Require": "eventlist"}, 420),
        ("", {"Content_Type": "application/simple-filter+xml"}, 415),
        ("", {"Contact": ""}, 400),
        ("", {"To": f"<{uri(1)}>;tag=unknown"}, 481),
        ("", {"Event": "REG;id=7"}, 200),
        ("tel:+15551", {}, 200),
        (f"sip:{ADDRESS}:{PORT}", {}, 405),
    ],
)
def test_who_and_how(target: str, headers: dict[str, str], status: int) -> None:
    alice = watcher()
    (response,) = ask(alice, target, **headers)
    assert response.status == status
    assert len(alice.watches) == (status == 200)
    alice.run()
    if status == 200:
        assert alice.last.headers.get("Event") == headers.get("Event", "reg")


def test_who_is_not_registered_is_refused() -> None:
    alice = watcher()
    alice.ue.register(expires=0)
    assert [each.status for each in ask(alice)] == [403]


def test_a_refresh_out_of_order_and_by_another() -> None:
    alice = watcher()
    (accepted,) = ask(alice, CSeq="7 SUBSCRIBE")
    target = (accepted.headers.get("Contact") or "").strip("<>")
    to = accepted.headers.get("To") or ""
    assert [each.status for each in ask(alice, target, To=to, CSeq="6 SUBSCRIBE")] == [500]
    assert [each.status for each in ask(alice, target, To=to, CSeq="8 SUBSCRIBE")] == [200]
    assert len(alice.watches) == 1


def test_other_packages_are_for_who_is_asked() -> None:
    alice = watcher()
    other = another_device(alice)
    ask(alice, Event="presence")
    assert [each.headers.get("Event") for each in other.got("SUBSCRIBE")] == ["presence"]


def test_the_oldest_subscription_makes_room() -> None:
    alice = watcher()
    for number in range(MAX_WATCHES + 3):
        ask(alice, Call_ID=f"{number}@alice")
        alice.answer = 200
        alice.run()
    assert len(alice.watches) == MAX_WATCHES
    assert alice.watches[0].dialog.call_id == "3@alice"
    ended = [
        each.call_id
        for each in alice.notifies
        if each.headers.get("Subscription-State") == "terminated;reason=rejected"
    ]
    assert ended == ["0@alice", "1@alice", "2@alice"]


def test_room_is_made_of_who_does_not_answer_too() -> None:
    alice = watcher()
    alice.deaf = True
    for number in range(MAX_WATCHES + 3):
        ask(alice, Call_ID=f"{number}@alice")
    assert len(alice.watches) == MAX_WATCHES
    alice.run(2 * TIMER_F)
    assert alice.watches == []
    assert alice.network.endpoint.deadline() is None


def test_hostile_contacts_make_well_formed_documents() -> None:
    params = '+sip.instance="<urn:x:\x01\udc80&]]>";+g.\x7f="<&\'"'.replace("\x7f", "a")
    alice = watcher(contact_params=params).subscribe()
    contact = alice.documents[0].registrations[0].contacts[0]
    told = dict(contact.parameters)
    assert told["+g.a"] == '"<&\'"'
    assert "\ufffd" in told["+sip.instance"]
    assert "&]]>" in told["+sip.instance"]


def another_device(alice: Watcher, number: int = 0) -> Ue:
    """One more user agent of the same subscriber."""
    return Ue(alice.network, subscriber(1), f"192.0.2.{100 + number}").register()


# The table ---------------------------------------------------------------------------------


def scenarios() -> list[Callable[[], None]]:
    tests = [
        test
        for name, test in list(globals().items())
        if name.startswith("test_") and not test.__code__.co_argcount
    ]
    return [*tests, lambda: test_refused_for_good(481), lambda: test_other_refusals_leave_it(500)]


def test_every_row_is_reached_and_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(TRANSITIONS)
    with monkeypatch.context() as patch:
        patch.setattr(Watch, "TRANSITIONS", recorder)
        for test in scenarios():
            recorder.test = test
            test()
    assert sorted(set(TRANSITIONS) - set(recorder.used)) == []
    unnoticed = []
    for key, tests in recorder.used.items():
        shortened = {other: row for other, row in TRANSITIONS.items() if other != key}
        with monkeypatch.context() as patch:
            patch.setattr(Watch, "TRANSITIONS", shortened)
            if all(passes(test) for test in tests):
                unnoticed.append(key)
    assert sorted(unnoticed) == []


def test_every_row_names_its_rule() -> None:
    for row in TRANSITIONS.values():
        assert row.source.startswith(("6665 §", "3680 §", "24.229 §"))
    ends = {key for key, row in TRANSITIONS.items() if row.state is TERMINATED}
    assert not {state for state, _ in TRANSITIONS} & {TERMINATED}
    assert ends
