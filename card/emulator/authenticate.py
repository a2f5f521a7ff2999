"""AUTHENTICATE in the 3G and GSM security contexts (TS 31.102 §7.1, TS 31.103 §7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.conversion import kc_from_keys, sres_from_res
from card.aka.result import MacFailure
from card.aka.vector import make_auts, open_autn
from card.emulator.refused import Refused

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard

CONTEXT_GSM = 0x80  # P2: specific reference data, and the context in the low bits
CONTEXT_3G = 0x81

_SERVICE_GSM_ACCESS = 27  # TS 31.102 §4.2.8: Kc is part of the 3G answer
_SERVICE_GSM_CONTEXT = 38


def authenticate(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """Run AKA; the answer waits for GET RESPONSE."""
    if not card.df.aid:
        raise Refused(0x6985)
    if p1 or (p2 != CONTEXT_3G and (p2 != CONTEXT_GSM or not card.on_usim)):
        raise Refused(0x6A86)
    card.check_pin1()
    return card.hold(_context_3g(card, data) if p2 == CONTEXT_3G else _context_gsm(card, data))


def _context_3g(card: EmulatedCard, data: bytes) -> bytes:
    if len(data) != 34:
        raise Refused(0x6700)
    if data[0] != 16 or data[17] != 16:
        raise Refused(0x6A80)
    rand = data[1:17]
    functions = card.functions
    try:
        sqn = open_autn(functions, rand, data[18:])
    except MacFailure:
        raise Refused(0x9862) from None
    if not card.state.accept_sqn(sqn):
        return b"\xdc\x0e" + make_auts(functions, rand, card.state.sequence.sqn_ms)
    res, ck, ik, _ = functions.f2345(rand)
    answer = b"\xdb%c%b\x10%b\x10%b" % (len(res), res, ck, ik)
    if card.on_usim and _SERVICE_GSM_ACCESS in card.services:
        answer += b"\x08" + kc_from_keys(ck, ik)
    return answer


def _context_gsm(card: EmulatedCard, data: bytes) -> bytes:
    if _SERVICE_GSM_CONTEXT not in card.services:
        raise Refused(0x9864)
    if len(data) != 17:
        raise Refused(0x6700)
    if data[0] != 16:
        raise Refused(0x6A80)
    res, ck, ik, _ = card.functions.f2345(data[1:])
    return b"\x04" + sres_from_res(res) + b"\x08" + kc_from_keys(ck, ik)
