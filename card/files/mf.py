"""Files below the MF that only people ask for (TS 102 221 §13)."""

from __future__ import annotations

from card.coding import access, numbers
from card.coding.access import AccessRule
from card.files.ef import OURS, Ef, Example, undecoded

EF_PL = Ef(
    "EF_PL",
    0x2F05,
    0x05,
    numbers.decode_languages,
    numbers.encode_languages,
    examples=(Example("656E6465FFFF", ("en", "de"), OURS),),
)


def access_rules(fid: int, sfi: int) -> Ef[tuple[AccessRule, ...]]:
    """EF_ARR of a directory."""
    return Ef(
        "EF_ARR",
        fid,
        sfi,
        access.decode_rules,
        access.encode_rules,
        examples=(
            Example(
                "8001019000" + "800102" + "A406" + "830101950108" + "800110" + "9700" + "FFFF",
                (
                    AccessRule(("read",), "always"),
                    AccessRule(("update",), "PIN1"),
                    AccessRule(("activate",), "never"),
                ),
                OURS,
            ),
            Example(
                "800103" + "A010" + "A406830101950108" + "A406830111950108",
                (AccessRule(("read", "update"), "PIN1 or universal PIN"),),
                OURS,
            ),
        ),
        linear=True,
    )


EF_ARR = access_rules(0x2F06, 0x06)
EF_UMPC = undecoded("EF_UMPC", 0x2F08, 0x08)
MORE_MF_FILES = (EF_PL, EF_ARR, EF_UMPC)
