"""The emulated card under programs that people read cards with.

OpenSC's tools send what ISO 7816-4 has; cardpeek reads a GSM SIM; scriptor
(pcsc-tools) sends what it is given. None of them follows our own client's ways.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from card.emulator.card import ATR
from card.profile import load
from interop.cardpeek import read_gsm_sim
from interop.osmo_auc import OsmoAuc
from interop.pcscd import Pcscd
from interop.program import required
from interop.watched_card import WatchedCard, inserted

CARDS = Path(__file__).parents[2] / "fixtures" / "cards"
ISIM, PIN = (load(str(CARDS / f"{name}.toml")) for name in ("isim", "pin"))
USIM_AID = "A0000000871002FFFFFFFF8907090000"
ISIM_AID = "A0000000871004FFFFFFFF8907090000"
FOUND_EF = r"^ (\w{4})\s+wEF\s"
SELECT_USIM = f"00A4040C10{USIM_AID}"
IMSI_OF_ISIM = bytes.fromhex("080910100000000040")
IMSI_OF_PIN = bytes.fromhex("080910100000000060")
READ_BINARY, GET_CHALLENGE = 0xB0, 0x84
FILE_NOT_FOUND = b"\x6a\x82"
KEYS = [("08", "RES"), ("10", "CK"), ("10", "IK"), ("08", "Kc")]  # of an answer DB, in order


def run(pcscd: Pcscd, package: str, program: str, *arguments: str, text: str = "") -> str:
    """What a foreign program prints; an exit status other than 0 is an error."""
    done = subprocess.run(
        [required(program, package), *arguments],
        env=pcscd.environment,
        input=text,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def opensc_tool(pcscd: Pcscd, *arguments: str) -> str:
    return run(pcscd, "opensc", "opensc-tool", "--reader", "0", *arguments)


def opensc_explorer(pcscd: Pcscd, *commands: str) -> str:
    """Without one of OpenSC's card drivers: plain ISO 7816-4."""
    arguments = ["--reader", "0", "--card-driver", "default"]
    text = "".join(f"{command}\n" for command in [*commands, "quit"])
    return run(pcscd, "opensc", "opensc-explorer", *arguments, text=text)


def shows(output: str, data: bytes) -> bool:
    """Whether an OpenSC tool printed these octets, which it does in rows of 16."""
    rows = (data[start : start + 16] for start in range(0, len(data), 16))
    return all(row.hex(" ").upper() in output for row in rows)


def tries_left(card: WatchedCard) -> int:
    return card.transmit(bytes.fromhex("0020000100"))[1] & 0x0F


def test_opensc_knows_the_atr(pcscd: Pcscd) -> None:
    with inserted(pcscd, ISIM):
        assert opensc_tool(pcscd, "--atr").strip() == ATR.hex(":")


def test_no_driver_of_opensc_takes_it_for_its_own(pcscd: Pcscd) -> None:
    """OpenSC asks for some forty applications; after that the card is as it was."""
    with inserted(pcscd, ISIM) as card:
        assert opensc_tool(pcscd, "--name").strip() == "Unsupported card"
        asked = list(card.spoken)
        read = opensc_tool(pcscd, "-s", SELECT_USIM, "-s", "00B0870009")

    by_aid = [each for each in asked if each.command[1:3] == b"\xa4\x04"]
    assert len(by_aid) > 30
    assert {each.answer for each in by_aid} == {FILE_NOT_FOUND}
    assert shows(read, IMSI_OF_ISIM)


def test_opensc_follows_61_and_6c(pcscd: Pcscd) -> None:
    vector = OsmoAuc(ISIM.authentication).vector()
    commands = [
        f"00A4040410{USIM_AID}00",  # 61xx, GET RESPONSE
        f"008800812210{vector['RAND']}10{vector['AUTN']}00",
        "00A40804022F0000",
        "00B20104FF",  # 6Cxx, again
    ]
    with inserted(pcscd, ISIM) as card:
        arguments = [word for each in commands for word in ("-s", each)]
        output = opensc_tool(pcscd, "--card-driver", "default", *arguments)

    assert output.count("SW1=0x90, SW2=0x00") == len(commands)
    fcp, answer, _, record = (each.answer[:-2] for each in card.spoken if len(each.answer) > 2)
    keys = "".join(f"{length}{vector[name]}" for length, name in KEYS)
    assert answer.hex() == f"db{keys}".lower()
    assert fcp[0] == 0x62
    assert bytes.fromhex(USIM_AID) in fcp
    assert bytes.fromhex(USIM_AID) in record
    assert all(shows(output, each) for each in (fcp, answer, record))


