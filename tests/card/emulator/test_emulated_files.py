"""FCPs and EF_ARR of any file: what our card writes, our client and another reader understand."""

from __future__ import annotations

from arr import parse
from hypothesis import given
from hypothesis import strategies as st
from raw_terminal import ISIM, USIM, Terminal, fixture_card

from card.emulator.access import ADM1, ALWAYS, NEVER, PIN1, PIN2, RULES, UNIVERSAL_PIN, Rule, encode
from card.emulator.filesystem import Df, Ef, LinearFixedEf, TransparentEf, fcp
from card.emulator.numbers import address_record, service_centre_record
from card.emulator.state import CardState
from card.fcp import LINEAR_FIXED, TRANSPARENT, parse_fcp
from card.files.usim import EF_MSISDN, EF_SMSP
from card.profile import Pin

fids = st.integers(0x0000, 0xFFFF)
sfis = st.none() | st.integers(1, 30)
rules = st.sampled_from(RULES)
conditions = st.sampled_from([ALWAYS, PIN1, PIN2, ADM1, NEVER])


def in_a_directory(ef: Ef, aid: bytes) -> bytes:
    Df(0x7FFF, [ef], aid)
    return fcp(ef, b"")


@given(
    fid=fids, sfi=sfis, rule=rules, content=st.binary(max_size=0xFFFF), aid=st.binary(max_size=16)
)
def test_fcp_of_a_transparent_file(
    fid: int, sfi: int | None, rule: Rule, content: bytes, aid: bytes
) -> None:
    octets = in_a_directory(TransparentEf(fid, sfi, rule, content), aid)
    assert len(octets) < 128
    read = parse_fcp(octets)
    assert (read.size, read.structure) == (len(content), TRANSPARENT)


@given(fid=fids, sfi=sfis, rule=rules, length=st.integers(1, 255), count=st.integers(1, 254))
def test_fcp_of_a_linear_fixed_file(
    fid: int, sfi: int | None, rule: Rule, length: int, count: int
) -> None:
    octets = in_a_directory(LinearFixedEf(fid, sfi, rule, [bytes(length)] * count), b"")
    assert len(octets) < 128
    read = parse_fcp(octets)
    assert (read.size, read.record_length) == (length * count, length)
    assert read.structure == LINEAR_FIXED


@given(fid=fids, aid=st.binary(max_size=16), enabled=st.booleans(), universal=st.booleans())
def test_fcp_of_a_directory(fid: int, aid: bytes, enabled: bool, universal: bool) -> None:
    pin = Pin(enabled=enabled, universal_pin="1111" if universal else "", universal_puk="1" * 8)
    state = CardState(fixture_card("isim")._replace(pin=pin))
    octets = fcp(Df(fid, [], aid), state.pin_status())
    assert len(octets) < 128
    read = parse_fcp(octets)
    assert read.aid == aid
    assert read.pin == (PIN1, enabled)
    state.pin1.enabled, state.replaced = False, universal
    asked = (UNIVERSAL_PIN, True) if universal else (PIN1, False)
    assert parse_fcp(fcp(Df(fid, [], aid), state.pin_status())).pin == asked


@given(reading=conditions, updating=conditions, universal=st.booleans())
def test_a_rule_in_ef_arr(reading: int, updating: int, universal: bool) -> None:
    keys = {PIN1: (PIN1, UNIVERSAL_PIN)} if universal else {}
    told = parse(encode(Rule(1, reading, updating), keys))
    for name, condition in (("read", reading), ("update", updating)):
        if condition == ALWAYS:
            assert told[name] == {"always"}
        elif condition == NEVER:
            assert told[name] == set()
        else:
            assert told[name] == {bytes([key]) for key in keys.get(condition, (condition,))}


def test_every_ef_arr_of_a_card_holds_the_rules() -> None:
    terminal = Terminal(fixture_card("gba"))
    for aid, fid in (("", "2F06"), (USIM, "6F06"), (ISIM, "6F06")):
        if aid:
            terminal.select(aid)
        assert terminal.send(f"00A4000C02{fid}") == "9000"
        length = terminal.send("00B20104FF")[2:]
        records = [terminal.send(f"00B20{rule.record}04{length}") for rule in RULES]
        assert all(record.endswith("9000") for record in records)
        assert terminal.send(f"00B20{len(RULES) + 1}04{length}") == "6A83"


numbers = st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True)


@given(number=numbers)
def test_telephone_numbers(number: str) -> None:
    assert EF_MSISDN.decode(address_record(number)).number == number
    assert EF_SMSP.decode(service_centre_record(number)).service_centre == number
    assert len(address_record(number)) == len(address_record("")) == 28
    assert len(service_centre_record(number)) == len(service_centre_record("")) == 42
