"""Whole sessions on the emulated card, as it is and with the manners of real ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from card_links import Bench, Manners, Transmit, plain

from card import profile
from card.aka.result import MacFailure, SynchronisationFailure
from card.aka.vector import open_auts
from card.apdu import parse_command
from card.coding.basic import Application, encode_application
from card.errors import AnswerError, NoApplication, PinRequired, StatusError
from card.isim import IsimSession
from card.session import CardSession
from card.usim import UsimSession

MOST_APDUS = 15  # an ISIM registration, connect to disconnect
SHIPPED = profile.shipped()
USIM_ONLY = SHIPPED._replace(isim=None)
PIN_ENABLED = SHIPPED._replace(pin=SHIPPED.pin._replace(enabled=True))


def at_once(command: bytes, transmit: Transmit) -> bytes:
    """A reader which does GET RESPONSE and the right Le itself, so that data comes at once."""
    answer = transmit(command)
    if answer[-2] == 0x6C:
        answer = transmit(command[:-1] + answer[-1:])
    while answer[-2] == 0x61:
        answer = answer[:-2] + transmit(b"\x00\xc0\x00\x00" + answer[-1:])
    return answer


def wants_the_right_le(command: bytes, transmit: Transmit) -> bytes:
    """Even READ BINARY with Le 00 is answered 6Cxx, as over T=0 on a real card."""
    answer = transmit(command)
    if command[1] == 0xB0 and command[4] == 0 and answer[-2:] == b"\x90\x00":
        return bytes((0x6C, len(answer) - 2))
    return answer


def no_select_without_data(command: bytes, transmit: Transmit) -> bytes:
    return b"\x6a\x86" if command[1] == 0xA4 and command[3] == 0x0C else transmit(command)


def no_select_without_data_6b00(command: bytes, transmit: Transmit) -> bytes:
    return b"\x6b\x00" if command[1] == 0xA4 and command[3] == 0x0C else transmit(command)


def no_sfi(word: bytes) -> Manners:
    def manners(command: bytes, transmit: Transmit) -> bytes:
        by_sfi = (command[1] == 0xB0 and command[2] & 0x80) or (
            command[1] == 0xB2 and command[3] >> 3
        )
        return word if by_sfi else transmit(command)

    return manners


def nothing_for_le_00(command: bytes, transmit: Transmit) -> bytes:
    """READ with Le 00 gives 9000 and no data."""
    reading = command[1] in (0xB0, 0xB2) and command[4] == 0
    return b"\x90\x00" if reading else transmit(command)


def proactive_command_pending(command: bytes, transmit: Transmit) -> bytes:
    answer = transmit(command)
    return answer[:-2] + b"\x91\x0b" if answer[-2:] == b"\x90\x00" else answer


class OnceBusy:
    """Every command header fails with a transient word the first time it is said."""

    def __init__(self, word: bytes) -> None:
        self.word = word
        self.failed: set[bytes] = set()

    def __call__(self, command: bytes, transmit: Transmit) -> bytes:
        if command[:4] in self.failed:
            return transmit(command)
        self.failed.add(command[:4])
        return self.word


def unknown_is_6a88(command: bytes, transmit: Transmit) -> bytes:
    answer = transmit(command)
    return b"\x6a\x88" if answer == b"\x6a\x82" else answer


MANNERS: dict[str, Manners] = {
    "plain T=0": plain,
    "data at once": at_once,
    "6Cxx for Le 00": wants_the_right_le,
    "no P2=0C (6A86)": no_select_without_data,
    "no P2=0C (6B00)": no_select_without_data_6b00,
    "no SFI (6A82)": no_sfi(b"\x6a\x82"),
    "no SFI (6A86)": no_sfi(b"\x6a\x86"),
    "no SFI (6B00)": no_sfi(b"\x6b\x00"),
    "nothing for Le 00": nothing_for_le_00,
    "91xx": proactive_command_pending,
    "6A88 for 6A82": unknown_is_6a88,
}


@pytest.fixture(params=[*MANNERS, "busy 6F00", "busy 6581"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The shipped card with each of the manners."""
    name: str = request.param
    if name.startswith("busy"):
        yield Bench(OnceBusy(bytes.fromhex(name.split()[1])))
    else:
        yield Bench(MANNERS[name])


