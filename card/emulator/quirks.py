"""What real cards and readers do otherwise, each by a name that a profile can give to its card.

A quirk stands between the terminal and the card: it sees each command, may pass
it on, and may change the answer. ``QUIRKS`` is in the order from the card
outwards, which is the order in which they see an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from card.emulator.refused import OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from card.emulator.card import EmulatedCard

Answer = Callable[[bytes], bytes]
Factory = Callable[["EmulatedCard", Answer], Answer]
"""Makes the answering of a card with the quirk from that of one without."""

_SELECT, _READ_BINARY, _READ_RECORD = 0xA4, 0xB0, 0xB2
_AUTHENTICATE, _FETCH, _TERMINAL_RESPONSE = 0x88, 0x12, 0x14
_PIN_INSTRUCTIONS = (0x20, 0x24, 0x26, 0x28, 0x2C)
_CONTEXT_3G = 0x81
_GSM_ACCESS = 27

ATR_T1 = bytes.fromhex("3B9D968131FE458031E073FE211B555349505541ED")
"""As the card's own, but T=1 alone, with its IFSC and its waiting times (ISO/IEC 7816-3 §11.4)."""

# MORE TIME, from the card to the terminal (TS 102 223 §6.6.4)
_PROACTIVE_COMMAND = bytes.fromhex("D009810301020082028182")


class Quirk(NamedTuple):
    """``sentence`` says what the card does; no two with a group in common go together."""

    sentence: str
    make: Factory
    groups: tuple[str, ...] = ()


def contradiction(names: Sequence[str]) -> str:
    """Why a card cannot have these quirks together; empty when it can."""
    for name in names:
        if name not in QUIRKS:
            return f'there is no quirk "{name}"; there are {", ".join(QUIRKS)}'
    for index, name in enumerate(names):
        for other in names[:index]:
            if name == other:
                return f'"{name}" stands there twice'
            shared = set(QUIRKS[name].groups) & set(QUIRKS[other].groups)
            if shared:
                return f'"{other}" and "{name}" contradict each other: {min(shared)}'
    return ""


def give(card: EmulatedCard, names: Sequence[str], answer: Answer) -> Answer:
    """How a card with these quirks answers. ``contradiction`` was asked about them before."""
    for name, quirk in QUIRKS.items():
        if name in names:
            answer = quirk.make(card, answer)
    return answer


def _kc(card: EmulatedCard, answer: Answer) -> Answer:
    card.services = (*card.services, _GSM_ACCESS)
    return answer


def _no_kc(card: EmulatedCard, answer: Answer) -> Answer:
    card.services = tuple(each for each in card.services if each != _GSM_ACCESS)
    return answer


def _by_profile(_card: EmulatedCard, answer: Answer) -> Answer:
    """What the card is made with: see ``content`` and ``state``."""
    return answer


def _aka_answer(change: Callable[[bytes], bytes]) -> Factory:
    """A quirk in the data that the 3G context answers."""

    def make(card: EmulatedCard, answer: Answer) -> Answer:
        def run(command: bytes) -> bytes:
            first = answer(command)
            if command[1:4] != bytes((_AUTHENTICATE, 0, _CONTEXT_3G)) or first[0] != 0x61:
                return first
            return card.hold(change(card.take_held(0)[:-2]))

        return run

    return make


def _nested(data: bytes) -> bytes:
    return data[:1] + bytes([len(data) - 1]) + data[1:]


def _padded(data: bytes) -> bytes:
    return data + b"\xff" * 6


def _auts_as_res(data: bytes) -> bytes:
    return b"\xdb" + data[1:] if data[0] == 0xDC else data


def _refuses(applies: Callable[[bytes], bool], sw: int) -> Factory:
    """A quirk that refuses some commands without running them."""

    def make(_card: EmulatedCard, answer: Answer) -> Answer:
        refusal = sw.to_bytes(2, "big")
        return lambda command: refusal if applies(command) else answer(command)

    return make


def _says(sw: int, instead_of: int, applies: Callable[[bytes], bool]) -> Factory:
    """A quirk that gives another status word."""
    said, meant = sw.to_bytes(2, "big"), instead_of.to_bytes(2, "big")

    def make(_card: EmulatedCard, answer: Answer) -> Answer:
        def run(command: bytes) -> bytes:
            given = answer(command)
            return said if given == meant and applies(command) else given

        return run

    return make