def test_opensc_explorer_keeps_the_pin(pcscd: Pcscd) -> None:
    """VERIFY, CHANGE and UNBLOCK by somebody else's hand."""
    factory, changed, unblocked, puk = (
        ":".join(f"{octet:02X}" for octet in digits.encode().ljust(8, b"\xff"))
        for digits in ("2468", "5555", "6666", "87654321")
    )
    imsi = "apdu 00B0870009"
    with inserted(pcscd, PIN) as card:
        output = opensc_explorer(
            pcscd,
            *(f"apdu {SELECT_USIM}", imsi),
            f"verify CHV1 {changed}",
            *(f"verify CHV1 {factory}", imsi),
            *(f"change CHV1 {factory} {changed}", f"verify CHV1 {changed}"),
            *(f"unblock CHV1 {puk} {unblocked}", f"verify CHV1 {unblocked}"),
        )

    assert "Incorrect code, 2 tries left." in output
    assert output.count("Code correct.") == 3
    assert output.count("PIN changed.") == output.count("PIN unblocked.") == 1
    assert card.answers(READ_BINARY) == [b"\x69\x82", IMSI_OF_PIN + b"\x90\x00"]


def test_opensc_explorer_walks_the_files(pcscd: Pcscd) -> None:
    """It selects with P2 00 and judges a file by its FCP."""
    commands = ["cat 2FE2", "info 2F00", "cat 2F00 2", f"cd aid:{USIM_AID}", "info 6F07"]
    with inserted(pcscd, ISIM):
        output = opensc_explorer(pcscd, *commands, "cat 6F07", "find 6F00 6FFF")

    assert shows(output, bytes.fromhex("980001010000000000F4"))  # ICCID, digits swapped
    assert "Number of records:       3\nMax. record size:        26 bytes" in output
    assert shows(output, bytes.fromhex(f"61184F10{ISIM_AID}"))
    assert "Working Elementary File  ID 6F07, SFI 38\n" in output
    assert "File size:               9 bytes\n" in output
    assert shows(output, IMSI_OF_ISIM)
    assert {"6F05", "6F07", "6F38", "6F78", "6FAD"} <= set(re.findall(FOUND_EF, output, re.M))


def test_opensc_explorer_gets_a_challenge(pcscd: Pcscd) -> None:
    with inserted(pcscd, ISIM) as card:
        opensc_explorer(pcscd, "random 8", "random 8")

    first, second = card.answers(GET_CHALLENGE)
    assert len(first) == len(second) == 10
    assert first != second


def test_scriptor_resets_and_reads(pcscd: Pcscd) -> None:
    script = f"reset\n{SELECT_USIM}\n00B0870009\nreset\n00B0870009\n"
    with inserted(pcscd, ISIM):
        output = run(pcscd, "pcsc-tools", "scriptor", "-r", pcscd.readers[0], text=script)

    assert output.count(ATR.hex(" ").upper()) == 2
    assert "08 09 10 10 00 00 00 00 40 90 00 : Normal processing." in output
    assert "< 6A 82 : " in output.splitlines()[-1]  # reset to the MF, which has no SFI 7


def test_cardpeek_reads_a_gsm_sim(pcscd: Pcscd, tmp_path: Path) -> None:
    with inserted(pcscd, ISIM) as card:
        files = read_gsm_sim(pcscd, tmp_path)

    assert {each.command[0] for each in card.spoken} == {0xA0}
    assert files["6F07"].texts == [ISIM.imsi]
    assert files["2FE2"].texts == [f"({ISIM.iccid[:2]}){ISIM.iccid[2:]}"]
    assert files["6F46"].texts == [ISIM.usim.spn]
    assert files["6FAD"].contents[0][3] == ISIM.mnc_length
    assert bytes.fromhex(USIM_AID) in files["2F00"].contents[0]
    assert {"6F38", "6F78", "6F7E", "6F20", "6F42"} <= files.keys()
    assert all(file.contents for file in files.values())


def test_cardpeek_reads_what_the_pin_allows(pcscd: Pcscd, tmp_path: Path) -> None:
    with inserted(pcscd, PIN) as card:
        without = read_gsm_sim(pcscd, tmp_path / "without")
        with_pin = read_gsm_sim(pcscd, tmp_path / "with", pin="2468")
        refused = read_gsm_sim(pcscd, tmp_path / "wrong", pin="1111")
        tries = tries_left(card)

    assert without["2FE2"].texts == [f"({PIN.iccid[:2]}){PIN.iccid[2:]}"]
    assert without["6F07"].contents == []
    assert with_pin["6F07"].contents == [IMSI_OF_PIN]
    assert not refused
    assert tries == 2
