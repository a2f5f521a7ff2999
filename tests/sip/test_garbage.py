"""10 000 messages that nobody should send: only our own errors, and linear time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from torture import everything

from sipua.errors import ParseError, PeerError
from sipua.sip.endpoint import Endpoint, RequestReceived
from sipua.sip.framing import StreamFramer
from sipua.sip.grammar import split, unquote
from sipua.sip.headers import NameAddr, Via, split_auth_params, split_challenges
from sipua.sip.hop import Hop
from sipua.sip.inspection import Abilities, inspect
from sipua.sip.limits import MAX_HEAD, MAX_HEADERS
from sipua.sip.message import MalformedMessage, Message, Request, parse
from sipua.sip.names import COMPACT, LISTS
from sipua.sip.parameters import Parameters
from sipua.sip.uri import SipUri
from sipua.sip.wellformed import CHECKS, check

COUNT = 10_000
EVERYONE = Abilities(frozenset({"INVITE", "OPTIONS", "REGISTER", "MESSAGE", "BYE", "ACK"}))
PIECES = [
    b"\r\n", b"\r", b"\n", b"\0", b"\r\n ", b"\r\n\r\n", b":", b";", b",", b"=", b'"', b"<", b">",
    b"[", b"]", b"\\", b"%", b"%0", b"@", b"?", b"*", b"\xff", b"\xc3\xa9", b"SIP/2.0 ", b"/",
    b"z9hG4bK", b"Via: ", b"v:", b"Content-Length: 99999999999999999999\r\n", b"l: 1\r\n",
    b"CSeq: 4294967296 X\r\n", b"9" * 400, b"(" * 200, b'"' * 201, b"<" * 300, b";" * 300,
    b"\\" * 301, b"%41" * 100, b"To: ", b"sip:", b"[::1]:5060", b";received=[::1]", b";rport",
    b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\x85", b"\xc2\xa0", b"\x0b", b"\x1c",
]  # fmt: skip


def garbage(count: int, seed: int) -> list[bytes]:
    """Torture messages cut, doubled, spliced and sprinkled; every tenth is noise alone."""
    rng = random.Random(seed)
    good = everything()
    made = []
    for number in range(count):
        if number % 10 == 9:
            made.append(rng.randbytes(rng.randrange(600)))
            continue
        data = bytearray(rng.choice(good))
        for _ in range(rng.randrange(1, 9)):
            place = rng.randrange(len(data) + 1)
            end = min(len(data), place + rng.randrange(40))
            match rng.randrange(6):
                case 0:
                    data[place:end] = b""
                case 1:
                    data[place:place] = rng.choice(PIECES)
                case 2:
                    data[place:end] = rng.randbytes(end - place)
                case 3:
                    data[place:place] = data[place:end] * rng.randrange(1, 4)
                case 4:
                    other = rng.choice(good)
                    data[place:end] = other[rng.randrange(len(other)) :][:200]
                case 5:
                    data[place:] = data[place:][: rng.randrange(1, 500)]
        made.append(bytes(data))
    return made


GARBAGE = garbage(COUNT, 4475)


def read_everything(message: Message) -> None:
    """Every typed header the wing knows, each by itself; only ParseError may come."""
    for name in [*CHECKS, *COMPACT.values(), *LISTS, "authentication-info", "x-none"]:
        message.headers.get(name)
        try:
            values = message.headers.values(name)
        except ParseError:
            values = message.headers.all(name)
        for value in values:
            for read in (CHECKS.get(name), NameAddr.parse, Via.parse, split_challenges,
                         SipUri.parse, Parameters.parse):  # fmt: skip
                if read is not None:
                    attempt(read, value)
    for part in ("top_via", "cseq", "from_", "to", "call_id"):
        attempt(partial(getattr, message), part)
    attempt(check, message)
    if isinstance(message, Request):
        attempt(partial(inspect, abilities=EVERYONE), message)


def attempt(read: Callable[[Any], object], value: Any) -> None:
    """Only errors which say that the peer is at fault are let through."""
    fault = None
    try:
        str(read(value))
    except PeerError as error:
        fault = error
    assert fault is None or (400 <= fault.status <= 699 and len(str(fault)) < 500)


def test_there_is_enough_garbage_and_not_all_of_it_is_refused() -> None:
    assert len(set(GARBAGE)) > COUNT * 0.98
    kinds = [type(result_of(data)) for data in GARBAGE]
    refused = kinds.count(type(None))
    assert 0.2 * COUNT < refused < 0.95 * COUNT


def result_of(data: bytes) -> Message | None:
    try:
        return parse(data)
    except ParseError:
        return None


def test_reading_garbage_raises_only_our_own_errors() -> None:
    statuses = set()
    for data in GARBAGE:
        try:
            message = parse(data)
        except MalformedMessage as error:
            statuses.add(error.status)
            if error.message is not None:
                read_everything(error.message)
        else:
            read_everything(message)
            parse(message.to_bytes())
    assert statuses == {400, 505}


def test_framing_garbage_raises_only_our_own_errors() -> None:
    rng = random.Random(1)
    for number, data in enumerate(GARBAGE):
        framer = StreamFramer()
        size = 1 if number % 7 == 0 else rng.randrange(1, 300)
        found: list[bytes] = []
        try:
            for start in range(0, len(data), size):
                found += framer.feed(data[start : start + size])
        except ParseError:
            continue
        assert sum(map(len, found)) + framer.buffered <= 2 * len(data)


def test_chunks_make_no_difference_to_what_is_framed() -> None:
    for data in GARBAGE[::25]:
        whole, single = framed(data, len(data) or 1), framed(data, 1)
        assert [each for each in whole if each.strip()] == [each for each in single if each.strip()]


def framed(data: bytes, size: int) -> list[bytes]:
    framer, found = StreamFramer(), []
    try:
        for start in range(0, len(data), size):
            found += framer.feed(data[start : start + size])
    except ParseError as error:
        found += getattr(error, "messages", [])
    return found


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_an_endpoint_outlives_garbage(transport: str) -> None:
    endpoint = Endpoint(random.Random(1))
    source = Hop(transport, "2001:db8::1", 5060, ("::1", 5060))
    now = 0.0
    for number, data in enumerate(GARBAGE):
        now += 0.01
        endpoint.receive(data, source, now)
        endpoint.tick(now)
        for event in endpoint.take_events():
            if isinstance(event, RequestReceived) and number % 2:
                response = endpoint.create_response(event.request, 486)
                endpoint.respond(event.transaction, response, now)
        for answer, hop in endpoint.take_outgoing():
            assert parse(answer).start_line.startswith("SIP/2.0 ")
            assert hop.transport == transport
    assert endpoint.discarded["malformed"] > COUNT / 10
    assert set(endpoint.discarded) <= {"malformed", "keep-alive", "no transaction waits for it",
                                       "a response with more than one Via"}  # fmt: skip
    endpoint.transport_failed(source, OSError("gone"), now)
    while (deadline := endpoint.deadline()) is not None and deadline < now + 200:
        endpoint.tick(deadline)
    assert len(endpoint._servers) < COUNT / 2


# Linear time: eight times the input may take eight times as long, with room for noise


def best_time(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(5):
        start = time.thread_time()
        with suppress(ParseError):
            work()
        best = min(best, time.thread_time() - start)
    return best


HEAD = (
    b"OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1\r\nf: <sip:a>\r\nt: <sip:b>\r\n"
    b"i: 1\r\nCSeq: 1 OPTIONS\r\n"
)

GROWING: dict[str, Callable[[int], Callable[[], object]]] = {
    "quotes": lambda n: lambda: split('"a",' * n, ","),
    "open quote": lambda n: lambda: split('"' + '\\"' * n + ",", ","),
    "backslashes": lambda n: lambda: unquote('"' + "\\\\" * n + '"'),
    "escapes before quotes": lambda n: lambda: split('"' + '\\\\\\"' * n + '",', ","),
    "brackets": lambda n: lambda: split("<,>," * n, ","),
    "open brackets": lambda n: lambda: split("<" * n + ",", ","),
    "quote far away": lambda n: lambda: split("a," * n + '"', ","),
    "bracket far away": lambda n: lambda: split("a," * n + "<", ","),
    "parameters": lambda n: lambda: Parameters.parse(";".join(["a=b"] * n)),
    "via parameters": lambda n: lambda: Via.parse("SIP/2.0/UDP a" + ";a=b" * n),
    "via slashes": lambda n: lambda: Via.parse("/" * n),
    "address": lambda n: lambda: NameAddr.parse('"' + "a " * n + '" <sip:a@b>' + ";a" * n),
    "address brackets": lambda n: lambda: NameAddr.parse("<" * n),
    "uri": lambda n: lambda: SipUri.parse("sip:" + "%41" * n + "@b" + ";a=%41" * n),
    "uri ats": lambda n: lambda: SipUri.parse("sip:" + "@" * n),
    "uri escapes": lambda n: lambda: SipUri.parse("sip:" + "%41" * n + "@b").user_text,
    "challenges": lambda n: lambda: split_challenges(", ".join(['Digest a="b,"'] * n)),
    "challenge parameters": lambda n: (
        lambda: split_challenges("Digest " + ", ".join(['a="b"'] * n))
    ),
    "auth parameters": lambda n: lambda: split_auth_params(", ".join(['a="b"'] * n)),
    "garbage body": lambda n: lambda: parse(HEAD + b"\r\n" + b"\r\n\r\n" * n),
    "framing by octet": lambda n: lambda: feed(HEAD + b"l: %d\r\n\r\n" % n + b"x" * n, 1),
    "framing pings": lambda n: lambda: feed(b"\r\n" * n, 4096),
    "framing messages": lambda n: lambda: feed((HEAD + b"l: 0\r\n\r\n") * (n // 50), 65536),
}


def feed(data: bytes, size: int) -> None:
    framer = StreamFramer()
    for start in range(0, len(data), size):
        framer.feed(data[start : start + size])


@pytest.mark.parametrize("kind", GROWING)
def test_time_grows_no_faster_than_the_input(kind: str) -> None:
    small, large = GROWING[kind](4_000), GROWING[kind](32_000)
    ratios = []
    for _ in range(8):  # linear is 8, square is 64; other programs cool the caches down meanwhile
        ratios.append(best_time(large) / max(best_time(small), 2e-5))
        if ratios[-1] < 32:
            return
    pytest.fail(f"8 times the input took {ratios} times as long")


@pytest.mark.parametrize(
    "line",
    [b"a: " + b"b\r\n " * 8, b"a: b\r\n", b" \r\n", b"Via: SIP/2.0/UDP a,\r\n", b'To: "\\\r\n'],
)
def test_a_head_of_the_largest_size_takes_time_in_proportion(line: bytes) -> None:
    def head(size: int) -> bytes:
        lines = line * min(size // len(line), MAX_HEADERS - 10)
        return HEAD + lines + b"\r\n"

    def work(data: bytes) -> Callable[[], object]:
        def run() -> None:
            endpoint = Endpoint(random.Random(1))
            endpoint.receive(data, Hop("UDP", "192.0.2.1", 5060), 0.0)

        return run

    small, large = head(MAX_HEAD // 16), head(MAX_HEAD // 2)
    bound = 4 * len(large) / len(small)
    assert any(best_time(work(large)) < bound * best_time(work(small)) for _ in range(4))