def _has_data_and_le(command: bytes) -> bool:
    return len(command) > 5 and len(command) == 6 + command[4]


def _reads(command: bytes) -> bool:
    return command[1:2] in (bytes([_READ_BINARY]), bytes([_READ_RECORD]))


def _selects_by_aid(command: bytes) -> bool:
    return command[1:3] == bytes([_SELECT, 0x04])


def _selects(p2: int) -> Callable[[bytes], bool]:
    def applies(command: bytes) -> bool:
        return command[:2] == bytes([0x00, _SELECT]) and command[3:4] == bytes([p2])

    return applies


def _reads_by_sfi(command: bytes) -> bool:
    if len(command) < 4 or not _reads(command):
        return False
    return bool(command[2] & 0x80 if command[1] == _READ_BINARY else command[3] & 0xF8)


def _exact_aid(card: EmulatedCard, answer: Answer) -> Answer:
    aids = [application.aid for application in card.tree.applications]

    def run(command: bytes) -> bytes:
        if _selects_by_aid(command) and len(command) > 5:
            aid = command[5 : 5 + command[4]]
            if aid not in aids:
                return b"\x6a\x82"
        return answer(command)

    return run


def _nothing_for_le_00(_card: EmulatedCard, answer: Answer) -> Answer:
    def run(command: bytes) -> bytes:
        given = answer(command)
        asks_for_all = command[1:2] == bytes([_READ_BINARY]) and command[4:] in (b"", b"\x00")
        return OK if asks_for_all and given[-2:] == OK else given

    return run


def _exact_le(card: EmulatedCard, answer: Answer) -> Answer:
    """A command whose Le was corrected is not run again: its answer was kept."""
    kept: list[bytes] = [b"", b"", b""]  # the command without Le, its answer, and its status word

    def run(command: bytes) -> bytes:
        body, le = _split(command)
        if body == kept[0] and kept[1]:
            data, sw = kept[1], kept[2]
        else:
            given = _at_once(card, command, answer)
            data, sw = given[:-2], given[-2:]
        kept[:] = [b"", b"", b""]
        if not data or le == len(data) & 0xFF:
            return data + sw
        if command[1:2] == bytes([_READ_BINARY]) and 0 < le < len(data):
            return data + sw
        kept[:] = [body, data, sw]
        return bytes([0x6C, len(data) & 0xFF])

    return run


def _split(command: bytes) -> tuple[bytes, int]:
    """A short command without its Le, and the Le; -1 when it has none."""
    if len(command) <= 5:
        return command[:4], command[4] if len(command) == 5 else -1
    end = 5 + command[4]
    return command[:end], command[end] if len(command) > end else -1


def _data_at_once(card: EmulatedCard, answer: Answer) -> Answer:
    return lambda command: _at_once(card, command, answer)


def _at_once(card: EmulatedCard, command: bytes, answer: Answer) -> bytes:
    """What the command and the GET RESPONSE after it answer together."""
    given = answer(command)
    announced = len(given) == 2 and given[0] in (0x61, 0x9F)
    return card.take_held(0) if announced else given


def _t1(card: EmulatedCard, answer: Answer) -> Answer:
    card.atr = ATR_T1
    answer = _data_at_once(card, answer)

    def run(command: bytes) -> bytes:
        if len(command) == 5 and command[0] == 0 and command[1] in _PIN_INSTRUCTIONS:
            return b"\x67\x00"  # a PIN command without data has no Le either
        return answer(command)

    return run


def _proactive(card: EmulatedCard, answer: Answer) -> Answer:
    fetched_at = 0  # the power-up in which the command was fetched
    pending = bytes([0x91, len(_PROACTIVE_COMMAND)])

    def run(command: bytes) -> bytes:
        nonlocal fetched_at
        if fetched_at != card.power_ups and command[:2] == bytes([0x80, _FETCH]):
            fetched_at = card.power_ups
            return _PROACTIVE_COMMAND + OK
        if command[:2] == bytes([0x80, _TERMINAL_RESPONSE]) and fetched_at == card.power_ups:
            return OK
        given = answer(command)
        if fetched_at != card.power_ups and given[-2:] == OK:
            return given[:-2] + pending
        return given

    return run


