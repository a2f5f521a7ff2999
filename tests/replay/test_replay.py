"""Recordings against today's program: those of ``fixtures`` are the same, changed ones are not."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay import recording as scenes
from sipua.capture.errors import CaptureError
from sipua.explain.subscriber import Subscriber, load
from sipua.replay.play import Played, play
from sipua.replay.recording import Recording, read
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
        assert played.today
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


def test_what_is_not_played_is_said() -> None:
    recording = recorded("registration")
    change(recording, 0, "REGISTER", "OPTIONS")
    (played,) = play(recording)
    assert played.skipped == "OPTIONS is not played"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_a_capture_holds_it_is_played_or_refused(data: st.DataObject) -> None:
    """Octets of a call changed and cut: differences, or why not; nothing else is raised."""
    octets = bytearray((scenes.CAPTURES / "call.pcapng").read_bytes())
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
