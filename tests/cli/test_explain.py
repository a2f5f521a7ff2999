"""``sipua explain`` as it is typed: where its input comes from, what it prints, how it ends."""

from __future__ import annotations

import io
import json
import os
import pty
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from cli.app import run

ROOT = Path(__file__).parent.parent.parent
CARD = ROOT / "fixtures" / "cards" / "isim.toml"
NONCE = "n3yNAhrM9NshPM/wx/caaq5KOptMl3JcnKvD6ZuvcoE="  # test set 3 of TS 35.208
CHALLENGE = f'WWW-Authenticate: Digest realm="ims.example", nonce="{NONCE}", algorithm=AKAv1-MD5'
ANSWER = (
    f'Authorization: Digest username="user@ims.example", realm="ims.example", nonce="{NONCE}", '
    'uri="sip:ims.example", response="%s", algorithm=AKAv1-MD5, qop=auth, nc=00000001, '
    'cnonce="0a4f113b"'
)
RIGHT, RES = "9a117dea57eecfa76158b921fab39ad8", "8011c48c0c214ed2"
KEY_3 = """k = "fec86ba6eb707ed08905757b1bb44b8f"
opc = "1006020f0a478bf6b699f15c062e42b3"
"""


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "key.toml"
    path.write_text(KEY_3)
    return str(path)


def with_qop(line: str) -> str:
    return f'{line}, qop="auth"'


def test_a_line_as_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", CHALLENGE]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("A challenge; nothing is wrong with it")
    assert "RAND          9f7c8d021accf4db213ccff0c7f71a6a" in printed
    assert "MAC           9cabc3e99baf7281" in printed
    assert "password = RES, its 4 to 16 octets as they are" in printed


def test_what_is_wrong_comes_first(capsys: pytest.CaptureFixture[str], key: str) -> None:
    wrong = ANSWER % "9cbc9c2bd53b40fb6f2fa1f2a4b5c7d1"
    assert run(["explain", with_qop(CHALLENGE), wrong, "--profile", key]) == 60
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "The response does not follow from this key, and no known mistake gives it."
    assert lines[1].split()[0] == "why"
    assert lines[2].split()[:3] == ["what", "to", "do"]


def test_standard_input(capsys: pytest.CaptureFixture[str], key: str) -> None:
    text = f"{with_qop(CHALLENGE)}\n{ANSWER % RIGHT}\n".encode()
    for argument in ([], ["-"]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text))))
            assert run(["explain", *argument, "--profile", key]) == 0
        assert capsys.readouterr().out.startswith("The answer is right.")