def test_identities(bench: Bench) -> None:
    assert SHIPPED.isim is not None
    assert bench.uicc.iccid() == SHIPPED.iccid
    isim = IsimSession(bench.uicc, bench.uicc.choose("auto"))
    assert isim.impi() == SHIPPED.isim.impi
    assert isim.domain() == SHIPPED.isim.domain
    assert isim.impu() == list(SHIPPED.isim.impu)
    assert isim.impu_at(0) == SHIPPED.isim.impu[0]
    assert isim.pcscf() == list(SHIPPED.isim.pcscf)
    assert 1 in isim.services()
    usim = UsimSession(bench.uicc, bench.uicc.choose("usim"))
    assert usim.imsi() == SHIPPED.imsi
    assert usim.mnc_length() == SHIPPED.mnc_length
    assert usim.services() == set(SHIPPED.usim.services)
    assert [each.kind for each in bench.uicc.applications()] == ["usim", "isim"]


@pytest.mark.parametrize("kind", ["isim", "usim"])
def test_authentication(bench: Bench, kind: str) -> None:
    chosen = bench.uicc.choose("isim" if kind == "isim" else "usim")
    session = (IsimSession if kind == "isim" else UsimSession)(bench.uicc, chosen)
    vector = bench.vector(64)
    with pytest.raises(MacFailure):
        session.authenticate(vector.rand, vector.autn[:-1] + bytes((vector.autn[-1] ^ 1,)))
    answer = session.authenticate(vector.rand, vector.autn)
    assert (answer.res, answer.ck, answer.ik) == vector[2:]
    assert len(answer.kc) == (8 if kind == "usim" else 0)
    with pytest.raises(SynchronisationFailure) as failure:
        session.authenticate(vector.rand, vector.autn)
    assert open_auts(bench.functions, vector.rand, failure.value.auts) == 64


def test_the_application_is_selected_by_its_full_aid_right_before_authenticate() -> None:
    bench = Bench()
    isim = IsimSession(bench.uicc, bench.uicc.choose())
    vector = bench.vector(64)
    bench.traced.clear()
    isim.authenticate(vector.rand, vector.autn)
    select, authenticate, fetch = bench.traced
    assert select.command == "00A4040C10" + isim.application.aid.hex().upper()
    assert len(isim.application.aid) == 16
    assert (authenticate.name, fetch.name) == ("AUTHENTICATE", "GET RESPONSE")


@pytest.mark.parametrize("manners", ["plain T=0", "6Cxx for Le 00"])
def test_an_isim_registration_stays_within_the_budget(manners: str) -> None:
    bench = Bench(MANNERS[manners])
    opened = CardSession(bench.exchange.link, trace=bench.traced.append)
    isim = opened.application
    assert isinstance(isim, IsimSession)
    with opened.exchange.transaction():
        isim.impi()
        isim.impu_at(0)
        isim.domain()
    vector = bench.vector(64)
    isim.authenticate(vector.rand, vector.autn)
    names = [apdu.name for apdu in bench.traced]
    assert len(names) == opened.exchange.apdus <= MOST_APDUS
    assert names[-3:] == ["SELECT", "AUTHENTICATE", "GET RESPONSE"]
    assert names.count("SELECT") == 3  # MF, ISIM; ISIM again for AUTHENTICATE
    assert opened.iccid == SHIPPED.iccid


def test_without_an_outer_transaction_another_program_is_reckoned_with() -> None:
    bench = Bench()
    isim = IsimSession(bench.uicc, bench.uicc.choose("isim"))
    domain = isim.domain()
    bench.card.transmit(bytes.fromhex("00A4000C023F00"))  # the other program
    assert isim.domain() == domain


