"""AUTHENTICATE in the 3G and GSM security contexts (TS 31.102 §7.1, TS 31.103 §7.1).

Both send their data with INS 88, so the chained form, INS 89, is not known here:
it belongs to contexts whose data is TLV (MBMS, local key establishment).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.conversion import kc_from_keys, sres_from_res
from card.aka.result import MacFailure
from card.aka.vector import make_auts, open_autn
from card.emulator.access import PIN1
from card.emulator.refused import Refused

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard

# P2: specific reference data, and the context in the low bits
CONTEXT_GSM, CONTEXT_3G, CONTEXT_GBA = 0x80, 0x81, 0x84
_HTTP_DIGEST, _LOCAL_KEY = 0x82, 0x86  # 82 is VGCS/VBS on a USIM

_SERVICE_GSM_ACCESS = 27  # TS 31.102 §4.2.8: Kc is part of the 3G answer
_SERVICE_GSM_CONTEXT = 38

_NOT_SUPPORTED = 0x9864  # security context not supported


def authenticate(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    """Run AKA; the answer waits for GET RESPONSE."""
    if not card.channel.df.aid:
        raise Refused(0x6985)
    if p1:
        raise Refused(0x6A86)
    if p2 == CONTEXT_3G:
        card.require(PIN1)
        return card.hold(_context_3g(card, data))
    if p2 == CONTEXT_GBA:
        from card.emulator import gba

        return card.hold(gba.context(card, data))
    if p2 == CONTEXT_GSM and card.on_usim:
        card.require(PIN1)
        return card.hold(_context_gsm(card, data))
    raise Refused(_NOT_SUPPORTED if p2 in (_HTTP_DIGEST, _LOCAL_KEY) else 0x6A86)


def rand_and_autn(data: bytes) -> tuple[bytes, bytes]:
    """L RAND, RAND, L AUTN, AUTN (TS 31.102 §7.1.2.1)."""
    if len(data) != 34:
        raise Refused(0x6700)
    if data[0] != 16 or data[17] != 16:
        raise Refused(0x6A80)
    return data[1:17], data[18:]


def fresh_sqn(card: EmulatedCard, rand: bytes, autn: bytes) -> bytes:
    """Check MAC and SQN, in this order. Gives b"" and has stored the SQN, or gives DC 0E AUTS."""
    try:
        sqn = open_autn(card.functions, rand, autn)
    except MacFailure:
        raise Refused(0x9862) from None
    if card.state.accept_sqn(sqn):
        return b""
    return b"\xdc\x0e" + make_auts(card.functions, rand, card.state.sequence.sqn_ms)


def gsm_values(card: EmulatedCard, rand: bytes) -> tuple[bytes, bytes]:
    """SRES and Kc for the GSM context, or for a terminal that knows GSM only."""
    res, ck, ik, _ = card.functions.f2345(rand)
    return sres_from_res(res), kc_from_keys(ck, ik)


def _context_3g(card: EmulatedCard, data: bytes) -> bytes:
    rand, autn = rand_and_autn(data)
    if auts := fresh_sqn(card, rand, autn):
        return auts
    res, ck, ik, _ = card.functions.f2345(rand)
    answer = b"\xdb%c%b%c%b%c%b" % (len(res), res, len(ck), ck, len(ik), ik)
    if card.on_usim and _SERVICE_GSM_ACCESS in card.services:
        answer += b"\x08" + kc_from_keys(ck, ik)
    return answer


def _context_gsm(card: EmulatedCard, data: bytes) -> bytes:
    if _SERVICE_GSM_CONTEXT not in card.services:
        raise Refused(_NOT_SUPPORTED)
    if len(data) != 17:
        raise Refused(0x6700)
    if data[0] != 16:
        raise Refused(0x6A80)
    sres, kc = gsm_values(card, data[1:])
    return b"\x04" + sres + b"\x08" + kc
