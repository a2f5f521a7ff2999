"""Two subscribers whose user agents speak with each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.two_subscribers import two_cards
from card.profile import Profile


@pytest.fixture
def cards(tmp_path: Path) -> tuple[Profile, Profile]:
    return two_cards(tmp_path)


@pytest.fixture
def alice(cards: tuple[Profile, Profile]) -> Profile:
    return cards[0]


@pytest.fixture
def bob(cards: tuple[Profile, Profile]) -> Profile:
    return cards[1]
