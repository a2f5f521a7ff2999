"""A subscription in virtual time; every row of its table is reached."""

from __future__ import annotations

import pytest
from notifier_by_hand import CONTACT, IMPU, NOTIFIER, ROUTE, SETTINGS, Notifier, document
from registrar_by_hand import AUTS, RES
from test_registration_table import Recorder

from card.aka.result import MacFailure
from sipua.errors import LocalError, Unreachable
from sipua.ims import reginfo
from sipua.ims.events import AuthenticationRequired, Retrying
from sipua.ims.reg_event import Action, ContactChanged, RegEventSubscription
from sipua.ims.subscription import Notified, Subscription
from sipua.ims.subscription_table import REASONS, TRANSITIONS, Heard, Subscribed
from sipua.ims.table import OPEN, Input, State
from sipua.sip.message import Response
from sipua.verdict import Verdict

DAY = 86400.0


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder(TRANSITIONS)


@pytest.fixture(autouse=True)
def _recorded(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Subscription, "TRANSITIONS", recorder)


def test_subscribed_notified_refreshed() -> None:
    notifier = Notifier().start()
    headers = notifier.request.headers
    assert (notifier.request.method, notifier.request.uri) == ("SUBSCRIBE", IMPU)
    assert headers.get("Event") == "reg"
    assert headers.get("Accept") == "application/reginfo+xml"
    assert headers.get("Expires") == "600000"
    assert headers.get("Contact") == f"<{CONTACT}>"
    assert headers.get("Route") == ROUTE
    assert headers.get("To") == f"<{IMPU}>"

    notifier.accept()
    assert notifier.state == Subscribed.NEUTRAL
    assert notifier.notify("active;expires=600000", document()) == 200
    assert notifier.state == Subscribed.ACTIVE
    notified = notifier.event(Notified)
    assert (notified.state, notified.expires) == ("active", 600000)
    change = notifier.event(ContactChanged)
    assert (change.aor, change.ours, change.action) == (IMPU, True, Action.NOTHING)

    assert notifier.pass_to_deadline() == 600000 - 600
    refresh = notifier.request
    assert refresh.uri == NOTIFIER
    assert refresh.headers.get("Call-ID") == headers.get("Call-ID")
    assert refresh.headers.get("To") == f"<{IMPU}>;tag=notifier"
    assert refresh.cseq.number == 2
    notifier.accept(1000)
    notifier.notify("active", document("refreshed", 1))
    assert notifier.pass_to_deadline() == 500  # a short one at half


def test_the_notifier_shortens_it() -> None:
    notifier = Notifier().active()
    notifier.notify("active;expires=100")
    assert notifier.pass_to_deadline() == 50


def test_notify_comes_before_the_answer() -> None:
    notifier = Notifier().start()
    assert notifier.notify("pending;expires=1800", document()) == 200
    assert notifier.state == State.TRYING
    notifier.accept(7200)
    assert notifier.state == Subscribed.ACTIVE
    assert notifier.pass_to_deadline() == 1200  # the NOTIFY has the last word


@pytest.mark.parametrize("first", ["answer", "NOTIFY"])
def test_a_notify_whose_route_nobody_recorded(first: str) -> None:
    """What the 2xx brought back serves (RFC 6665 §4.3 would have the NOTIFY bring it)."""
    notifier = Notifier().start()
    recorded = ("Record-Route", "<sip:192.0.2.9;lr>, <sip:192.0.2.1;lr>")
    for each in (first, {"answer": "NOTIFY", "NOTIFY": "answer"}[first]):
        if each == "NOTIFY":
            assert notifier.notify(body=document()) == 200
        else:
            notifier.respond(200, ("Expires", "600000"), recorded)
    notifier.stop()
    assert notifier.request.uri == NOTIFIER
    assert notifier.request.headers.all("Route") == ["<sip:192.0.2.1;lr>", "<sip:192.0.2.9;lr>"]


def test_the_route_that_the_notify_recorded_comes_first() -> None:
    notifier = Notifier().start()
    notifier.respond(200, ("Expires", "600000"), ("Record-Route", "<sip:192.0.2.9;lr>"))
    assert notifier.notify(body=document(), Record_Route="<sip:192.0.2.8;lr>") == 200
    notifier.stop()
    assert notifier.request.headers.all("Route") == ["<sip:192.0.2.8;lr>"]


