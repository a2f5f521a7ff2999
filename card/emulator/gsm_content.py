"""DF.GSM and DF.TELECOM: what readers of cards older than the USIM look for.

TS 51.011 §10 (GSM 11.11). The subscriber is the USIM's; what a phone would have
written is as on a fresh card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.coding.basic import AdministrativeData
from card.emulator.access import FIXED, OPEN, USER, USER_WRITES
from card.emulator.filesystem import Df, Ef, LinearFixedEf, TransparentEf
from card.emulator.numbers import address_record, service_centre_record
from card.files import ef as files
from card.files.gsm import EF_PSISMSC, EF_SST

if TYPE_CHECKING:
    from card.profile import Profile

DF_TELECOM, DF_GSM = 0x7F10, 0x7F20

# 1 CHV1 disabling, 2 ADN, 4 SMS, 7 PLMN selector, 9 MSISDN, 12 SMS parameters, 17 SPN
_SST_SERVICES = frozenset((1, 2, 4, 7, 9, 12, 17))
_SST_OCTETS = 8

_PHASE_2_PLUS = b"\x03"
_NO_KC = b"\xff" * 8 + b"\x07"
_NOWHERE = bytes.fromhex("FFFFFFFF F00000 0000 FF 01")  # TMSI, LAI, TMSI TIME, not updated
_ADN_RECORDS, _SMS_RECORDS = 10, 5
_SMS_OCTETS = 176


def build(profile: Profile, mf: Df) -> list[Df]:
    """Both directories, below the MF."""
    return [
        Df(DF_TELECOM, _telecom(profile), parent=mf),
        Df(DF_GSM, _gsm(profile), parent=mf),
    ]


def _gsm(profile: Profile) -> list[Ef]:
    access_class = 1 << int(profile.imsi[-1])
    spn = b"\x01" + profile.usim.spn.encode().ljust(16, b"\xff")
    service_table = EF_SST.encode(_SST_SERVICES).ljust(_SST_OCTETS, b"\x00")
    administrative = files.EF_AD.encode(AdministrativeData(0, profile.mnc_length))
    return [
        TransparentEf(0x6F05, None, USER_WRITES, b"\xff" * 4),  # EF_LP
        TransparentEf(0x6F07, None, USER, files.EF_IMSI.encode(profile.imsi)),
        TransparentEf(0x6F20, None, USER_WRITES, _NO_KC),  # EF_Kc
        TransparentEf(0x6F30, None, USER_WRITES, b"\xff" * 24),  # EF_PLMNsel
        TransparentEf(0x6F31, None, USER, b"\x05"),  # EF_HPPLMN
        TransparentEf(0x6F38, None, USER, service_table),
        TransparentEf(0x6F46, None, OPEN, spn),  # EF_SPN
        TransparentEf(0x6F74, None, USER_WRITES, b"\xff" * 16),  # EF_BCCH
        TransparentEf(0x6F78, None, USER, access_class.to_bytes(2, "big")),  # EF_ACC
        TransparentEf(0x6F7B, None, USER_WRITES, b"\xff" * 12),  # EF_FPLMN
        TransparentEf(0x6F7E, None, USER_WRITES, _NOWHERE),  # EF_LOCI
        TransparentEf(0x6FAD, None, OPEN, administrative),  # EF_AD
        TransparentEf(0x6FAE, None, FIXED, _PHASE_2_PLUS),  # EF_Phase
    ]


def _telecom(profile: Profile) -> list[Ef]:
    unused = address_record("")
    made: list[Ef] = [
        LinearFixedEf(0x6F3A, None, USER_WRITES, [unused] * _ADN_RECORDS),  # EF_ADN
        LinearFixedEf(
            0x6F3C, None, USER_WRITES, [b"\x00".ljust(_SMS_OCTETS, b"\xff")] * _SMS_RECORDS
        ),  # EF_SMS, all free
        LinearFixedEf(0x6F40, None, USER_WRITES, [address_record(profile.usim.msisdn)]),
        LinearFixedEf(0x6F42, None, USER_WRITES, [service_centre_record(profile.usim.smsc)]),
        TransparentEf(0x6F43, None, USER_WRITES, b"\xff\xff"),  # EF_SMSS
    ]
    if profile.usim.psismsc:
        record = EF_PSISMSC.encode(profile.usim.psismsc)
        made.append(LinearFixedEf(EF_PSISMSC.fid, None, USER, [record]))
    return made
