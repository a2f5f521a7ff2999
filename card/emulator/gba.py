"""AUTHENTICATE in the GBA security context: GBA_U on USIM and ISIM.

TS 31.102 §7.1.1.3, §7.1.1.4, §7.1.2; TS 33.220 §5.3 and Annexes B and G. Ks never
leaves the card; it outlasts the power until the next bootstrapping replaces it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from card.emulator.access import PIN1
from card.emulator.authenticate import fresh_sqn, rand_and_autn
from card.emulator.filesystem import LinearFixedEf, TransparentEf
from card.emulator.refused import Refused
from card.emulator.update import store
from card.tlv import write_tlv as tlv

if TYPE_CHECKING:
    from card.emulator.card import EmulatedCard

BOOTSTRAPPING, NAF_DERIVATION = 0xDD, 0xDE  # first octet of the data

EF_GBABP = {True: 0x6FD6, False: 0x6FD5}  # on the USIM, on the ISIM
EF_GBANL = {True: 0x6FDA, False: 0x6FD7}

_SUCCESS = 0xDB
_RAND_OCTETS = 16
_NOT_SUPPORTED = 0x9864
_NO_MEMORY = 0x9866


def context(card: EmulatedCard, data: bytes) -> bytes:
    """Bootstrap, or derive the key for one NAF. Without the service it is 9864."""
    df = card.channel.df
    parameters = df.by_fid(EF_GBABP[card.on_usim])
    nafs = df.by_fid(EF_GBANL[card.on_usim])
    if not isinstance(parameters, TransparentEf) or not isinstance(nafs, LinearFixedEf):
        raise Refused(_NOT_SUPPORTED)
    card.require(PIN1)
    if data[:1] == bytes([BOOTSTRAPPING]):
        return _bootstrap(card, parameters, data[1:])
    if data[:1] == bytes([NAF_DERIVATION]):
        return _derive(card, parameters, nafs, data[1:])
    raise Refused(0x6A80 if data else 0x6700)


def masked_mac(mac: bytes, ik: bytes) -> bytes:
    """MAC*, the MAC of an AUTN for GBA_U, from MAC; and MAC from MAC* (TS 33.220 §5.3.2)."""
    mask = hashlib.sha1(ik, usedforsecurity=False).digest()
    return bytes(a ^ b for a, b in zip(mac, mask, strict=False))


def naf_key(ks: bytes, label: bytes, rand: bytes, impi: bytes, naf_id: bytes) -> bytes:
    """Ks_ext_NAF ("gba-me") or Ks_int_NAF ("gba-u"), 32 octets (TS 33.220 §B.3)."""
    parameters = (label, rand, impi, naf_id)
    text = b"".join(each + len(each).to_bytes(2, "big") for each in parameters)
    return hmac.digest(ks, b"\x01" + text, "sha256")


def _bootstrap(card: EmulatedCard, parameters: TransparentEf, data: bytes) -> bytes:
    """RAND and AUTN* give RES; CK || IK becomes Ks and stays here."""
    rand, autn = rand_and_autn(data)
    res, ck, ik, _ = card.functions.f2345(rand)
    if auts := fresh_sqn(card, rand, autn[:8] + masked_mac(autn[8:], ik)):
        return auts
    card.state.ks = ck + ik + rand
    # the terminal adds B-TID and key lifetime, which are empty until then
    fresh = bytes([_RAND_OCTETS]) + rand + b"\x00\x00"
    parameters.content = fresh.ljust(len(parameters.content), b"\xff")
    store(card, parameters)
    return bytes([_SUCCESS, len(res)]) + res


def _derive(
    card: EmulatedCard, parameters: TransparentEf, nafs: LinearFixedEf, data: bytes
) -> bytes:
    """NAF_ID and IMPI give Ks_ext_NAF; EF_GBANL remembers the NAF, the newest first."""
    naf_id, rest = _field(data)
    impi, rest = _field(rest)
    if rest:
        raise Refused(0x6700)
    if not card.state.ks:
        raise Refused(0x6985)
    ks, rand = card.state.ks[:-_RAND_OCTETS], card.state.ks[-_RAND_OCTETS:]
    identity = tlv(0x80, naf_id)
    entry = (identity + tlv(0x81, _b_tid(parameters))).ljust(nafs.record_length, b"\xff")
    if len(entry) > nafs.record_length:
        raise Refused(_NO_MEMORY)
    others = [each for each in nafs.records if not each.startswith(identity)]
    nafs.records = [entry, *others][: len(nafs.records)]
    store(card, nafs)
    key = naf_key(ks, b"gba-me", rand, impi, naf_id)
    return bytes([_SUCCESS, len(key)]) + key


def _b_tid(parameters: TransparentEf) -> bytes:
    """The B-TID that the terminal wrote into EF_GBABP, or none."""
    length, *value = parameters.content[1 + _RAND_OCTETS :]
    return b"" if length > len(value) else bytes(value[:length])


def _field(data: bytes) -> tuple[bytes, bytes]:
    """A length octet's value, and what follows it."""
    if not data or not data[0] or data[0] > len(data) - 1:
        raise Refused(0x6A80)
    return data[1 : 1 + data[0]], data[1 + data[0] :]