def test_a_recorded_route_that_is_none() -> None:
    notifier = Notifier().start()
    notifier.respond(200, ("Expires", "600000"), ("Record-Route", "<sip:192.0.2.9;lr>, <%%>"))
    assert notifier.notify(body=document()) == 200
    notifier.stop()
    assert notifier.request.headers.all("Route") == []


def test_no_notify_comes() -> None:
    notifier = Notifier().start().accept()
    first = notifier.request.headers.get("Call-ID")
    assert notifier.pass_to_deadline() == 32
    assert notifier.state == State.WAITING
    assert notifier.event(Retrying).at == notifier.machine.deadline()
    waited = notifier.pass_to_deadline()
    assert 15 <= waited <= 30
    assert notifier.state == State.TRYING
    assert notifier.request.headers.get("Call-ID") != first
    waits = []
    for _ in range(9):
        notifier.accept().pass_to_deadline()
        waits.append(notifier.pass_to_deadline())
    assert 900 <= waits[-1] <= 1800
    assert all(30 * 2**power >= wait for power, wait in enumerate(waits, 1))


def test_a_challenge_and_one_later_to_the_refresh() -> None:
    notifier = Notifier().start().challenged()
    assert isinstance(notifier.events[-1], AuthenticationRequired)
    notifier.card(RES)
    notifier.verify(0, RES)
    notifier.accept()
    notifier.notify(body=document())
    notifier.pass_to_deadline()
    notifier.verify(0, RES, nc=2)  # the last answer once more
    notifier.challenged(1).card(RES)
    notifier.verify(1, RES)
    assert notifier.request.headers.get("To") == f"<{IMPU}>;tag=notifier"
    notifier.accept()
    notifier.notify(body=document("refreshed", 1))
    assert notifier.state == Subscribed.ACTIVE


def test_a_challenge_known_from_before() -> None:
    notifier = Notifier().start().challenged().card(RES).accept()
    notifier.notify(body=document())
    notifier.pass_to_deadline()
    notifier.challenged(0)
    assert notifier.state == State.ANSWERED


def test_the_challenges_that_end_it() -> None:
    Notifier().start().challenged().card(RES).challenged().ended(Verdict.WRONG_RESPONSE)
    Notifier().start().challenged().card(RES).respond(403).ended(Verdict.WRONG_RESPONSE)
    Notifier().start().challenged().card(AUTS).respond(403).ended(Verdict.SYNC_FAILURE)
    Notifier().start().challenged().card(AUTS).challenged().ended(Verdict.SYNC_FAILURE)
    Notifier().start().challenged().card(AUTS).challenged(1).card(AUTS).ended(Verdict.SYNC_FAILURE)
    Notifier().start().challenged().card(MacFailure()).respond(403).ended(Verdict.MAC_FAILURE)
    waiting = Notifier().start().challenged().card(MacFailure())
    waiting.notify()
    assert waiting.pass_to_deadline() == 4
    waiting.ended(Verdict.MAC_FAILURE)
    lost = Notifier().start().challenged()
    lost.machine.card_failed(lost.now)
    lost.collect().ended(Verdict.CARD_ERROR)
    again = Notifier().start()
    for number in range(12):
        again.challenged(number)
        if again.state == State.ENDED:
            break
        again.card(RES)
    again.ended(Verdict.CHALLENGE_LOOP)


def before(outcome: str) -> list[Notifier]:
    """A subscription in each of the states in which an answer is awaited that leads on."""
    return [
        Notifier().start(),
        Notifier().start().challenged().card(RES),
        Notifier().start().challenged().card(AUTS),
    ]


def test_answers_that_end_it_in_any_state() -> None:
    for notifier in before("bad"):
        notifier.respond(401, ("WWW-Authenticate", 'Digest realm="x", nonce="y"'))
        notifier.ended(Verdict.NO_AKA_OFFERED)
    for notifier in before("bad"):
        value = 'Digest realm="x", nonce="c2hvcnQ=", algorithm=AKAv1-MD5'
        notifier.respond(401, ("WWW-Authenticate", value)).ended(Verdict.BAD_CHALLENGE)
    for notifier in before("security"):
        notifier.respond(494).ended(Verdict.SECURITY_AGREEMENT)


