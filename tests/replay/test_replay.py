"""Recordings against today's program: those of ``fixtures`` are the same, changed ones are not."""

from __future__ import annotations

import io
import random
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay import recording as scenes
from sipua.capture.errors import CaptureError
from sipua.errors import ParseError
from sipua.explain.subscriber import Subscriber, load
from sipua.replay.play import Played, play
from sipua.replay.recording import RecordedDialog, Recording, read
from sipua.sip.message import Request, Response, parse
from sipua.verdict import Verdict

KEY = """\
[authentication]
algorithm = "milenage"
k = "465b5ce8b199b49faa5f0a2ee238a6bc"
opc = "cd63cb71954a9f4e48a5994e37a02baf"
"""


def recorded(name: str) -> Recording:
    with (scenes.CAPTURES / f"{name}.pcapng").open("rb") as stream:
        return read(stream)


def only(recording: Recording, subscribers: tuple[Subscriber, ...] = ()) -> Played:
    (played,) = play(recording, subscribers)
    assert not played.skipped
    return played


def told(played: Played) -> list[str]:
    return [f"{each.what}: {each.text}" for each in played.differences]


def change(recording: Recording, number: int, old: str, new: str, dialog: int = 0) -> None:
    """Let the ``number``-th message of a dialog have been another one."""
    messages = recording.dialogs[dialog].messages
    message = messages[number].message
    octets = message.raw.replace(old.encode(), new.encode())
    assert octets != message.raw
    changed = parse(octets)
    messages[number] = messages[number]._replace(message=changed)
    if number == 0:
        assert isinstance(changed, Request)
        recording.dialogs[dialog].opening = changed


@pytest.fixture
def key(tmp_path: Path) -> Subscriber:
    path = tmp_path / "key.toml"
    path.write_text(KEY)
    return load(str(path))


@pytest.mark.parametrize("name", scenes.SCENES)
@pytest.mark.parametrize("with_key", [False, True])
def test_every_capture_of_the_fixtures_is_the_same_today(
    name: str, with_key: bool, key: Subscriber
) -> None:
    for played in play(recorded(name), (key,) if with_key else ()):
        assert not played.skipped
        assert told(played) == []
        assert played.same >= 1
        is_short = name == "short-message" and played.opening.startswith("MESSAGE")
        assert [each[:17] for each in played.passed_over] == ["the short message"] * is_short
        if played.recorded:
            assert played.recorded == played.today


@pytest.mark.parametrize("name", ["resynchronisation", "mac-failure", "call", "incoming-call"])
def test_a_trace_made_now_is_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "now.pcapng"
    scenes.record(scenes.SCENES[name], path, tmp_path)
    with path.open("rb") as stream:
        played = list(play(read(stream)))
    assert [told(each) for each in played] == [[] for _ in played]
    assert sum(each.same for each in played) >= 2


@pytest.mark.parametrize("name", ["registration", "resynchronisation", "mac-failure"])
def test_without_apdus_the_network_was_told_enough(name: str) -> None:
    recording = recorded(name)
    recording.card.clear()
    assert told(only(recording)) == []


def test_a_header_that_is_new_and_one_that_is_gone() -> None:
    recording = recorded("registration")
    change(recording, 0, "Max-Forwards: 70\r\n", "")
    change(recording, 2, "Supported: path", "Supported: path, sec-agree\r\nRequire: sec-agree")
    assert told(only(recording)) == [
        "REGISTER: Max-Forwards is new: 70",
        "REGISTER no. 2: Supported: recorded sec-agree, today nothing",
        "REGISTER no. 2: Require is not sent today: sec-agree",
    ]


def test_what_the_user_wished_is_no_difference() -> None:
    recording = recorded("refused-403")
    wishes = "Expires: 300\r\nP-Access-Network-Info: IEEE-802.11\r\nUser-Agent: phone/1"
    change(recording, 0, "Expires: 600000", wishes)
    assert told(only(recording)) == []


def test_other_credentials() -> None:
    recording = recorded("registration")
    change(recording, 2, "nc=00000001", "nc=00000007")
    assert told(only(recording)) == [
        "REGISTER no. 2: Authorization: recorded nc=00000007, today nc=00000001"
    ]