def _transient(sw: int) -> Factory:
    """The first command of each kind after power-up fails, and was not run."""

    def make(card: EmulatedCard, answer: Answer) -> Answer:
        failed: set[tuple[int, int]] = set()

        def run(command: bytes) -> bytes:
            if len(command) >= 4 and command[1] not in _PIN_INSTRUCTIONS:
                kind = card.power_ups, command[1]
                if kind not in failed:
                    failed.add(kind)
                    return sw.to_bytes(2, "big")
            return answer(command)

        return run

    return make


_AT_A_TIME = "how data is handed out"
_LE_00 = "READ BINARY with Le 00"

QUIRKS = {
    "kc": Quirk("the 3G answer of the USIM carries Kc, whatever EF_UST says", _kc, ("Kc",)),
    "no-kc": Quirk("no Kc in the 3G answer, whatever EF_UST says", _no_kc, ("Kc",)),
    "pin-81": Quirk("the user's PIN is local: key reference 81, and no PIN2", _by_profile),
    "dir-first-record-other": Quirk(
        "EF_DIR begins with an application that is neither USIM nor ISIM", _by_profile
    ),
    "dir-unused-record": Quirk(
        "EF_DIR has an unused record before those that are used", _by_profile
    ),
    "aka-nested": Quirk(
        "the 3G answer has the length of all behind its tag", _aka_answer(_nested), ("AUTS",)
    ),
    "auts-as-res": Quirk(
        "AUTS comes in the place of RES, after DB", _aka_answer(_auts_as_res), ("AUTS",)
    ),
    "aka-padded": Quirk("the 3G answer is filled up with FF", _aka_answer(_padded)),
    "no-sfi": Quirk(
        "a READ by short file identifier finds no file", _refuses(_reads_by_sfi, 0x6A82)
    ),
    "exact-aid": Quirk("SELECT takes whole AIDs only", _exact_aid),
    "select-p2-00-6b00": Quirk(
        "SELECT with P2 00 is refused with 6B00", _refuses(_selects(0x00), 0x6B00)
    ),
    "select-p2-0c-6b00": Quirk(
        "SELECT with P2 0C is refused with 6B00", _refuses(_selects(0x0C), 0x6B00)
    ),
    "unknown-aid-6a88": Quirk(
        "an unknown AID is 6A88, not 6A82", _says(0x6A88, 0x6A82, _selects_by_aid)
    ),
    "read-unverified-6900": Quirk(
        "READ without the PIN is 6900, not 6982",
        _says(0x6900, 0x6982, _reads),
        ("READ without the PIN",),
    ),
    "read-unverified-6985": Quirk(
        "READ without the PIN is 6985, not 6982",
        _says(0x6985, 0x6982, _reads),
        ("READ without the PIN",),
    ),
    "read-le00-empty": Quirk(
        "READ BINARY with Le 00 succeeds and gives nothing", _nothing_for_le_00, (_LE_00,)
    ),
    "le-6c": Quirk(
        "T=0 with 6Cxx: data only for the exact Le, also where others say 61xx",
        _exact_le,
        (_LE_00, _AT_A_TIME),
    ),
    "case-4-le-6700": Quirk(
        "T=0 to the letter: a Le behind data is 6700",
        _refuses(_has_data_and_le, 0x6700),
        (_AT_A_TIME,),
    ),
    "data-at-once": Quirk("the reader does GET RESPONSE by itself", _data_at_once, (_AT_A_TIME,)),
    "t1": Quirk("T=1: another ATR, data comes at once", _t1, (_AT_A_TIME,)),
    "proactive-91xx": Quirk(
        "a proactive command is pending until it is fetched: 91xx for 9000", _proactive
    ),
    "transient-6400": Quirk(
        "the first command of each kind after power-up is 6400", _transient(0x6400), ("transient",)
    ),
    "transient-6581": Quirk(
        "the first command of each kind after power-up is 6581", _transient(0x6581), ("transient",)
    ),
    "transient-6f00": Quirk(
        "the first command of each kind after power-up is 6F00", _transient(0x6F00), ("transient",)
    ),
    "transient-9300": Quirk(
        "the first command of each kind after power-up is 9300", _transient(0x9300), ("transient",)
    ),
}
