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
    _, row, _ = Ladder(80, ASCII).step(Step(REGISTRAR, UE, "403 A Very Long Reason Phrase"))
    assert "403 A Very Lon..." in row


def test_a_remark_stands_beside_the_lanes() -> None:
    _, row = Ladder(80, ASCII).step(STEPS[4])
    assert row == "   |                   |                   |   waits 3 s"


def test_a_node_takes_the_place_of_the_registrar_and_another_one_joins() -> None:
    ladder = Ladder(100, ASCII)
    first = ladder.step(Step(UE, "192.0.2.1:5060", "REGISTER"))
    assert first[0].split() == ["card", "UE", "192.0.2.1:5060"]
    again = ladder.step(Step("192.0.2.1:5060", UE, "302 Moved Temporarily"))
    assert len(again) == 2
    joined = ladder.step(Step(UE, "[2001:db8::1]:5060", "REGISTER"))
    assert joined[0].split() == ["card", "UE", "192.0.2.1:5060", "[2001:db8::1]:5060"]
    assert joined[2].rstrip().endswith(">|")


def test_many_nodes_on_a_narrow_screen() -> None:
    ladder = Ladder(60, ASCII)
    rows = [row for n in range(6) for row in ladder.step(Step(UE, f"192.0.2.{n}:5060", "OPTIONS"))]
    assert max(map(len, rows)) <= 9 * 7 + 10
    assert rows[-3].endswith(" ...:5060 ...:5060")


def test_what_a_step_proved_stands_below_what_it_carried() -> None:
    step = Step(CARD, UE, "AUTS", "the card's SQN", "the network is behind")
    assert [row.split("|   ")[-1] for row in Ladder(100, ASCII).step(step)[1:]] == [
        "the card's SQN",
        "=> the network is behind",
    ]