@pytest.mark.parametrize("status", [403, 404, 405, 406, 489, 501, 603])
def test_refusals(status: int) -> None:
    Notifier().start().respond(status).ended(Verdict.REJECTED)
    notifier = Notifier().active()
    notifier.pass_to_deadline()
    if status == 406 or status == 603:
        return
    notifier.respond(status).ended(Verdict.REJECTED)
    assert notifier.machine.dialog is None


def test_every_state_leads_on() -> None:
    for notifier in before("too brief"):
        notifier.respond(423, ("Min-Expires", "700000"))
        assert (notifier.state, notifier.expires()) == (State.TRYING, 700000)
        notifier.respond(423, ("Min-Expires", "800000"))  # once is enough
        notifier.ended(Verdict.REJECTED)
    for notifier in before("passing"):
        notifier.respond(503, ("Retry-After", "5000"))
        assert notifier.state == State.WAITING
        assert notifier.pass_to_deadline() == 5000
        assert notifier.state == State.TRYING
    for notifier in before("accepted"):
        notifier.accept()
        assert notifier.state == Subscribed.NEUTRAL
    for notifier in before("accepted late"):
        notifier.notify(body=document("refreshed", 2))
        notifier.accept()
        assert notifier.state == Subscribed.ACTIVE
    for notifier in before("missed"):
        notifier.notify(body=document("refreshed", 2))
        notifier.notify(body=document("refreshed", 9, "partial"))
        notifier.accept()
        assert notifier.state == Subscribed.ACTIVE
    for notifier in before("challenged"):
        notifier.challenged(3)
        assert notifier.state == State.ASKING
    for state in ("deactivated", "probation", "rejected"):
        for notifier in before(state):
            notifier.now += 61
            sent = notifier.sent
            notifier.notify(f"terminated;reason={state}")
            expected = {
                "deactivated": (State.TRYING, sent + 1),
                "probation": (State.WAITING, sent),
                "rejected": (State.ENDED, sent),
            }
            assert (notifier.state, notifier.sent) == expected[state]


@pytest.mark.parametrize(
    "error", [TimeoutError(), Unreachable("no route"), TimeoutError("no answer")]
)
def test_failures_of_the_network_are_waited_for(error: Exception) -> None:
    notifier = Notifier().start().fail(error)
    assert notifier.state == State.WAITING
    notifier.pass_to_deadline()
    assert notifier.state == State.TRYING
    Notifier().start().challenged().card(MacFailure()).fail(error).ended(Verdict.MAC_FAILURE)


@pytest.mark.parametrize("status", [408, 500, 503, 504, 600, 406])
def test_a_refresh_that_fails_leaves_the_subscription_as_it_is(status: int) -> None:
    notifier = Notifier().active(4000)
    notifier.pass_to_deadline()
    call_id = notifier.request.headers.get("Call-ID")
    notifier.respond(status)
    assert notifier.state == State.WAITING
    assert notifier.notify(body=document("shortened", 1)) == 200  # it lives
    assert notifier.event(ContactChanged).action == Action.RENEW
    notifier.notify(body=document("shortened", 5, "partial"))
    notifier.pass_to_deadline()
    assert notifier.request.headers.get("Call-ID") == call_id


def test_a_refresh_that_fails_until_the_subscription_is_over() -> None:
    notifier = Notifier().active(200)
    call_id = notifier.request.headers.get("Call-ID")
    notifier.pass_to_deadline()
    for _ in range(4):
        notifier.respond(500)
        notifier.pass_to_deadline()
    assert notifier.request.headers.get("Call-ID") != call_id
    assert notifier.machine.dialog is None


def test_the_notifier_forgot_us() -> None:
    for outcome in (None, RES, AUTS):
        notifier = Notifier().active()
        call_id = notifier.request.headers.get("Call-ID")
        notifier.pass_to_deadline()
        if outcome is not None:
            notifier.challenged(7).card(outcome)
        notifier.respond(481)
        assert notifier.state == State.TRYING
        assert notifier.request.headers.get("Call-ID") != call_id
        assert notifier.request.uri == IMPU
        notifier.accept()
        notifier.notify(body=document(version=0))
        assert notifier.state == Subscribed.ACTIVE


