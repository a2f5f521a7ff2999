"""The card as a SIM, for terminals that speak class A0 only (TS 51.011 §9, GSM 11.11).

The same files, PINs and keys as in class 00. Data that answers data waits for
GET RESPONSE, announced by 9Fxx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.emulator import pin, records, terminal, update
from card.emulator.access import ALWAYS, NEVER, PIN1, PIN2
from card.emulator.authenticate import gsm_values
from card.emulator.filesystem import Df, LinearFixedEf, TransparentEf
from card.emulator.gsm_content import DF_GSM
from card.emulator.refused import OK, Refused

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard, Handler
    from card.emulator.filesystem import Ef, File

# What the same refusal is called in TS 51.011 §9.4
_WORDS = {
    0x6282: 0x9404,  # SEEK: pattern not found
    0x6981: 0x9408,
    0x6982: 0x9804,
    0x6983: 0x9840,
    0x6985: 0x9808,
    0x6986: 0x9400,
    0x6A80: 0x9804,
    0x6A82: 0x9404,
    0x6A83: 0x9402,
    0x6A86: 0x6B00,
    0x6A88: 0x6B00,
}
_CONDITIONS = {ALWAYS: 0x0, PIN1: 0x1, PIN2: 0x2, NEVER: 0xF}  # §9.3; the others are ADM
_ADM = 0x4


def run(card: EmulatedCard, command: bytes) -> bytes:
    """One command of class A0, always on the basic channel."""
    card.channel = card.channels[0]
    try:
        return _run(card, command)
    except Refused as refused:
        raise Refused(_word(refused.sw)) from None


def _run(card: EmulatedCard, command: bytes) -> bytes:
    ins, p1, p2 = command[1:4]
    row = _COMMANDS.get(ins)
    if row is None:
        raise Refused(0x6D00)
    answers_only, handler = row
    if ins != 0xC0:
        card.drop_held()
    p3 = command[4] if len(command) > 4 else 0
    data = command[5 : 5 + p3]
    if answers_only:
        if len(command) > 5:
            raise Refused(0x6700)
        return handler(card, p1, p2, b"", p3)
    # a Le after the data, which T=0 does not have, is passed over
    if len(data) != p3 or len(command) > 6 + p3:
        raise Refused(0x6700)
    return handler(card, p1, p2, data, 0)


def _word(sw: int) -> int:
    """The status word of GSM for one of TS 102 221."""
    if sw & 0xFFF0 == 0x63C0:
        return 0x9804 if sw & 0x0F else 0x9840
    if sw >> 8 == 0x6C:
        return 0x6700 | sw & 0xFF
    return _WORDS.get(sw, sw)


def _announce(card: EmulatedCard, data: bytes) -> bytes:
    return b"\x9f" + card.hold(data)[1:]


def _select(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """SELECT by identifier (§8.1), which reaches as far as §6.5 says."""
    _check(p1, p2)
    if len(data) != 2:
        raise Refused(0x6700)
    # from an application, where class 00 left it, the DFs are in reach too
    file = card.by_fid(card.channel.df, data) or card.tree.dfs.get(int.from_bytes(data, "big"))
    if file is None:
        raise Refused(0x6A82)
    card.select(file)
    return _announce(card, _description(card, file))


def _status(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    """STATUS (§8.2): the directory's description, as much as is asked for."""
    _check(p1, p2)
    description = _description(card, card.channel.df)
    if le > len(description):
        raise Refused(0x6C00 | len(description))
    return description[: le or len(description)] + OK


def _description(card: EmulatedCard, file: File) -> bytes:
    """What SELECT answers (§9.2.1): 15 octets for an EF, 22 for a directory."""
    if isinstance(file, Df):
        return _df_description(card, file)
    if isinstance(file, LinearFixedEf):
        size, structure, length = len(file.records) * file.record_length, 1, file.record_length
    else:
        assert isinstance(file, TransparentEf)
        size, structure, length = len(file.content), 0, 0
    access = bytes([_nibble(file.rule.read) << 4 | _nibble(file.rule.update), 0xFF, 0x44])
    return (
        b"\x00\x00"
        + size.to_bytes(2, "big")
        + file.fid.to_bytes(2, "big")
        + b"\x04\x00"  # an EF; not cyclic
        + access
        + b"\x01\x02"  # not invalidated; 2 octets follow
        + bytes([structure, length])
    )


def _df_description(card: EmulatedCard, df: Df) -> bytes:
    state = card.state
    chv1, chv2 = state.pin1, state.pins.get(PIN2)
    dfs = len(card.tree.dfs) if df is card.tree.mf else 0
    characteristics = 0x01 | (0 if chv1.enabled else 0x80)  # clock stop allowed; CHV1 disabled
    codes = 4
    tries = [chv1.tries, chv1.puk_tries]
    tries += [chv2.tries, chv2.puk_tries] if chv2 and chv2 is not chv1 else [0, 0]
    kind = 0x01 if df is card.tree.mf else 0x02
    return (
        b"\x00\x00\x00\x00"  # memory left: not told
        + df.fid.to_bytes(2, "big")
        + bytes([kind])
        + b"\x00" * 5
        + bytes([9, characteristics, dfs, len(df.files), codes, 0])
        + bytes(0x80 | left for left in tries)
    )


