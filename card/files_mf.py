"""Files below the MF that only people ask for (TS 102 221 §13)."""

from __future__ import annotations

from card import coding_numbers
from card.files import OURS, Ef, Example, undecoded

EF_PL = Ef(
    "EF_PL",
    0x2F05,
    0x05,
    coding_numbers.decode_languages,
    coding_numbers.encode_languages,
    examples=(Example("656E6465FFFF", ("en", "de"), OURS),),
)

EF_ARR = undecoded("EF_ARR", 0x2F06, 0x06, linear=True)
EF_UMPC = undecoded("EF_UMPC", 0x2F08, 0x08)
MORE_MF_FILES = (EF_PL, EF_ARR, EF_UMPC)