def test_a_card_without_isim() -> None:
    bench = Bench(described=USIM_ONLY)
    assert bench.uicc.choose("auto").kind == "usim"
    with pytest.raises(NoApplication, match=r"no ISIM .* lists USIM"):
        bench.uicc.choose("isim")


def without_ef_dir(command: bytes, transmit: Transmit) -> bytes:
    if command[:2] == b"\x00\xb2" and command[3] == 0xF4:
        return b"\x6a\x82"
    return b"\x6a\x82" if command[5:7] == b"\x2f\x00" else transmit(command)


def test_a_card_without_ef_dir_is_asked_for_its_applications() -> None:
    bench = Bench(without_ef_dir)
    listed = Bench().uicc.choose("isim").aid
    assert bench.uicc.choose("auto").aid == listed
    assert Bench(without_ef_dir, USIM_ONLY).uicc.choose("auto").kind == "usim"
    with pytest.raises(NoApplication, match="neither"):
        Bench(without_ef_dir, USIM_ONLY).uicc.choose("isim")


def test_an_ef_dir_that_begins_with_something_else() -> None:
    foreign = encode_application(Application(bytes.fromhex("A000000063504B43532D3135"), "PKCS-15"))

    def two_records_more(command: bytes, transmit: Transmit) -> bytes:
        """Record 1 is another application, record 2 unused; the card's own follow."""
        if command[1] != 0xB2 or command[3] != 0xF4:
            return transmit(command)
        if command[2] > 2:
            return transmit(command[:2] + bytes((command[2] - 2,)) + command[3:])
        record = foreign if command[2] == 1 else b""
        return record.ljust(26, b"\xff") + b"\x90\x00"

    uicc = Bench(two_records_more).uicc
    assert [each.kind for each in uicc.applications()] == ["other", "usim", "isim"]
    assert uicc.applications()[0].label == "PKCS-15"
    assert uicc.choose("auto").kind == "isim"
    assert uicc.choose("usim").kind == "usim"


def test_records_that_cannot_be_read_do_not_hide_the_others() -> None:
    def first_record_is_garbage(command: bytes, transmit: Transmit) -> bytes:
        if command[:4] == bytes.fromhex("00B201F4"):
            return bytes.fromhex("61FF4F").ljust(26, b"\x01") + b"\x90\x00"
        return transmit(command)

    assert Bench(first_record_is_garbage).uicc.choose("auto").kind == "isim"


def test_a_listed_application_that_the_card_does_not_know() -> None:
    bench = Bench()
    chosen = bench.uicc.choose("isim")
    unknown = chosen._replace(aid=chosen.aid[:-1] + b"\x77")
    assert encode_application(unknown) != encode_application(chosen)
    with pytest.raises(NoApplication, match="does not know it"):
        IsimSession(bench.uicc, unknown).impi()


def test_files_the_card_does_not_have_are_empty_lists() -> None:
    def bare(command: bytes, transmit: Transmit) -> bytes:
        missing = (b"\x6f\x09", b"\x6f\x07", b"\x6f\x38", b"\x6f\x04")
        if command[1] == 0xA4 and command[5:7] in missing:
            return b"\x6a\x82"
        if command[1] == 0xB0 and command[2] in (0x87, 0x84):
            return b"\x6a\x82"
        if command[1] == 0xB2 and command[3] >> 3 == 4:
            return b"\x6a\x82"
        return transmit(command)

    bench = Bench(bare)
    isim = IsimSession(bench.uicc, bench.uicc.choose("isim"))
    assert isim.pcscf() == isim.impu() == []
    assert isim.services() == frozenset()
    with pytest.raises(StatusError, match="file or application not found"):
        isim.impu_at(0)
    usim = UsimSession(bench.uicc, bench.uicc.choose("usim"))
    assert usim.services() == frozenset()
    with pytest.raises(StatusError) as failure:
        usim.imsi()
    assert failure.value.sw == 0x6A82


