"""AUTHENTICATE in the 3G security context, the same for USIM and ISIM
(TS 31.102 §7.1, TS 31.103 §7.1). The other contexts are in ``contexts``.
"""

from __future__ import annotations

from card import pin as pins
from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from card.apdu import ALL, AUTHENTICATE, Command, meaning
from card.coding.basic import Application
from card.errors import AnswerError, StatusError
from card.uicc import Uicc

CONTEXT_3G = 0x81  # P2
INCORRECT_MAC = 0x9862
SUCCESS, SYNC_FAILURE = b"\xdb", b"\xdc"  # first octet of the answer
RES_OCTETS = range(4, 17)
KEY_OCTETS = 16
AUTS_OCTETS = 14
KC_OCTETS = 8


def authenticate(uicc: Uicc, application: Application, rand: bytes, autn: bytes) -> AkaResponse:
    """Run AKA. RAND and AUTN are 16 octets each.

    Raises MacFailure, SynchronisationFailure and what ``run`` raises.
    """
    return read_answer(run(uicc, application, CONTEXT_3G, challenge(rand, autn)))


def challenge(rand: bytes, autn: bytes) -> bytes:
    """L RAND, RAND, L AUTN, AUTN. Raises ValueError for another length than 16."""
    if len(rand) != 16 or len(autn) != 16:
        raise ValueError("RAND and AUTN are 16 octets each")
    return b"\x10" + rand + b"\x10" + autn


def run(uicc: Uicc, application: Application, context: int, data: bytes) -> bytes:
    """AUTHENTICATE with ``context`` in P2; gives the data of the answer.

    SELECT and AUTHENTICATE stand in one transaction, since another program may
    have moved a shared card to another application. If one has reset the card, the
    PIN verified before is verified again. Raises MacFailure, PinRequired,
    NoApplication, StatusError and what the link raises.
    """
    command = Command(0, AUTHENTICATE, 0, context, data, ALL)
    with uicc.exchange.transaction():
        uicc.make_current(application)
        response = uicc.exchange.send(command)
        if response.sw in pins.ACCESS_REFUSED and uicc.verify_again():
            response = uicc.exchange.send(command)
    if response.ok:
        return response.data
    if response.sw == INCORRECT_MAC:
        raise MacFailure(f"the card answered {response.sw:04X}: the MAC in AUTN is wrong")
    if response.sw in pins.ACCESS_REFUSED or response.sw in pins.BLOCKED:
        raise pins.pin_required(response.sw, "AUTHENTICATE")
    raise StatusError(response.sw, meaning(response.sw), "AUTHENTICATE")


def read_answer(data: bytes) -> AkaResponse:
    """DB, L RES, L CK, L IK, [L Kc], or DC, L AUTS (TS 31.102 §7.1.2.1).

    Also understood, as cards and card servers in the field write them: one
    length more in front of all, filling after the last field, and an AUTS in
    the place of RES. Raises SynchronisationFailure, AnswerError.
    """
    tag, fields = data[:1], data[1:]
    if tag == SYNC_FAILURE:
        raise synchronisation_failure(fields)
    if tag != SUCCESS:
        raise AnswerError(f"the card's answer to AUTHENTICATE begins with {tag.hex() or 'nothing'}")
    if fields and RES_OCTETS[-1] < fields[0] < len(fields):
        fields = fields[1 : 1 + fields[0]]  # RES is not that long: it is the length of all
    res, rest = field(fields, "RES")
    if len(res) == AUTS_OCTETS and not rest.strip(b"\x00\xff"):
        raise SynchronisationFailure(res)
    if len(res) not in RES_OCTETS:
        raise AnswerError(f"the card's RES has {len(res)} octets, not 4 to 16")
    ck, rest = field(rest, "CK")
    ik, rest = field(rest, "IK")
    if len(ck) != KEY_OCTETS or len(ik) != KEY_OCTETS:
        raise AnswerError("the card's CK and IK are not 16 octets each")
    has_kc = rest[:1] == bytes((KC_OCTETS,)) and len(rest) > KC_OCTETS
    return AkaResponse(res, ck, ik, rest[1 : 1 + KC_OCTETS] if has_kc else b"")


def synchronisation_failure(fields: bytes) -> Exception:
    """What follows DC: L AUTS, perhaps with one length more in front."""
    nested = fields[:2] == bytes((AUTS_OCTETS + 1, AUTS_OCTETS))
    auts, _ = field(fields[1:] if nested else fields, "AUTS")
    if len(auts) != AUTS_OCTETS:
        return AnswerError(f"the card's AUTS has {len(auts)} octets, not {AUTS_OCTETS}")
    return SynchronisationFailure(auts)


def field(octets: bytes, name: str) -> tuple[bytes, bytes]:
    """A length octet's value, and what follows it. Raises AnswerError."""
    if not octets or octets[0] > len(octets) - 1:
        raise AnswerError(f"the card's answer to AUTHENTICATE ends before {name} does")
    end = 1 + octets[0]
    return octets[1:end], octets[end:]
