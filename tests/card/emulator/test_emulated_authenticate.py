"""AUTHENTICATE on an emulated card against the published vectors; point 13 of the facts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from raw_terminal import ISIM, USIM, Terminal, fixture_card

from card.aka.algorithm import functions_of
from card.aka.conversion import kc_from_keys, sres_from_res
from card.aka.vector import Vector, make_vector, open_auts
from card.profile import Authentication, Profile, Usim, shipped

VECTORS = Path(__file__).parents[3] / "fixtures" / "vectors"
SETS: list[dict[str, Any]] = json.loads((VECTORS / "milenage_ts35208.json").read_text())["sets"]
LIBOSMOCORE: dict[str, Any] = json.loads((VECTORS / "auts_libosmocore.json").read_text())
RAND = bytes(range(16))
AMF = b"\x80\x00"


def with_keys(k: str, opc: str, sqn: int, services: tuple[int, ...] = (27, 38)) -> Profile:
    """A USIM and ISIM with these keys, whose highest accepted SQN is ``sqn``."""
    authentication = Authentication("milenage", bytes.fromhex(k), bytes.fromhex(opc), sqn)
    return shipped()._replace(authentication=authentication, usim=Usim(services))


def vector(profile: Profile, sqn: int, rand: bytes = RAND) -> Vector:
    """What this subscriber's AuC would send."""
    return make_vector(functions_of(profile.authentication), rand, sqn, AMF)


def success(res: bytes, ck: bytes, ik: bytes, kc: bytes = b"") -> str:
    """The answer to a right AUTN, as TS 31.102 §7.1.2.1 writes it."""
    tail = b"\x08" + kc if kc else b""
    octets = b"\xdb" + bytes([len(res)]) + res + b"\x10" + ck + b"\x10" + ik + tail
    return octets.hex().upper()


