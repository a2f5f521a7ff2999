"""Every mistake of a terminal, made here by hand in a capture, is named; nothing else is."""

from __future__ import annotations

import base64
import json
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
    Answerer,
    K,
    akav2_password,
    registration,
    write_pcap,
)
from sipua.explain.mistakes.catalogue import MISTAKES

Explain = Callable[..., dict[str, Any]]
Made = Callable[[], tuple[Answerer, str]]


def hashed(algorithm: str = "AKAv1-MD5", says: str = "auth", **other: Any) -> Made:
    """A terminal that hashes something else than it sends."""

    def made() -> tuple[Answerer, str]:
        answerer = Answerer(algorithm, qop=says)
        values = {k: v(answerer) if callable(v) else v for k, v in other.items()}
        return answerer, answerer.response(**values)

    return made


def with_key(k: bytes, opc: bytes) -> Made:
    def made() -> tuple[Answerer, str]:
        answerer = Answerer()
        return answerer, answerer.response(password=Milenage(k, opc).f2(answerer.rand))

    return made


def nul_inside() -> tuple[Answerer, str]:
    milenage = Milenage(K, OPC)
    number = next(n for n in range(10_000) if 0 in milenage.f2(n.to_bytes(16, "big"))[2:6])
    answerer = Answerer(rand=number.to_bytes(16, "big"))
    return answerer, answerer.response(password=answerer.res[: answerer.res.index(0)])


def body_and(says: str, **other: Any) -> Made:
    def made() -> tuple[Answerer, str]:
        answerer = Answerer(qop=says)
        answerer.body = b"<reginfo/>\r\n"
        return answerer, answerer.response(**other)

    return made


def auts_with_res() -> tuple[Answerer, str]:
    answerer = Answerer()
    milenage = Milenage(K, OPC)
    sqn = (0x4000).to_bytes(6, "big")
    hidden = bytes(a ^ b for a, b in zip(sqn, milenage.f5star(answerer.rand), strict=True))
    answerer.auts = hidden + milenage.f1star(answerer.rand, sqn, bytes(2))
    return answerer, answerer.response(password=answerer.res)


def no_padding() -> tuple[Answerer, str]:
    answerer = Answerer()
    return answerer, answerer.response(nonce=answerer.nonce.rstrip("="))


def other_case() -> tuple[Answerer, str]:
    answerer = Answerer()
    answerer.sent["cnonce"] = "AbCdEf0123456789"
    return answerer, answerer.response(cnonce="abcdef0123456789")


def res_in_clear() -> tuple[Answerer, str]:
    answerer = Answerer()
    return answerer, answerer.res.hex()


def qop_kept_back() -> tuple[Answerer, str]:
    answerer = Answerer(qop="")
    answerer.counts_anyway = True
    return answerer, answerer.response(qop="auth")


def double_derived() -> bytes:
    return Milenage.from_op(K, OPC).opc


CASES: list[tuple[str, Made]] = [
    ("opc-as-op", with_key(K, double_derived())),
    ("op-as-opc", with_key(K, OP)),
    ("k-byte-swapped", with_key(K[::-1], OPC)),
    ("k-byte-swapped", with_key(bytes.fromhex(K.hex()[::-1])[::-1], OPC)),
    ("k-byte-swapped", with_key(b"".join(K[i : i + 2][::-1] for i in range(0, 16, 2)), OPC)),
    ("k-byte-swapped", with_key(K[::-1], Milenage.from_op(K[::-1], OP).opc)),
    ("opc-byte-swapped", with_key(K, OPC[::-1])),
    ("opc-byte-swapped", with_key(K, Milenage.from_op(K, OP[::-1]).opc)),
    ("k-opc-exchanged", with_key(OPC, K)),
    (
        "other-algorithm",
        hashed(password=lambda a: bytes(x ^ y for x, y in zip(K, a.rand, strict=True))),
    ),
    ("hex-res", hashed(password=lambda a: a.res.hex().encode())),
    ("hex-res", hashed(password=lambda a: a.res.hex().upper().encode())),
    ("base64-res", hashed(password=lambda a: base64.b64encode(a.res))),
    ("utf8-res", hashed(password=lambda a: "".join(map(chr, a.res)).encode())),
    ("res-cut-at-nul", nul_inside),
    ("res-too-short", hashed(password=lambda a: a.res[:4])),
    ("res-filled-up", hashed(password=lambda a: a.res + bytes(8))),
    ("akav2-raw-res", hashed("AKAv2-MD5", password=lambda a: a.res)),
    ("akav2-raw-res", hashed("AKAv2-SHA-256", password=lambda a: a.res)),
    ("akav1-masked-res", hashed(password=lambda a: akav2_password("MD5", a.res, a.ck, a.ik))),
    (
        "akav2-password",
        hashed("AKAv2-MD5", password=lambda a: base64.b64decode(a.password)),
    ),
    (
        "akav2-password",
        hashed("AKAv2-SHA-256", password=lambda a: akav2_password("MD5", a.res, a.ck, a.ik)),
    ),
    (
        "akav2-password",
        hashed("AKAv2-MD5", password=lambda a: akav2_password("MD5", a.res, a.ik, a.ck)),
    ),
    ("empty-password", hashed(password=b"")),
    ("auts-with-res", auts_with_res),
    ("wrong-username", hashed(username=IMPU)),
    ("wrong-username", hashed(username=IMSI)),
    ("wrong-realm", hashed(realm="192.0.2.2")),
    ("wrong-realm", hashed(realm="")),
    ("wrong-uri", hashed(uri="sip:192.0.2.2:5060")),
    ("wrong-uri", hashed(uri=IMPU)),
    ("wrong-uri", hashed(uri=DOMAIN)),
    ("wrong-uri", hashed(uri=f"sip:{DOMAIN};transport=tcp")),
    ("wrong-method", hashed(method="INVITE")),
    ("wrong-method", hashed(method="register")),
    ("auth-int-for-auth", body_and("auth", qop="auth-int")),
    ("auth-int-for-auth", hashed("AKAv2-SHA-256", qop="auth-int")),
    ("auth-for-auth-int", body_and("auth-int", qop="auth")),
    ("without-qop", hashed(qop="")),
    ("qop-not-sent", qop_kept_back),
    ("wrong-body", body_and("auth-int", body=b"")),
    ("nc-mismatch", hashed(nc="00000002")),
    ("nc-mismatch", hashed(nc="1")),
    ("cnonce-mismatch", hashed(cnonce="")),
    ("cnonce-mismatch", other_case),
    ("sess-added", hashed(session=True)),
    ("sess-missing", hashed("AKAv1-SHA-256-sess", session=False)),
    ("wrong-hash", hashed("AKAv1-SHA-256", hash="MD5")),
    ("wrong-hash", hashed("AKAv1-MD5", hash="SHA-256")),
    ("quotes-hashed", hashed(username=f'"{IMPI}"')),
    (
        "quotes-hashed",
        hashed(username=f'"{IMPI}"', realm=f'"{DOMAIN}"', uri=f'"sip:{DOMAIN}"'),
    ),
    ("inner-upper-case", hashed(upper=True)),
    ("wrong-nonce", no_padding),
    ("res-in-clear", res_in_clear),
]


