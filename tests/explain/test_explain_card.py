"""A capture that holds the card's APDUs, too: what it said against what the network was told."""

from __future__ import annotations

import pytest

from explain.seen_on_the_wire import RAND, Answerer, Talk
from sipua.capture.captured import CapturedApdu
from sipua.explain.card_answers import MAX_REMEMBERED, CardAnswers
from sipua.explain.heard import Heard
from sipua.explain.investigation import Investigation
from sipua.sip.message import parse

AUTS = bytes(range(14))


def authenticate(answerer: Answerer) -> bytes:
    return bytes.fromhex("0088008122") + b"\x10" + RAND + b"\x10" + answerer.autn + b"\x00"


def with_card(answerer: Answerer, answers: list[bytes], credentials: str | None) -> list[str]:
    """Codes of what is wrong: the card asked between challenge and answer."""
    talk = Talk()
    talk.request()
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {answerer.challenge()}")
    if credentials is not None:
        talk.request(f"Authorization: {credentials}")
    investigation = Investigation()
    for number, (at, _, data) in enumerate(talk.packets):
        assert not list(investigation.take(Heard(parse(data), at)))
        if number == 1:
            command = authenticate(answerer)
            for answer in answers:
                assert not list(investigation.take(CapturedApdu(at, command, answer)))
                command = bytes.fromhex("00C00000") + answer[-1:]
    (document,) = investigation.finish()
    assert document["challenges"][0]["card"] is not None
    return [each["code"] for each in document["findings"] if each["wrong"]]


def auts_answer(octets: bytes) -> str:
    answerer = Answerer()
    answerer.auts = octets
    return answerer.credentials(answerer.response())


RES_ANSWER = Answerer().credentials(Answerer().response())
SUCCESS = b"\xdb\x08" + bytes(8) + b"\x10" + bytes(16) + b"\x10" + bytes(16) + b"\x90\x00"


@pytest.mark.parametrize(
    ("answers", "credentials", "codes"),
    [
        ([SUCCESS], RES_ANSWER, []),
        ([b"\x61\x2c", SUCCESS], RES_ANSWER, []),
        ([b"\xdc\x0e" + AUTS + b"\x90\x00"], auts_answer(AUTS), ["sync-failure"]),
        (
            [b"\xdc\x0e" + AUTS + b"\x90\x00"],
            auts_answer(bytes(14)),
            ["not-what-the-card-said", "sync-failure"],
        ),
        ([b"\x98\x62"], RES_ANSWER, ["not-what-the-card-said"]),
        ([SUCCESS], Answerer().credentials(""), ["mac-failure", "not-what-the-card-said"]),
        ([b"\x98\x62"], Answerer().credentials(""), ["mac-failure"]),
        ([b"\x98\x62"], None, ["card-found-mac-wrong"]),
        ([b"\x69\x82"], None, ["card-status"]),
    ],
)
def test_card_and_terminal(answers: list[bytes], credentials: str | None, codes: list[str]) -> None:
    assert sorted(with_card(Answerer(), answers, credentials)) == sorted(codes)


def test_answers_remembered_are_bounded() -> None:
    cards = CardAnswers()
    for number in range(MAX_REMEMBERED + 10):
        rand = number.to_bytes(16, "big")
        command = bytes.fromhex("0088008122") + b"\x10" + rand + b"\x10" + bytes(16)
        cards.take(CapturedApdu(0.0, command, SUCCESS))
    assert cards.of((9).to_bytes(16, "big"), bytes(16)) is None
    assert cards.of((10).to_bytes(16, "big"), bytes(16)) is not None


@pytest.mark.parametrize(
    "command", [b"", b"\x00\x88", bytes.fromhex("0088008011") + b"\x10" + bytes(16), b"\x88" * 300]
)
def test_other_commands_are_passed_over(command: bytes) -> None:
    cards = CardAnswers()
    cards.take(CapturedApdu(0.0, command, SUCCESS))
    cards.take(CapturedApdu(0.0, command, b""))
    assert cards.of(bytes(16), bytes(16)) is None
