"""Writing under the rules that EF_ARR tells, searching, and what a phone says to a card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from arr import allowed, rule_of
from raw_terminal import ISIM, USIM, Terminal, fixture_card

from card.errors import StateError
from card.statefile import StateFile

PIN = "32343638FFFFFFFF"
FPLMN = "7B"  # the end of its FID


@pytest.fixture
def terminal() -> Terminal:
    terminal = Terminal(fixture_card("isim"))
    terminal.select(USIM)
    return terminal


class TestUpdateBinary:
    def test_whole_partial_and_by_sfi(self, terminal: Terminal) -> None:
        assert terminal.send("00A4000C026F7B") == "9000"
        assert terminal.send("00D600000300F110") == "9000"
        assert terminal.send("00D6000302ABCD") == "9000"
        assert terminal.send("00B0000000") == "00F110ABCD" + "FF" * 7 + "9000"
        assert terminal.send("00D68D0B01EE") == "9000"
        assert terminal.send("00B08D0A02") == "FFEE9000"

    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("00D6000C01AA", "6B00"),
            ("00D6000B02AABB", "6700"),
            ("00D60000", "6700"),
            ("00D69D0001AA", "6A82"),
            ("00D6C00001AA", "6A86"),
            ("00DC01040CAABBCCDDEEFF001122334455", "6981"),
        ],
    )
    def test_what_is_refused(self, terminal: Terminal, command: str, answer: str) -> None:
        terminal.send("00A4000C026F7B")
        before = terminal.send("00B0000000")
        assert terminal.send(command) == answer
        terminal.send("00A4000C026F7B")
        assert terminal.send("00B0000000") == before

    def test_without_a_file(self, terminal: Terminal) -> None:
        assert terminal.send("00D6000001AA") == "6986"


class TestUpdateRecord:
    def test_a_record(self, terminal: Terminal) -> None:
        record = "41" * 28
        assert terminal.send("00A4000C026F40") == "9000"
        assert terminal.send(f"00DC01041C{record}") == "9000"
        assert terminal.send("00B201041C") == record + "9000"
        assert terminal.send(f"00DC02041C{record}") == "6A83"
        assert terminal.send("00DC0104024141") == "6700"
        assert terminal.send(f"00DC01051C{record}") == "6A86"
        assert terminal.send("00D600000141") == "6981"
        assert terminal.send(f"00DC00021C{'42' * 28}") == "9000", "the next one is the first"
        assert terminal.send("00B200041C") == "42" * 28 + "9000", "and is current now"


class TestRecordsByPointer:
    def test_read(self, terminal: Terminal) -> None:
        terminal.select(ISIM)
        terminal.send("00A4000C026F04")
        length = terminal.send("00B2010400")[2:]
        records = [terminal.send(f"00B20{n}04{length}") for n in (1, 2, 3)]
        assert terminal.send(f"00B20004{length}") == "6A83", "none is current yet"
        assert [terminal.send(f"00B20002{length}") for _ in range(3)] == records
        assert terminal.send(f"00B20002{length}") == "6A83"
        assert terminal.send("00B2000201") == "6C" + length, "a wrong Le moves nothing"
        assert terminal.send(f"00B20004{length}") == records[2]
        assert terminal.send(f"00B20003{length}") == records[1]
        terminal.send("00A4000C026F04")
        assert terminal.send(f"00B20003{length}") == records[2], "backwards from the end"

    def test_search(self, terminal: Terminal) -> None:
        terminal.select(ISIM)
        pattern = b"sip:".hex()
        command = f"00A201{{}}04{pattern}"
        assert terminal.fetch(command.format("24")) == "0102", "by SFI, forward"
        terminal.send("00A4000C026F04")
        assert terminal.fetch(f"00A2030504{pattern}") == "0201", "backward"
        length = terminal.send("00B2010400")[2:]
        assert terminal.send(f"00B20004{length}") == terminal.send(f"00B20204{length}")
        assert terminal.fetch(f"00A2020404{pattern}") == "02"
        assert terminal.send("00A2010402ABCD") == "6282"
        assert terminal.send(f"00A2040404{pattern}") == "6A83"
        assert terminal.send(f"00A2010604{pattern}") == "6A86"
        assert terminal.send("00A20104FF" + "00" * 255) == "6700"
        assert terminal.send("00A20104") == "6700"
        terminal.send("00A4000C026F02")
        assert terminal.send(f"00A2010404{pattern}") == "6981"

    def test_search_takes_the_pin(self) -> None:
        terminal = Terminal(fixture_card("pin"))
        terminal.select(ISIM)
        assert terminal.send("00A2012404" + b"sip:".hex()) == "6982"


# what a key opens: the directory's AID, the file, what EF_ARR says of reading and updating
RULES = [
    ("", "2F00", "always", "0A"),
    ("", "2FE2", "always", "0A"),
    ("", "2F05", "always", "01"),
    (USIM, "6F07", "01", "0A"),
    (USIM, "6FAD", "always", "0A"),
    (USIM, "6F7E", "01", "01"),
    (USIM, "6F05", "always", "01"),
    (USIM, "6F40", "01", "01"),
    (ISIM, "6F02", "01", "0A"),
]


class TestEfArr:
    @pytest.mark.parametrize(("aid", "fid", "read", "update"), RULES)
    def test_the_rule_told_is_the_rule(self, aid: str, fid: str, read: str, update: str) -> None:
        terminal = Terminal(fixture_card("pin"))
        if aid:
            terminal.select(aid)
        rule = rule_of(terminal, fid)
        assert rule["read"] == ({read} if read == "always" else {bytes.fromhex(read)})
        assert rule["update"] == {bytes.fromhex(update)}

    @pytest.mark.parametrize(("aid", "fid", "read", "update"), RULES)
    @pytest.mark.parametrize("verified", [False, True])
    def test_and_is_kept(self, aid: str, fid: str, read: str, update: str, verified: bool) -> None:
        terminal = Terminal(fixture_card("pin"))
        if verified:
            assert terminal.send("0020000108" + PIN) == "9000"
        if aid:
            terminal.select(aid)
        rule = rule_of(terminal, fid)
        keys = {b"\x01"} if verified else set()
        terminal.send(f"00A4000C02{fid}")
        reading = [terminal.send("00B0000001"), terminal.send("00B2010401")]
        assert ("6982" not in reading) is allowed(rule["read"], keys)
        writing = [terminal.send("00D6000001FF"), terminal.send("00DC010401FF")]
        assert ("6982" not in writing) is allowed(rule["update"], keys)

    def test_a_universal_pin_stands_in_the_rules(self) -> None:
        terminal = Terminal(fixture_card("gba"))
        terminal.select(USIM)
        assert rule_of(terminal, "6F07")["read"] == {b"\x01", b"\x11"}

    def test_a_local_pin_stands_in_the_rules(self) -> None:
        terminal = Terminal(fixture_card("pin")._replace(quirks=("pin-81",)))
        terminal.select(USIM)
        assert rule_of(terminal, "6F07")["read"] == {b"\x81"}


class TestTerminalCommands:
    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("8010000004FFFFFFFF", "9000"),
            ("80100000", "6700"),
            ("8010000100", "6A86"),
            ("80AA000005A903830180", "9000"),
            ("80AA000004A9038301", "6A80"),
            ("80AA000002A800", "6A80"),
            ("80AA000001A9", "6700"),
            ("80C200000BD609190103820282811B0102", "9000"),
            ("80C20000", "6700"),
            ("8012000010", "6985"),
            ("80140000 0C 810301030002028281830100", "6985"),
            ("0010000001FF", "6E00"),
            ("80840000 08", "6E00"),
            ("0084010008", "6A86"),
            ("8032000003000001", "6D00"),
            ("8076000000", "6D00"),
            ("00440000", "6D00"),
        ],
    )
    def test_answers(self, terminal: Terminal, command: str, answer: str) -> None:
        assert terminal.send(command) == answer

    def test_challenges_differ(self, terminal: Terminal) -> None:
        answers = {terminal.send("0084000008") for _ in range(20)}
        assert len(answers) == 20
        assert all(len(answer) == 20 and answer.endswith("9000") for answer in answers)
        assert len(terminal.send("0084000010")) == 36
        assert len(terminal.send("0084000000")) == 20


class TestWhatOutlastsThePower:
    def test_updates_are_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "gba.state.json"
        with StateFile(str(path)) as state:
            terminal = Terminal(fixture_card("isim"), state)
            terminal.send("00D6850002AABB")
            terminal.select(USIM)
            terminal.send("00D68D0002CCDD")
            terminal.send("00A4000C026F40")
            terminal.send("00DC01041C" + "42" * 28)
            terminal.send("A0A40000027F20")
            terminal.send("A0A40000026F20")
            terminal.send("A0D6000001EE")
        with StateFile(str(path)) as state:
            terminal = Terminal(fixture_card("isim"), state)
            assert terminal.send("00B0850000") == "AABB9000"
            terminal.select(USIM)
            assert terminal.send("00B08D0002") == "CCDD9000"
            terminal.send("00A4000C026F40")
            assert terminal.send("00B201041C") == "42" * 28 + "9000"
            assert terminal.send("00A4080C047F206F20") == "9000"
            assert terminal.send("00B0000002") == "EEFF9000"

    @pytest.mark.parametrize(
        "files",
        [
            [],
            {"3F00/2F05": "AA"},
            {"3F00/2F05": "xx"},
            {"3F00/2F05": ["AABB"]},
            {"3F00/2F05": None},
            {"3F00/2F00": ["AA"]},
            {"3F00/2F00": [1]},
            {"3F00/2FFF": "AA"},
            {"7F20/6F99": "AA"},
            {"nowhere": "AA"},
        ],
        ids=str,
    )
    def test_what_cannot_be_its_own_is_not_used(self, tmp_path: Path, files: object) -> None:
        path = tmp_path / "a.state.json"
        with StateFile(str(path)) as state:
            Terminal(fixture_card("isim"), state).send("00D6850002AABB")
        kept = json.loads(path.read_text()) | {"files": files}
        path.write_text(json.dumps(kept))
        with (
            StateFile(str(path)) as state,
            pytest.raises(StateError, match=r"a\.state\.json is damaged: files"),
        ):
            Terminal(fixture_card("isim"), state)
        assert json.loads(path.read_text()) == kept
