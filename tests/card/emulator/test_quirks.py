"""Every quirk does what its sentence says, and our client passes each, alone and combined."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_terminal import ISIM, USIM, PluggedCard, Terminal, fixture_card

from card.aka.algorithm import functions_of
from card.aka.conversion import kc_from_keys
from card.aka.result import MacFailure, SynchronisationFailure
from card.aka.vector import Vector, make_vector, open_auts
from card.emulator.quirks import QUIRKS, contradiction
from card.isim import IsimSession
from card.profile import Profile, load
from card.session import CardSession
from card.uicc import Choice
from card.usim import UsimSession
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.core.server import CoreServer
from sipua.settings import AgentSettings

RAND = bytes(range(16))
PIN = "2468"  # of fixtures/cards/pin.toml
NOBODY = "A0000000871002FFFFFFFF8907090001"


def with_quirks(*quirks: str, name: str = "pin") -> Profile:
    assert not contradiction(quirks)
    return fixture_card(name)._replace(quirks=quirks)


def vector(profile: Profile, sqn: int) -> Vector:
    return make_vector(functions_of(profile.authentication), RAND, sqn, b"\x80\x00")


def opened(*quirks: str, aid: str = USIM, name: str = "isim") -> Terminal:
    """A terminal that has selected an application; commands may have failed once before."""
    terminal = Terminal(with_quirks(*quirks, name=name))
    terminal.send(f"00A404040A{aid[:20]}")
    terminal.send(f"00A4040410{aid}")
    return terminal


def authenticate_command(profile: Profile, sqn: int) -> str:
    return f"0088008122 10{RAND.hex()} 10{vector(profile, sqn).autn.hex()}"


class TestWhatEachDoes:
    def test_kc_and_no_kc(self) -> None:
        usim_only = opened("kc", name="usim")
        made = vector(fixture_card("usim"), 32)
        announced = usim_only.authenticate(RAND, made.autn)
        kc = kc_from_keys(made.ck, made.ik).hex().upper()
        assert usim_only.held(announced).endswith("08" + kc)
        silent = opened("no-kc")
        assert silent.authenticate(RAND, vector(fixture_card("isim"), 32).autn) == "612C"

    def test_pin_81(self) -> None:
        terminal = Terminal(with_quirks("pin-81"))
        assert "C6099001C083018183010A" in terminal.fetch("00A40004023F00")
        assert terminal.send("0020000100") == "6A88"
        assert terminal.send("0020008100") == "63C3"
        terminal.select(USIM)
        assert terminal.send("00B0870009") == "6982"
        assert terminal.send("0020008108 32343638FFFFFFFF") == "9000"
        assert terminal.send("00B0870009").endswith("9000")

    def test_ef_dir_begins_with_others(self) -> None:
        terminal = Terminal(with_quirks("dir-first-record-other", "dir-unused-record"))
        length = terminal.send("00B201F4FF")[2:]
        first, second, third = (terminal.send(f"00B20{n}F4{length}")[:-4] for n in (1, 2, 3))
        assert first.startswith("61174F0CA000000063504B43532D3135")
        assert set(second) == {"F"}
        assert third.startswith(f"61184F10{USIM}")
        assert terminal.send("00A4040C0CA000000063504B43532D3135") == "9000", "it is there"

    @pytest.mark.parametrize(
        ("quirk", "before", "after"),
        [("aka-nested", "2B", ""), ("aka-padded", "", "FFFFFFFFFFFF")],
    )
    def test_forms_of_the_3g_answer(self, quirk: str, before: str, after: str) -> None:
        profile = fixture_card("isim")
        plain, terminal = opened(aid=ISIM), opened(quirk, aid=ISIM)
        usual = plain.held(plain.authenticate(RAND, vector(profile, 32).autn))
        changed = terminal.held(terminal.authenticate(RAND, vector(profile, 32).autn))
        assert changed == usual[:2] + before + usual[2:] + after

    def test_auts_as_res(self) -> None:
        profile = fixture_card("isim")
        terminal = opened("auts-as-res")
        answer = terminal.held(terminal.authenticate(RAND, vector(profile, 0).autn))
        assert answer.startswith("DB0E")
        assert open_auts(functions_of(profile.authentication), RAND, bytes.fromhex(answer[4:])) == 0

    @pytest.mark.parametrize(
        ("quirk", "command", "answer", "name"),
        [
            ("case-4-le-6700", "00A40004023F0000", "6700", "isim"),
            ("case-4-le-6700", "00A4000C023F00", "9000", "isim"),
            ("no-sfi", "00B0870009", "6A82", "isim"),
            ("no-sfi", "00B2010C00", "6A82", "isim"),
            ("exact-aid", f"00A4040C07{USIM[:14]}", "6A82", "isim"),
            ("exact-aid", f"00A4040C10{USIM}", "9000", "isim"),
            ("select-p2-00-6b00", "00A40000023F00", "6B00", "isim"),
            ("select-p2-00-6b00", "00A4000C023F00", "9000", "isim"),
            ("select-p2-0c-6b00", "00A4000C023F00", "6B00", "isim"),
            ("select-p2-0c-6b00", f"00A4040010{USIM}", "9000", "isim"),
            ("unknown-aid-6a88", f"00A4040C10{NOBODY}", "6A88", "isim"),
            ("unknown-aid-6a88", "00A4000C020000", "6A82", "isim"),
            ("read-unverified-6900", "00B0870009", "6900", "pin"),
            ("read-unverified-6985", "00B0870009", "6985", "pin"),
            ("read-unverified-6900", "00D68C0001AA", "6982", "pin"),
            ("read-le00-empty", "00B0870000", "9000", "isim"),
            ("read-le00-empty", "00B08700", "9000", "isim"),
            ("read-le00-empty", "00B0870009", "0809101000000000409000", "isim"),
        ],
    )
    def test_status_words(self, quirk: str, command: str, answer: str, name: str) -> None:
        assert opened(quirk, name=name).send(command) == answer
        if command != "00B0870009":
            assert answer != opened(name=name).send(command) or answer in ("9000", "6982", "6A82")

    def test_le_6c_runs_a_command_once(self) -> None:
        profile = fixture_card("isim")
        terminal = opened("le-6c", aid=ISIM)
        command = authenticate_command(profile, 32)
        assert [terminal.send(command), terminal.send(command + "00")] == ["6C2C", "6C2C"]
        assert terminal.send(command + "2C").startswith("DB08")
        assert terminal.send(command + "10").startswith("DC0E"), "run again, it is a replay"
        assert terminal.send("00B0820000") == "6C33"
        assert terminal.send("00B0820033").endswith("9000")
        assert terminal.send("00B0820002").endswith("9000"), "less may be asked for"
        assert terminal.send("00A40004023F00")[:2] == "6C"

    @pytest.mark.parametrize("quirk", ["data-at-once", "t1"])
    def test_data_at_once(self, quirk: str) -> None:
        terminal = opened(quirk, aid=ISIM)
        answer = terminal.send(authenticate_command(fixture_card("isim"), 32))
        assert answer.startswith("DB08")
        assert answer.endswith("9000")
        assert terminal.send("00A40004023F00").startswith("62")
        assert terminal.send("00C0000000") == "6985"

    def test_t1_says_so_in_its_atr(self) -> None:
        terminal = opened("t1")
        atr = terminal.card.atr
        check = 0
        for octet in atr[1:]:
            check ^= octet
        assert check == 0, "TCK"
        assert atr[1] >> 4 == 9, "TA1 and TD1"
        assert atr[3] == 0x81, "TD1: T=1, and TD2 follows"
        assert atr[4] == 0x31, "TD2: T=1 with TA3 and TB3"
        assert terminal.send("0020000100") == "6700"
        assert terminal.send("00200001") == "63C3"

    def test_a_proactive_command_is_pending_until_it_is_fetched(self) -> None:
        terminal = opened("proactive-91xx")
        assert terminal.send("00A4000C023F00") == "910B"
        assert terminal.send("00B0820009").endswith("910B")
        assert terminal.send("00A4000C020000") == "6A82"
        assert terminal.send("801200000B") == "D0098103010200820281829000"
        assert terminal.send("80140000 0C 810301020002028281830100") == "9000"
        assert terminal.send("00A4000C023F00") == "9000"
        assert terminal.send("801200000B") == "6985"
        terminal.card.reset()
        assert terminal.send("00A4000C023F00") == "910B"

    @pytest.mark.parametrize("sw", ["6400", "6581", "6F00", "9300"])
    def test_transient_words_come_once(self, sw: str) -> None:
        terminal = Terminal(with_quirks(f"transient-{sw.lower()}", name="isim"))
        for _ in range(2):
            assert [terminal.send("00A4000C023F00") for _ in range(3)] == [sw, "9000", "9000"]
            assert terminal.send("00B0820009") == sw
            assert terminal.send("00B0820009").endswith("9000")
            assert terminal.send("0020000100") == "63C3", "no PIN command is lost"
            terminal.card.reset()


def test_every_quirk_has_a_sentence_and_a_name_for_profiles() -> None:
    for name, quirk in QUIRKS.items():
        assert name == name.lower()
        assert quirk.sentence
        assert not contradiction([name])
    pairs = [(a, b) for a in QUIRKS for b in QUIRKS if a != b and contradiction([a, b])]
    assert len(pairs) == 2 * (1 + 1 + 1 + 1 + 6 + 6)


def use(profile: Profile, application: Choice, pin: str | None = PIN) -> PluggedCard:
    """All that our client does with a card, against what the profile says."""
    link = PluggedCard(profile)
    wants_kc = "kc" in profile.quirks or (
        27 in profile.usim.services and "no-kc" not in profile.quirks
    )
    with CardSession(link, application, pin) as session:
        assert session.uicc.iccid() == profile.iccid
        chosen = session.application
        if isinstance(chosen, UsimSession):
            assert chosen.imsi() == profile.imsi
            assert chosen.mnc_length() == profile.mnc_length
            assert chosen.services() == set(profile.usim.services)
        else:
            assert isinstance(chosen, IsimSession)
            assert profile.isim is not None
            assert chosen.impi() == profile.isim.impi
            assert tuple(chosen.impu()) == profile.isim.impu
            assert chosen.domain() == profile.isim.domain
            assert tuple(chosen.pcscf()) == profile.isim.pcscf
        for sqn in (32, 64):
            made = vector(profile, sqn)
            kc = kc_from_keys(made.ck, made.ik)
            expected = (
                made.xres,
                made.ck,
                made.ik,
                kc if wants_kc and chosen.name == "usim" else b"",
            )
            assert tuple(chosen.authenticate(RAND, made.autn)) == expected
        with pytest.raises(SynchronisationFailure) as failure:
            chosen.authenticate(RAND, vector(profile, 64).autn)
        functions = functions_of(profile.authentication)
        assert open_auts(functions, RAND, failure.value.auts) == 64
        with pytest.raises(MacFailure):
            chosen.authenticate(RAND, bytes(16))
    return link


@pytest.mark.parametrize("application", ["isim", "usim"])
@pytest.mark.parametrize("quirk", [*QUIRKS, ""])
def test_our_client_passes_each_quirk(quirk: str, application: Choice) -> None:
    quirks = (quirk,) if quirk else ()
    use(with_quirks(*quirks), application)
    use(with_quirks(*quirks, name="isim"), application, None)


@pytest.mark.parametrize("length", range(4, 17))
def test_our_client_passes_a_res_of_any_length(length: int) -> None:
    profile = fixture_card("isim")
    longer = profile.authentication._replace(res_length=length)
    use(profile._replace(authentication=longer), "isim", None)


combinations = st.lists(st.sampled_from(sorted(QUIRKS)), unique=True, max_size=12).map(
    lambda names: tuple(
        name for index, name in enumerate(names) if not contradiction([*names[:index], name])
    )
)


@settings(max_examples=150, deadline=None)
@given(
    quirks=combinations,
    application=st.sampled_from(["isim", "usim"]),
    name=st.sampled_from(["pin", "isim"]),
    res_length=st.integers(4, 16),
)
def test_our_client_passes_quirks_combined(
    quirks: tuple[str, ...], application: Choice, name: str, res_length: int
) -> None:
    profile = with_quirks(*quirks, name=name)
    authentication = profile.authentication._replace(res_length=res_length)
    use(
        profile._replace(authentication=authentication), application, PIN if name == "pin" else None
    )


REGISTERING = [
    *((quirk,) for quirk in QUIRKS),
    ("t1", "dir-first-record-other", "no-sfi", "proactive-91xx", "transient-6f00", "aka-padded"),
    (
        "le-6c",
        "select-p2-0c-6b00",
        "exact-aid",
        "unknown-aid-6a88",
        "auts-as-res",
        "no-kc",
        "pin-81",
    ),
    ("read-le00-empty", "data-at-once", "proactive-91xx", "aka-nested", "transient-9300"),
]


@pytest.mark.parametrize("quirks", REGISTERING, ids="+".join)
def test_a_card_with_quirks_registers(quirks: tuple[str, ...], tmp_path: Path) -> None:
    """With a PIN, and with a network whose SQN lies behind, so that AUTS is part of it."""
    text = (Path(__file__).parents[3] / "fixtures" / "cards" / "pin.toml").read_text()
    path = tmp_path / "card.toml"
    text = text.replace("[authentication]", "[authentication]\nsqn = 4096")
    path.write_text(f"quirks = {list(quirks)}\n{text}")
    profile = load(str(path))
    subscriber = profile._replace(authentication=profile.authentication._replace(sqn=0))
    with CoreServer([subscriber], [("UDP", "127.0.0.1", 0)]) as core:
        choice = CardChoice(f"emulated:{path}", pin=PIN)
        with UserAgent(choice, AgentSettings(pcscf=str(core.hop("UDP")))) as agent:
            result = agent.register()
    assert result.exit_status == 0, f"{result.verdict.value}: {result.reason}"
    assert result.resynchronised
