"""Preconditions as two phones tell each other of them (RFC 3312)."""

from __future__ import annotations

import pytest

from sipua.errors import ParseError
from sipua.sip.preconditions import PreconditionFailure, Preconditions
from sipua.sip.sdp import Media


def stream(*attributes: str, port: int = 1000) -> Media:
    return Media("audio", port, "RTP/AVP", ["0"], [("a", value) for value in attributes])


def tell(one: Preconditions, other: Preconditions) -> None:
    other.take(stream(*one.attributes()))


def test_nobody_rings_before_both_have_their_bearer() -> None:
    caller, called = Preconditions(), Preconditions()
    assert caller.attributes() == (
        "curr:qos local none",
        "curr:qos remote none",
        "des:qos mandatory local sendrecv",
        "des:qos none remote sendrecv",
    )
    tell(caller, called)
    assert not called.met
    assert called.attributes() == (
        "curr:qos local none",
        "curr:qos remote none",
        "des:qos mandatory local sendrecv",
        "des:qos mandatory remote sendrecv",
        "conf:qos remote sendrecv",
    )
    tell(called, caller)
    called.reserve()
    assert not called.owes_confirmation  # nobody asked to be told
    assert not called.met
    assert not caller.owes_confirmation
    caller.reserve()
    assert caller.owes_confirmation  # the called wants to know
    assert caller.attributes()[0] == "curr:qos local sendrecv"
    tell(caller, called)
    assert not caller.owes_confirmation
    assert called.met
    tell(called, caller)
    assert caller.met
    assert "conf" not in " ".join(called.attributes())


def test_resources_reserved_before_the_offer_need_no_more_rounds() -> None:
    caller, called = Preconditions(), Preconditions()
    caller.reserve()
    called.reserve()
    tell(caller, called)
    assert called.met
    tell(called, caller)
    assert caller.met
    assert not caller.owes_confirmation


def test_a_bearer_between_offer_and_answer_is_told_of() -> None:
    caller, called = Preconditions(), Preconditions()
    tell(caller, called)
    caller.reserve()
    tell(called, caller)
    assert caller.owes_confirmation
    assert caller.copy().owes_confirmation


def test_a_peer_without_preconditions_has_none() -> None:
    ours = Preconditions()
    ours.take(stream("sendrecv"))
    assert not ours.used
    assert ours.met


def test_a_refused_stream_has_no_preconditions() -> None:
    ours = Preconditions()
    ours.take(stream("curr:nonsense", port=0))
    assert not ours.used


def test_directions_are_seen_from_here() -> None:
    ours = Preconditions()
    ours.take(
        stream(
            "curr:qos local send",
            "curr:qos remote none",
            "des:qos mandatory local send",
            "des:qos optional local recv",
            "des:qos none remote sendrecv",
            "conf:qos remote recv",
        )
    )
    assert ours.current == {("remote", "recv")}
    assert ours.confirm == {("local", "send")}
    assert ours.attributes() == (
        "curr:qos local none",
        "curr:qos remote recv",
        "des:qos mandatory local sendrecv",
        "des:qos optional remote send",
        "des:qos mandatory remote recv",
    )
    assert not ours.met
    ours.reserve()
    assert ours.owes_confirmation
    assert ours.met


def test_strength_is_never_lowered() -> None:
    ours = Preconditions()
    ours.take(stream("des:qos none remote sendrecv"))
    assert "des:qos mandatory local sendrecv" in ours.attributes()


def test_the_peer_may_lose_its_bearer_again() -> None:
    ours = Preconditions()
    ours.reserve()
    ours.take(stream("curr:qos local sendrecv", "des:qos mandatory local sendrecv"))
    assert ours.met
    ours.take(stream("curr:qos local none", "curr:qos remote none"))
    assert not ours.met
    assert ("local", "send") in ours.current  # of ours we know better


@pytest.mark.parametrize(
    "value",
    [
        "des:qos failure local sendrecv",
        "des:qos unknown local sendrecv",
        "des:sec mandatory remote sendrecv",
        "des:qos mandatory e2e sendrecv",
    ],
)
def test_what_cannot_be_met_is_answered_580(value: str) -> None:
    with pytest.raises(PreconditionFailure) as caught:
        Preconditions().take(stream(value))
    assert caught.value.status == 580


def test_unknown_preconditions_that_nobody_insists_on_are_passed_over() -> None:
    ours = Preconditions()
    ours.take(stream("des:sec optional remote sendrecv", "des:sec mandatory local sendrecv"))
    ours.take(stream("curr:qos e2e none", "des:qos none e2e sendrecv"))
    assert ours.current == set()


@pytest.mark.parametrize(
    "value",
    ["curr:qos local", "curr:qos local both", "des:qos local sendrecv x y", "conf:", "des:qos x"],
)
def test_broken_lines_are_refused(value: str) -> None:
    with pytest.raises(ParseError):
        Preconditions().take(stream(value))


def test_an_unknown_strength_is_refused() -> None:
    with pytest.raises(ParseError):
        Preconditions().take(stream("des:qos urgent local sendrecv"))
