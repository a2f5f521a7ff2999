"""One step of an exchange, as ladders and logs show it."""

from __future__ import annotations

from typing import NamedTuple

CARD, UE, REGISTRAR = "card", "UE", "registrar"
LANES = (CARD, UE, REGISTRAR)


class Step(NamedTuple):
    """From lane ``source`` to lane ``target``; ``note`` says what it carried and means,
    ``proof`` what it proved, where it proved something.

    Lanes are ``CARD``, ``UE`` and one for each network node, by its address where
    that is known. A step whose lanes are the same is a remark.
    """

    source: str
    target: str
    label: str
    note: str = ""
    proof: str = ""
