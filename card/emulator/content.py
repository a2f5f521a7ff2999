"""The files on an emulated card, made from its profile.

What a terminal of ours reads is written by the declarations in ``card.files``;
the rest is there because other people's programs ask for it, with the content
of a fresh card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card import files
from card.coding import ISIM_AID, USIM_AID, AdministrativeData, Application
from card.emulator.filesystem import (
    CURRENT_ADF,
    MF,
    Df,
    Ef,
    FileSystem,
    LinearFixedEf,
    TransparentEf,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from card.profile import Isim, Profile

_AID_TAIL = bytes.fromhex("FFFFFFFF8907090000")  # country, provider, provider's own: 16 octets
_DIR_RECORDS = 3  # real cards keep room for applications to come
_PCSCF_ADDRESS = 1  # service of EF_IST (TS 31.103 §4.2.7)

# EF_ARR (TS 102 221 §9.2.7): read always, or behind PIN1; update by ADM only
_UPDATE_ADM = bytes.fromhex("800102A40683010A950108")
_ARR = [
    bytes.fromhex("8001019000") + _UPDATE_ADM,
    bytes.fromhex("800101A406830101950108") + _UPDATE_ADM,
]

# FID, SFI, whether reading takes PIN1, content on a fresh card (TS 31.102 §4.2)
_USIM_TRANSPARENT: tuple[tuple[int, int | None, bool, bytes], ...] = (
    (0x6F05, 0x02, False, b"en"),  # EF_LI
    (0x6F08, 0x08, True, b"\x07" + b"\xff" * 32),  # EF_Keys: no key set
    (0x6F09, 0x09, True, b"\x07" + b"\xff" * 32),  # EF_KeysPS
    (0x6F31, 0x12, True, b"\x05"),  # EF_HPPLMN: search every 30 minutes
    (0x6F5B, 0x0F, True, bytes.fromhex("F00000F00000")),  # EF_START-HFN
    (0x6F5C, 0x10, True, b"\xff" * 3),  # EF_THRESHOLD
    (0x6F73, 0x0C, True, bytes.fromhex("FFFFFFFFFFFFFFFFFFFF0000FF01")),  # EF_PSLOCI
    (0x6F7B, 0x0D, True, b"\xff" * 12),  # EF_FPLMN
    (0x6F7E, 0x0B, True, bytes.fromhex("FFFFFFFFFFFFFF0000FF01")),  # EF_LOCI
)
_USIM_LINEAR: tuple[tuple[int, int | None, bool, list[bytes]], ...] = (
    (0x6F40, None, True, [b"\xff" * 28]),  # EF_MSISDN, unused as on many cards
    (0x6FB7, 0x01, False, [bytes.fromhex("11F2FF00")]),  # EF_ECC: 112
)


def build(profile: Profile) -> FileSystem:
    """The whole tree of one card."""
    applications = [Application(USIM_AID + _AID_TAIL, "USIM")]
    if profile.isim:
        applications.append(Application(ISIM_AID + _AID_TAIL, "ISIM"))
    directory = [files.EF_DIR.encode(application) for application in applications]
    directory += [b""] * (_DIR_RECORDS - len(directory))
    mf = Df(
        MF,
        [
            LinearFixedEf(0x2F00, 0x1E, False, directory),
            _transparent(files.EF_ICCID, profile.iccid, pin=False),
            TransparentEf(0x2F05, 0x05, False, b"en"),  # EF_PL
            LinearFixedEf(0x2F06, 0x06, False, _ARR),
        ],
    )
    adfs = [Df(CURRENT_ADF, _usim(profile), applications[0].aid, mf)]
    if profile.isim:
        isim_files = _isim(profile.isim, profile.mnc_length)
        adfs.append(Df(CURRENT_ADF, isim_files, applications[1].aid, mf))
    return FileSystem(mf, adfs)


def _usim(profile: Profile) -> list[Ef]:
    access_class = 1 << int(profile.imsi[-1])  # the customary choice, TS 22.011 §4.2
    spn = b"\x00" + profile.usim.spn.encode().ljust(16, b"\xff")
    return [
        _transparent(files.EF_IMSI, profile.imsi),
        _transparent(files.EF_AD, AdministrativeData(0, profile.mnc_length), pin=False),
        _transparent(files.EF_UST, profile.usim.services),
        LinearFixedEf(0x6F06, 0x17, False, _ARR),
        TransparentEf(0x6F78, 0x06, True, access_class.to_bytes(2, "big")),  # EF_ACC
        TransparentEf(0x6F46, None, False, spn),  # EF_SPN
        *(TransparentEf(*row) for row in _USIM_TRANSPARENT),
        *(LinearFixedEf(*row) for row in _USIM_LINEAR),
    ]


def _isim(isim: Isim, mnc_length: int) -> list[Ef]:
    made: list[Ef] = [
        _transparent(files.EF_IMPI, isim.impi),
        _transparent(files.EF_DOMAIN, isim.domain),
        _linear(files.EF_IMPU, isim.impu),
        _transparent(files.EF_AD, AdministrativeData(0, mnc_length), pin=False),
        LinearFixedEf(0x6F06, 0x06, False, _ARR),
        _transparent(files.EF_IST, [_PCSCF_ADDRESS] if isim.pcscf else []),
    ]
    if isim.pcscf:
        made.append(_linear(files.EF_PCSCF, isim.pcscf))
    return made


def _transparent(ef: files.Ef[Any], value: object, pin: bool = True) -> Ef:
    return TransparentEf(ef.fid, ef.sfi, pin, ef.encode(value))


def _linear(ef: files.Ef[Any], values: Iterable[object]) -> Ef:
    return LinearFixedEf(ef.fid, ef.sfi, True, [ef.encode(value) for value in values])
