"""STUN as a keep-alive: RFC 5769's messages, and the rules of RFC 5626 in virtual time."""

from __future__ import annotations

import ipaddress
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.errors import ParseError
from sipua.sip.stun import (
    MAGIC_COOKIE,
    StunKeepAlive,
    binding_request,
    is_stun,
    read_response,
)

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "vectors" / "stun_rfc5769.json").read_text()
)["responses"]


@pytest.mark.parametrize("vector", VECTORS, ids=["IPv4", "IPv6"])
def test_published_responses(vector: dict[str, Any]) -> None:
    message = bytes.fromhex(vector["message"])
    assert is_stun(message)
    transaction, mapped = read_response(message)
    assert transaction.hex() == vector["transaction"]
    assert mapped is not None
    assert ipaddress.ip_address(mapped[0]) == ipaddress.ip_address(vector["address"])
    assert mapped[1] == vector["port"]


def test_a_request_is_its_header() -> None:
    request = binding_request(b"twelve octet")
    assert request == b"\x00\x01\x00\x00\x21\x12\xa4\x42twelve octet"
    assert is_stun(request)
    with pytest.raises(ParseError):
        read_response(request)


@pytest.mark.parametrize("vector", VECTORS, ids=["IPv4", "IPv6"])
def test_cut_anywhere_it_is_refused_or_read(vector: dict[str, Any]) -> None:
    message = bytes.fromhex(vector["message"])
    for length in range(len(message)):
        with pytest.raises(ParseError):
            read_response(message[:length])


@given(st.binary(max_size=80))
def test_garbage(data: bytes) -> None:
    for each in (data, data[:4] + MAGIC_COOKIE + data[4:], b"\x01\x01" + data):
        try:
            read_response(each)
        except ParseError:
            continue


def test_sip_is_no_stun() -> None:
    assert not is_stun(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n")
    assert not is_stun(b"\r\n\r\n")


def answer(request: bytes, port: int = 32853) -> bytes:
    """The published response to this request, with another port."""
    message = bytearray(bytes.fromhex(VECTORS[0]["message"]))
    message[8:20] = request[8:20]
    at = message.index(b"\x00\x20\x00\x08") + 6
    message[at : at + 2] = (port ^ 0x2112).to_bytes(2, "big")
    return bytes(message)


class Flow:
    """A keep-alive and its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.keep = StunKeepAlive(random.Random(5), self.now)

    def next(self) -> list[bytes]:
        """Let time pass until something is due."""
        at = self.keep.deadline()
        assert at is not None
        self.now = max(self.now, at)
        self.keep.tick(self.now)
        return self.keep.take_requests()


def test_a_flow_that_lives() -> None:
    flow = Flow()
    seen: set[bytes] = set()
    for _ in range(100):
        (request,) = flow.next()
        seen.add(request)
        flow.keep.received(answer(request), flow.now)
        at = flow.keep.deadline()
        assert at is not None
        assert 24 <= at - flow.now <= 29
    assert flow.keep.failed == ""
    assert len(seen) == 100


def test_silence() -> None:
    """One request and seven repetitions of it, then 16 times RTO."""
    flow = Flow()
    begun, sent, times = flow.now, [], []
    while not flow.keep.failed:
        sent += flow.next()
        times.append(round(flow.now - begun, 3))
    assert len(sent) == 8
    assert len(set(sent)) == 1
    assert times == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 71.5]
    assert "does not answer" in flow.keep.failed
    assert flow.keep.deadline() is None


def test_another_address_behind_the_nat() -> None:
    flow = Flow()
    for port in (32853, 4711):
        (request,) = flow.next()
        flow.keep.received(answer(request, port), flow.now)
    assert "changed" in flow.keep.failed


def test_refused() -> None:
    flow = Flow()
    (request,) = flow.next()
    flow.keep.received(b"\x01\x11\x00\x00" + request[4:], flow.now)
    assert "refuses" in flow.keep.failed


def test_what_answers_nothing_of_ours() -> None:
    flow = Flow()
    (request,) = flow.next()
    for other in (answer(binding_request(bytes(12))), request, b"garbage", b""):
        flow.keep.received(other, flow.now)
    assert flow.keep.failed == ""
    assert flow.next() == [request]
