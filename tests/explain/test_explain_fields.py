"""What is wrong at first sight, without a key; and the patent's modes, which hash nothing."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from card.aka.milenage import Milenage
from explain.seen_on_the_wire import (
    DOMAIN,
    IMPI,
    IMPU,
    IMSI,
    OP,
    OPC,
    RAND,
    Answerer,
    K,
    Talk,
    make_autn,
    registration,
    write_pcap,
)
from sipua.explain import field_checks

Explain = Callable[..., dict[str, Any]]
Spoil = Callable[[str], str]

AUTS_HEX = "43aeaaddd33a9f8be774d095d08b"
AUTS_TEXT = base64.b64encode(bytes.fromhex(AUTS_HEX)).decode()


def put(old: str, new: str) -> Spoil:
    def spoil(value: str) -> str:
        assert old in value
        return value.replace(old, new)

    return spoil


def _upper(value: str) -> str:
    head, _, rest = value.partition('response="')
    response, _, tail = rest.partition('"')
    return f'{head}response="{response.upper()}"{tail}'


NONCE = Answerer().nonce
CASES: list[tuple[str, Spoil]] = [
    ("realm-differs", put(f'realm="{DOMAIN}"', 'realm="192.0.2.2"')),
    ("uri-differs", put(f'uri="sip:{DOMAIN}"', 'uri="sip:192.0.2.2:5060"')),
    ("nonce-differs", put(NONCE, NONCE.rstrip("="))),
    ("impu-for-impi", put(f'username="{IMPI}"', f'username="{IMPU}"')),
    ("username-without-domain", put(f'username="{IMPI}"', f'username="{IMSI}"')),
    ("algorithm-missing", put(", algorithm=AKAv1-MD5", "")),
    ("algorithm-differs", put("AKAv1-MD5", "MD5")),
    ("qop-without-count", put('cnonce="0a4f113b"', 'x="y"')),
    ("nc-form", put("nc=00000001", "nc=1")),
    ("opaque-differs", put('opaque="5ccc"', 'opaque="5CCC"')),
    ("upper-case-response", _upper),
    ("response-length", put('response="', 'response="00')),
    ("auts-as-hex", put(", qop=auth", f', auts="{AUTS_HEX}", qop=auth')),
    ("auts-unreadable", put(", qop=auth", ', auts="Q66q3dM6", qop=auth')),
]


@pytest.mark.parametrize(("code", "spoil"), CASES)
def test_seen_without_a_key(code: str, spoil: Spoil, explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer()
    answerer.opaque = "5ccc"
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {answerer.challenge()}")
    talk.request(f"Authorization: {spoil(answerer.credentials(answerer.response()))}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk))
    wrong = [each["code"] for each in found["dialogs"][0]["findings"] if each["wrong"]]
    also = {"auts-as-hex": {"response-unexplained", "sync-failure"}}.get(code, set())
    assert {each for each in wrong if each not in also} == {code}
    assert found["exit_status"] == 60


def test_each_field_check_has_its_case() -> None:
    tried = {code for code, _ in CASES}
    tried |= {"auts-without-response", "wrong-header", "qop-not-offered", "qop-missing"}
    tried |= {"username-differs", "nc-repeated", "needless-quotes"}
    tried |= {"nothing-told", "answer-kind"}
    source = Path(field_checks.__file__).read_text()
    codes = set(re.findall(r'^            "([a-z]+(?:-[a-z]+)+)"', source, re.MULTILINE))
    assert codes - tried == set()


def seen(tmp_path: Path, answer_header: str, answerer: Answerer, value: str) -> Path:
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {answerer.challenge()}")
    talk.request(f"{answer_header}: {value}")
    return write_pcap(tmp_path / "seen.pcap", talk)


def codes_of(found: dict[str, Any], *, wrong: bool = True) -> list[str]:
    return [each["code"] for each in found["dialogs"][0]["findings"] if each["wrong"] is wrong]


def test_auts_with_an_empty_response(explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer()
    answerer.auts = bytes.fromhex(AUTS_HEX)
    path = seen(tmp_path, "Authorization", answerer, answerer.credentials(""))
    assert codes_of(explain(path)) == ["auts-without-response", "sync-failure"]


def test_the_other_header(explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer()
    value = answerer.credentials(answerer.response())
    assert codes_of(explain(seen(tmp_path, "Proxy-Authorization", answerer, value))) == [
        "wrong-header"
    ]


def test_a_qop_nobody_offered(explain: Explain, tmp_path: Path) -> None:
    answerer = Answerer(qop="")
    value = answerer.credentials(answerer.response()) + ', qop=auth, nc=00000001, cnonce="1"'
    path = seen(tmp_path, "Authorization", answerer, value)
    assert codes_of(explain(path)) == ["qop-not-offered"]


def test_the_old_form_where_qop_is_offered_is_worth_a_note(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    challenge = answerer.challenge()
    answerer.sent["qop"] = ""
    value = answerer.credentials(answerer.response())
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {challenge}")
    talk.request(f"Authorization: {value}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert codes_of(found) == []
    assert codes_of(found, wrong=False) == ["qop-missing"]
    assert found["exit_status"] == 0


def test_a_user_name_that_is_not_the_profiles(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    answerer.sent["username"] = f"{IMSI}@other.example"
    path = write_pcap(tmp_path / "seen.pcap", registration(answerer, answerer.response()))
    assert codes_of(explain(path, "--profile", key_file)) == ["username-differs"]


# The patent's modes -------------------------------------------------------------------

MILENAGE = Milenage(K, OPC)
AUTN = make_autn(MILENAGE, RAND, bytes.fromhex("000000000020"), b"\x80\x00")
VECTOR = RAND.hex() + AUTN.hex()
CHALLENGES = {
    "umts": f"UMTS RAND={RAND.hex()} AUTN={AUTN.hex()}",
    "digest-umts": f'Digest realm="{DOMAIN}", algorithm=UMTS-AKA, nonce="{VECTOR}"',
    "pgp-umts": f'pgp ;version="5.0" ;realm="{DOMAIN}" ;algorithm=UMTS-AKA ;nonce="{VECTOR}"',
}


def answer_in(scheme: str, res: bytes) -> str:
    if scheme == "umts":
        return f"UMTS RES={res.hex()}"
    if scheme == "pgp-umts":
        return f'pgp ;version="5.0" ;realm="{DOMAIN}" ;nonce="{VECTOR}" ;signature="01{res.hex()}"'
    return (
        f'Digest username="{IMPI}", realm="{DOMAIN}", uri="sip:{DOMAIN}", nonce="{VECTOR}", '
        f'algorithm=UMTS-AKA, response="R{res.hex()}"'
    )


@pytest.mark.parametrize(
    ("scheme", "answer", "code"),
    [
        ("umts", "UMTS X=1", "nothing-told"),
        ("digest-umts", answer_in("digest-umts", b"").replace('"R"', '""'), "nothing-told"),
        (
            "digest-umts",
            answer_in("digest-umts", MILENAGE.f2(RAND)).replace('="R', '="'),
            "answer-kind",
        ),
        (
            "pgp-umts",
            answer_in("pgp-umts", MILENAGE.f2(RAND)).replace('="01', '="'),
            "answer-kind",
        ),
        ("umts", "UMTS AUTH-REJECT=20", "refused-right-mac"),
    ],
)
def test_what_the_answer_is(
    scheme: str, answer: str, code: str, explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {CHALLENGES[scheme]}")
    talk.request(f"Authorization: {answer}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert codes_of(found) == [code]
    assert MILENAGE.f2(RAND).hex() not in str(found)


@pytest.mark.parametrize("scheme", CHALLENGES)
@pytest.mark.parametrize(
    ("code", "res"),
    [
        ("", MILENAGE.f2(RAND)),
        ("op-as-opc", Milenage(K, OP).f2(RAND)),
        ("k-byte-swapped", Milenage(K[::-1], OPC).f2(RAND)),
        ("hex-res", MILENAGE.f2(RAND).hex().encode()),
        ("res-too-short", MILENAGE.f2(RAND)[:4]),
        ("res-filled-up", MILENAGE.f2(RAND) + bytes(8)),
        ("response-unexplained", bytes(8)),
    ],
)
def test_res_in_clear(
    scheme: str, code: str, res: bytes, explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {CHALLENGES[scheme]}")
    talk.request(f"Authorization: {answer_in(scheme, res)}")
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert codes_of(found) == ([code] if code else [])
    (challenge,) = found["dialogs"][0]["challenges"]
    assert challenge["scheme"] == scheme
    assert challenge["autn"]["mac"] == "right"
    assert res.hex() not in str(found)
