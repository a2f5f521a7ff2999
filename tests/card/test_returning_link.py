"""A card that was away and is back: recognised by its ICCID, given its PIN again or not."""

from __future__ import annotations

import pytest
from card_links import ManneredLink

from card import profile
from card.aka.milenage import Milenage
from card.aka.result import AkaResponse
from card.aka.vector import make_vector
from card.emulator.card import EmulatedCard
from card.errors import NoCard, PinRequired
from card.session import CardSession

SHIPPED = profile.shipped()
BEHIND_PIN = SHIPPED._replace(pin=SHIPPED.pin._replace(enabled=True))


def authenticate(session: CardSession) -> AkaResponse:
    secrets = SHIPPED.authentication
    vector = make_vector(Milenage(secrets.k, secrets.opc), bytes(16), 64, b"\x80\x00")
    return session.application.authenticate(vector.rand, vector.autn)


def put_back(link: ManneredLink) -> None:
    link.reset()
    link.insertions += 1


@pytest.mark.parametrize("application", ["isim", "usim"])
def test_a_pin_that_is_kept(application: str) -> None:
    link = ManneredLink(EmulatedCard(BEHIND_PIN))
    session = CardSession(link, application, "1234")  # type: ignore[arg-type]
    put_back(link)
    assert authenticate(session).res


def test_a_pin_that_is_not_kept() -> None:
    sent: list[bytes] = []
    link = ManneredLink(EmulatedCard(BEHIND_PIN))
    session = CardSession(link, "isim", "1234", keep_pin=False)
    link.manners = lambda command, transmit: sent.append(command) or transmit(command)  # type: ignore[func-returns-value]
    put_back(link)
    with pytest.raises(PinRequired):
        authenticate(session)
    assert not [command for command in sent if command[1] == 0x20 and len(command) > 5]


def test_another_card_gets_neither_pin_nor_challenge() -> None:
    sent: list[bytes] = []
    link = ManneredLink(EmulatedCard(BEHIND_PIN))
    session = CardSession(link, "isim", "1234")
    link.card = EmulatedCard(BEHIND_PIN._replace(iccid="8900101000000000002"))
    link.manners = lambda command, transmit: sent.append(command) or transmit(command)  # type: ignore[func-returns-value]
    put_back(link)
    with pytest.raises(NoCard, match="another card was put into manners: 8900101000000000002"):
        authenticate(session)
    assert not [command for command in sent if command[1] in {0x20, 0x88}]
