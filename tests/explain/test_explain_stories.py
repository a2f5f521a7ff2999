"""How whole dialogs went: refused unasked, refused after a right answer, never answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from explain.seen_on_the_wire import DOMAIN, IMPI, IMPU, Answerer, Talk, registration, write_pcap

Explain = Callable[..., dict[str, Any]]


def codes_of(found: dict[str, Any], *, wrong: bool = True) -> list[str]:
    return [each["code"] for each in found["dialogs"][0]["findings"] if each["wrong"] is wrong]


def test_refused_before_any_challenge(explain: Explain, tmp_path: Path) -> None:
    talk = Talk()
    talk.request()
    talk.response(403, "Forbidden", 'Warning: 399 pcscf "roaming not allowed"')
    found = explain(write_pcap(tmp_path / "seen.pcap", talk))
    assert codes_of(found) == ["rejected-before-challenge"]
    assert "roaming not allowed" in found["dialogs"][0]["summary"]


def test_a_security_agreement_is_asked_for(explain: Explain, tmp_path: Path) -> None:
    talk = Talk()
    talk.request()
    talk.response(421, "Extension Required", "Require: sec-agree")
    assert codes_of(explain(write_pcap(tmp_path / "seen.pcap", talk))) == ["security-agreement"]


def test_a_server_that_failed(explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer()
    talk = registration(answerer, answerer.response(), status=503)
    assert codes_of(explain(write_pcap(tmp_path / "seen.pcap", talk))) == ["server-error"]


def test_refused_after_a_right_answer(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    answerer = Answerer()
    path = write_pcap(tmp_path / "seen.pcap", registration(answerer, answerer.response()))
    assert codes_of(explain(path, "--profile", key_file)) == ["right-answer-refused"]
    assert codes_of(explain(path)) == ["refused"]


def test_a_password_is_asked_for(explain: Explain, tmp_path: Path) -> None:
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", 'WWW-Authenticate: Digest realm="x", nonce="12", qop="auth"')
    found = explain(write_pcap(tmp_path / "seen.pcap", talk))
    assert codes_of(found) == ["no-aka-offered"]
    assert "named no algorithm" in found["dialogs"][0]["findings"][0]["why"]


def test_a_password_that_was_accepted_is_worth_a_note(explain: Explain, tmp_path: Path) -> None:
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", 'WWW-Authenticate: Digest realm="x", nonce="12"')
    talk.request(f'Authorization: Digest username="{IMPI}", realm="x", nonce="12", uri="sip:x", '
                 'response="00"')  # fmt: skip
    talk.response(200, "OK")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk))
    assert codes_of(found) == []
    assert codes_of(found, wrong=False) == ["no-aka-offered"]


def test_a_challenge_that_cannot_be_read(explain: Explain, tmp_path: Path) -> None:
    talk = Talk()
    talk.request()
    talk.response(
        401, "Unauthorized", 'WWW-Authenticate: Digest realm="x", nonce="ab", algorithm=AKAv1-MD5'
    )
    assert codes_of(explain(write_pcap(tmp_path / "seen.pcap", talk))) == ["bad-challenge"]


def test_a_nonce_that_is_padded_in_its_midst(explain: Explain, key_file: Path) -> None:
    line = f'WWW-Authenticate: Digest realm="r", nonce="{"A" * 42}=AAAA", algorithm=AKAv1-MD5'
    assert codes_of(explain(line, "--profile", key_file)) == ["bad-challenge"]


def test_a_nonce_in_hexadecimal(explain: Explain, key_file: Path) -> None:
    nonce = "23553cbe9637a89d218ae64dae47bf35" * 2
    line = f'WWW-Authenticate: Digest realm="r", nonce="{nonce}", algorithm=AKAv1-MD5'
    assert codes_of(explain(line, "--profile", key_file)) == ["nonce-as-hex"]


def test_nobody_answers(explain: Explain, tmp_path: Path) -> None:
    talk = Talk()
    talk.request()
    talk.cseq = 0
    talk.request()
    found = explain(write_pcap(tmp_path / "seen.pcap", talk, silence=True))
    assert codes_of(found) == ["no-response"]
    assert found["dialogs"][0]["exchanges"][0]["copies"] == 2
    cut = explain(write_pcap(tmp_path / "seen.pcap", talk))
    assert codes_of(cut) == [], "the capture may have ended too early"


def test_a_challenge_that_nobody_answers(explain: Explain, tmp_path: Path) -> None:
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {Answerer().challenge()}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk, silence=True))
    assert codes_of(found) == ["unanswered-challenge"]
    cut = explain(write_pcap(tmp_path / "seen.pcap", talk))
    assert codes_of(cut) == []


def test_challenged_again_and_again(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    talk = Talk()
    talk.request()
    for number in range(1, 5):
        answerer = Answerer(rand=bytes([number]) * 16)
        talk.response(401, "Unauthorized", f"WWW-Authenticate: {answerer.challenge()}")
        if number < 4:
            talk.request(f"Authorization: {answerer.credentials(answerer.response())}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert codes_of(found) == ["challenge-loop"]


def test_the_same_challenge_again(explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer()
    talk = registration(answerer, answerer.response(), status=401)
    talk.packets.pop()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {answerer.challenge()}")
    assert codes_of(explain(write_pcap(tmp_path / "s.pcap", talk))) == ["same-challenge-again"]


def test_keys_shown_to_the_terminal(explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer()
    talk = Talk()
    talk.request()
    keys = f'ck="{answerer.ck.hex()}", ik="{answerer.ik.hex()}"'
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {answerer.challenge()}, {keys}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk))
    assert codes_of(found, wrong=False) == ["keys-shown"]
    assert answerer.ck.hex() not in str(found)


def test_a_nonce_that_looks_like_a_key(explain: Explain, key_file: Path) -> None:
    """Base64 may well end in ck=."""
    nonce = "I1U8vpY3qJ0hiuZNrke/NU6Q5tEDdpgQb7mDOcAt/ck="
    line = f'WWW-Authenticate: Digest realm="r", nonce="{nonce}", algorithm=AKAv1-MD5'
    found = explain(line)
    assert found["dialogs"][0]["findings"] == []
    answer = f'Authorization: Digest username="a@b", realm="r", nonce="{nonce}", uri="sip:b", '
    (dialog,) = explain(line, f'{answer}response="", algorithm=AKAv1-MD5')["dialogs"]
    assert f'nonce="{nonce}", uri="sip:b"' in dialog["challenges"][0]["answers"][0]["value"]


def test_times_and_addresses(explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer()
    path = write_pcap(tmp_path / "seen.pcap", registration(answerer, answerer.response(), 200))
    (dialog,) = explain(path)["dialogs"]
    assert dialog["call_id"] == "a84b4c76e66710"
    assert dialog["method"] == "REGISTER"
    assert dialog["uri"] == f"sip:{DOMAIN}"
    assert (dialog["source"], dialog["destination"]) == ("192.0.2.1:5061", "192.0.2.2:5060")
    assert dialog["transport"] == "UDP"
    assert dialog["at"] == 1_700_000_000.0
    steps = [(each["method"], each["status"], each["ms"]) for each in dialog["exchanges"]]
    assert steps == [("REGISTER", 401, 50.0), ("REGISTER", 200, 50.0)]
    assert dialog["challenges"][0]["answers"][0]["status"] == 200


def test_a_renewal_long_after_finds_its_challenge_again(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    """The nonce goes on being used in the same Call-ID after the dialog was handed out."""
    answerer = Answerer()
    talk = registration(answerer, answerer.response(), status=200)
    other = Talk("OPTIONS", "sip:x", "keepalive", talk.at + 300)
    other.request()
    talk.at += 600
    answerer.sent["nc"] = "00000002"
    talk.request(f"Authorization: {answerer.credentials(answerer.response())}")
    talk.response(200, "OK")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk, other), "--profile", key_file)
    parts = [dialog for dialog in found["dialogs"] if dialog["call_id"] == talk.call_id]
    assert len(parts) == 2
    assert parts[1]["challenges"][0]["seen"] is False
    assert parts[1]["challenges"][0]["realm"] == DOMAIN
    assert parts[1]["challenges"][0]["answers"][0]["checked"] == "right"


def test_an_answer_whose_challenge_is_not_in_the_capture(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    talk = Talk()
    talk.request(f"Authorization: {answerer.credentials(answerer.response())}")
    talk.response(403, "Forbidden")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert codes_of(found) == ["right-answer-refused"]
    spoilt = answerer.credentials(answerer.response(password=answerer.res.hex().encode()))
    talk = Talk()
    talk.request(f"Authorization: {spoilt}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert codes_of(found) == ["hex-res"]


def test_a_call_challenged_by_two_proxies(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    """Each answer is checked against the challenge with its nonce."""
    first, second = Answerer(), Answerer("AKAv2-SHA-256", rand=bytes(range(16)))
    target = "sip:+15550123@ims.example"
    for answerer in (first, second):
        answerer.method, answerer.sent["uri"] = "INVITE", target
    talk = Talk("INVITE", target, "call-1")
    talk.request()
    talk.response(
        407,
        "Proxy Authentication Required",
        f"Proxy-Authenticate: {first.challenge()}",
        f"Proxy-Authenticate: {second.challenge()}",
    )
    talk.request(
        f"Proxy-Authorization: {second.credentials(second.response())}",
        f"Proxy-Authorization: {first.credentials(first.response(method='REGISTER'))}",
    )
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    checked = [each["answers"][0]["checked"] for each in found["dialogs"][0]["challenges"]]
    assert checked == ["wrong", "right"]
    assert codes_of(found) == ["wrong-method"]


def test_dialogs_without_authentication_are_left_out_unless_asked_for(
    explain: Explain, tmp_path: Path
) -> None:
    talk = Talk("OPTIONS", "sip:x", "keepalive", impu=IMPU)
    talk.request()
    talk.response(200, "OK")
    path = write_pcap(tmp_path / "seen.pcap", talk)
    assert explain(path)["dialogs"] == []
    assert [each["call_id"] for each in explain(path, "--all")["dialogs"]] == ["keepalive"]


# What is right although it looks odd ---------------------------------------------------


def challenged_call(answerer: Answerer) -> Talk:
    target = "sip:+15550123@ims.example"
    answerer.method, answerer.sent["uri"] = "INVITE", target
    talk = Talk("INVITE", target, "call-1")
    talk.request()
    challenge = f"Proxy-Authenticate: {answerer.challenge()}"
    talk.response(407, "Proxy Authentication Required", challenge)
    talk.request(f"Proxy-Authorization: {answerer.credentials(answerer.response())}")
    return talk


def test_a_busy_callee_is_nobodys_fault(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    talk = challenged_call(Answerer())
    talk.response(486, "Busy Here")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert codes_of(found) == []
    assert found["dialogs"][0]["challenges"][0]["answers"][0]["checked"] == "right"


def test_an_ack_repeats_the_credentials_of_its_invite(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    talk = challenged_call(answerer)
    talk.response(200, "OK")
    talk.cseq, talk.method = talk.cseq - 1, "ACK"
    talk.request(f"Proxy-Authorization: {answerer.credentials(answerer.response())}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert found["dialogs"][0]["findings"] == []
    assert len(found["dialogs"][0]["challenges"][0]["answers"]) == 1


def test_a_nonce_given_beforehand_serves_the_next_request(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    """Kamailio's nextnonce is random text; the RES stays (interop trap A19)."""
    answerer = Answerer()
    talk = registration(answerer, answerer.response(), status=200)
    talk.packets.pop()
    talk.response(200, "OK", 'Authentication-Info: nextnonce="5f3a99c1"')
    answerer.sent["nonce"] = "5f3a99c1"
    talk.request(f"Authorization: {answerer.credentials(answerer.response())}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert found["dialogs"][0]["findings"] == []
    answers = found["dialogs"][0]["challenges"][0]["answers"]
    assert [each["checked"] for each in answers] == ["right", "right"]


def test_credentials_for_a_password_beside_those_of_aka(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    talk = registration(answerer, answerer.response())
    at, out, data = talk.packets[2]
    md5 = b'Authorization: Digest username="a", realm="proxy", nonce="1", uri="sip:x", response="0"'
    talk.packets[2:] = [(at, out, data.replace(b"Content-Length", md5 + b"\r\nContent-Length"))]
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert found["dialogs"][0]["findings"] == []


def test_an_answer_that_goes_through_ipsec(explain: Explain, tmp_path: Path) -> None:
    talk = Talk()
    talk.request()
    talk.response(
        401,
        "Unauthorized",
        f"WWW-Authenticate: {Answerer().challenge()}",
        "Security-Server: ipsec-3gpp;alg=hmac-sha-1-96;ealg=null;spi-c=1;spi-s=2;port-c=3;port-s=4",
    )
    found = explain(write_pcap(tmp_path / "seen.pcap", talk, silence=True))
    assert codes_of(found) == []
    assert codes_of(found, wrong=False) == ["answer-in-ipsec"]


def test_a_capture_of_one_direction(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    answerer = Answerer()
    talk = registration(answerer, answerer.response())
    talk.packets = [packet for packet in talk.packets if packet[1]]
    found = explain(write_pcap(tmp_path / "s.pcap", talk, silence=True), "--profile", key_file)
    assert codes_of(found) == []
    assert found["dialogs"][0]["challenges"][0]["answers"][0]["checked"] == "right"


def test_the_same_messages_on_two_hops(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    """Seen before and behind a P-CSCF, which takes ck and ik out and adds headers."""
    answerer = Answerer()
    talk = registration(answerer, answerer.response(), status=200)
    twice: list[tuple[float, bool, bytes]] = []
    for number, (at, out, data) in enumerate(talk.packets):
        first, second = data, data
        if out:
            second = data.replace(b"Contact:", b"Path: <sip:term@pcscf;lr>\r\nContact:")
        if number == 1:
            keys = f', ck="{answerer.ck.hex()}", ik="{answerer.ik.hex()}"'.encode()
            first = data.replace(b"algorithm=AKAv1-MD5", b"algorithm=AKAv1-MD5" + keys)
        twice += [(at, out, first), (at + 0.01, out, second)]
    talk.packets = twice
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert codes_of(found) == []
    assert [each["copies"] for each in found["dialogs"][0]["exchanges"]] == [2, 2]
    assert len(found["dialogs"][0]["challenges"]) == 1


def test_credentials_that_cannot_be_read(explain: Explain, tmp_path: Path) -> None:
    talk = Talk()
    talk.request('Authorization: Digest username="open')
    found = explain(write_pcap(tmp_path / "seen.pcap", talk))
    assert codes_of(found) == ["credentials-unreadable"]


def test_a_quote_in_the_midst_of_a_value(explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer(qop="")
    value = answerer.credentials(answerer.response())
    talk = Talk()
    spoilt = value.replace(f'username="{IMPI}"', 'username=a"b')
    talk.request(f"Authorization: {spoilt}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk))
    assert found["dialogs"][0]["challenges"][0]["rand"] == answerer.rand.hex()


def test_a_count_used_twice(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    answerer = Answerer()
    talk = registration(answerer, answerer.response(), status=200)
    talk.request(f"Authorization: {answerer.credentials(answerer.response())}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert codes_of(found) == ["nc-repeated"]


def test_quotes_where_none_belong_are_worth_a_note(explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer()
    value = answerer.credentials(answerer.response()).replace("qop=auth", 'qop="auth"')
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {answerer.challenge()}")
    talk.request(f"Authorization: {value}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk))
    assert codes_of(found) == []
    assert codes_of(found, wrong=False) == ["needless-quotes"]
