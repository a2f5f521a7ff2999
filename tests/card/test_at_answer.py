"""What modems say to AT commands, well and badly, in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card.readers.at_answer import MOST_OCTETS, AtAnswer


def heard(text: str, prefix: str = "+CSIM:", command: str = "AT+CSIM=4,") -> AtAnswer:
    answer = AtAnswer(command, prefix)
    answer.feed(text.encode("latin-1"))
    return answer


@pytest.mark.parametrize(
    "text",
    [
        '\r\n+CSIM: 4,"9000"\r\n\r\nOK\r\n',
        '+CSIM:4,"9000"\rOK\r',
        'AT+CSIM=4,\r\r\n+CSIM: 4,"9000"\r\n\r\nOK\r\n',
        '\r\n+CREG: 1\r\n\r\n+csim: 4,"9000"\r\n\r\nRING\r\n\r\n ok \r\n\r\n',
        '\r\nOK\r\n\r\n+CSIM: 4,"9000"\r\n\r\nOK\r\n',
        '\x00\xff\r\n^RSSI: 12\r\n+CSIM: 4,"9000"\n\nOK\n',
    ],
)
def test_the_answer_among_other_lines(text: str) -> None:
    answer = heard(text)
    assert (answer.ended, answer.error, answer.said) == (True, None, '4,"9000"')


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("\r\nERROR\r\n", ""),
        ("\r\nCOMMAND NOT SUPPORT\r\n", ""),
        ("\r\n+CME ERROR: 10\r\n", "10"),
        ("\r\n+cme error: SIM not inserted\r\n", "SIM not inserted"),
    ],
)
def test_refusals(text: str, error: str) -> None:
    answer = heard(text)
    assert (answer.ended, answer.error) == (True, error)


@pytest.mark.parametrize("text", ["", "OK", '+CSIM: 4,"9000"\r\n', "\r\nRING\r\n", "ERRO\r\n"])
def test_not_ended_yet(text: str) -> None:
    assert not heard(text).ended


def test_an_ok_before_the_answer_is_noted() -> None:
    assert heard("\r\nOK\r\n").early_ok
    assert heard("\r\nOK\r\n", prefix="").ended


def test_a_modem_that_does_not_stop_is_cut_off() -> None:
    answer = heard("RING\r\n" * (MOST_OCTETS // 6 + 1))
    assert answer.ended
    assert answer.error


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_octets_in_any_pieces(pieces: list[bytes]) -> None:
    whole, parts = AtAnswer("AT", "+CSIM:"), AtAnswer("AT", "+CSIM:")
    whole.feed(b"".join(pieces))
    for piece in pieces:
        parts.feed(piece)
    assert (whole.ended, whole.said, whole.error) == (parts.ended, parts.said, parts.error)