def test_a_wrong_digest_is_seen_by_who_has_the_key(key: Subscriber) -> None:
    recording = recorded("registration")
    request = recording.dialogs[0].messages[2].message
    value = request.headers.get("Authorization") or ""
    digest = value.partition('response="')[2][:32]
    change(recording, 2, digest, "0" * 32)
    assert told(only(recording)) == []
    (text,) = told(only(recording, (key,)))
    assert text == (
        f"REGISTER no. 2: Authorization: recorded response={'0' * 32}, today response={digest}"
    )


def test_a_request_that_is_not_sent_today() -> None:
    """A phone that tried again after it was refused."""
    recording = recorded("refused-403")
    messages = recording.dialogs[0].messages
    again = parse(
        messages[0]
        .message.raw.replace(b"branch=z9hG4bK", b"branch=z9hG4bKx")
        .replace(b"1 REGISTER", b"2 REGISTER")
        .replace(b"Expires: 600000", b"Expires: 0")
    )
    messages.append(messages[0]._replace(at=messages[1].at + 5, message=again))
    recording.verdicts.clear()
    played = only(recording)
    assert played.today[:1] == ("rejected",)


def test_a_challenge_that_the_phone_never_answered() -> None:
    recording = recorded("registration")
    del recording.dialogs[0].messages[2:]
    recording.verdicts[0] = (recording.verdicts[0][0] + 1, Verdict.TIMEOUT, "")
    assert told(only(recording)) == ["REGISTER no. 2: is sent today; the recording has none"]


def test_another_verdict() -> None:
    recording = recorded("wrong-response")
    at, _, reason = recording.verdicts[0]
    recording.verdicts[0] = (at, Verdict.REJECTED, reason)
    assert told(only(recording)) == ["verdict: recorded rejected, today wrong-response"]


def test_another_time() -> None:
    """Whoever took a second longer, and whoever sent his request again too early."""
    recording = recorded("registration")
    messages = recording.dialogs[0].messages
    messages[2:] = [each._replace(at=each.at + 1) for each in messages[2:]]
    recording.verdicts[0] = (recording.verdicts[0][0] + 1, *recording.verdicts[0][1:])
    (text,) = told(only(recording))
    assert text.startswith("REGISTER no. 2: is sent 1.00")
    assert text.endswith(" s earlier today")
    silence = recorded("silence")
    messages = silence.dialogs[0].messages
    messages[1] = messages[1]._replace(at=messages[0].at + 0.1)
    assert told(only(silence)) == ["REGISTER, sent again (1): is sent 0.400 s later today"]


def test_a_call_with_another_offer() -> None:
    recording = recorded("call")
    invite = recording.dialogs[1].messages[0].message
    line = next(line for line in invite.body.decode().splitlines() if line.startswith("a=rtpmap"))
    change(recording, 0, line, "a=rtpmap:3 GSM/8000".ljust(len(line)), dialog=1)
    texts = told(list(play(recording))[1])
    assert f"INVITE: SDP with {line}" in texts
    assert any(text.startswith("INVITE: SDP without a=rtpmap:3 GSM/8000") for text in texts)


def test_a_call_that_the_peer_ends() -> None:
    """The BYE of the recording comes from the other side, and is answered."""
    recording = recorded("call")
    messages = recording.dialogs[1].messages
    (at,) = [n for n, each in enumerate(messages) if _method(each.message) == "BYE"]
    bye, ok = messages[at].message, messages[at + 1].message
    assert isinstance(bye, Request)
    assert isinstance(ok, Response)
    theirs = _from_the_peer(bye)
    messages[at] = messages[at]._replace(message=theirs, sent=False)
    answer = Response(200, "OK", [(n, v) for n, v in theirs.headers if n in _COPIED])
    messages[at + 1] = messages[at + 1]._replace(message=parse(answer.to_bytes()), sent=True)
    played = list(play(recording))[1]
    assert played.today == ("ok",)
    assert [each for each in told(played) if not each.startswith("200 to BYE: ")] == []


def test_an_incoming_call_answered_otherwise() -> None:
    """It was refused by 486 in the recording: today's program does as its user did then."""
    recording = recorded("incoming-call")
    (dialog,) = [each for each in recording.dialogs if each.incoming]
    answers = [n for n, each in enumerate(dialog.messages) if each.sent]
    first = dialog.messages[answers[0]]
    assert isinstance(first.message, Response)
    kept = [(n, v) for n, v in first.message.headers if n in _COPIED]
    refusal = parse(Response(486, "Busy Here", kept).to_bytes())
    dialog.messages[answers[0] :] = [first._replace(message=refusal)]
    played = list(play(recording))[-1]
    assert played.today == ("declined",)
    assert [each for each in told(played) if "is not sent today" in each] == []


