"""Text as people paste it: lines, messages, traces with remarks between, our own JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explain.seen_on_the_wire import Answerer, registration
from sipua.explain.pasted import read_text
from sipua.sip.message import Request, Response
from sipua.verdict import Verdict

Explain = Callable[..., dict[str, Any]]
FLOWS = Path(__file__).parent.parent.parent / "fixtures" / "flows" / "registration.json"


def wrong_in(found: dict[str, Any]) -> list[str]:
    return [f["code"] for each in found["dialogs"] for f in each["findings"] if f["wrong"]]


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
@pytest.mark.parametrize("margin", ["", "    ", "> ", "\t"])
def test_messages_with_any_margin_and_line_end(ends: str, margin: str) -> None:
    answerer = Answerer()
    answerer.body = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"
    text = registration(answerer, answerer.response()).text().decode()
    lines = ["--> udp:192.0.2.2:5060", *text.replace("\r\n", "\n").split("\n")]
    pasted = ends.join(margin + line for line in lines)
    messages = [heard.message for heard in read_text(pasted)]
    assert [type(each) for each in messages] == [Request, Response, Request, Response]
    assert [each.body for each in messages] == [answerer.body, b"", answerer.body, b""]
    second = messages[2]
    assert second.headers.get("Authorization") == answerer.credentials(answerer.response())


def test_a_wrong_answer_in_a_pasted_trace(explain: Explain, key_file: Path) -> None:
    answerer = Answerer()
    spoilt = answerer.response(password=answerer.res.hex().encode())
    text = registration(answerer, spoilt).text().decode()
    pasted = "U 192.0.2.1:5061 -> 192.0.2.2:5060\n" + text.replace("\r\n", "\n  ")
    assert wrong_in(explain(pasted, "--profile", key_file)) == ["hex-res"]


def test_lines_alone(explain: Explain, key_file: Path) -> None:
    answerer = Answerer()
    value = answerer.credentials(answerer.response())
    for challenge in (f"WWW-Authenticate: {answerer.challenge()}", answerer.challenge()):
        for credentials in (f"Authorization: {value}", value):
            found = explain(challenge, credentials, "--profile", key_file)
            assert wrong_in(found) == []
            (answer,) = found["dialogs"][0]["challenges"][0]["answers"]
            assert answer["checked"] == "right"
            found = explain(f"{challenge}\n{credentials}", "--profile", key_file)
            assert found["dialogs"][0]["challenges"][0]["answers"][0]["checked"] == "right"


def test_credentials_alone_are_checked_by_the_nonce_they_repeat(
    explain: Explain, key_file: Path
) -> None:
    answerer = Answerer()
    answerer.method = "INVITE"
    line = f"Proxy-Authorization: {answerer.credentials(answerer.response())}"
    found = explain(line, "--profile", key_file)
    assert wrong_in(found) == [], "the method is not known, so any will do"
    assert found["dialogs"][0]["challenges"][0]["answers"][0]["checked"] == "right"


def test_the_published_flow(explain: Explain, tmp_path: Path) -> None:
    """A handset at a Kamailio S-CSCF, as somebody published it."""
    flow = json.loads(FLOWS.read_text())["verified_flows"][0]
    key = tmp_path / "key.toml"
    key.write_text(f'k = "{flow["K"]}"\nop = "{flow["OP"]}"\n')
    lines = (
        f"WWW-Authenticate: {flow['www_authenticate']}",
        f"Authorization: {flow['authorization']}",
    )
    found = explain(*lines, "--profile", key)
    assert wrong_in(found) == []
    (challenge,) = found["dialogs"][0]["challenges"]
    assert challenge["rand"] == flow["RAND"].lower()
    assert challenge["amf"] == flow["AMF"]
    assert challenge["mac"] == flow["MAC_A"]
    assert challenge["autn"] == {
        "mac": "right",
        "sqn": flow["SQN"],
        "seq": int(flow["SEQ"], 16),
        "ind": flow["IND"],
    }
    assert challenge["answers"][0]["checked"] == "right"
    assert flow["response"] in challenge["right_answer"]["value"]
    printed = json.dumps(found).lower()
    for secret in ("K", "OP", "OPc", "RES", "CK", "IK"):
        assert flow[secret].lower() not in printed
    shown = explain(*lines, "--profile", key, "--show-secrets")
    (challenge,) = shown["dialogs"][0]["challenges"]
    assert challenge["secrets"]["res"] == flow["RES"]
    assert challenge["secrets"]["ck"] == flow["CK"]
    assert challenge["secrets"]["ik"] == flow["IK"]
    # what the note beside it says of the hexadecimal text of RES
    spoilt = lines[1].replace(flow["response"], "0b04891a09b6f2f9d12c10687feb8643")
    assert wrong_in(explain(lines[0], spoilt, "--profile", key)) == ["hex-res"]


def test_every_response_computed_from_that_flow(explain: Explain, tmp_path: Path) -> None:
    document = json.loads(FLOWS.read_text())
    flow, computed = document["verified_flows"][0], document["computed_by_us"]
    key = tmp_path / "key.toml"
    key.write_text(f'k = "{flow["K"]}"\nopc = "{flow["OPc"]}"\n')
    given = computed["inputs"]
    for row in computed["responses"]:
        qop = f', qop="{row["qop"]}"' if row["qop"] else ""
        asked = (
            f'Digest realm="{given["realm"]}", nonce="{given["nonce"]}", '
            f"algorithm={row['algorithm']}{qop}"
        )
        told = (
            f'Digest username="{given["username"]}", realm="{given["realm"]}", '
            f'nonce="{given["nonce"]}", uri="{given["uri"]}", response="{row["response"]}", '
            f"algorithm={row['algorithm']}"
        )
        if row["qop"]:
            told += f', qop={row["qop"]}, nc={row["nc"]}, cnonce="{row["cnonce"]}"'
        found = explain(asked, told, "--profile", key)
        assert wrong_in(found) == [], row
        assert found["dialogs"][0]["challenges"][0]["answers"][0]["checked"] == "right"


def test_our_own_json(explain: Explain, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    document = {
        "verdict": "mac-failure",
        "exit_status": 20,
        "reason": "The card refused the network's AUTN.",
        "hints": ["Compare K and OPc."],
        "exchange": [{"method": "REGISTER", "status": 401, "reason": "Unauthorized"}],
        "impi": "user@ims.example",
    }
    path.write_text(json.dumps(document))
    found = explain(path)
    (dialog,) = found["dialogs"]
    assert wrong_in(found) == ["mac-failure"]
    assert dialog["findings"][0]["todo"] == "Compare K and OPc."
    assert dialog["exchanges"][0]["status"] == 401
    path.write_text(json.dumps(document | {"verdict": "registered", "exit_status": 0}))
    assert explain(path)["exit_status"] == 0


@pytest.mark.parametrize("verdict", list(Verdict))
def test_our_own_json_of_every_verdict(verdict: Verdict, explain: Explain) -> None:
    found = explain(json.dumps({"verdict": verdict.value}))
    assert found["dialogs"][0]["wrong"] is (verdict.exit_status != 0)
    assert found["dialogs"][0]["summary"] == verdict.sentence
