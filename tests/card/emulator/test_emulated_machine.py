"""Any commands in any order: the card answers each, and what must hold of it holds.

SQNs never fall, tries never rise without a PIN or PUK that was right, no file is
read or written against the rule that EF_ARR tells, and what the card remembers is
what it answered last, whenever the power fails.
"""

from __future__ import annotations

import json
from typing import Any

from arr import Condition, allowed, parse
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from raw_terminal import ISIM, USIM, fixture_card

from card.aka.algorithm import functions_of
from card.aka.vector import make_vector
from card.emulator.card import EmulatedCard
from card.emulator.filesystem import Ef, LinearFixedEf, TransparentEf
from card.emulator.gba import masked_mac
from card.profile import Profile
from card.statefile import StateFile

PINS = {0x01: b"2468", 0x81: b"1357", 0x11: b"112233"}  # of fixtures/cards/gba.toml
PUKS = {0x01: b"87654321", 0x81: b"12344321", 0x11: b"33221100"}
PIN_INSTRUCTIONS = (0x20, 0x24, 0x26, 0x28, 0x2C)
READS, UPDATES = (0xB0, 0xB2, 0xA2), (0xD6, 0xDC)
AUTHENTICATE = 0x88
KNOWN_SW1 = {0x61, 0x62, 0x63, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E}
KNOWN_SW1 |= {0x90, 0x91, 0x94, 0x98, 0x9F}

FIDS = [b"\x3f\x00", b"\x7f\xff", b"\x7f\x20", b"\x7f\x10", b"\x2f\x00", b"\x2f\x05"]
FIDS += [bytes((0x6F, low)) for low in (0x05, 0x06, 0x07, 0x20, 0x38, 0x3A, 0x40, 0x7B, 0xAE, 0xD6)]
NAMES = [*FIDS, bytes.fromhex(USIM), bytes.fromhex(ISIM), b"\x7f\xff\x6f\x07", b""]
INSTRUCTIONS = bytes.fromhex("1012142024 26282C 7084 88A2A4AAB0B2C0C2D6DCF2FA 32 89")


class KeptInMemory(StateFile):
    """A state file without a disk, that a new card can be started from."""

    def __init__(self) -> None:
        self.path = "memory"
        self.content = b"{}"

    def load(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.content)
        return loaded

    def save(self, state: dict[str, Any]) -> None:
        self.content = json.dumps(state).encode()


def padded(digits: bytes) -> bytes:
    return digits.ljust(8, b"\xff")


def every_ef(card: EmulatedCard) -> list[Ef]:
    directories = (card.tree.mf, *card.tree.applications, *card.tree.dfs.values())
    return [file for df in directories for file in df.files]


def content(card: EmulatedCard) -> dict[str, object]:
    """What every file holds."""
    held: dict[str, object] = {}
    for ef in every_ef(card):
        if isinstance(ef, TransparentEf):
            held[ef.path] = ef.content
        else:
            assert isinstance(ef, LinearFixedEf)
            held[ef.path] = tuple(ef.records)
    return held


