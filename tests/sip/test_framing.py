"""Messages out of streams: any chunking gives the same, faults end the connection."""

from __future__ import annotations

import random

import pytest
from torture import entries, octets

from sipua.errors import ParseError
from sipua.sip.framing import PING, PONG, FramingError, StreamFramer
from sipua.sip.limits import MAX_BODY, MAX_HEAD
from sipua.sip.message import parse

ONE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
TWO = b"SIP/2.0 200 OK\r\nX: y\r\n l: 9\r\nL :\r\n 0\r\n\r\n"


def test_whole_messages_come_out_whatever_the_chunks() -> None:
    stream = ONE + TWO + ONE + ONE
    for size in range(1, len(stream) + 1):
        framer = StreamFramer()
        found = []
        for start in range(0, len(stream), size):
            found += framer.feed(stream[start : start + size])
        assert found == [ONE, TWO, ONE, ONE]
        assert framer.buffered == 0


def test_what_is_not_complete_waits() -> None:
    framer = StreamFramer()
    assert framer.feed(ONE[:-1]) == []
    assert framer.buffered == len(ONE) - 1
    assert framer.feed(ONE[-1:]) == [ONE]


def test_every_torture_message_with_a_length_that_fits_survives_a_stream() -> None:
    stream, expected = b"", []
    for entry in entries("rfc4475"):
        data = octets("rfc4475", entry["name"])
        try:
            message = parse(data)
        except ParseError:
            continue
        if "Content-Length" not in message.headers or b"\r\n\r\n" not in data:
            continue
        head = data.index(b"\r\n\r\n") + 4
        expected.append(data[: head + len(message.body)])
        stream += expected[-1]
    rng = random.Random(5)
    for _ in range(20):
        framer, found, start = StreamFramer(), [], 0
        while start < len(stream):
            step = rng.choice((1, 7, 100, 4000))
            found += framer.feed(stream[start : start + step])
            start += step
        assert found == expected
    assert len(expected) > 30


# Keep-alives (RFC 5626 §4.4.1)


def test_a_ping_is_told_from_a_pong() -> None:
    framer = StreamFramer()
    assert framer.feed(PING) == [PING]
    assert framer.feed(PONG) == [PONG]
    assert framer.feed(ONE + PING + ONE + PING + PING) == [ONE, PING, ONE, PING, PING]


def test_a_ping_in_halves_is_answered_too() -> None:
    framer = StreamFramer()
    assert framer.feed(b"\r\n") == [PONG]
    assert framer.feed(b"\r\n") == [PING]
    framer = StreamFramer()
    found = [part for octet in PING for part in framer.feed(bytes((octet,)))]
    assert found.count(PING) == 1


def test_line_ends_before_a_message_do_no_harm() -> None:
    """RFC 3261 §7.5."""
    for prefix in (b"\r\n", b"\r\n\r\n\r\n"):
        assert StreamFramer().feed(prefix + ONE)[-1] == ONE
        framer = StreamFramer()
        assert [part for octet in prefix + ONE for part in framer.feed(bytes((octet,)))][-1] == ONE


def test_a_body_of_line_ends_is_no_ping() -> None:
    assert StreamFramer().feed(ONE) == [ONE]


# Faults


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"OPTIONS sip:a SIP/2.0\r\nX: y\r\n\r\n", 400),
        (b"OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n", 400),
        (b"OPTIONS sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 1\r\n\r\n", 400),
        (b"OPTIONS sip:a SIP/2.0\r\nl: %d\r\n\r\n" % (MAX_BODY + 1), 513),
        (b"OPTIONS sip:a SIP/2.0\r\nl: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"x" * MAX_HEAD, 513),
    ],
)
def test_faults(data: bytes, status: int) -> None:
    framer = StreamFramer()
    with pytest.raises(FramingError) as caught:
        framer.feed(ONE + data)
    assert caught.value.status == status
    assert caught.value.messages[0] == ONE
    for shown in caught.value.messages[1:]:
        with pytest.raises(ParseError):
            parse(shown)
    with pytest.raises(FramingError) as again:
        framer.feed(ONE)
    assert again.value.messages == []


def test_an_endless_head_is_refused_before_it_is_kept() -> None:
    framer = StreamFramer()
    for _ in range(MAX_HEAD - 1):
        framer.feed(b"x")
    with pytest.raises(FramingError):
        framer.feed(b"x")
    assert framer.buffered == 0


def test_the_largest_body_is_taken() -> None:
    head = b"OPTIONS sip:a SIP/2.0\r\nl: %d\r\n\r\n" % MAX_BODY
    framer = StreamFramer()
    assert framer.feed(head) == []
    assert framer.feed(b"x" * MAX_BODY) == [head + b"x" * MAX_BODY]