def test_impu_records() -> None:
    assert SHIPPED.isim is not None
    uris = ("sip:a@example.org", "tel:+15550100")
    bench = Bench(described=SHIPPED._replace(isim=SHIPPED.isim._replace(impu=uris)))
    isim = IsimSession(bench.uicc, bench.uicc.choose())
    assert isim.impu() == list(uris)
    assert isim.impu_at(1) == uris[1]
    with pytest.raises((StatusError, AnswerError), match=r"not used|record not found"):
        isim.impu_at(2)


def test_mnc_length_that_the_card_does_not_say() -> None:
    def short_ad(command: bytes, transmit: Transmit) -> bytes:
        answer = transmit(command)
        return answer[:3] + answer[4:] if command[:3] == b"\x00\xb0\x83" else answer

    for imsi, digits in (("310150123456789", 3), ("262011234567890", 2)):
        bench = Bench(short_ad, SHIPPED._replace(imsi=imsi))
        assert UsimSession(bench.uicc, bench.uicc.choose("usim")).mnc_length() == digits


def test_a_file_longer_than_one_read() -> None:
    content = b"\x80\x82\x01\x2c" + b"d" * 300 + b"\xff" * 16

    def long_domain(command: bytes, transmit: Transmit) -> bytes:
        if command[1] != 0xB0 or command[2] not in (0x85, 0x01):
            return transmit(command)
        offset = 0 if command[2] == 0x85 else 256
        return content[offset : offset + 256] + b"\x90\x00"

    bench = Bench(long_domain)
    assert IsimSession(bench.uicc, bench.uicc.choose("isim")).domain() == "d" * 300


@pytest.mark.parametrize("word", ["6982", "6900", "6985"])
def test_a_card_that_wants_its_pin(word: str) -> None:
    def manners(command: bytes, transmit: Transmit) -> bytes:
        answer = transmit(command)
        return bytes.fromhex(word) if answer == b"\x69\x82" else answer

    bench = Bench(manners, PIN_ENABLED)
    isim = IsimSession(bench.uicc, bench.uicc.choose("auto"))
    vector = bench.vector(64)
    with pytest.raises(PinRequired, match=rf"READ BINARY EF_IMPI .*{word}.*wants PIN1"):
        isim.impi()
    with pytest.raises(PinRequired, match="READ RECORD EF_IMPU"):
        isim.impu()
    with pytest.raises(PinRequired, match="AUTHENTICATE"):
        isim.authenticate(vector.rand, vector.autn)
    bench.uicc.verify_pin("1234")
    assert isim.impi()
    assert isim.authenticate(vector.rand, vector.autn).res == vector.xres


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("9864", StatusError),
        ("6300", StatusError),
        ("6A88", StatusError),
        ("6983", PinRequired),
        ("9862", MacFailure),
    ],
)
def test_what_authenticate_can_be_refused_with(word: str, error: type[Exception]) -> None:
    said: list[str] = []

    def manners(command: bytes, transmit: Transmit) -> bytes:
        if command[1] != 0x88:
            return transmit(command)
        said.append(parse_command(command).name)
        return bytes.fromhex(word)

    bench = Bench(manners)
    isim = IsimSession(bench.uicc, bench.uicc.choose("auto"))
    with pytest.raises(error, match=word):
        isim.authenticate(bytes(16), bytes(16))
    assert said == ["AUTHENTICATE"]


def test_rand_and_autn_of_another_size_never_reach_the_card() -> None:
    bench = Bench()
    isim = IsimSession(bench.uicc, bench.uicc.choose("auto"))
    before = bench.exchange.apdus
    with pytest.raises(ValueError, match="16 octets"):
        isim.authenticate(bytes(16), bytes(15))
    assert bench.exchange.apdus == before