def _nibble(condition: int) -> int:
    return _CONDITIONS.get(condition, _ADM)


def _read_binary(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    ef = _current(card)
    if not isinstance(ef, TransparentEf):
        raise Refused(0x6981)
    card.require(ef.rule.read)
    offset = p1 << 8 | p2
    if offset >= len(ef.content):
        raise Refused(0x6B00)
    if le > len(ef.content) - offset:
        raise Refused(0x6C00 | len(ef.content) - offset)
    return ef.content[offset : offset + (le or 256)] + OK


def _read_record(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    ef = _current(card)
    if not isinstance(ef, LinearFixedEf):
        raise Refused(0x6981)
    card.require(ef.rule.read)
    if le != ef.record_length:
        raise Refused(0x6C00 | ef.record_length)
    return ef.records[records.number_of(card, ef, p1, p2) - 1] + OK


def _update_binary(card: EmulatedCard, p1: int, p2: int, data: bytes, le: int) -> bytes:
    if p1 & 0x80:  # no SFI in class A0
        raise Refused(0x6B00)
    return update.update_binary(card, p1, p2, data, le)


def _update_record(card: EmulatedCard, p1: int, p2: int, data: bytes, le: int) -> bytes:
    if p2 > 4:
        raise Refused(0x6B00)
    return update.update_record(card, p1, p2, data, le)


def _seek(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """SEEK (§8.7): the first record that begins with the pattern; type 2 tells its number."""
    ef = _current(card)
    if not isinstance(ef, LinearFixedEf):
        raise Refused(0x6981)
    card.require(ef.rule.read)
    if p1 or p2 & 0x0F > 3:
        raise Refused(0x6B00)
    last = len(ef.records)
    current = card.channel.record
    order = {
        0: range(1, last + 1),
        1: range(last, 0, -1),
        2: range(current + 1, last + 1),
        3: range((current or last + 1) - 1, 0, -1),
    }[p2 & 0x0F]
    for number in order:
        if ef.records[number - 1].startswith(data):
            card.channel.record = number
            return _announce(card, bytes([number])) if p2 & 0x10 else OK
    raise Refused(0x6282)


def _run_gsm_algorithm(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """RUN GSM ALGORITHM (§8.16): SRES and Kc for RAND."""
    _check(p1, p2)
    if len(data) != 16:
        raise Refused(0x6700)
    card.require(PIN1)
    if card.channel.df.fid != DF_GSM:
        raise Refused(0x6982)
    return _announce(card, b"".join(gsm_values(card, data)))


def _get_response(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    _check(p1, p2)
    answer = card.take_held(le)
    return answer[:-2] + b"\x9f" + answer[-1:] if answer[-2] == 0x61 else answer


def _sleep(_card: EmulatedCard, _p1: int, _p2: int, _data: bytes, _le: int) -> bytes:
    """SLEEP (§8.15), which cards do not do any more."""
    return OK


def _chv(handler: Handler, unblock: bool = False) -> Handler:
    """A PIN command with the numbers of CHVs in P2: 1 and 2, and 0 for 1 when unblocking."""

    def run_for_chv(card: EmulatedCard, p1: int, p2: int, data: bytes, le: int) -> bytes:
        first = 0 if unblock else 1
        if p2 not in (first, 2) or not data:
            raise Refused(0x6B00 if data else 0x6700)
        reference = PIN2 if p2 == 2 else card.state.user
        if reference == PIN2 != card.state.user and PIN2 not in card.state.pins:
            raise Refused(0x9802)
        return handler(card, p1, reference, data, le)

    return run_for_chv


def _current(card: EmulatedCard) -> Ef:
    return card.locate(0)


def _check(p1: int, p2: int) -> None:
    if p1 or p2:
        raise Refused(0x6B00)


# INS: whether it brings an answer and no data, and what does it (§9.2)
_COMMANDS: dict[int, tuple[bool, Handler]] = {
    0x10: (False, terminal.profile),
    0x12: (True, terminal.fetch),
    0x14: (False, terminal.response),
    0x20: (False, _chv(pin.verify)),
    0x24: (False, _chv(pin.change)),
    0x26: (False, _chv(pin.disable)),
    0x28: (False, _chv(pin.enable)),
    0x2C: (False, _chv(pin.unblock, unblock=True)),
    0x88: (False, _run_gsm_algorithm),
    0xA2: (False, _seek),
    0xA4: (False, _select),
    0xB0: (True, _read_binary),
    0xB2: (True, _read_record),
    0xC0: (True, _get_response),
    0xC2: (False, terminal.envelope),
    0xD6: (False, _update_binary),
    0xDC: (False, _update_record),
    0xF2: (True, _status),
    0xFA: (True, _sleep),
}
