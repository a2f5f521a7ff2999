"""AUTN and AUTS made wrong by hand: which side, which mistake, what the HSS must do."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from card.aka.milenage import Milenage
from explain.seen_on_the_wire import (
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
from sipua.explain.mistakes.autn import AUTN_MISTAKES
from sipua.explain.mistakes.auts import AUTS_MISTAKES
from sipua.explain.mistakes.keys import WRONG_KEYS

Explain = Callable[..., dict[str, Any]]

MILENAGE = Milenage(K, OPC)
SQN = bytes.fromhex("000000000123")
AMF = b"\x80\x00"
AK = MILENAGE.f5(RAND)


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def keyed(k: bytes, opc: bytes) -> bytes:
    return RAND + make_autn(Milenage(k, opc), RAND, SQN, AMF)


VECTORS: list[tuple[str, bytes]] = [
    ("network-opc-as-op", keyed(K, Milenage.from_op(K, OPC).opc)),
    ("network-op-as-opc", keyed(K, OP)),
    ("network-k-byte-swapped", keyed(K[::-1], OPC)),
    ("network-opc-byte-swapped", keyed(K, OPC[::-1])),
    ("network-k-opc-exchanged", keyed(OPC, K)),
    ("sqn-not-concealed", RAND + SQN + AMF + MILENAGE.f1(RAND, SQN, AMF)),
    ("sqn-not-concealed", RAND + xor(SQN, AK) + AMF + MILENAGE.f1(RAND, xor(SQN, AK), AMF)),
    (
        "autn-by-f5star",
        RAND + xor(SQN, MILENAGE.f5star(RAND)) + AMF + MILENAGE.f1(RAND, SQN, AMF),
    ),
    ("mac-s-in-autn", RAND + xor(SQN, AK) + AMF + MILENAGE.f1star(RAND, SQN, AMF)),
    ("sqn-byte-swapped", RAND + xor(SQN, AK) + AMF + MILENAGE.f1(RAND, SQN[::-1], AMF)),
    ("autn-order", RAND + xor(SQN, AK) + MILENAGE.f1(RAND, SQN, AMF) + AMF),
    ("rand-behind-autn", make_autn(MILENAGE, RAND, SQN, AMF) + RAND),
    ("amf-mismatch", RAND + make_autn(MILENAGE, RAND, SQN, AMF, mac_amf=b"\xb9\xb9")),
    ("mac-wrong", keyed(bytes(16), OPC)),
]


def challenge_line(vector: bytes) -> str:
    nonce = base64.b64encode(vector).decode()
    return f'WWW-Authenticate: Digest realm="r", nonce="{nonce}", algorithm=AKAv1-MD5'


@pytest.mark.parametrize(("code", "vector"), VECTORS)
def test_what_is_wrong_with_autn(
    code: str, vector: bytes, explain: Explain, key_file: Path
) -> None:
    found = explain(challenge_line(vector), "--profile", key_file)
    (dialog,) = found["dialogs"]
    assert [(each["code"], each["side"]) for each in dialog["findings"]] == [(code, "network")]
    assert found["exit_status"] == 60
    autn = dialog["challenges"][0]["autn"]
    assert autn["mac"] == "wrong"
    if code in ("mac-wrong", "sqn-not-concealed"):
        return
    assert (autn["sqn"], autn["seq"], autn["ind"]) == (SQN.hex(), 0x123 >> 5, 3)


def test_each_hypothesis_on_autn_has_its_case() -> None:
    tried = {code for code, _ in VECTORS}
    wrong_keys = {f"network-{wrong.code}" for wrong in WRONG_KEYS} - {"network-other-algorithm"}
    assert {mistake.code for mistake in AUTN_MISTAKES} | wrong_keys == tried - {"mac-wrong"}


def test_a_right_autn_is_opened(explain: Explain, key_file: Path) -> None:
    found = explain(challenge_line(keyed(K, OPC) + b"\x01\x02"), "--profile", key_file)
    (challenge,) = found["dialogs"][0]["challenges"]
    assert found["exit_status"] == 0
    assert found["dialogs"][0]["findings"] == []
    assert challenge["autn"] == {"mac": "right", "sqn": SQN.hex(), "seq": 9, "ind": 3}
    assert challenge["rand"] == RAND.hex()
    assert challenge["sqn_xor_ak"] == xor(SQN, AK).hex()
    assert challenge["amf"] == "8000"
    assert challenge["server_data"] == "0102"


def test_network_and_terminal_agree_and_the_profile_differs(
    explain: Explain, tmp_path: Path
) -> None:
    """OP typed as OPc into the profile given here."""
    profile = tmp_path / "typed.toml"
    profile.write_text(f'k = "{K.hex()}"\nopc = "{OP.hex()}"\n')
    answerer = Answerer()
    path = write_pcap(tmp_path / "seen.pcap", registration(answerer, answerer.response(), 200))
    found = explain(path, "--profile", profile)
    (dialog,) = found["dialogs"]
    assert [(each["code"], each["side"]) for each in dialog["findings"]] == [
        ("profile-opc-as-op", "profile")
    ]
    assert dialog["challenges"][0]["answers"][0]["checked"] == "right"


def test_a_terminal_that_does_not_check_the_mac(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    autn = make_autn(Milenage(bytes(16), OPC), RAND, SQN, AMF)
    answerer.nonce = answerer.sent["nonce"] = base64.b64encode(RAND + autn).decode()
    path = write_pcap(tmp_path / "seen.pcap", registration(answerer, answerer.response()))
    (dialog,) = explain(path, "--profile", key_file)["dialogs"]
    wrong = {(each["code"], each["side"]) for each in dialog["findings"] if each["wrong"]}
    assert wrong == {("mac-not-checked", "terminal"), ("mac-wrong", "network")}


def auts(sqn: bytes, functions: Milenage = MILENAGE, amf: bytes = bytes(2)) -> bytes:
    return xor(sqn, functions.f5star(RAND)) + functions.f1star(RAND, sqn, amf)


SQN_MS = bytes.fromhex("000000008005")
AUTS: list[tuple[str, bytes]] = [
    ("auts-amf", auts(SQN_MS, amf=AMF)),
    ("auts-by-f5", xor(SQN_MS, AK) + MILENAGE.f1star(RAND, SQN_MS, bytes(2))),
    ("auts-not-concealed", SQN_MS + MILENAGE.f1star(RAND, SQN_MS, bytes(2))),
    ("mac-a-in-auts", xor(SQN_MS, MILENAGE.f5star(RAND)) + MILENAGE.f1(RAND, SQN_MS, bytes(2))),
    ("card-op-as-opc", auts(SQN_MS, Milenage(K, OP))),
    ("card-k-byte-swapped", auts(SQN_MS, Milenage(K[::-1], OPC))),
    ("auts-mac-wrong", auts(SQN_MS, Milenage(bytes(16), OPC))),
]


def out_of_step(octets: bytes, tmp_path: Path, *after: bytes, answered: bool = True) -> Path:
    """A 401, AUTS, and the challenges that follow with the SQNs ``after``."""
    answerer = Answerer()
    answerer.auts = octets
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {answerer.challenge()}")
    talk.request(f"Authorization: {answerer.credentials(answerer.response())}")
    for number, sqn in enumerate(after, 1):
        later = Answerer(rand=bytes([number]) * 16)
        vector = later.rand + make_autn(MILENAGE, later.rand, sqn, AMF)
        later.nonce = later.sent["nonce"] = base64.b64encode(vector).decode()
        talk.response(401, "Unauthorized", f"WWW-Authenticate: {later.challenge()}")
        if answered:
            talk.request(f"Authorization: {later.credentials(later.response())}")
    if after and answered:
        talk.response(200, "OK")
    return write_pcap(tmp_path / "seen.pcap", talk)


@pytest.mark.parametrize(("code", "octets"), AUTS)
def test_what_is_wrong_with_auts(
    code: str, octets: bytes, explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    found = explain(out_of_step(octets, tmp_path), "--profile", key_file)
    wrong = [each["code"] for each in found["dialogs"][0]["findings"] if each["wrong"]]
    expected = [code] if code == "auts-mac-wrong" else [code, "sqn-not-fresh"]
    assert wrong == expected
    answer = found["dialogs"][0]["challenges"][0]["answers"][0]
    assert answer["auts"]["mac"] == "wrong"
    assert answer["checked"] == "right"  # the digest over the empty password


def test_each_hypothesis_on_auts_has_its_case() -> None:
    assert {mistake.code for mistake in AUTS_MISTAKES} <= {code for code, _ in AUTS}


def test_a_right_auts_tells_the_distance(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    found = explain(out_of_step(auts(SQN_MS), tmp_path), "--profile", key_file)
    (dialog,) = found["dialogs"]
    assert [each["code"] for each in dialog["findings"]] == ["sqn-not-fresh"]
    assert "1023 behind the card" in dialog["summary"]
    assert "go on from SQN 000000008005" in dialog["findings"][0]["todo"]
    opened = dialog["challenges"][0]["answers"][0]["auts"]
    assert opened["mac"] == "right"
    assert (opened["sqn"], opened["seq"], opened["ind"]) == ("000000008005", 0x400, 5)
    assert opened["distance"] == 1 - 0x400
    assert opened["next_sqn"] == "000000008020"


def test_an_autn_given_to_the_card_twice(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    same = bytes.fromhex("000000000020")
    found = explain(out_of_step(auts(same), tmp_path), "--profile", key_file)
    assert [each["code"] for each in found["dialogs"][0]["findings"]] == ["autn-given-twice"]


def test_a_jump_further_than_the_card_follows(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    vector = RAND + make_autn(MILENAGE, RAND, bytes.fromhex("800000000000"), AMF)
    answerer.nonce = answerer.sent["nonce"] = base64.b64encode(vector).decode()
    answerer.auts = auts(SQN_MS)
    talk = registration(answerer, answerer.response())
    talk.packets.pop()
    found = explain(write_pcap(tmp_path / "seen.pcap", talk), "--profile", key_file)
    wrong = [each["code"] for each in found["dialogs"][0]["findings"] if each["wrong"]]
    assert wrong == ["sqn-too-far-ahead"]


def test_a_resynchronisation_that_worked_is_no_fault(
    explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    path = out_of_step(auts(SQN_MS), tmp_path, bytes.fromhex("000000008020"))
    found = explain(path, "--profile", key_file)
    assert found["exit_status"] == 0
    codes = [(each["code"], each["wrong"]) for each in found["dialogs"][0]["findings"]]
    assert codes == [("sqn-not-fresh", False)]


def test_an_hss_that_ignores_auts(explain: Explain, tmp_path: Path, key_file: Path) -> None:
    behind = bytes.fromhex("000000000040")
    path = out_of_step(auts(SQN_MS), tmp_path, behind, answered=False)
    found = explain(path, "--profile", key_file)
    wrong = {each["code"] for each in found["dialogs"][0]["findings"] if each["wrong"]}
    assert wrong == {"sqn-not-fresh", "auts-ignored"}


def test_auts_without_a_key(explain: Explain, tmp_path: Path) -> None:
    found = explain(out_of_step(auts(SQN_MS), tmp_path))
    assert [each["code"] for each in found["dialogs"][0]["findings"]] == ["sync-failure"]
    assert found["dialogs"][0]["challenges"][0]["answers"][0]["checked"] == "right"


@pytest.mark.parametrize(
    ("vector", "code"), [(keyed(K, OPC), "refused-right-mac"), (keyed(K, OP), "mac-failure")]
)
def test_a_card_that_refused_autn(
    vector: bytes, code: str, explain: Explain, tmp_path: Path, key_file: Path
) -> None:
    answerer = Answerer()
    answerer.nonce = answerer.sent["nonce"] = base64.b64encode(vector).decode()
    answerer.sent["qop"] = ""
    path = write_pcap(tmp_path / "seen.pcap", registration(answerer, ""))
    (dialog,) = explain(path, "--profile", key_file)["dialogs"]
    wrong = [each["code"] for each in dialog["findings"] if each["wrong"]]
    assert code in wrong
    assert dialog["challenges"][0]["answers"][0]["kind"] == "reject"


def test_a_published_op_is_known_by_the_opc_it_gives(explain: Explain, tmp_path: Path) -> None:
    """The profile holds OPc alone, the network took the test OP for it."""
    profile = tmp_path / "opc.toml"
    profile.write_text(f'k = "{K.hex()}"\nopc = "{OPC.hex()}"\n')
    (dialog,) = explain(challenge_line(keyed(K, OP)), "--profile", profile)["dialogs"]
    assert [each["code"] for each in dialog["findings"]] == ["network-op-as-opc"]
