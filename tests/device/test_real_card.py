"""A real card in a real reader: read only, and only the card that was named."""

from __future__ import annotations

import pytest

from card.session import CardSession

pytestmark = pytest.mark.device


@pytest.fixture
def iccid(request: pytest.FixtureRequest) -> str:
    named: str = request.config.getoption("--card-iccid")
    return named


def test_the_named_card_gives_its_identities(iccid: str) -> None:
    with CardSession(f"pcsc:iccid={iccid}", "usim") as session:
        assert session.uicc.iccid() == iccid
        application = session.application
        assert application.name == "usim"
        assert application.imsi().isdecimal()  # type: ignore[union-attr]
        assert application.mnc_length() in (2, 3)  # type: ignore[union-attr]


def test_reading_identities_stays_within_sixteen_apdus(iccid: str) -> None:
    with CardSession(f"pcsc:iccid={iccid}", "usim") as session:
        session.uicc.iccid()
        session.application.imsi()  # type: ignore[union-attr]
        assert session.exchange.apdus <= 16