_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")


def _method(message: Request | Response) -> str:
    return message.method if isinstance(message, Request) else ""


def _from_the_peer(bye: Request) -> Request:
    """The same BYE, sent by the other side."""
    headers = bye.headers.copy()
    headers.set("From", bye.headers.get("To") or "")
    headers.set("To", bye.headers.get("From") or "")
    for name in ("Route", "Proxy-Authorization"):
        headers.remove(name)
    made = parse(Request("BYE", bye.uri, headers).to_bytes())
    assert isinstance(made, Request)
    return made


# Requests, subscriptions, and what is done in the middle of a call ------------------------------


def part(recording: Recording, method: str) -> int:
    """The number of the dialog that began with this method."""
    (number,) = [n for n, each in enumerate(recording.dialogs) if each.opening.method == method]
    return number


def place(recording: Recording, dialog: int, start: str, count: int = 1) -> int:
    """The number of the ``count``-th message of a dialog whose first line begins so."""
    messages = recording.dialogs[dialog].messages
    return [n for n, each in enumerate(messages) if each.message.raw.startswith(start.encode())][
        count - 1
    ]


class Changed(NamedTuple):
    """A capture in which one message of a dialog was another one, and what is told of that."""

    name: str
    dialog: str
    start: str
    old: str
    new: str
    told: str
    place: int = 1


CHANGED = [
    Changed(
        *("options", "OPTIONS", "OPTIONS", "Accept: application/sdp", "Accept: text/plain"),
        "OPTIONS: Accept: recorded text/plain, today application/sdp",
    ),
    Changed(
        *("message", "MESSAGE", "MESSAGE", "charset=UTF-8", "charset=LATIN"),
        "MESSAGE: Content-Type: recorded text/plain;charset=LATIN, today text/plain;charset=UTF-8",
    ),
    Changed(
        *("message", "MESSAGE", "MESSAGE", "nc=00000001", "nc=0000000a"),
        "MESSAGE no. 2: Proxy-Authorization: recorded nc=0000000a, today nc=00000001",
        2,
    ),
    Changed(
        *("asked-by-others", "OPTIONS", "SIP/2.0 200", "MESSAGE, NOTIFY", "MESSAGE, PUBLISH"),
        "200 to OPTIONS: Allow: recorded PUBLISH, today NOTIFY",
    ),
    Changed(
        *("asked-by-others", "MESSAGE", "SIP/2.0 200 OK", "200 OK", "415 No"),
        "415 to MESSAGE: was sent; today's program does not",
    ),
    Changed(
        *("reg-event", "SUBSCRIBE", "SUBSCRIBE", "Expires: 600000", "Expires: 7200"),
        "SUBSCRIBE: Expires: recorded 7200, today 600000",
    ),
    Changed(
        *("reg-event", "SUBSCRIBE", "SIP/2.0 200 OK", "200 OK", "489 No"),
        "489 to NOTIFY: was sent; today's program does not",
        2,  # the first is the registrar's to SUBSCRIBE
    ),
    Changed(
        *("call-cancelled", "INVITE", "CANCEL", "Max-Forwards: 70", "Max-Forwards: 69"),
        "CANCEL: Max-Forwards: recorded 69, today 70",
    ),
    Changed(
        *("call-ended-by-the-callee", "INVITE", "SIP/2.0 200 OK", "200 OK", "481 No"),
        "481 to BYE: was sent; today's program does not",
        2,
    ),
    Changed(
        *("call-with-digits-and-hold", "INVITE", "INFO", "INFO sip:", "INFO tel:"),
        "INFO: Request-URI: recorded tel:",
    ),
    Changed(
        *("call-with-digits-and-hold", "INVITE", "INFO", "Duration=160", "Duration=250"),
        "INFO: the body: recorded 24 octets, today 24 others",
    ),
    Changed(
        *("call-with-digits-and-hold", "INVITE", "INVITE", "a=sendonly", "a=recvonly"),
        "INVITE no. 4: SDP with a=recvonly",  # who was challenged repeats what he offered
        3,
    ),
    Changed(
        *("call-with-digits-and-hold", "INVITE", "ACK", "Max-Forwards: 70", "Max-Forwards: 69"),
        "ACK no. 3: Max-Forwards: recorded 69, today 70",
        3,
    ),
    Changed(
        *("incoming-call-hung-up", "INVITE", "BYE", "Max-Forwards: 70", "Max-Forwards: 69"),
        "BYE: Max-Forwards: recorded 69, today 70",
    ),
    Changed(
        *("incoming-call-cancelled", "INVITE", "SIP/2.0 487", "487 Request", "486 Request"),
        "486 to INVITE: was sent; today's program does not",
    ),
]


