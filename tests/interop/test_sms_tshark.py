"""tshark reads the short messages of a trace as they were meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from card.profile import load
from cli.app import run
from interop.tshark import Tshark
from sipua.pytest_plugin import CoreFactory

ALICE = "+15550100001"
RP_DATA_UP, RP_DATA_DOWN, RP_ACK_UP, RP_ACK_DOWN = (f"0x0{kind}" for kind in range(4))
RP_ERROR_DOWN = "0x05"
LONG = "Grüße €, " * 30
RUSSIAN = "Съешь ещё этих мягких французских булок, да выпей чаю. 😀 " * 2


@pytest.fixture
def sent(tmp_path: Path, sipua_core_factory: CoreFactory) -> Callable[[str, str], Tshark]:
    """Sends a text to oneself, or to a number, and gives the trace of it."""
    text = (Path(__file__).parents[2] / "card/emulator/default.toml").read_text()
    text = text.replace("# [usim]", f'[usim]\nmsisdn = "{ALICE}"\nsmsc = "+15550100099"')
    path = tmp_path / "alice.toml"
    path.write_text(text)
    core = sipua_core_factory(profiles=[load(str(path))])

    def send(text: str, number: str = ALICE) -> Tshark:
        trace = tmp_path / "trace.pcapng"
        run(
            [
                *("sms", "send", number, text, "--card", f"emulated:{path}"),
                *("--pcscf", str(core.hop("UDP")), "--status-report", "20", "--trace", str(trace)),
            ]
        )
        return Tshark(trace, checksums=False)

    return send


@pytest.mark.parametrize(("text", "parts"), [("hi", 1), (LONG, 2), (RUSSIAN, 2)])
def test_what_tshark_reads(sent: Callable[..., Tshark], text: str, parts: int) -> None:
    judge = sent(text)
    rows = judge.rows("gsm_a.rp", "gsm_a.rp.msg_type")
    kinds = sorted(kind for (kind,) in rows)
    assert kinds == sorted(
        [RP_DATA_UP, RP_ACK_DOWN, RP_DATA_DOWN, RP_ACK_UP, RP_DATA_DOWN, RP_ACK_UP] * parts
    )
    for kind, mti, address in (
        (RP_DATA_UP, "1", "gsm_sms.tp-da"),
        (RP_DATA_DOWN, "0", "gsm_sms.tp-oa"),
    ):
        only = f"gsm_a.rp.msg_type == {kind} && gsm_sms.tp-mti == {mti}"
        found = judge.rows(
            only,
            *("gsm_sms.sms_text", address, "gsm_sms.udh.mm.msg_parts", "gsm_sms.udh.mm.msg_part"),
            "frame.number",
        )
        # With the last part tshark shows all of them, commas between them.
        whole = judge.rows(
            f"{only} && frame.number == {found[-1][4]}", "gsm_sms.sms_text", every=True
        )
        assert whole[0][0].replace(",", "") == text.replace(",", "")
        assert {row[1] for row in found} == {ALICE.removeprefix("+")}
        if parts > 1:
            assert [row[2:4] for row in found] == [
                (str(parts), str(number)) for number in range(1, parts + 1)
            ]
    reports = judge.rows("gsm_sms.tp-mti == 2", "gsm_sms.tp-ra", "gsm_sms.status_report.active")
    assert [row[0] for row in reports] == [ALICE.removeprefix("+")] * parts
    assert not judge.rows("gsm_sms && _ws.malformed", "frame.number")
    assert not judge.rows("gsm_a.rp.extraneous_data || gsm_a.rp.missing_mandatory_element", "sip")


def test_a_refusal(sent: Callable[..., Tshark]) -> None:
    judge = sent("hi", "+15550109999")
    rows = judge.rows("gsm_a.rp.cause", "gsm_a.rp.msg_type", "gsm_a.rp.cause", "gsm_sms.tp-fcs")
    assert rows == [(RP_ERROR_DOWN, "1", "0xff")]


def test_answers_name_what_they_answer(sent: Callable[..., Tshark]) -> None:
    judge = sent("hi")
    (call_id,) = (row[0] for row in judge.rows(f"gsm_a.rp.msg_type == {RP_DATA_UP}", "sip.Call-ID"))
    (answered,) = (
        row[0] for row in judge.rows(f"gsm_a.rp.msg_type == {RP_ACK_DOWN}", "sip.In-Reply-To")
    )
    assert answered == call_id