class AnyCommands(RuleBasedStateMachine):
    profile: Profile = fixture_card("gba")

    @initialize()
    def insert(self) -> None:
        self.kept = KeptInMemory()
        self.presented: set[int] = set()  # our own account of what was verified
        self.power_up()
        arr = next(each for each in self.card.tree.mf.files if each.fid == 0x2F06)
        assert isinstance(arr, LinearFixedEf)
        self.arr = [parse(record) for record in arr.records]

    def power_up(self) -> None:
        self.card = EmulatedCard(self.profile, self.kept)
        self.presented.clear()
        self.remember()

    def remember(self) -> None:
        state = self.card.state
        self.sqn = list(state.sequence.values)
        self.tries = {key: (pin.tries, pin.puk_tries) for key, pin in state.pins.items()}
        self.enabled = {key: pin.enabled for key, pin in state.pins.items()}
        self.content = content(self.card)

    def send(self, command: bytes) -> bytes:
        """Send, and check all that must hold afterwards."""
        may = {name: self.may(name) for name in ("read", "update")}
        answer = self.card.transmit(command)
        assert 2 <= len(answer) <= 258
        assert answer[-2] in KNOWN_SW1, answer.hex()
        if len(command) >= 4:
            self.account(command, answer)
            self.check_tries(command, answer)
            self.check_files(command, answer, may)
        else:
            assert self.content == content(self.card)
        assert all(
            now >= then for now, then in zip(self.card.state.sequence.values, self.sqn, strict=True)
        )
        self.remember()
        return answer

    def account(self, command: bytes, answer: bytes) -> None:
        """Keep our own account of which PINs were verified."""
        cla, ins, _, p2 = command[:4]
        if ins not in PIN_INSTRUCTIONS or len(command) <= 5:
            return
        key = p2
        if cla == 0xA0:
            key = {0: 0x01, 1: 0x01, 2: 0x81}.get(p2, 0xFF)
        if answer == b"\x90\x00":
            if ins != 0x20 or self.enabled[key]:
                self.presented.add(key)
        elif ins == 0x2C:
            pass  # a wrong PUK does not close what the PIN opened
        elif answer[0] == 0x63 or answer in (b"\x69\x83", b"\x98\x04", b"\x98\x40"):
            self.presented.discard(key)

    def check_tries(self, command: bytes, answer: bytes) -> None:
        for key, pin in self.card.state.pins.items():
            tries, puk_tries = self.tries[key]
            if pin.tries > tries:
                assert command[1] in PIN_INSTRUCTIONS
                assert answer == b"\x90\x00"
            if pin.puk_tries > puk_tries:
                assert command[1] == 0x2C
                assert answer == b"\x90\x00"

    def check_files(self, command: bytes, answer: bytes, before: dict[str, Any]) -> None:
        ins, ok = command[1], answer[-2:] == b"\x90\x00" or answer[0] in (0x61, 0x9F)
        ef = self.card.channel.ef
        if ins in READS and command[0] not in (0x80, 0x81, 0x82, 0x83):
            if ok and ef is not None:
                assert self.allows(ef, "read", before["read"]), ef.path
            elif answer in (b"\x69\x82", b"\x98\x04"):
                assert ef is not None
                assert not self.allows(ef, "read", before["read"]), ef.path
        changed = [path for path, held in content(self.card).items() if held != self.content[path]]
        if not changed:
            return
        assert ok
        if ins == AUTHENTICATE:
            assert all(path[-4:] in ("6FD5", "6FD6", "6FD7", "6FDA") for path in changed)
            return
        assert ins in UPDATES
        assert ef is not None
        assert changed == [ef.path]
        assert self.allows(ef, "update", before["update"]), ef.path

    def may(self, _operation: str) -> set[bytes]:
        """The keys that count now: a disabled PIN1 is met, unless it was replaced."""
        state = self.card.state
        keys = {bytes([key]) for key in self.presented}
        if state.pin1.enabled:
            keys.discard(b"\x11")
        elif not state.replaced:
            keys.discard(b"\x11")
            keys.add(b"\x01")
        else:
            keys.discard(b"\x01")
            if not state.pins[0x11].enabled:
                keys.add(b"\x11")
        return keys

    def allows(self, ef: Ef, operation: str, keys: set[bytes]) -> bool:
        condition: Condition = self.arr[ef.rule.record - 1][operation]
        return allowed(condition, keys)

    @rule(command=st.binary(max_size=60))
    def anything(self, command: bytes) -> None:
        self.send(command)

    @rule(
        cla=st.sampled_from([0x00, 0x00, 0x00, 0x80, 0xA0, 0xA0, 0x01, 0x02, 0x81, 0x0C, 0x41]),
        ins=st.sampled_from(INSTRUCTIONS),
        p1=st.sampled_from([0, 0, 0, 1, 2, 3, 4, 8, 9, 0x80, 0x84, 0x85, 0x87, 0x8D, 0x91]),
        p2=st.sampled_from(
            [0, 0, 1, 2, 3, 4, 4, 5, 0x0C, 0x0B, 0x11, 0x24, 0x80, 0x81, 0x84, 0xF4]
        ),
        data=st.one_of(st.just(b""), st.binary(max_size=40), st.sampled_from(NAMES)),
        le=st.sampled_from([None, 0, 1, 9, 0x1A, 0xFF]),
    )
    def a_command(self, cla: int, ins: int, p1: int, p2: int, data: bytes, le: int | None) -> None:
        octets = bytes((cla, ins, p1, p2))
        if data:
            octets += bytes([len(data)]) + data
        self.send(octets if le is None else octets + bytes([le]))

    @rule(name=st.sampled_from(NAMES), p1=st.sampled_from([0, 4, 8]), channel=st.integers(0, 2))
    def select(self, name: bytes, p1: int, channel: int) -> None:
        if len(name) > 4:
            p1 = 4
        self.send(bytes((channel, 0xA4, p1, 0x0C, len(name))) + name)

    @rule(
        path=st.sampled_from(
            [(b"\x7f\x20", b"\x6f\x07"), (b"\x7f\x20", b"\x6f\x20"), (b"\x7f\x10", b"\x6f\x3a")]
        )
    )
    def select_as_a_sim(self, path: tuple[bytes, bytes]) -> None:
        for fid in path:
            assert self.send(b"\xa0\xa4\x00\x00\x02" + fid)[0] == 0x9F

    @rule(gsm=st.booleans(), offset=st.integers(0, 3), le=st.integers(0, 12))
    def read(self, gsm: bool, offset: int, le: int) -> None:
        self.send(bytes((0xA0 if gsm else 0, 0xB0, 0, offset, le)))

    @rule(number=st.integers(0, 4), mode=st.integers(2, 4), channel=st.integers(0, 1))
    def read_record(self, number: int, mode: int, channel: int) -> None:
        answer = self.send(bytes((channel, 0xB2, number, mode, 0)))
        if answer[0] == 0x6C:
            self.send(bytes((channel, 0xB2, number, mode, answer[1])))

    @rule(gsm=st.booleans(), offset=st.integers(0, 12), data=st.binary(min_size=1, max_size=4))
    def update(self, gsm: bool, offset: int, data: bytes) -> None:
        self.send(bytes((0xA0 if gsm else 0, 0xD6, 0, offset, len(data))) + data)

    @rule(number=st.integers(0, 4), mode=st.integers(2, 4), octet=st.integers(0, 255))
    def update_record(self, number: int, mode: int, octet: int) -> None:
        ef = self.card.channels[0].ef
        length = ef.record_length if isinstance(ef, LinearFixedEf) else 5
        self.send(bytes((0, 0xDC, number, mode, length)) + bytes([octet]) * length)

    @rule(
        key=st.sampled_from([0x01, 0x01, 0x81, 0x11]),
        ins=st.sampled_from([0x20, 0x20, 0x20, 0x26, 0x28]),
        p1=st.sampled_from([0, 0, 0x91]),
        right=st.sampled_from([True, True, False]),
    )
    def pin(self, key: int, ins: int, p1: int, right: bool) -> None:
        presented = padded(PINS[key] if right else b"0000")
        self.send(bytes((0, ins, p1, key, 8)) + presented)
        self.send(b"\x00\xb0\x00\x00\x01")  # does it open the current file now?

    @rule(key=st.sampled_from([0x01, 0x81, 0x11]), right=st.booleans(), good=st.booleans())
    def unblock_and_change(self, key: int, right: bool, good: bool) -> None:
        new = padded(PINS[key]) if good else b"12345\xff67"
        puk = PUKS[key] if right else b"00000000"
        self.send(bytes((0, 0x2C, 0, key, 16)) + puk + new)
        self.send(bytes((0, 0x24, 0, key, 16)) + padded(PINS[key] if right else b"0000") + new)

    @rule(
        sqn=st.one_of(st.integers(0, 200), st.integers(0, 2**48 - 1)),
        rand=st.binary(min_size=16, max_size=16),
        gba=st.booleans(),
        right=st.booleans(),
    )
    def authenticate(self, sqn: int, rand: bytes, gba: bool, right: bool) -> None:
        before = list(self.card.state.sequence.values)
        made = make_vector(functions_of(self.profile.authentication), rand, sqn, b"\x80\x00")
        mac = masked_mac(made.autn[8:], made.ik) if gba else made.autn[8:]
        autn = made.autn[:8] + (mac if right else bytes(8))
        fields = b"\x10" + rand + b"\x10" + autn
        data = b"\xdd" + fields if gba else fields
        announced = self.send(bytes((0, 0x88, 0, 0x84 if gba else 0x81, len(data))) + data)
        if announced[0] != 0x61:
            assert before == self.card.state.sequence.values
            return
        assert right
        answer = self.send(b"\x00\xc0\x00\x00" + announced[1:])
        assert (answer[0] == 0xDB) is (before != self.card.state.sequence.values)
        if answer[0] == 0xDB:
            assert made.xres in answer
            assert (made.ck in answer) is not gba

    @rule()
    def reset(self) -> None:
        self.card.reset()
        self.presented.clear()

    @rule()
    def power_cut(self) -> None:
        sqn, tries, enabled, held = self.sqn, self.tries, self.enabled, self.content
        self.power_up()
        assert (sqn, tries, enabled, held) == (self.sqn, self.tries, self.enabled, self.content)

    @invariant()
    def basic_channel_is_open(self) -> None:
        assert 0 in self.card.channels
        assert len(self.card.channels) <= 4


TestAnyCommands = AnyCommands.TestCase
TestAnyCommands.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