@pytest.mark.parametrize(("code", "made"), CASES)
def test_the_mistake_is_named(
    code: str, made: Made, explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer, response = made()
    assert response != answerer.response()
    path = write_pcap(tmp_path / "seen.pcap", registration(answerer, response))
    found = explain(path, "--profile", key_file)
    (dialog,) = found["dialogs"]
    wrong = [each["code"] for each in dialog["findings"] if each["wrong"]]
    also = {"sqn-not-fresh", "sqn-too-far-ahead"} if answerer.auts else set()
    assert [each for each in wrong if each not in also] == [code]
    assert found["exit_status"] == 60
    (challenge,) = dialog["challenges"]
    assert challenge["autn"]["mac"] == "right"
    assert [each["checked"] for each in challenge["answers"]] == ["wrong"]
    printed = json.dumps(found).lower()
    for secret in (answerer.res, answerer.ck, answerer.ik, K, OP, OPC):
        assert secret.hex() not in printed
        assert base64.b64encode(secret).decode().lower() not in printed


def test_each_hypothesis_has_its_case() -> None:
    with_case = {code for code, _ in CASES} | {"res-of-another-challenge"}
    assert {mistake.code for mistake in MISTAKES} == with_case


def test_two_mistakes_at_once_are_both_named(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    response = answerer.response(password=answerer.res.hex().encode(), uri="sip:192.0.2.2")
    path = write_pcap(tmp_path / "seen.pcap", registration(answerer, response))
    (dialog,) = explain(path, "--profile", key_file)["dialogs"]
    wrong = {each["code"] for each in dialog["findings"] if each["wrong"]}
    assert wrong == {"hex-res", "wrong-uri"}


def test_what_nothing_reproduces_is_not_guessed_at(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    path = write_pcap(tmp_path / "seen.pcap", registration(answerer, "0" * 32))
    (dialog,) = explain(path, "--profile", key_file)["dialogs"]
    wrong = [each["code"] for each in dialog["findings"] if each["wrong"]]
    assert wrong == ["response-unexplained"]


def test_what_the_network_took_is_no_fault(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer("AKAv2-MD5")
    talk = registration(answerer, answerer.response(password=answerer.res), status=200)
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    assert found["exit_status"] == 0
    codes = [(each["code"], each["wrong"]) for each in found["dialogs"][0]["findings"]]
    assert codes == [("akav2-raw-res", False)]


def test_res_of_another_challenge(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    first, second = Answerer(), Answerer(rand=bytes(range(16)))
    talk = registration(first, first.response(), status=401)
    talk.packets[-1:] = []
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {second.challenge()}")
    stale = second.credentials(second.response(password=first.res))
    talk.request(f"Authorization: {stale}")
    talk.response(403, "Forbidden")
    (dialog,) = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)["dialogs"]
    wrong = [each["code"] for each in dialog["findings"] if each["wrong"]]
    assert wrong == ["res-of-another-challenge"]
    assert [c["answers"][0]["checked"] for c in dialog["challenges"]] == ["right", "wrong"]
