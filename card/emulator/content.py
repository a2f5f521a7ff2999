"""The files on an emulated card, made from its profile.

What a terminal of ours reads is written by the declarations in ``card.files``;
the rest is there because other people's programs ask for it, with the content
of a fresh card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.coding.basic import ISIM_AID, USIM_AID, AdministrativeData, Application
from card.emulator.access import (
    OPEN,
    OPEN_USER_WRITES,
    PIN1,
    PIN2,
    RULES,
    UNIVERSAL_PIN,
    USER,
    USER_WRITES,
    Rule,
    encode,
)
from card.emulator.filesystem import (
    CURRENT_ADF,
    MF,
    Df,
    Ef,
    FileSystem,
    LinearFixedEf,
    TransparentEf,
)
from card.files import ef as files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

    from card.profile import Isim, Profile
    from card.statefile import StateFile

_AID_TAIL = bytes.fromhex("FFFFFFFF8907090000")  # country, provider, provider's own: 16 octets
_OTHER = Application(bytes.fromhex("A000000063504B43532D3135"), "PKCS-15")
_DIR_RECORDS = 3  # real cards keep room for applications to come
_PCSCF_ADDRESS, _ISIM_GBA = 1, 2  # services of EF_IST (TS 31.103 §4.2.7)
_GBA = 68  # service of EF_UST (TS 31.102 §4.2.8)

GBABP_OCTETS = 120
GBANL_OCTETS, GBANL_RECORDS = 120, 4

# FID, SFI, rule, content on a fresh card (TS 31.102 §4.2)
_USIM_TRANSPARENT: tuple[tuple[int, int | None, Rule, bytes], ...] = (
    (0x6F05, 0x02, OPEN_USER_WRITES, b"en"),  # EF_LI
    (0x6F08, 0x08, USER_WRITES, b"\x07" + b"\xff" * 32),  # EF_Keys: no key set
    (0x6F09, 0x09, USER_WRITES, b"\x07" + b"\xff" * 32),  # EF_KeysPS
    (0x6F31, 0x12, USER, b"\x05"),  # EF_HPPLMN: search every 30 minutes
    (0x6F5B, 0x0F, USER_WRITES, bytes.fromhex("F00000F00000")),  # EF_START-HFN
    (0x6F5C, 0x10, USER, b"\xff" * 3),  # EF_THRESHOLD
    (0x6F73, 0x0C, USER_WRITES, bytes.fromhex("FFFFFFFFFFFFFFFFFFFF0000FF01")),  # EF_PSLOCI
    (0x6F7B, 0x0D, USER_WRITES, b"\xff" * 12),  # EF_FPLMN
    (0x6F7E, 0x0B, USER_WRITES, bytes.fromhex("FFFFFFFFFFFFFF0000FF01")),  # EF_LOCI
)


def build(profile: Profile) -> FileSystem:
    """The whole tree of one card."""
    applications = [Application(USIM_AID + _AID_TAIL, "USIM")]
    if profile.isim:
        applications.append(Application(ISIM_AID + _AID_TAIL, "ISIM"))
    others = _other_applications(profile.quirks)
    directory = [each and files.EF_DIR.encode(each) for each in (*others, *applications)]
    directory += [b""] * (_DIR_RECORDS - len(directory))
    rules = _rules(profile)
    mf = Df(
        MF,
        [
            LinearFixedEf(0x2F00, 0x1E, OPEN, directory),
            _transparent(files.EF_ICCID, profile.iccid, OPEN),
            TransparentEf(0x2F05, 0x05, OPEN_USER_WRITES, b"en"),  # EF_PL
            LinearFixedEf(0x2F06, 0x06, OPEN, rules),
        ],
    )
    adfs = [Df(CURRENT_ADF, _usim(profile, rules), applications[0].aid, mf)]
    if profile.isim:
        isim_files = _isim(profile.isim, profile.mnc_length, rules)
        adfs.append(Df(CURRENT_ADF, isim_files, applications[1].aid, mf))
    adfs += [Df(CURRENT_ADF, [], other.aid, mf) for other in others if other]
    return FileSystem(mf, adfs, lambda mf: _dfs(profile, mf))


def _other_applications(quirks: tuple[str, ...]) -> list[Application | Literal[b""]]:
    """What stands in EF_DIR before USIM and ISIM; empty for an unused record."""
    others: list[Application | Literal[b""]] = []
    if "dir-first-record-other" in quirks:
        others.append(_OTHER)
    if "dir-unused-record" in quirks:
        others.append(b"")
    return others


def _dfs(profile: Profile, mf: Df) -> list[Df]:
    from card.emulator import gsm_content

    return gsm_content.build(profile, mf)


def restore(tree: FileSystem, kept: dict[str, str | list[str]], state: StateFile) -> None:
    """Give files the content they were updated to. Raises StateError if it does not fit them."""
    for path, content in kept.items():
        ef = tree.by_path(path)
        try:
            if isinstance(ef, TransparentEf) and isinstance(content, str):
                octets = bytes.fromhex(content)
                fits = len(octets) == len(ef.content)
                ef.content = octets
            elif isinstance(ef, LinearFixedEf) and isinstance(content, list):
                records = [bytes.fromhex(record) for record in content]
                fits = list(map(len, records)) == list(map(len, ef.records))
                ef.records = records
            else:
                fits = False
        except (TypeError, ValueError):
            fits = False
        if not fits:
            state.damaged(f"files: {path} does not fit the card of this profile")


def _rules(profile: Profile) -> list[bytes]:
    """The records of EF_ARR: the rules with the PINs that this card has."""
    keys: dict[int, tuple[int, ...]] = {}
    if profile.pin.universal_pin:
        keys[PIN1] = (PIN1, UNIVERSAL_PIN)
    if "pin-81" in profile.quirks:
        keys[PIN1] = (PIN2, *keys.get(PIN1, ())[1:])
    return [encode(rule, keys) for rule in RULES]


def _usim(profile: Profile, rules: list[bytes]) -> list[Ef]:
    usim = profile.usim
    access_class = 1 << int(profile.imsi[-1])  # the customary choice, TS 22.011 §4.2
    spn = b"\x00" + usim.spn.encode().ljust(16, b"\xff")
    made = [
        _transparent(files.EF_IMSI, profile.imsi),
        _transparent(files.EF_AD, AdministrativeData(0, profile.mnc_length), OPEN),
        _transparent(files.EF_UST, usim.services),
        LinearFixedEf(0x6F06, 0x17, OPEN, rules),
        TransparentEf(0x6F78, 0x06, USER, access_class.to_bytes(2, "big")),  # EF_ACC
        TransparentEf(0x6F46, None, OPEN, spn),  # EF_SPN
        *(TransparentEf(*row) for row in _USIM_TRANSPARENT),
        LinearFixedEf(0x6F40, None, USER_WRITES, [_number(usim.msisdn)]),  # EF_MSISDN
        LinearFixedEf(0x6FB7, 0x01, OPEN, [bytes.fromhex("11F2FF00")]),  # EF_ECC: 112
    ]
    if usim.smsc:
        from card.emulator.numbers import service_centre_record

        made.append(LinearFixedEf(0x6F42, None, USER_WRITES, [service_centre_record(usim.smsc)]))
    if _GBA in usim.services:
        made += _gba(0x6FD6, 0x6FDA)
    return made


def _isim(isim: Isim, mnc_length: int, rules: list[bytes]) -> list[Ef]:
    services = set(isim.services)
    if isim.pcscf:
        services.add(_PCSCF_ADDRESS)
    made: list[Ef] = [
        _transparent(files.EF_IMPI, isim.impi),
        _transparent(files.EF_DOMAIN, isim.domain),
        _linear(files.EF_IMPU, isim.impu),
        _transparent(files.EF_AD, AdministrativeData(0, mnc_length), OPEN),
        LinearFixedEf(0x6F06, 0x06, OPEN, rules),
        _transparent(files.EF_IST, services),
    ]
    if isim.pcscf:
        made.append(_linear(files.EF_PCSCF, isim.pcscf))
    if _ISIM_GBA in services:
        made += _gba(0x6FD5, 0x6FD7)
    return made


def _number(number: str) -> bytes:
    if not number:
        return b"\xff" * 28  # unused, as on many cards
    from card.emulator.numbers import address_record

    return address_record(number)


def _gba(parameters: int, naf_list: int) -> list[Ef]:
    """EF_GBABP and EF_GBANL, not bootstrapped yet (TS 31.102 §4.2.79, §4.2.83)."""
    return [
        TransparentEf(parameters, None, USER_WRITES, b"\xff" * GBABP_OCTETS),
        LinearFixedEf(naf_list, None, USER, [b"\xff" * GBANL_OCTETS] * GBANL_RECORDS),
    ]


def _transparent(ef: files.Ef[Any], value: object, rule: Rule = USER) -> Ef:
    return TransparentEf(ef.fid, ef.sfi, rule, ef.encode(value))


def _linear(ef: files.Ef[Any], values: Iterable[object]) -> Ef:
    return LinearFixedEf(ef.fid, ef.sfi, USER, [ef.encode(value) for value in values])
