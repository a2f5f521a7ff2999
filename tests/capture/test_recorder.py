"""The trace of a run, read again: what belongs to what, and nothing that is secret."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from capture.frames_by_hand import sip
from card.apdu import Command
from card.masking import TracedApdu, masked, unmasked
from sipua.capture.captured import CapturedApdu, CapturedMessage, CaptureRemark
from sipua.capture.errors import CaptureError
from sipua.capture.ip_writer import MAX_SEGMENT
from sipua.capture.reader import contents
from sipua.capture.recorder import MAX_EVENTS, REDACTED, UNREDACTED, Recorder
from sipua.capture.trace_file import TraceFile
from sipua.sip.hop import Hop
from sipua.trace.step import CARD, REGISTRAR, UE, Step

PEER = Hop("UDP", "192.0.2.9", 5060, ("192.0.2.1", 5070))
AUTHENTICATE = Command(0, 0x88, 0, 0x81, b"\x10" + b"\xa1" * 16 + b"\x10" + b"\xb2" * 16, 256)
KEYS = bytes.fromhex("DB08" + "C3" * 8 + "10" + "D4" * 16 + "10" + "E5" * 16 + "9000")


class Script:
    """A recorder whose clock ticks a millisecond an event, and what it has written."""

    def __init__(self, *, shows_secrets: bool = False) -> None:
        self.file = io.BytesIO()
        self._now = 1_700_000_000 * 10**9
        self.recorder = Recorder(self.file.write, self._clock, shows_secrets=shows_secrets)

    def _clock(self) -> int:
        self._now += 10**6
        return self._now

    def read(self) -> list[CapturedMessage | CapturedApdu | CaptureRemark]:
        return list(contents(io.BytesIO(self.file.getvalue())))

    def messages(self) -> list[CapturedMessage]:
        return [each for each in self.read() if isinstance(each, CapturedMessage)]


def request(call: int, sequence: int = 1, method: str = "REGISTER") -> bytes:
    text = f"{method} sip:ims.example SIP/2.0\r\nCall-ID: call{call}\r\n"
    return f"{text}CSeq: {sequence} {method}\r\nContent-Length: 0\r\n\r\n".encode()


def answer(call: int, status: int, more: str = "") -> bytes:
    text = f"SIP/2.0 {status} Whatever\r\ni: call{call}\r\nCSeq: 1 REGISTER\r\n"
    return f"{text}{more}Content-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
@pytest.mark.parametrize(
    ("near", "far"), [("192.0.2.1", "192.0.2.9"), ("2001:db8::1", "2001:db8::9")]
)
def test_messages_come_back_as_they_were(transport: str, near: str, far: str) -> None:
    script = Script()
    hop = Hop(transport, far, 5060, (near, 5070))
    for number in range(4):
        script.recorder.message("sent", sip(number, 900 * number), hop)
        script.recorder.message("received", sip(100 + number), hop)
    found = script.messages()
    assert [each.data for each in found] == [
        data for number in range(4) for data in (sip(number, 900 * number), sip(100 + number))
    ]
    ours, peer = Hop(transport, near, 5070), Hop(transport, far, 5060)
    assert [(each.source, each.destination) for each in found] == [(ours, peer), (peer, ours)] * 4
    assert {each.transport for each in found} == {transport}
    assert found[1].at - found[0].at == pytest.approx(0.001, abs=1e-5)


def test_what_ipsec_protected_is_marked() -> None:
    script = Script()
    script.recorder.way = lambda hop: (hop._replace(local=("192.0.2.1", 6061)), True)
    script.recorder.message("sent", request(1), PEER._replace(local=None))
    (found,) = script.messages()
    assert found.source.port == 6061
    assert found.comment.split("\n")[1] == "ESP, here in clear"


def test_a_message_longer_than_a_packet() -> None:
    script = Script()
    data = sip(1, 3 * MAX_SEGMENT)
    script.recorder.message("sent", data, PEER._replace(transport="TCP"))
    assert [each.data for each in script.messages()] == [data]


def test_an_end_that_is_not_known() -> None:
    script = Script()
    for address in ("192.0.2.9", "2001:db8::9", "fe80::1%eth0"):
        script.recorder.message("sent", sip(1), Hop("UDP", address, 5060))
    assert [each.source.address for each in script.messages()] == ["0.0.0.0", "::", "::"]


def test_attempts_and_rounds() -> None:
    script = Script()
    for direction, data in (
        ("sent", request(1)),
        ("sent", request(1)),
        ("received", answer(1, 401)),
        ("received", answer(1, 401)),
        ("sent", request(1, 2)),
        ("received", answer(1, 401, "X: another\r\n")),
        ("sent", request(2)),
    ):
        script.recorder.message(direction, data, PEER)  # type: ignore[arg-type]
    comments = [each.comment.split("\n") for each in script.messages()]
    assert [each[0] for each in comments] == [
        "attempt 1, Call-ID call1",
        "attempt 1, Call-ID call1",
        "attempt 1, round 1, Call-ID call1",
        "attempt 1, round 1, Call-ID call1",
        "attempt 1, round 1, Call-ID call1",
        "attempt 1, round 2, Call-ID call1",
        "attempt 2, Call-ID call2",
    ]
    assert ["a retransmission" in each for each in comments] == [
        *(False, True, False, True),
        *(False, False, False),
    ]


def test_a_request_that_goes_another_way() -> None:
    """RFC 3261 §18.1.1: too long for UDP, and nobody listens to TCP."""
    script = Script()
    for number, transport in ((1, "UDP"), (2, "TCP"), (2, "UDP"), (3, "TCP")):
        script.recorder.message("sent", request(1, number), PEER._replace(transport=transport))
    remarks = {each.packet: each.comment.partition("\n")[2] for each in script.messages()}
    assert [remarks[number] for number in range(1, 5)] == [
        *("", "", "sent again by UDP: it did not go by TCP", ""),
    ]


def test_remarks_stand_on_the_packet_that_they_are_about() -> None:
    script = Script()
    recorder = script.recorder
    apdu = masked(AUTHENTICATE, b"\x61\x35", 0x88, first=True)
    recorder.step(Step(UE, REGISTRAR, "REGISTER", "proves nothing yet"))
    recorder.message("sent", request(1), PEER)
    recorder.message("received", answer(1, 401), PEER)
    recorder.step(Step(REGISTRAR, UE, "401 Unauthorized", "a challenge"))
    recorder.step(Step(UE, CARD, "AUTHENTICATE", "RAND and AUTN go to the ISIM"))
    recorder.apdu(TracedApdu("SELECT", "00A4040C00", "9000", 0x9000))
    recorder.apdu(apdu)
    recorder.step(Step(CARD, UE, "MAC failure", "another key"))
    recorder.step(Step(UE, REGISTRAR, "REGISTER", "tells that"))
    recorder.message("sent", request(1, 1, "ACK"), PEER)
    recorder.message("sent", request(1, 2), PEER)
    recorder.step(Step(UE, UE, "", "waits 3 s"))
    found = script.read()
    assert [type(each) for each in found] == [
        *(CapturedMessage, CapturedMessage, CapturedApdu, CapturedApdu),
        *(CapturedMessage, CapturedMessage, CaptureRemark),
    ]
    comments = [each.text if isinstance(each, CaptureRemark) else each.comment for each in found]
    assert comments[0].endswith("\nREGISTER: proves nothing yet")
    assert comments[1].endswith("\na challenge: prove who you are")
    assert comments[2] == "attempt 1, round 1, Call-ID call1"
    assert comments[3].endswith("\nAUTHENTICATE: RAND and AUTN go to the ISIM")
    assert comments[4] == "attempt 1, round 1, Call-ID call1"
    assert comments[5].endswith(
        "\nthe card's answer: MAC failure: another key\nREGISTER: tells that"
    )
    assert comments[6] == "waits 3 s"


@pytest.mark.parametrize(
    ("command", "tpdu"),
    [
        (Command(0, 0xA4, 0, 4, b"\x2f\xe2", 256), "00A40004022FE2"),
        (Command(0, 0xB0, 0x82, 0, le=10), "00B082000A"),
        (Command(0, 0xB2, 1, 4, le=256), "00B2010400"),
        (Command(0x80, 0x10, 0, 0, b"\xff\xff"), "8010000002FFFF"),
        (Command(0, 0x20, 0, 1), "0020000100"),
    ],
)
def test_apdus_come_back_as_t_0_has_them(command: Command, tpdu: str) -> None:
    script = Script()
    data = b"" if command.data else bytes(5)
    script.recorder.apdu(unmasked(command, data + b"\x90\x00"))
    (found,) = script.read()
    assert isinstance(found, CapturedApdu)
    assert (found.command.hex().upper(), found.answer) == (tpdu, data + b"\x90\x00")
    assert found.command.hex() not in repr(found)


def test_hidden_octets_are_zeros_and_that_is_said() -> None:
    script = Script()
    script.recorder.apdu(masked(AUTHENTICATE, KEYS, 0x88, first=True))
    (found,) = script.read()
    assert isinstance(found, CapturedApdu)
    assert found.answer == b"\xdb" + bytes(len(KEYS) - 3) + b"\x90\x00"
    assert found.comment == f"{len(KEYS) - 3} octets are hidden: they are 00 here"


CHALLENGE = 'WWW-Authenticate: Digest realm="x", ck="c0ffee", ik="decade"\r\n'


def test_session_keys_are_left_out_unless_asked_for() -> None:
    for shows_secrets in (False, True):
        script = Script(shows_secrets=shows_secrets)
        script.recorder.message("received", answer(1, 401, CHALLENGE), PEER)
        written = script.file.getvalue()
        assert (b"c0ffee" in written) is shows_secrets
        assert (b"decade" in written) is shows_secrets
        assert (UNREDACTED if shows_secrets else REDACTED).encode() in written


def test_it_writes_at_once_until_somebody_says_when() -> None:
    script = Script()
    script.recorder.message("sent", request(1), PEER)
    assert len(script.messages()) == 1
    script.recorder.catch_up()
    script.recorder.message("received", answer(1, 401), PEER)
    assert len(script.messages()) == 1
    script.recorder.catch_up()
    found = script.messages()
    assert len(found) == 2
    assert found[1].at - found[0].at == pytest.approx(0.001, abs=1e-5)  # when it happened
    for _ in range(MAX_EVENTS + 1):
        script.recorder.message("sent", request(1), PEER)
    assert len(script.messages()) > MAX_EVENTS


def test_an_attempt_that_has_ended_is_written_down() -> None:
    script = Script()
    script.recorder.catch_up()
    script.recorder.message("sent", request(1), PEER)
    script.recorder.ended("registered: the registrar accepted")
    *_, last = script.read()
    assert isinstance(last, CaptureRemark)
    assert last.text == "registered: the registrar accepted"


def test_the_file_of_secrets_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "trace.pcapng"
    path.write_bytes(b"older")
    path.chmod(0o644)
    TraceFile(str(path), private=True).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b""


def test_a_file_that_cannot_be_written() -> None:
    with pytest.raises(CaptureError, match="No such file or directory"):
        TraceFile("/nowhere/trace.pcapng", private=False)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_noted_and_not_in_the_way() -> None:
    file = TraceFile("/dev/full", private=False)
    recorder = Recorder(file.write, lambda: 0)
    recorder.message("sent", request(1), PEER)
    assert file.fault == "the trace in /dev/full is not complete: No space left on device"
