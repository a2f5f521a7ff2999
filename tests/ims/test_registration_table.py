"""What does not fit, and the table itself: every row is reached."""

from __future__ import annotations

import pytest
import test_registration_card as card
import test_registration_refusals as refusals
import test_registration_renewal as renewal
import test_registration_success as success
from registrar_by_hand import (
    RES,
    Exchange,
)

from sipua.errors import LocalError
from sipua.ims.registration import Registration
from sipua.ims.registration_table import TRANSITIONS
from sipua.ims.table import Row, State
from sipua.sip.message import Response
from sipua.verdict import Verdict

# What does not fit --------------------------------------------------------------------


def test_other_responses_are_passed_over() -> None:
    exchange = Exchange().start()
    for response in (
        Response(100, "", [("CSeq", "1 REGISTER")]),
        Response(403, "", [("CSeq", "7 REGISTER")]),
        Response(403, "", [("CSeq", "1 INVITE")]),
        Response(403, "", [("CSeq", "garbage")]),
        Response(403),
    ):
        exchange.registration.response_received(response, exchange.now)
    assert exchange.state == State.TRYING
    exchange.registration.response_received(
        Response(403, "", [("CSeq", "01   REGISTER")]), exchange.now
    )
    exchange.ended(Verdict.REJECTED)


def test_late_news_is_passed_over() -> None:
    exchange = Exchange().registered()
    exchange.respond(403).fail(TimeoutError())
    assert exchange.state == State.REGISTERED
    exchange = Exchange().start().challenged()
    exchange.respond(200).fail(TimeoutError())
    assert exchange.state == State.ASKING


def test_calls_that_make_no_sense_are_refused() -> None:
    exchange = Exchange()
    with pytest.raises(LocalError, match="idle"):
        exchange.registration.card_answered(RES, 0)
    exchange.start()
    with pytest.raises(LocalError, match="trying"):
        exchange.registration.start(0)
    with pytest.raises(LocalError):
        exchange.registration.card_failed(0)
    exchange.respond(403)
    with pytest.raises(LocalError, match="ended"):
        exchange.registration.deregister(0)
    assert exchange.state == State.ENDED


def test_no_secret_in_events_or_requests() -> None:
    exchange = Exchange().start().challenged().card(RES)
    text = repr(exchange.registration.take_events()) + exchange.request.to_bytes().decode()
    for secret in (RES.res, RES.ck, RES.ik):
        assert secret.hex() not in text
        assert repr(secret) not in text


# The table ----------------------------------------------------------------------------


class Recorder(dict[tuple[str, str], Row]):
    """The table, which remembers the rows that were used."""

    def __init__(self, table: dict[tuple[str, str], Row]) -> None:
        super().__init__(table)
        self.used: set[tuple[str, str]] = set()

    def get(self, key: tuple[str, str], default: Row | None = None) -> Row | None:  # type: ignore[override]
        if key in self:
            self.used.add(key)
        return super().get(key, default)


def test_every_row_is_reached_by_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(TRANSITIONS)
    monkeypatch.setattr(Registration, "TRANSITIONS", recorder)
    for module in (success, card, refusals, renewal):
        for name, test in vars(module).items():
            if name.startswith("test_") and not test.__code__.co_argcount:
                test()
    assert sorted(set(TRANSITIONS) - recorder.used) == []


def test_every_row_names_its_rule_and_an_action() -> None:
    for row in TRANSITIONS.values():
        assert row.rule.startswith(("RFC ", "TS "))
        assert "§" in row.rule
        assert callable(getattr(Registration, f"_{row.action}"))
        assert (row.verdict is not None) == (row.next_state == State.ENDED)