# What the notifier says ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "waits"),
    [
        ("terminated;reason=deactivated;retry-after=1000", 0),
        ("terminated;reason=timeout", 0),
        ("terminated;reason=probation;retry-after=1000", 1000),
        ("terminated;reason=giveup;retry-after=1000", 1000),
        ("terminated;reason=of-the-future;retry-after=1000", 1000),
        ("terminated", 30),
        ("Terminated;Reason=PROBATION", 30),
        ("terminated;reason=probation;retry-after=99999999", 86400),
    ],
)
def test_the_notifier_ends_it_and_expects_us_again(state: str, waits: float) -> None:
    notifier = Notifier().active()
    notifier.now += 100
    call_id = notifier.request.headers.get("Call-ID")
    assert notifier.notify(state) == 200
    if waits:
        assert notifier.state == State.WAITING
        assert waits / 2 <= notifier.pass_to_deadline() <= waits
    assert notifier.state == State.TRYING
    assert notifier.request.headers.get("Call-ID") != call_id


@pytest.mark.parametrize("reason", ["rejected", "noresource", "invariant"])
def test_the_notifier_ends_it_for_good(reason: str) -> None:
    notifier = Notifier().active()
    assert notifier.notify(f"terminated;reason={reason};retry-after=10") == 200
    assert reason in notifier.ended(Verdict.REJECTED).reason
    neutral = Notifier().start().accept()
    neutral.notify(f"terminated;reason={reason}")
    neutral.ended(Verdict.REJECTED)


def test_a_notifier_that_ends_it_again_and_again_is_not_stormed() -> None:
    notifier = Notifier().start().accept()
    for _ in range(5):
        assert notifier.notify("terminated;reason=deactivated") == 200
        assert notifier.state == State.WAITING
        assert notifier.pass_to_deadline() >= 15
        notifier.accept()
    neutral = Notifier().start().accept()
    neutral.notify("terminated;reason=probation")
    assert neutral.state == State.WAITING
    late = Notifier().start().accept()
    late.now += 61
    late.notify("terminated;reason=timeout")
    assert late.state == State.TRYING


@pytest.mark.parametrize("reason", ["deactivated", "probation", "rejected"])
def test_the_notifier_ends_it_while_we_wait(reason: str) -> None:
    notifier = Notifier().active(4000)
    notifier.pass_to_deadline()
    notifier.respond(500)
    assert notifier.state == State.WAITING
    notifier.notify(f"terminated;reason={reason};retry-after=100")
    if reason == "rejected":
        notifier.ended(Verdict.REJECTED)
        return
    assert notifier.state == State.WAITING
    notifier.pass_to_deadline()
    assert notifier.request.uri == IMPU  # anew


def test_a_document_that_was_missed_is_asked_for() -> None:
    notifier = Notifier().active()
    sent = notifier.sent
    notifier.notify(body=document("shortened", 4, "partial"))
    assert (notifier.state, notifier.sent) == (State.TRYING, sent + 1)
    assert notifier.event(ContactChanged).action == Action.RENEW
    neutral = Notifier().start()
    neutral.notify(body=document())
    neutral.accept()
    assert neutral.state == Subscribed.ACTIVE
    early = Notifier().start().accept()
    early.machine.view.version = 3
    early.notify(body=document("shortened", 6, "partial"))
    assert early.state == State.TRYING


@pytest.mark.parametrize(
    ("status", "body", "fields"),
    [
        (489, b"", {"Event": "presence"}),
        (489, b"", {"Event": ""}),
        (400, b"", {"Subscription_State": ""}),
        (400, b"", {"Subscription_State": "active;=x"}),
        (415, b"x", {"Content_Type": "text/plain"}),
        (400, b"<reginfo", {}),
        (400, b"<!DOCTYPE reginfo><reginfo/>", {}),
        (416, b"", {"Contact": "<tel:+1>"}),
    ],
)
def test_notifies_that_are_not_taken(status: int, body: bytes, fields: dict[str, str]) -> None:
    notifier = Notifier().active()
    assert notifier.notify(body=body, **fields) == status
    assert notifier.state == Subscribed.ACTIVE


def test_what_a_refusal_names() -> None:
    notifier = Notifier().active()
    for fields, name, value in (
        ({"Event": "presence"}, "Allow-Events", "reg"),
        ({"Content-Type": "text/plain"}, "Accept", "application/reginfo+xml"),
    ):
        request = notifier.notification("active", b"x", **fields)
        notifier.machine.request_received(request, notifier.now)
        (reply,) = notifier.machine.take_responses()
        assert reply.response.headers.get(name) == value


