"""Cards that answer garbage: only our own errors, and always an end."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from card_links import Bench, Transmit

from card.aka.result import AkaFailure
from card.atr import explain
from card.authenticate import read_answer
from card.coding.basic import ISIM_AID, USIM_AID, Application
from card.contexts import (
    authenticate_gsm,
    bootstrap,
    derive_naf_key,
    read_bootstrap_answer,
    read_gsm_answer,
    read_naf_answer,
)
from card.errors import CardError
from card.exchange import Exchange
from card.fcp import parse_fcp
from card.files.catalogue import DIRECTORIES, find
from card.isim import IsimSession
from card.link import CardLink
from card.reading import read, walk
from card.tlv import Tlv
from card.uicc import Uicc
from card.user_pin import UserPin, states
from card.usim import UsimSession

ROUNDS = 10_000
MOST_COMMANDS = 2_000  # for one method on one card, however it answers

WORDS = [bytes.fromhex(word) for word in (
    "9000", "9000", "9000", "9000", "910B", "6110", "6100", "6C10", "6C00", "6282", "6283", "6300",
    "63C3", "63C1", "6400", "6581", "6700", "6982", "6983", "6985", "6A82", "6A83", "6A86", "6B00",
    "6D00", "6F00", "9300", "9862", "9864", "9F10",
)]  # fmt: skip

PARSERS: list[Callable[[bytes], object]] = [
    Tlv,
    parse_fcp,
    read_answer,
    read_gsm_answer,
    read_bootstrap_answer,
    read_naf_answer,
    explain,
    *{ef.decode for each in DIRECTORIES for ef in each.files if ef.decode is not bytes},
]

USIM = Application(USIM_AID.ljust(16, b"\xff"))
ISIM = Application(ISIM_AID.ljust(16, b"\xff"))

METHODS: list[Callable[[Uicc], object]] = [
    Uicc.iccid,
    Uicc.applications,
    Uicc.choose,
    Uicc.pin_tries,
    lambda uicc: uicc.verify_pin("1234"),
    lambda uicc: UsimSession(uicc, USIM).imsi(),
    lambda uicc: UsimSession(uicc, USIM).mnc_length(),
    lambda uicc: UsimSession(uicc, USIM).services(),
    lambda uicc: UsimSession(uicc, USIM).authenticate(bytes(16), bytes(16)),
    lambda uicc: IsimSession(uicc, ISIM).impi(),
    lambda uicc: IsimSession(uicc, ISIM).impu(),
    lambda uicc: IsimSession(uicc, ISIM).impu_at(1),
    lambda uicc: IsimSession(uicc, ISIM).domain(),
    lambda uicc: IsimSession(uicc, ISIM).pcscf(),
    lambda uicc: IsimSession(uicc, ISIM).services(),
    lambda uicc: IsimSession(uicc, ISIM).authenticate(bytes(16), bytes(16)),
    lambda uicc: authenticate_gsm(uicc, USIM, bytes(16)),
    lambda uicc: bootstrap(uicc, ISIM, bytes(16), bytes(16)),
    lambda uicc: derive_naf_key(uicc, USIM, b"naf", "impi"),
    lambda uicc: states(uicc, USIM),
    lambda uicc: UserPin(uicc, USIM).verify("1234"),
    lambda uicc: read(uicc, find("EF_SPN", "usim"), [USIM]),
    lambda uicc: read(uicc, find("sfi:07", "usim"), [USIM]),
]


def good_answers() -> list[bytes]:
    """Data that the emulated card gave in a session that went well."""
    data: list[bytes] = []

    def listen(command: bytes, transmit: Transmit) -> bytes:
        answer = transmit(command)
        data.append(answer[:-2])
        return answer

    bench = Bench(listen)
    vector = bench.vector(64)
    isim = IsimSession(bench.uicc, bench.uicc.choose("isim"))
    bench.uicc.iccid(), isim.impi(), isim.impu(), isim.domain(), isim.pcscf(), isim.services()
    isim.authenticate(vector.rand, vector.autn)
    usim = UsimSession(bench.uicc, bench.uicc.choose("usim"))
    usim.imsi(), usim.mnc_length(), usim.services()
    with pytest.raises(AkaFailure):
        usim.authenticate(vector.rand, vector.autn)
    return sorted({each for each in data if each})


def garbage(rng: random.Random, good: list[bytes]) -> bytes:
    """Any octets, or a good answer with some octets turned, cut off or put in."""
    if rng.random() < 0.2:
        return rng.randbytes(rng.choice((0, 1, 2, 5, 20, 60, 256, 300)))
    octets = bytearray(rng.choice(good))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(octets) + 1)
        match rng.randrange(4):
            case 0:
                del octets[at:]
            case 1:
                octets[at:at] = rng.randbytes(rng.randrange(1, 4))
            case 2:
                octets[at : at + 1] = rng.choice((b"\x00", b"\x7f", b"\x80", b"\x82", b"\xff"))
            case _:
                octets[at : at + 1] = rng.randbytes(1)
    return bytes(octets)


class GarbageLink(CardLink):
    """A card that answers anything; a broken reader now and then gives less than a status word."""

    reader = "garbage"

    def __init__(self, rng: random.Random, good: list[bytes]) -> None:
        self.rng = rng
        self.good = good
        self.commands = 0
        self.verifications = 0

    @property
    def atr(self) -> bytes:
        return b""

    def transmit(self, command: bytes) -> bytes:
        self.commands += 1
        assert self.commands <= MOST_COMMANDS
        self.verifications += command[1] == 0x20 and len(command) > 5
        if self.rng.random() < 0.002:
            return self.rng.randbytes(1)
        if command[1] == 0xA4 and self.rng.random() < 0.8:
            return b"\x90\x00"  # else few sessions would come to their READ
        data = garbage(self.rng, self.good) if self.rng.random() < 0.8 else b""
        return data + self.rng.choice(WORDS)

    def reset(self) -> None:
        """Nothing to reset."""

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("parser", PARSERS)
def test_parsers(parser: Callable[[bytes], object]) -> None:
    rng, good, refused = random.Random(1), good_answers(), 0
    for _ in range(ROUNDS):
        try:
            parser(garbage(rng, good))
        except (CardError, AkaFailure):
            refused += 1
    assert refused < ROUNDS


def test_sessions() -> None:
    rng, good, ended = random.Random(2), good_answers(), {"well": 0, "badly": 0}
    for number in range(ROUNDS):
        link = GarbageLink(rng, good)
        try:
            METHODS[number % len(METHODS)](Uicc(Exchange(link)))
        except (CardError, AkaFailure):
            ended["badly"] += 1
        else:
            ended["well"] += 1
        assert link.verifications <= 1
    assert min(ended.values()) > ROUNDS // 20


class SameLink(GarbageLink):
    """A card that has one answer to everything."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(random.Random(3), [])
        self.answer = answer

    def transmit(self, command: bytes) -> bytes:
        self.commands += 1
        assert self.commands <= MOST_COMMANDS
        return self.answer


@pytest.mark.parametrize("method", METHODS)
def test_a_card_that_always_says_the_same(method: Callable[[Uicc], object]) -> None:
    for word in WORDS:
        for data in (b"", b"\xff" * 256, b"\x80" * 256, b"a" * 8):
            try:
                method(Uicc(Exchange(SameLink(data + word))))
            except (CardError, AkaFailure):
                continue
            assert word[0] in (0x90, 0x91, 0x62, 0x63, 0x69, 0x6A)


def test_a_walk_over_a_card_that_always_says_the_same() -> None:
    for word in WORDS:
        for data in (b"", b"\xff" * 256, b"\x80" * 256, b"a" * 8):
            link = SameLink(data + word)
            try:
                list(walk(Uicc(Exchange(link)), [USIM, ISIM]))
            except CardError:
                continue
            assert link.commands
