"""A card that was away and is back: recognised by its ICCID, given its PIN again or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from card_links import ManneredLink

from card import profile
from card.aka.milenage import Milenage
from card.aka.result import AkaResponse, SynchronisationFailure
from card.aka.vector import make_vector
from card.emulator.card import EmulatedCard
from card.errors import NoCard, PinRequired
from card.readers.waiting import Waiting
from card.session import CardSession

SHIPPED = profile.shipped()
BEHIND_PIN = SHIPPED._replace(pin=SHIPPED.pin._replace(enabled=True))


def authenticate(session: CardSession) -> AkaResponse:
    secrets = SHIPPED.authentication
    vector = make_vector(Milenage(secrets.k, secrets.opc), bytes(16), 64, b"\x80\x00")
    return session.authenticate(vector.rand, vector.autn)


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


def torn_out_during_authenticate(link: ManneredLink) -> None:
    """The card has worked and is pulled before its answer arrives; then it is put back."""

    def manners(command: bytes, transmit: Callable[[bytes], bytes]) -> bytes:
        answer = transmit(command)
        if command[1] == 0x88 and not link.insertions:
            put_back(link)
            raise NoCard("the card was taken out during a command")
        return answer

    link.manners = manners


def test_a_card_torn_out_during_authenticate_is_asked_again() -> None:
    link = ManneredLink(EmulatedCard(BEHIND_PIN))
    session = CardSession(link, "isim", "1234", waiting=Waiting(1.0, lambda _: None))
    torn_out_during_authenticate(link)
    with pytest.raises(SynchronisationFailure):  # it has counted this number already
        authenticate(session)


def test_nobody_waits_for_a_card_unasked() -> None:
    link = ManneredLink(EmulatedCard(BEHIND_PIN))
    session = CardSession(link, "isim", "1234")
    torn_out_during_authenticate(link)
    with pytest.raises(NoCard, match="during a command"):
        authenticate(session)


def test_another_card_stays_another_one_however_often_it_is_asked() -> None:
    link = ManneredLink(EmulatedCard(BEHIND_PIN))
    session = CardSession(link, "isim", "1234", waiting=Waiting(1.0, lambda _: None))
    link.card = EmulatedCard(BEHIND_PIN._replace(iccid="8900101000000000002"))
    sent: list[bytes] = []
    link.manners = lambda command, transmit: sent.append(command) or transmit(command)  # type: ignore[func-returns-value]
    put_back(link)
    for _ in range(2):
        with pytest.raises(NoCard, match="another card was put into manners"):
            authenticate(session)
    assert not [command for command in sent if command[1] in {0x20, 0x88}]