@pytest.mark.parametrize("changed", CHANGED, ids=lambda case: f"{case.name}: {case.new}")
def test_a_changed_recording_is_different(changed: Changed) -> None:
    recording = recorded(changed.name)
    dialog = part(recording, changed.dialog)
    number = place(recording, dialog, changed.start, changed.place)
    assert recording.dialogs[dialog].messages[number].sent
    change(recording, number, changed.old, changed.new, dialog)
    played = list(play(recording))
    texts = told(played[dialog])
    assert any(text.startswith(changed.told) for text in texts), texts


def test_a_request_that_was_sent_anew_after_a_504() -> None:
    """The verdict is about the second one."""
    recording = recorded("message")
    first = recording.dialogs[part(recording, "MESSAGE")]
    second = RecordedDialog("another", first.opening, first.ue, first.peer)
    recording.dialogs.append(second)
    for each in first.messages:
        second.messages.append(each._replace(at=each.at + 1))
    (at, verdict, reason) = recording.verdicts[-1]
    recording.verdicts[-1] = (at + 1, verdict, reason)
    last = place(recording, 1, "SIP/2.0 200")
    change(recording, last, "200 OK", "504 Gone", 1)
    _, lost, repeated = play(recording)
    assert (lost.recorded, lost.today) == ((), ("server-error",))
    assert (repeated.recorded, repeated.today) == (("ok",), ("ok",))
    assert told(lost) == told(repeated) == []


def test_a_question_that_nobody_answered() -> None:
    recording = recorded("asked-by-others")
    for dialog in recording.dialogs[1:]:
        ((gone, _),) = [(n, each) for n, each in enumerate(dialog.messages) if each.sent]
        later = dialog.messages[0]
        dialog.messages[gone] = later._replace(at=later.at + 0.5)  # it was sent again in vain
    assert [told(each) for each in list(play(recording))[1:]] == [
        ["200 to OPTIONS: is sent today; the recording has none"],
        ["200 to MESSAGE: is sent today; the recording has none"],
    ]


def test_a_notify_without_a_subscription_is_refused() -> None:
    """Its tag is not ours."""
    recording = recorded("reg-event")
    dialog = part(recording, "SUBSCRIBE")
    tag = recording.dialogs[dialog].opening.from_.tag
    change(recording, place(recording, dialog, "NOTIFY"), f";tag={tag}", ";tag=another", dialog)
    messages = recording.dialogs[dialog].messages
    messages[-2:] = [each._replace(at=each.at + 1) for each in messages[-2:]]
    assert told(list(play(recording))[dialog]) == [
        "200 to NOTIFY: was sent; today's program does not",
        "481 to NOTIFY: is sent today; the recording has none",
    ]


def test_a_subscription_that_was_given_up_is_given_up_today() -> None:
    """SUBSCRIBE with Expires 0 is its user's wish."""
    recording = recorded("reg-event")
    dialog = part(recording, "SUBSCRIBE")
    messages = recording.dialogs[dialog].messages
    notify = messages[place(recording, dialog, "NOTIFY")].message
    ours = notify.headers.get("To") or ""
    fields = [("From", ours), ("To", notify.headers.get("From") or "")]
    fields += [(n, v) for n, v in recording.dialogs[dialog].opening.headers if n != "From"]
    left = Request("SUBSCRIBE", (notify.headers.get("Contact") or "")[1:-1], fields)
    left.headers.set("CSeq", "2 SUBSCRIBE")
    left.headers.set("Expires", "0")
    del messages[place(recording, dialog, "NOTIFY", 2) :]
    changed = parse(left.to_bytes().replace(b"branch=z9hG4bK", b"branch=z9hG4bKx"))
    messages.append(messages[0]._replace(at=messages[-1].at + 0.1, message=changed))
    played = list(play(recording))[dialog]
    assert "SUBSCRIBE no. 2: was sent; today's program does not" not in told(played)
    assert not any("Expires" in text for text in told(played))