def test_the_end_counts_even_if_its_document_cannot_be_read() -> None:
    notifier = Notifier().active()
    assert notifier.notify("terminated;reason=rejected", b"<reginfo") == 400
    notifier.ended(Verdict.REJECTED)


def test_notifies_of_other_dialogs() -> None:
    notifier = Notifier().active()
    notifier.tag = "another branch"
    notifier.tag = "branch"
    assert notifier.notify() == 481
    notifier.tag = "notifier"
    request = notifier.notification("active", Call_ID="another")
    assert not notifier.machine.owns(request)
    request = notifier.notification("active", To=f"<{IMPU}>;tag=x")
    assert not notifier.machine.owns(request)
    notifier.number = 1
    assert notifier.notify() == 500  # out of order
    notifier.number = 200
    notifier.notify("terminated;reason=rejected")
    assert notifier.notify() == 481


def test_other_responses_are_passed_over() -> None:
    notifier = Notifier().start()
    notifier.machine.response_received(Response(200, "", [("CSeq", "9 SUBSCRIBE")]), 0)
    assert notifier.state == State.TRYING


# Leaving ------------------------------------------------------------------------------


def test_unsubscribed() -> None:
    notifier = Notifier().active().stop()
    assert (notifier.state, notifier.expires()) == (State.TRYING, 0)
    notifier.accept(0)
    assert notifier.state == Subscribed.LEAVING
    assert notifier.notify("active;expires=0") == 200
    assert notifier.state == Subscribed.LEAVING
    assert notifier.notify("terminated;reason=timeout", document("refreshed", 1)) == 200
    notifier.ended(Verdict.OK)


@pytest.mark.parametrize("reason", ["deactivated", "timeout", "probation", "rejected"])
def test_the_last_notify_comes_first(reason: str) -> None:
    notifier = Notifier().active()
    notifier.now += 100
    notifier.stop()
    assert notifier.notify(f"terminated;reason={reason}") == 200
    assert notifier.state == State.TRYING
    notifier.accept(0).ended(Verdict.OK)


@pytest.mark.parametrize("reason", ["deactivated", "probation", "rejected"])
def test_whatever_the_last_notify_says(reason: str) -> None:
    notifier = Notifier().active()
    notifier.now += 100
    notifier.stop().accept(0)
    notifier.notify(f"terminated;reason={reason}")
    notifier.ended(Verdict.OK)


def test_the_last_notify_never_comes() -> None:
    notifier = Notifier().active().stop().accept(0)
    assert notifier.pass_to_deadline() == 32
    notifier.ended(Verdict.OK)


@pytest.mark.parametrize("status", [403, 481, 500, 423])
def test_leaving_is_not_to_be_kept_up(status: int) -> None:
    notifier = Notifier().active().stop().respond(status)
    assert notifier.state == Subscribed.LEAVING
    notifier.pass_to_deadline()
    notifier.ended(Verdict.OK)


def test_leaving_into_silence() -> None:
    notifier = Notifier().active().stop().fail(TimeoutError())
    assert notifier.state == Subscribed.LEAVING


def test_leaving_is_challenged_as_well() -> None:
    for outcome in (RES, AUTS):
        notifier = Notifier().active().stop().challenged().card(outcome)
        assert notifier.expires() == 0
        notifier.accept(0)
        assert notifier.state == Subscribed.LEAVING


def test_stopped_while_an_answer_is_awaited() -> None:
    for notifier in before("stop"):
        notifier.notify(body=document())
        notifier.stop().accept()
        assert (notifier.state, notifier.expires()) == (State.TRYING, 0)
        notifier.accept(0)
        assert notifier.state == Subscribed.LEAVING
    for notifier in before("stop"):
        notifier.stop().respond(500).ended(Verdict.OK)
    for notifier in before("stop"):
        notifier.stop().accept().ended(Verdict.OK)  # there is no dialog to leave
    asking = Notifier().start().challenged().stop()
    asking.notify(body=document())
    asking.card(RES)
    assert asking.state == State.ANSWERED
    refusing = Notifier().start().challenged().card(MacFailure()).stop()
    assert refusing.pass_to_deadline() == 4
    refusing.ended(Verdict.MAC_FAILURE)


def test_stopped_while_waiting() -> None:
    Notifier().start().accept().stop().ended(Verdict.OK)
    Notifier().start().respond(503).stop().ended(Verdict.OK)


