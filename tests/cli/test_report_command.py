"""``sipua report`` and ``sipua replay`` as they are typed."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from shutil import copy

import pytest

from cli.app import run

CAPTURES = Path(__file__).parent.parent.parent / "fixtures" / "captures"
KEY = """\
[authentication]
algorithm = "milenage"
k = "465b5ce8b199b49faa5f0a2ee238a6bc"
opc = "cd63cb71954a9f4e48a5994e37a02baf"
"""


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return Path(copy(CAPTURES / "resynchronisation.pcapng", tmp_path))


def test_a_report_stands_beside_its_trace(trace: Path) -> None:
    assert run(["report", str(trace)]) == 0
    page = trace.with_suffix(".html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "resynchronisation.pcapng" in page


def test_nothing_is_overwritten_unasked(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = trace.with_name("ticket.html")
    target.write_text("mine")
    assert run(["report", str(trace), "-o", str(target)]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert target.read_text() == "mine"
    assert run(["report", str(trace), "-o", str(target), "--force"]) == 0
    assert "registered" in target.read_text()
    assert run(["report", str(trace), "-o", str(trace), "--force"]) == 2
    assert trace.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


def test_a_link_is_not_followed_to_make_a_file(trace: Path) -> None:
    target = trace.with_name("link.html")
    target.symlink_to(trace.with_name("elsewhere"))
    assert run(["report", str(trace), "-o", str(target)]) == 2
    assert not trace.with_name("elsewhere").exists()


def test_the_picture_alone_and_the_page_to_a_pipe(
    trace: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    target = trace.with_name("ladder.svg")
    assert run(["report", str(trace), "-o", str(target)]) == 0
    assert target.read_text().startswith("<?xml")
    capsysbinary.readouterr()
    assert run(["report", str(trace), "-o", "-"]) == 0
    assert capsysbinary.readouterr().out.endswith(b"</html>\n")


def test_the_ladder_in_a_pipe_is_plain(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(trace), "--text"]) == 0
    text = capsys.readouterr().out
    assert text.isascii()
    assert text.splitlines()[0].split()[:2] == ["card", "UE"]
    assert "=> RES proven: the network" in text
    assert run(["report", str(trace), "--text", "-o", "x.html"]) == 2


def test_the_key_opens_autn(trace: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.toml"
    key.write_text(KEY)
    assert run(["report", str(trace), "--profile", str(key)]) == 0
    page = trace.with_suffix(".html").read_text()
    assert "MAC right, SQN" in page
    assert KEY.split('"')[3] not in page


def test_a_report_with_secrets_is_for_its_owner(trace: Path) -> None:
    target = trace.with_suffix(".html")
    assert run(["report", str(trace), "--show-secrets"]) == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_what_is_no_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("REGISTER sip:example.com SIP/2.0")
    assert run(["report", str(other)]) == 2
    assert run(["replay", str(other)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not other.with_suffix(".html").exists()
    assert run(["report", str(tmp_path / "none.pcap")]) == 2


def test_replay_says_that_all_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(path) for path in sorted(CAPTURES.glob("*.pcapng"))]
    assert run(["replay", *names]) == 0
    text = capsys.readouterr().out
    assert [line for line in text.splitlines() if line in names] == names
    opened = [line for line in text.splitlines() if line.startswith("  ") and line[2].isupper()]
    dialogs = [line.split()[0] for line in opened]
    alike = text.count("    the same today: ")
    assert alike == len(dialogs) > len(names)  # calls stand on REGISTER
    assert set(dialogs) == {"REGISTER", "INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE"}
    passed_over = [line for line in text.splitlines() if "not played" in line]
    assert ["the short message inside" in line for line in passed_over] == [True, True]


def test_replay_says_what_it_does_not_play(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a whole dialog, of a part of one, and of what lacks its beginning."""
    changed = tmp_path / "changed.pcapng"
    octets = (CAPTURES / "message.pcapng").read_bytes().replace(b" MESSAGE", b" PUBLISH")
    changed.write_bytes(octets.replace(b"MESSAGE sip:", b"PUBLISH sip:"))
    assert run(["replay", str(changed)]) == 0
    assert "not played: PUBLISH is not played: the program sends none" in capsys.readouterr().out
    octets = (CAPTURES / "message.pcapng").read_bytes()
    sms = b"Content-Type: application/vnd.3gpp.sms"
    changed.write_bytes(octets.replace(b"Content-Type: text/plain;charset=UTF-8", sms))
    assert run(["replay", str(changed)]) == 0
    assert "    not played: the short message inside" in capsys.readouterr().out
    octets = (CAPTURES / "refused-403.pcapng").read_bytes()
    changed.write_bytes(octets.replace(b"REGISTER sip:", b"REGISTER\tsip:"))
    assert run(["replay", str(changed), "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)["files"]
    assert document["dialogs"] == []
    assert any("not captured" in each for each in document["remarks"]), document["remarks"]


def test_replay_says_what_is_different(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = tmp_path / "changed.pcapng"
    octets = (CAPTURES / "registration.pcapng").read_bytes()
    changed.write_bytes(octets.replace(b"Max-Forwards: 70", b"Max-Forwards: 69"))
    assert run(["replay", str(changed)]) == 60
    assert "Max-Forwards: recorded 69, today 70" in capsys.readouterr().out
    assert run(["replay", str(changed), "--json"]) == 60
    document = json.loads(capsys.readouterr().out)
    (dialog,) = document["files"][0]["dialogs"]
    assert (document["different"], document["exit_status"]) == (True, 60)
    assert [each["what"] for each in dialog["differences"]] == ["REGISTER", "REGISTER no. 2"]
    assert dialog["recorded"] == dialog["today"] == ["registered"]


@pytest.mark.parametrize("command", ["replay", "report"])
@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "the file is empty"), (b"\x93garbage" * 99, "this is no capture file")],
)
def test_what_is_no_capture_is_named(
    command: str, content: bytes, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = CAPTURES / "registration.pcapng", tmp_path / "bad.pcapng"
    bad.write_bytes(content)
    files = [str(good), str(bad)] if command == "replay" else [str(bad), "--text"]
    assert run([command, *files]) == 2
    assert f"{bad}: {why}" in capsys.readouterr().err


def test_a_trace_that_breaks_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there is played, drawn and explained, and that there is no more is said."""
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes((CAPTURES / "call.pcapng").read_bytes()[:2500])
    for command in (["replay"], ["report", "--text"], ["explain"]):
        assert run([*command, str(cut)]) == 0
        told = capsys.readouterr()
        assert "breaks off" in told.out + told.err
        assert "REGISTER" in told.out
    assert "No answer to it is in the capture." in told.out


def test_a_report_of_a_run_as_it_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target, trace = tmp_path / "run.html", tmp_path / "run.pcapng"
    assert run(["demo", "--report", str(target), "--fault", "403"]) == 30
    assert "What to do next" in target.read_text()
    assert f"{target}: " in capsys.readouterr().err
    assert run(["demo", "--report", str(target)]) == 2
    assert "choose another name" in capsys.readouterr().err
    target.unlink()
    assert run(["demo", "--report", str(target), "--trace", str(trace), "--trace-secrets"]) == 0
    assert "registered" in target.read_text()
    assert trace.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.html", "run.pcapng"]


def test_a_report_of_a_card_alone(tmp_path: Path) -> None:
    target = tmp_path / "card.html"
    assert run(["card", "info", "--card", "emulated", "--report", str(target)]) == 0
    assert "card only" in target.read_text()