def test_a_later_refresh_than_todays() -> None:
    """A subscription of 100 s is refreshed at half of it: the recording has none."""
    recording = recorded("reg-event")
    dialog = part(recording, "SUBSCRIBE")
    messages = recording.dialogs[dialog].messages
    for count in (1, 2):
        number = place(recording, dialog, "NOTIFY", count)
        old = messages[number].message.headers.get("Subscription-State") or ""
        change(recording, number, old, "active;expires=100", dialog)
    del messages[place(recording, dialog, "NOTIFY", 3) :]
    late = messages[place(recording, dialog, "NOTIFY", 2)]
    messages.append(late._replace(at=late.at + 60))
    texts = told(list(play(recording))[dialog])
    assert "SUBSCRIBE no. 2: is sent today; the recording has none" in texts


def test_a_digit_that_is_sent_too_late() -> None:
    """What the recording shows is when somebody pressed a key: no difference is that."""
    recording = recorded("call-with-digits-and-hold")
    dialog = part(recording, "INVITE")
    messages = recording.dialogs[dialog].messages
    first = place(recording, dialog, "INFO")
    messages[first:] = [each._replace(at=each.at + 5) for each in messages[first:]]
    assert told(list(play(recording))[dialog]) == []


# What is not played ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("REGISTER", "PUBLISH", "PUBLISH is not played: the program sends none outside of a call"),
        (";branch=", ";x=y, SIP/2.0/UDP 192.0.2.1;branch=", "it was begun by somebody else, or wa"),
        ("CSeq: 1 REGISTER", "CSeq: 1 REGISTER\r\nContact: none", "it cannot be asked for again: "),
    ],
)
def test_what_is_not_played_is_said(old: str, new: str, why: str) -> None:
    recording = recorded("refused-403")
    if new.endswith("none"):
        contact = recording.dialogs[0].opening.headers.get("Contact") or ""
        old, new = f"Contact: {contact}", "Contact: <none"
    change(recording, 0, old, new)
    (played,) = play(recording)
    assert played.skipped.startswith(why)


def test_a_call_whose_beginning_was_not_captured() -> None:
    recording = recorded("call")
    dialog = recording.dialogs[1]
    at = place(recording, 1, "BYE")
    del dialog.messages[:at]
    bye = dialog.messages[0].message
    assert isinstance(bye, Request)
    dialog.opening = bye
    assert list(play(recording))[1].skipped == (
        "it was begun before the capture was: BYE is the first of it"
    )


def test_subscriptions_to_other_things() -> None:
    recording = recorded("reg-event")
    dialog = part(recording, "SUBSCRIBE")
    change(recording, 0, "Event: reg", "Event: presence", dialog)
    assert list(play(recording))[dialog].skipped == (
        "SUBSCRIBE is played for the reg event only, and this is for 'presence'"
    )


def test_a_short_message_is_named_as_passed_over() -> None:
    recording = recorded("message")
    dialog = part(recording, "MESSAGE")
    for count in (1, 2):
        number = place(recording, dialog, "MESSAGE", count)
        sms = "application/vnd.3gpp.sms"
        change(recording, number, "text/plain;charset=UTF-8", sms, dialog)
    played = list(play(recording))[dialog]
    assert told(played) == []
    assert played.passed_over == (
        "the short message inside: it is taken as it was, and what follows from it, too",
    )


def test_a_security_agreement_is_named_and_not_compared() -> None:
    recording = recorded("registration")
    for number in (0, 2):
        agreement = "Supported: path\r\nSecurity-Client: ipsec-3gpp;alg=hmac-sha-1-96"
        change(recording, number, "Supported: path", f"{agreement}\r\nRequire: sec-agree")
    (played,) = play(recording)
    assert told(played) == []
    assert "security agreement" in played.passed_over[0]


