"""Answers to reset taken apart."""

from __future__ import annotations

import pytest

from card.atr import explain, parse
from card.emulator.card import ATR
from card.errors import AnswerError


def test_the_emulated_cards_own() -> None:
    atr = parse(ATR)
    assert (atr.convention, atr.protocols, atr.check) == ("direct", (0,), True)
    said = explain(ATR)
    assert "protocol T=0" in said
    assert "up to 1 bit in 16 clock cycles (TA1 96)" in said
    assert "supply 5 V, 3 V, 1.8 V" in said
    assert "check byte right" in said
    assert any("SIPUA" in each for each in said)


@pytest.mark.parametrize(
    ("octets", "protocols", "check", "historical"),
    [
        ("3B00", (0,), None, ""),
        ("3B80800101", (0, 1), True, ""),
        ("3B80800102", (0, 1), False, ""),
        ("3B8001", (1,), False, ""),
        ("3B021450", (0,), None, "1450"),
        ("3B9F96801FC78031A073BE21136743200718000001A5", (0,), True, None),
    ],
)
def test_others(octets: str, protocols: object, check: bool | None, historical: str | None) -> None:
    atr = parse(bytes.fromhex(octets))
    assert atr.protocols == protocols
    assert atr.check is check
    if historical is not None:
        assert atr.historical.hex() == historical


@pytest.mark.parametrize("octets", ["", "3B", "0000", "3B10", "3B02 14", "3B8080", "3B9F96"])
def test_what_is_no_atr(octets: str) -> None:
    with pytest.raises(AnswerError):
        parse(bytes.fromhex(octets))


def test_reserved_speeds_and_categories_are_said_to_be_so() -> None:
    assert any("reserved" in each for each in explain(bytes.fromhex("3B107F")))
    assert any("status indicator" in each for each in explain(bytes.fromhex("3B0400900000")))
    assert any('"ABCD"' in each for each in explain(bytes.fromhex("3B0441424344")))
    assert "inverse convention" in explain(bytes.fromhex("3F00"))
    assert any("TA1 11" in each and "372" in each for each in explain(bytes.fromhex("3B1011")))