def test_missed_documents_wherever_they_show() -> None:
    asking = Notifier().start().challenged()
    asking.machine.view.version = 1
    asking.notify(body=document("refreshed", 5, "partial"))
    refusing = Notifier().start().challenged().card(MacFailure())
    refusing.machine.view.version = 1
    refusing.notify(body=document("refreshed", 5, "partial"))
    assert refusing.pass_to_deadline() == 4
    for notifier in before("missed"):
        notifier.machine.view.version = 1
        notifier.notify(body=document("refreshed", 5, "partial"))


def test_begun_again_after_the_end() -> None:
    notifier = Notifier().active().stop().accept(0)
    notifier.pass_to_deadline()
    first = notifier.request.headers.get("Call-ID")
    notifier.start()
    assert notifier.request.headers.get("Call-ID") != first
    assert notifier.expires() == 600000
    with pytest.raises(LocalError):
        notifier.machine.start(notifier.now)


def test_a_day_of_it() -> None:
    notifier = Notifier().active(3600)
    begin, version = notifier.now, 0
    while notifier.now < begin + DAY:
        notifier.pass_to_deadline()
        notifier.accept(3600)
        version += 1
        assert notifier.notify("active;expires=3600", document("refreshed", version)) == 200
    assert notifier.sent == 1 + version == 30
    assert len(notifier.machine._answers.outcomes) == 0


def test_the_network_speaks_to_our_registration() -> None:
    notifier = Notifier().active()
    actions = []
    for version, event in enumerate(("shortened", "deactivated", "rejected", "probation"), 1):
        notifier.notify(body=document(event, version, "partial"))
        actions.append(notifier.event(ContactChanged).action)
    assert actions == [
        Action.RENEW,
        Action.REGISTER_ANEW,
        Action.GIVE_UP,
        Action.REGISTER_LATER,
    ]


@pytest.mark.parametrize("kind", ["full", "partial"])
def test_a_registration_that_ended_without_naming_its_contacts(kind: str) -> None:
    """As Kamailio tells what its HSS has terminated; once, and never of what was not bound."""
    head = f'<reginfo xmlns="{reginfo.NAMESPACE}" version="%d" state="{kind}">'
    body = f'{head}<registration aor="{IMPU}" id="r" state="terminated"/></reginfo>'
    notifier = Notifier().active()
    told = len(notifier.events)
    for version in (1, 2):
        assert notifier.notify(body=(body % version).encode()) == 200
    news = [each for each in notifier.events[told:] if isinstance(each, ContactChanged)]
    assert [(each.aor, each.ours, each.action) for each in news] == [(IMPU, True, Action.GONE)]


def test_a_contact_that_ended_is_told_once() -> None:
    notifier = Notifier().active()
    told = len(notifier.events)
    notifier.notify(body=document("expired", 1, "full"))
    news = [each for each in notifier.events[told:] if isinstance(each, ContactChanged)]
    assert [each.contact.event for each in news] == ["expired"]


def test_settings_are_written() -> None:
    settings = SETTINGS._replace(
        contact_params="+g.3gpp.smsip", user_agent="sipua", headers=(("X-Lab", "1"),)
    )
    notifier = Notifier(settings).start()
    headers = notifier.request.headers
    assert headers.get("Contact") == f"<{CONTACT}>;+g.3gpp.smsip"
    assert (headers.get("User-Agent"), headers.get("X-Lab")) == ("sipua", "1")


def test_every_row_names_its_action_and_rule() -> None:
    for row in TRANSITIONS.values():
        assert callable(getattr(RegEventSubscription, f"_{row.action}"))
        assert row.rule.startswith(("RFC ", "TS "))
        assert (row.verdict is not None) == (row.next_state == State.ENDED)
    assert {each.happened for each in REASONS.values()} == {
        Heard.ENDED_RETRY,
        Heard.ENDED_LATER,
        Heard.ENDED_FOR_GOOD,
    }


def test_every_row_was_reached(recorder: Recorder) -> None:
    """Runs last in this file."""
    missing = set(TRANSITIONS) - recorder.used
    # States of one request alike: what is reached in one of them is written for all.
    alike = {
        (state, happened)
        for state in (*OPEN, State.ASKING, State.REFUSING)
        for happened in (Input.CHALLENGED_TOO_OFTEN, Input.CHALLENGED_KNOWN, Heard.LEFT)
    }
    assert missing <= alike, sorted(missing - alike)
