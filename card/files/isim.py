"""Files of an ISIM that only people ask for (TS 31.103 §4.2)."""

from __future__ import annotations

from card.coding.network import Bootstrapping, decode_bootstrapping, encode_bootstrapping
from card.files.ef import OURS, Ef, Example, undecoded
from card.files.mf import access_rules
from card.files.usim import EF_SMSP

EF_GBABP = Ef(
    "EF_GBABP",
    0x6FD5,
    None,
    decode_bootstrapping,
    encode_bootstrapping,
    examples=(Example("0201020000", Bootstrapping("0102", "", ""), OURS),),
)

MORE_ISIM_FILES = (
    EF_GBABP,
    EF_SMSP,
    access_rules(0x6F06, 0x06),
    undecoded("EF_SMS", 0x6F3C, linear=True),
    undecoded("EF_SMSS", 0x6F43),
    undecoded("EF_SMSR", 0x6F47, linear=True),
    undecoded("EF_GBANL", 0x6FD7, linear=True),
    undecoded("EF_NAFKCA", 0x6FDD, linear=True),
    undecoded("EF_UICCIARI", 0x6FE7, linear=True),
)
