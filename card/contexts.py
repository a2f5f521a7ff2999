"""AUTHENTICATE in the GSM and GBA security contexts (TS 31.102 §7.1.1, §7.1.2; TS 31.103 §7.1).

GSM is a USIM's only; GBA there is on both, where the service table says so.
"""

from __future__ import annotations

from typing import NamedTuple

from card.authenticate import (
    RES_OCTETS,
    SUCCESS,
    SYNC_FAILURE,
    challenge,
    field,
    run,
    synchronisation_failure,
)
from card.coding.basic import Application
from card.errors import AnswerError, NoApplication, PinRequired, StatusError
from card.uicc import Uicc

CONTEXT_GSM, CONTEXT_GBA = 0x80, 0x84  # P2
BOOTSTRAPPING, NAF_DERIVATION = b"\xdd", b"\xde"  # first octet of the data for GBA
SRES_OCTETS, KC_OCTETS = 4, 8
NO_KS = frozenset((0x6985, 0x6A88))
MOST_OCTETS = 255  # of data in one command


class GsmResponse(NamedTuple):
    """SRES, 4 octets, and Kc, 8 octets."""

    sres: bytes
    kc: bytes

    def __repr__(self) -> str:
        return "GsmResponse(sres, kc=<secret>)"


class GbaResponse(NamedTuple):
    """RES, 4 to 16 octets; CK and IK stay on the card as Ks."""

    res: bytes

    def __repr__(self) -> str:
        return f"GbaResponse(res=<{len(self.res)} octets>)"


class NafKey(NamedTuple):
    """Ks_ext_NAF, the key for one NAF and this terminal (TS 33.220 §5.3.2)."""

    ks_ext_naf: bytes

    def __repr__(self) -> str:
        return "NafKey(ks_ext_naf=<secret>)"


def authenticate_gsm(uicc: Uicc, application: Application, rand: bytes) -> GsmResponse:
    """Run the GSM algorithm on RAND, 16 octets; no sequence number moves.

    Raises NoApplication on an ISIM, StatusError 9864 from a USIM without
    service 38, and what ``authenticate.run`` raises.
    """
    if len(rand) != 16:
        raise ValueError("RAND is 16 octets")
    if application.kind == "isim":
        raise NoApplication("an ISIM has no GSM context; choose the USIM")
    return read_gsm_answer(run(uicc, application, CONTEXT_GSM, b"\x10" + rand))


def bootstrap(uicc: Uicc, application: Application, rand: bytes, autn: bytes) -> GbaResponse:
    """GBA bootstrapping: RAND and AUTN as the BSF sent them, 16 octets each.

    For a card that keeps Ks to itself (GBA_U) the MAC in AUTN is a masked one
    (TS 33.220 §5.3.2). Raises MacFailure, SynchronisationFailure and what
    ``authenticate.run`` raises.
    """
    data = BOOTSTRAPPING + challenge(rand, autn)
    return read_bootstrap_answer(run(uicc, application, CONTEXT_GBA, data))


def derive_naf_key(uicc: Uicc, application: Application, naf_id: bytes, impi: str) -> NafKey:
    """The key for the NAF of this NAF_ID (its name and 5 octets of Ua protocol), after a
    bootstrapping.

    Raises StatusError, whose meaning says when no bootstrapping was run, and
    what ``authenticate.run`` raises; ValueError for what fits in no command.
    """
    identity = impi.encode()
    if not (naf_id and identity) or len(naf_id) + len(identity) + 3 > MOST_OCTETS:
        raise ValueError("NAF_ID and IMPI must not be empty and fit in 252 octets together")
    fields = bytes((len(naf_id),)) + naf_id + bytes((len(identity),)) + identity
    try:
        return read_naf_answer(run(uicc, application, CONTEXT_GBA, NAF_DERIVATION + fields))
    except PinRequired as error:
        if error.sw not in NO_KS:
            raise
        sw = error.sw
    except StatusError as error:
        if error.sw not in NO_KS:
            raise
        sw = error.sw
    raise StatusError(sw, "there is no Ks: run the bootstrapping first", "AUTHENTICATE") from None


def read_gsm_answer(data: bytes) -> GsmResponse:
    """04 SRES 08 Kc, perhaps with one length more in front and filling behind; or SRES and Kc
    alone, as a SIM gives them. Raises AnswerError.
    """
    if len(data) == SRES_OCTETS + KC_OCTETS:
        return GsmResponse(data[:SRES_OCTETS], data[SRES_OCTETS:])
    if data[:1] == SUCCESS:
        data = data[1:]
    if data and SRES_OCTETS < data[0] < len(data):
        data = data[1:]
    sres, rest = field(data, "SRES")
    kc, _ = field(rest, "Kc")
    if len(sres) != SRES_OCTETS or len(kc) != KC_OCTETS:
        raise AnswerError(
            f"the card's SRES and Kc have {len(sres)} and {len(kc)} octets, not 4 and 8"
        )
    return GsmResponse(sres, kc)


def read_bootstrap_answer(data: bytes) -> GbaResponse:
    """DB, L RES, or DC, L AUTS. Raises SynchronisationFailure, AnswerError."""
    if data[:1] == SYNC_FAILURE:
        raise synchronisation_failure(data[1:])
    res = _after_success(data, "RES")
    if len(res) not in RES_OCTETS:
        raise AnswerError(f"the card's RES has {len(res)} octets, not 4 to 16")
    return GbaResponse(res)


def read_naf_answer(data: bytes) -> NafKey:
    """DB, L Ks_ext_NAF. Raises AnswerError."""
    key = _after_success(data, "Ks_ext_NAF")
    if not key:
        raise AnswerError("the card's Ks_ext_NAF is empty")
    return NafKey(key)


def _after_success(data: bytes, name: str) -> bytes:
    """The one field after DB; filling may follow it."""
    if data[:1] != SUCCESS:
        raise AnswerError(f"the card's answer to AUTHENTICATE begins with {data[:1].hex() or '-'}")
    value, _ = field(data[1:], name)
    return value