def test_a_refer_of_ours_in_a_call_is_named() -> None:
    recording = recorded("call-with-digits-and-hold")
    dialog = part(recording, "INVITE")
    messages = recording.dialogs[dialog].messages
    for number, each in enumerate(messages):
        octets = each.message.raw.replace(b"INFO sip", b"REFER sip").replace(b" INFO", b" REFER")
        messages[number] = each._replace(message=parse(octets))
    played = list(play(recording))[dialog]
    assert "REFER: was sent; today's program does not" in told(played)
    assert "REFER inside of the call: the program sends none" in played.passed_over
    assert "2 messages of the peer's: nothing asks for them today" in played.passed_over


# Whatever a capture holds ----------------------------------------------------------------------


def test_messages_beyond_the_limits_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sipua.replay.recording.MAX_MESSAGES", 3)
    monkeypatch.setattr("sipua.replay.recording.MAX_DIALOGS", 1)
    recording = recorded("call")
    (played,) = play(recording)
    assert played.passed_over == ("the last message: there are too many",)
    assert "9 SIP messages are each of a dialog beyond the first 1, and left out" in (
        recording.remarks
    )


def test_a_recording_of_many_years_takes_no_years() -> None:
    """What is due in between is done, and then there is nothing more."""
    recording = recorded("reg-event")
    for dialog in recording.dialogs:
        last = dialog.messages[-1]
        dialog.messages.append(last._replace(at=last.at + 3.2e9))
    started = time.process_time()
    assert [played.skipped for played in play(recording)] == ["", ""]
    assert time.process_time() - started < 8


def test_a_dialog_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """And after too many steps of all, the next one is not begun."""
    monkeypatch.setattr("sipua.replay.stage.MAX_TURNS", 8)
    registering, calling = play(recorded("call"))
    assert registering.skipped == ""
    assert calling.skipped == "it cannot be played on: there is no end to it within 8 steps"
    monkeypatch.setattr("sipua.replay.play.MAX_TURNS", 3)
    _, calling = play(recorded("call"))
    assert calling.skipped == "the dialogs before it were so long that it is not begun"


@pytest.mark.parametrize(
    "name", ["call", "call-with-digits-and-hold", "reg-event", "asked-by-others", "message"]
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_capture_holds_it_is_played_or_refused(name: str, data: st.DataObject) -> None:
    """Octets changed and cut: differences, or why not; nothing else is raised."""
    octets = bytearray((scenes.CAPTURES / f"{name}.pcapng").read_bytes())
    for _ in range(data.draw(st.integers(0, 12))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    stream = io.BytesIO(bytes(octets[: cut if cut % 2 else None]))
    try:
        recording = read(stream)
    except CaptureError:
        return
    for played in play(recording):
        assert played.to_json()


SHREDS = (
    *("\r\n", ";", "<", ">", '"', "0", "-1", "99999999999", "tag=", "200", "401", "491", "\xff"),
    *("INVITE", "NOTIFY", "SUBSCRIBE", "REFER", "UPDATE", "INFO", "a=inactive", "terminated"),
    "Require: x\r\n",
)


@pytest.mark.parametrize("name", scenes.SCENES)
def test_whatever_messages_say_is_played_or_refused(name: str) -> None:
    """Messages with shreds in them, at other times, and twice."""
    rng = random.Random(name)
    octets = (scenes.CAPTURES / f"{name}.pcapng").read_bytes()
    for _ in range(30):
        recording = read(io.BytesIO(octets))
        for dialog in recording.dialogs:
            messages = dialog.messages
            for n, each in enumerate(messages):
                if rng.random() < 0.4:
                    messages[n] = each._replace(message=_torn(each.message, rng))
            later, from_now = rng.choice((0, 0, 1, 60, 1e5)), rng.randrange(len(messages))
            messages[from_now:] = [
                each._replace(at=each.at + later) for each in messages[from_now:]
            ]
            messages.insert(from_now, messages[rng.randrange(len(messages))])
            first = messages[0].message
            if isinstance(first, Request):
                dialog.opening = first
        for played in play(recording):
            assert played.to_json()


def _torn(message: Request | Response, rng: random.Random) -> Request | Response:
    octets = bytearray(message.raw)
    at = rng.randrange(len(octets))
    octets[at : at + rng.randrange(30)] = rng.choice(SHREDS).encode("latin-1")
    try:
        return parse(bytes(octets))
    except ParseError:
        return message