@pytest.mark.parametrize("entry", SETS, ids=lambda entry: str(entry["spec"]))
class TestPublishedMilenageSets:
    """TS 35.208 §4.3, through the card's own command."""

    def keys(self, entry: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
        return bytes.fromhex(entry["f2"]), bytes.fromhex(entry["f3"]), bytes.fromhex(entry["f4"])

    def rand_autn(self, entry: dict[str, Any]) -> tuple[bytes, bytes]:
        return bytes.fromhex(entry["RAND"]), bytes.fromhex(entry["AUTN"])

    def test_a_fresh_sqn_gives_res_ck_ik(self, entry: dict[str, Any]) -> None:
        before = int(entry["SQN"], 16) - 32
        terminal = Terminal(with_keys(entry["K"], entry["OPc"], before))
        terminal.select(ISIM)
        announced = terminal.authenticate(*self.rand_autn(entry))
        assert announced == "612C"
        assert terminal.held(announced) == success(*self.keys(entry))

    def test_the_usim_adds_kc(self, entry: dict[str, Any]) -> None:
        before = int(entry["SQN"], 16) - 32
        terminal = Terminal(with_keys(entry["K"], entry["OPc"], before))
        terminal.select(USIM)
        announced = terminal.authenticate(*self.rand_autn(entry))
        res, ck, ik = self.keys(entry)
        assert announced == "6135"
        assert terminal.held(announced) == success(res, ck, ik, kc_from_keys(ck, ik))

    def test_a_used_sqn_gives_auts(self, entry: dict[str, Any]) -> None:
        terminal = Terminal(with_keys(entry["K"], entry["OPc"], int(entry["SQN"], 16)))
        terminal.select(USIM)
        announced = terminal.authenticate(*self.rand_autn(entry))
        assert announced == "6110"
        assert terminal.held(announced) == "DC0E" + entry["AUTS_if_SQNms_eq_SQN"].upper()


class TestLibosmocore:
    """libosmocore's milenage_test: the AUTS that a real card was seen to send."""

    def terminal(self) -> Terminal:
        sqn = int(LIBOSMOCORE["auts"]["SQN_MS"], 16)
        return Terminal(with_keys(LIBOSMOCORE["K"], LIBOSMOCORE["OPc"], sqn))

    def test_auts(self) -> None:
        terminal = self.terminal()
        terminal.select(USIM)
        profile = with_keys(LIBOSMOCORE["K"], LIBOSMOCORE["OPc"], 31)
        rand = bytes.fromhex(LIBOSMOCORE["RAND"])
        announced = terminal.authenticate(rand, vector(profile, 31, rand).autn)
        assert terminal.held(announced) == "DC0E" + LIBOSMOCORE["auts"]["AUTS"].upper()

    def test_the_vector_with_sqn_34_and_its_gsm_values(self) -> None:
        entry = LIBOSMOCORE["vector_sqn34"]
        res, ck, ik, kc = (bytes.fromhex(entry[name]) for name in ("RES", "CK", "IK", "Kc"))
        rand = bytes.fromhex(LIBOSMOCORE["RAND"])
        terminal = self.terminal()
        terminal.select(USIM)
        announced = terminal.authenticate(rand, bytes.fromhex(entry["AUTN"]))
        assert terminal.held(announced) == success(res, ck, ik, kc)
        gsm = terminal.fetch(f"0088008011 10{rand.hex()}")
        assert gsm == f"04{entry['SRES']}08{entry['Kc']}".upper()


class TestPoint13:
    @pytest.fixture
    def terminal(self) -> Terminal:
        terminal = Terminal(fixture_card("isim"))
        terminal.select(ISIM)
        return terminal

    def test_a_wrong_mac_is_9862_and_is_looked_at_before_the_sqn(self, terminal: Terminal) -> None:
        profile = fixture_card("isim")
        for sqn in (32, 0):  # a fresh one and a stale one
            autn = bytearray(vector(profile, sqn).autn)
            for octet in (0, 5, 6, 8, 15):  # SQN, AMF and MAC are all covered
                autn[octet] ^= 0x01
                assert terminal.authenticate(RAND, bytes(autn)) == "9862"
                autn[octet] ^= 0x01
        assert terminal.send("00C0000000") == "6985", "nothing waits after a refusal"
        assert terminal.authenticate(RAND, vector(profile, 32).autn)[:2] == "61"

    def test_the_sqn_is_spent_by_success_only(self, terminal: Terminal) -> None:
        profile = fixture_card("isim")
        fresh = vector(profile, 32)
        assert terminal.authenticate(RAND, fresh.autn) == "612C"
        again = terminal.authenticate(RAND, fresh.autn)
        assert again == "6110"
        auts = bytes.fromhex(terminal.held(again))[2:]
        assert open_auts(functions_of(profile.authentication), RAND, auts) == 32

    def test_an_sqn_too_far_ahead_is_refused(self, terminal: Terminal) -> None:
        """TS 33.102 §C.2.1: delta is 2^28 in SEQ."""
        profile = fixture_card("isim")
        ahead = vector(profile, ((1 << 28) + 1) << 5)
        assert terminal.authenticate(RAND, ahead.autn) == "6110"
        assert terminal.authenticate(RAND, vector(profile, 1 << 33).autn) == "612C"

    def test_each_ind_counts_for_itself(self, terminal: Terminal) -> None:
        profile = fixture_card("isim")
        answers = [
            terminal.authenticate(RAND, vector(profile, sqn).autn) for sqn in (64, 33, 65, 32)
        ]
        assert answers == ["612C", "612C", "612C", "6110"]

    def test_usim_and_isim_share_the_sqn(self, terminal: Terminal) -> None:
        profile = fixture_card("isim")
        assert terminal.authenticate(RAND, vector(profile, 32).autn) == "612C"
        terminal.select(USIM)
        assert terminal.authenticate(RAND, vector(profile, 32).autn) == "6110"

    def test_auts_uses_amf_0000_whatever_autn_had(self) -> None:
        profile = fixture_card("isim")
        terminal = Terminal(profile)
        terminal.select(USIM)
        functions = functions_of(profile.authentication)
        answers = [
            terminal.held(terminal.authenticate(RAND, make_vector(functions, RAND, 0, amf).autn))
            for amf in (b"\x80\x00", b"\x12\x34")
        ]
        assert answers[0] == answers[1]
        assert open_auts(functions, RAND, bytes.fromhex(answers[0])[2:]) == 0

    @pytest.mark.parametrize("length", [4, 8, 16])
    def test_res_of_every_length(self, length: int) -> None:
        profile = shipped()
        long = profile.authentication._replace(res_length=length)
        profile = profile._replace(authentication=long)
        made = vector(profile, 32)
        terminal = Terminal(profile)
        terminal.select(ISIM)
        answer = terminal.held(terminal.authenticate(RAND, made.autn))
        assert len(made.xres) == length
        assert answer == success(made.xres, made.ck, made.ik)
        terminal.select(USIM)
        gsm = terminal.fetch(f"0088008011 10{RAND.hex()}")
        assert gsm[2:10] == sres_from_res(made.xres).hex().upper()

    def test_kc_only_with_service_27(self) -> None:
        profile = fixture_card("usim")
        assert 27 not in profile.usim.services
        terminal = Terminal(profile)
        terminal.select(USIM)
        assert terminal.authenticate(RAND, vector(profile, 32).autn) == "612C"

    def test_the_gsm_context_needs_service_38_and_a_usim(self, terminal: Terminal) -> None:
        command = f"0088008011 10{RAND.hex()}"
        assert terminal.send(command) == "6A86", "an ISIM has no GSM context"
        bare = Terminal(fixture_card("usim"))
        bare.select(USIM)
        assert bare.send(command) == "9864"

    def test_a_superfluous_le_and_none(self, terminal: Terminal) -> None:
        autn = vector(fixture_card("isim"), 32).autn.hex()
        assert terminal.send(f"0088008122 10{RAND.hex()} 10{autn} 00") == "612C"

    def test_before_the_pin(self) -> None:
        profile = fixture_card("pin")
        terminal = Terminal(profile)
        terminal.select(ISIM)
        fresh = vector(profile, 32)
        assert terminal.authenticate(RAND, fresh.autn) == "6982"
        assert terminal.send("0020000108 32343638FFFFFFFF") == "9000"
        assert terminal.authenticate(RAND, fresh.autn) == "612C"

    def test_without_an_application(self) -> None:
        terminal = Terminal(fixture_card("isim"))
        assert terminal.authenticate(RAND, bytes(16)) == "6985"

    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("0088008422" + "00" * 34, "9864"),
            ("0088008222" + "00" * 34, "9864"),
            ("0088008322" + "00" * 34, "6A86"),
            ("0088000022" + "00" * 34, "6A86"),
            ("0088018122" + "00" * 34, "6A86"),
            ("0088008121" + "00" * 33, "6700"),
            ("0088008111 10" + "00" * 16, "6700"),
            ("0088008122 0F" + "00" * 33, "6A80"),
            ("0088008122 10" + "00" * 16 + "11" + "00" * 16, "6A80"),
            ("0088008100", "6700"),
            ("00880081", "6700"),
            ("0089008122" + "00" * 34, "6D00"),
        ],
    )
    def test_what_is_refused(self, terminal: Terminal, command: str, answer: str) -> None:
        assert terminal.send(command) == answer