def test_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path, key: str) -> None:
    path = tmp_path / "seen.txt"
    path.write_text(f"{with_qop(CHALLENGE)}\n{ANSWER % RIGHT}\n")
    assert run(["explain", str(path), "--profile", key]) == 0
    assert "answer          RES in Authorization, right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"hello", "what is neither a capture nor SIP: expected"),
        (b'{"a": 1}', "JSON, but none that sipua prints"),
        (b"\xd4\xc3\xb2\xa1broken", "capture"),
        (b"", "what is empty: expected"),
    ],
)
def test_what_cannot_be_explained_is_a_usage_error(
    content: bytes, told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "what"
    path.write_bytes(content)
    assert run(["explain", str(path)]) == 2
    assert told in capsys.readouterr().err


def test_a_file_that_is_not_there_is_taken_for_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "missing.pcap"]) == 2
    assert "neither a file nor SIP" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('k = "zz"\nopc = "00"', "k: "),
        ('k = "' + "00" * 16 + '"', "exactly one of"),
        ("k = ", "is not TOML"),
        ("authentication = 1", "it must be a table"),
        ("impi = 1", "must be texts"),
    ],
)
def test_a_key_file_that_is_none(
    content: str, told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "key.toml"
    path.write_text(content)
    assert run(["explain", CHALLENGE, "--profile", str(path)]) == 2
    printed = capsys.readouterr().err
    assert told in printed
    assert "zz" not in printed


def test_a_whole_profile_will_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", CHALLENGE, "--profile", str(CARD), "--json"]) == 60
    (dialog,) = json.loads(capsys.readouterr().out)["dialogs"]
    assert [each["code"] for each in dialog["findings"]] == ["mac-wrong"]


def test_the_json_document(capsys: pytest.CaptureFixture[str], key: str) -> None:
    assert run(["explain", CHALLENGE, "--profile", key, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["count"], document["wrong"], document["exit_status"]) == (1, 0, 0)
    assert document["verdict"] == "ok"
    (dialog,) = document["dialogs"]
    assert set(dialog) == {
        *("call_id", "method", "uri", "at", "source", "destination", "transport", "wrong"),
        *("summary", "exchanges", "omitted_exchanges", "challenges", "findings"),
    }
    (challenge,) = dialog["challenges"]
    assert set(challenge) == {
        *("at", "seen", "header", "scheme", "algorithm", "realm", "qop", "stale", "rand"),
        *(
            "sqn_xor_ak",
            "amf",
            "mac",
            "server_data",
            "autn",
            "secrets",
            "right_answer",
            "answers",
            "card",
        ),
    }


def test_secrets_only_when_asked_for(capsys: pytest.CaptureFixture[str], key: str) -> None:
    lines = [
        "UMTS RAND=9f7c8d021accf4db213ccff0c7f71a6a AUTN=ae4a3a9b4c97725c9cabc3e99baf7281",
        f"UMTS RES={RES}",
    ]
    for argument in ([], ["--json"]):
        assert run(["explain", *lines, "--profile", key, *argument]) == 0
        printed = "".join(capsys.readouterr())
        assert RES not in printed
        assert "5dbdbb2954e8f3cde665b046179a5098" not in printed  # CK of test set 3
        assert "fec86ba6eb707ed08905757b1bb44b8f" not in printed
    assert run(["explain", *lines, "--profile", key, "--show-secrets"]) == 0
    printed = capsys.readouterr().out
    assert RES in printed
    assert "5dbdbb2954e8f3cde665b046179a5098" in printed
    assert "fec86ba6eb707ed08905757b1bb44b8f" not in printed, "K is not for showing at all"


def test_a_peers_octets_do_not_reach_the_terminal_as_they_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "seen.txt"
    message = (
        b"REGISTER sip:\x1b[2Jims SIP/2.0\r\nCall-ID: a\xff\xc2\x9b31m\r\nCSeq: 1 REGISTER\r\n"
        b"From: <sip:a>\r\nTo: <sip:a>\r\n\r\n"
    )
    path.write_bytes(message + b"SIP/2.0 403 \x1b]0;x\x07 no\r\nCall-ID: a\xff\xc2\x9b31m\r\n"
                     b"CSeq: 1 REGISTER\r\n\r\n")  # fmt: skip
    assert run(["explain", str(path)]) == 60
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    assert run(["explain", str(path), "--json"]) == 60
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    assert json.loads(printed)["dialogs"][0]["call_id"] == "a\udcff\x9b31m"


def test_as_a_process_with_a_closed_pipe() -> None:
    """``sipua explain … | head`` ends without a word."""
    done = subprocess.run(
        f"{sys.executable} -m cli explain '{CHALLENGE}' | true",
        shell=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""


def test_a_large_capture_shows_how_far_it_is(tmp_path: Path) -> None:
    """On a terminal only, and gone when it is done; the document goes where it should."""
    path = tmp_path / "large.pcap"
    options = b"OPTIONS sip:x SIP/2.0\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n\r\n" + b"x" * 4000
    datagram = struct.pack(">HHHH", 5060, 5060, 8 + len(options), 0) + options
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0)
    packet = header + bytes((192, 0, 2, 1, 192, 0, 2, 2)) + datagram
    record = struct.pack("<IIII", 1_700_000_000, 0, len(packet), len(packet)) + packet
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    path.write_bytes(head + record * (5 * 1024 * 1024 // len(record)))
    near, far = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "explain", str(path), "--json"],
        stdout=subprocess.PIPE,
        stderr=far,
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=120,
    )
    os.close(far)
    shown = os.read(near, 65536).decode()
    os.close(near)
    assert "reading" in shown
    assert json.loads(done.stdout)["count"] == 0
