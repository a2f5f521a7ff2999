"""The ladder: drawn at any width, in Unicode and ASCII, without a label cut off unseen."""

from __future__ import annotations

import pytest

from sipua.trace.ladder import ASCII, Ladder
from sipua.trace.step import CARD, REGISTRAR, UE, Step

STEPS = (
    Step(UE, REGISTRAR, "REGISTER", "names the subscriber"),
    Step(REGISTRAR, UE, "401 Unauthorized", "a challenge"),
    Step(UE, CARD, "AUTHENTICATE"),
    Step(CARD, UE, "RES, CK, IK", "the network holds this card's key " * 4),
    Step(UE, UE, "", "waits 3 s"),
)


def test_a_step_is_an_arrow_with_its_label_above() -> None:
    ladder = Ladder(80, ASCII)
    assert ladder.header() == [" card                 UE               registrar"]
    assert ladder.step(STEPS[0]) == [
        "   |                   | REGISTER          |   names the subscriber",
        "   |                   +------------------>|",
    ]
    assert ladder.step(STEPS[1])[1] == "   |                   |<------------------+"
    assert ladder.step(STEPS[2])[1] == "   |<------------------+                   |"
    assert ladder.step(STEPS[3])[1].startswith("   +------------------>|                   |")


@pytest.mark.parametrize("width", [20, 60, 71, 80, 99, 100, 132, 300])
def test_every_width(width: int) -> None:
    ladder = Ladder(width)
    rows = [row for step in STEPS for row in ladder.step(step)]
    text = " ".join(" ".join(rows).replace("│", " ").replace("─", " ").split())
    assert "the network holds this card's key" in text or width < 80
    assert max(map(len, rows)) <= max(width, 60)


def test_a_label_that_does_not_fit_says_so() -> None:
    row = Ladder(80, ASCII).step(Step(REGISTRAR, UE, "403 A Very Long Reason Phrase"))[0]
    assert "403 A Very Lon..." in row


def test_a_remark_stands_beside_the_lanes() -> None:
    (row,) = Ladder(80, ASCII).step(STEPS[4])
    assert row == "   |                   |                   |   waits 3 s"
