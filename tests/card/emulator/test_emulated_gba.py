"""GBA_U on the emulated card: bootstrapping and NAF derivation, seen from the BSF's side."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest
from raw_terminal import ISIM, USIM, Terminal, fixture_card

from card.aka.algorithm import functions_of
from card.aka.vector import Vector, make_vector, open_auts
from card.coding.basic import decode_services
from card.statefile import StateFile
from card.tlv import Tlv

PROFILE = fixture_card("gba")
RAND = bytes(range(16))
IMPI = b"001010000000007@ims.mnc001.mcc001.3gppnetwork.org"
NAF_ID = b"naf.example.org" + bytes.fromhex("0100000002")
B_TID = b"AAECAwQFBgcICQoLDA0ODw==@bsf.example.org"
PIN = "0020000108 32343638FFFFFFFF"

# FID of EF_GBABP and EF_GBANL in each application (TS 31.102 §4.2.79, TS 31.103 §4.2.9)
FILES = {USIM: ("6FD6", "6FDA"), ISIM: ("6FD5", "6FD7")}


def bsf_challenge(sqn: int, rand: bytes = RAND) -> tuple[str, Vector]:
    """What the BSF sends for a card that does GBA_U: MAC is hidden by IK (TS 33.220 §5.3.2)."""
    made = make_vector(functions_of(PROFILE.authentication), rand, sqn, b"\x80\x00")
    mask = hashlib.sha1(made.ik).digest()[:8]
    hidden = bytes(a ^ b for a, b in zip(made.autn[8:], mask, strict=True))
    return f"0088008423 DD 10{rand.hex()} 10{made.autn[:8].hex()}{hidden.hex()}", made


def derivation(naf_id: bytes = NAF_ID, impi: bytes = IMPI) -> str:
    data = b"\xde" + bytes([len(naf_id)]) + naf_id + bytes([len(impi)]) + impi
    return f"00880084{len(data):02X}{data.hex()}"


def ks_ext_naf(made: Vector, naf_id: bytes = NAF_ID, impi: bytes = IMPI) -> str:
    """TS 33.220 §B.3, written out."""
    text = b"\x01" + b"gba-me" + b"\x00\x06" + made.rand + b"\x00\x10"
    text += impi + len(impi).to_bytes(2, "big") + naf_id + len(naf_id).to_bytes(2, "big")
    return hmac.new(made.ck + made.ik, text, "sha256").hexdigest().upper()


@pytest.fixture(params=[USIM, ISIM], ids=["usim", "isim"])
def aid(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def terminal(aid: str) -> Terminal:
    terminal = Terminal(PROFILE)
    terminal.select(aid)
    assert terminal.send(PIN) == "9000"
    return terminal


def bootstrap(terminal: Terminal, sqn: int = 32, rand: bytes = RAND) -> Vector:
    command, made = bsf_challenge(sqn, rand)
    assert terminal.fetch(command) == f"DB08{made.xres.hex()}".upper(), "RES and no key"
    return made


def test_bootstrapping_gives_res_and_keeps_the_keys(terminal: Terminal, aid: str) -> None:
    bootstrap(terminal)
    assert terminal.send("00A4000C02" + FILES[aid][0]) == "9000"
    content = terminal.send("00B0000000")
    assert content.startswith("10" + RAND.hex().upper() + "0000FF")


def test_naf_derivation(terminal: Terminal, aid: str) -> None:
    made = bootstrap(terminal)
    key = terminal.fetch(derivation())
    assert key == "DB20" + ks_ext_naf(made)
    other = terminal.fetch(derivation(b"other.example.org" + NAF_ID[-5:]))
    assert other != key
    assert terminal.fetch(derivation(impi=b"somebody@else")) != key
    assert terminal.fetch(derivation()) == key, "as often as one likes"


def test_the_naf_list_names_naf_and_b_tid_newest_first(terminal: Terminal, aid: str) -> None:
    parameters, nafs = FILES[aid]
    bootstrap(terminal)
    assert terminal.send("00A4000C02" + parameters) == "9000"
    written = bytes([len(B_TID)]) + B_TID + b"\x0220"
    assert terminal.send(f"00D60011{len(written):02X}{written.hex()}") == "9000"
    names = [bytes([65 + n]) * 5 for n in range(6)]
    for name in [*names, names[3]]:
        terminal.fetch(derivation(name))
    assert terminal.send("00A4000C02" + nafs) == "9000"
    length = terminal.send("00B20104FF")[2:]
    listed: list[Tlv] = []
    while (record := terminal.send(f"00B2{len(listed) + 1:02X}04{length}")) != "6A83":
        listed.append(Tlv(bytes.fromhex(record[:-4])))
    assert [each.value(0x80) for each in listed] == [names[n] for n in (3, 5, 4, 2)]
    assert all(each.value(0x81) == B_TID for each in listed)


def test_a_new_bootstrapping_replaces_the_key(terminal: Terminal) -> None:
    bootstrap(terminal)
    before = terminal.fetch(derivation())
    second = bootstrap(terminal, 64, bytes(16))
    after = terminal.fetch(derivation())
    assert before != after == "DB20" + ks_ext_naf(second)


def test_the_key_outlasts_the_power(tmp_path: Path, aid: str) -> None:
    path = str(tmp_path / "gba.state.json")
    with StateFile(path) as state:
        terminal = Terminal(PROFILE, state)
        terminal.select(aid)
        terminal.send(PIN)
        made = bootstrap(terminal)
    with StateFile(path) as state:
        terminal = Terminal(PROFILE, state)
        terminal.select(aid)
        terminal.send(PIN)
        assert terminal.fetch(derivation()) == "DB20" + ks_ext_naf(made)
        assert bytes.fromhex(ks_ext_naf(made)) not in Path(path).read_bytes()


def test_wrong_mac_and_used_sqn(terminal: Terminal) -> None:
    command, _ = bsf_challenge(32)
    plain = make_vector(functions_of(PROFILE.authentication), RAND, 32, b"\x80\x00")
    for_the_3g_context = f"0088008423 DD 10{RAND.hex()} 10{plain.autn.hex()}"
    assert terminal.send(for_the_3g_context) == "9862", "an AUTN is good for one context only"
    assert terminal.authenticate(RAND, bytes.fromhex(command.split()[-1])[1:]) == "9862"
    assert terminal.send(derivation()) == "6985", "nothing was bootstrapped"
    bootstrap(terminal)
    key = terminal.fetch(derivation())
    auts = terminal.fetch(command)
    assert auts.startswith("DC0E")
    functions = functions_of(PROFILE.authentication)
    assert open_auts(functions, RAND, bytes.fromhex(auts)[2:]) == 32
    assert terminal.fetch(derivation()) == key, "what was bootstrapped stays"


def test_it_takes_the_pin(aid: str) -> None:
    terminal = Terminal(PROFILE)
    terminal.select(aid)
    command, _ = bsf_challenge(32)
    assert terminal.send(command) == "6982"
    assert terminal.send(derivation()) == "6982"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("00880084", "6700"),
        ("0088008401AA", "6A80"),
        ("0088008402DD10", "6700"),
        ("0088008423DD 0F" + "00" * 33, "6A80"),
        ("0088008401DE", "6A80"),
        ("0088008403DE 05 41", "6A80"),
        ("0088008405DE 01 41 05 41", "6A80"),
        ("0088008406DE 01 41 01 41 00", "6700"),
        ("0088018401AA", "6A86"),
    ],
)
def test_what_is_refused(terminal: Terminal, command: str, answer: str) -> None:
    assert terminal.send(command) == answer


def test_a_naf_whose_name_does_not_fit_the_list(terminal: Terminal) -> None:
    bootstrap(terminal)
    assert terminal.send(derivation(b"n" * 130)) == "9866"


def test_without_the_service_it_is_9864() -> None:
    terminal = Terminal(fixture_card("isim"))
    for application in (USIM, ISIM):
        terminal.select(application)
        assert terminal.send(bsf_challenge(32)[0]) == "9864"
        assert terminal.send("00A4000C026FD6") == "6A82"


def test_the_service_tables_say_so() -> None:
    terminal = Terminal(PROFILE)
    terminal.send(PIN)
    for application, sfi, service in ((USIM, "84", 68), (ISIM, "87", 2)):
        terminal.select(application)
        table = terminal.send(f"00B0{sfi}0000")
        assert service in decode_services(bytes.fromhex(table[:-4]))
