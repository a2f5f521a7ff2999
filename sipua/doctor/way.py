"""The way to the P-CSCF: route, path MTU, each transport, and whether it answers OPTIONS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from sipua.doctor.finding import FAILED, OK, WARNING, Finding
from sipua.errors import NetworkError
from sipua.net.address import path_mtu
from sipua.net.driver import Driver
from sipua.net.locate import DEFAULT_PORT
from sipua.sip.endpoint import Endpoint, ResponseReceived, TransactionTimeout, TransportFailed
from sipua.sip.grammar import format_host
from sipua.sip.message import Request

if TYPE_CHECKING:
    from random import Random

    from sipua.net.network import Network
    from sipua.sip.hop import Hop
    from sipua.sip.message import Response

AREA = "network"
PATIENCE = 4.0
"""Seconds for an answer; on UDP that is three transmissions."""

UDP_LIMIT = 1300
MTU_NEEDED = UDP_LIMIT + 200
"""RFC 3261 §18.1.1: a request within 200 octets of the MTU goes by TCP."""

MAX_SKEW = 300.0  # seconds


def examine(hops: list[Hop], network: Network, rng: Random) -> Iterator[Finding]:
    """The first hop by every transport, the others by their own."""
    answered = False
    for number, hop in enumerate(hops):
        try:
            address, _ = (
                network.local_address(hop)
                if hop.transport == "UDP"
                else (
                    network.source(hop),
                    0,
                )
            )
            yield Finding(AREA, f"route to {hop}", OK, f"from {address}")
        except NetworkError as error:
            yield Finding(
                AREA,
                f"route to {hop}",
                FAILED,
                _without(hop, error),
                "See ip route, --bind and --interface.",
            )
            continue
        if number == 0:
            yield _mtu(hop)
        for way in (hop, *(_others(hop) if number == 0 else ())):
            for finding in _ask(way, network, rng, is_own=way == hop):
                answered = answered or finding.state == OK
                yield finding
    if hops and not answered:
        yield Finding(
            AREA,
            "P-CSCF",
            FAILED,
            "none answers",
            "Check address and port, and the firewalls on the way; some P-CSCFs answer nothing "
            "but REGISTER.",
        )


def _others(hop: Hop) -> list[Hop]:
    """The same address by the transports that it was not found by."""
    has_own = hop.transport == "TLS"  # a port of its own, which the others do not share
    return [
        hop._replace(
            transport=transport,
            port=DEFAULT_PORT[transport] if has_own or transport == "TLS" else hop.port,
        )
        for transport in DEFAULT_PORT
        if transport != hop.transport
    ]


def _mtu(hop: Hop) -> Finding:
    mtu = path_mtu(hop)
    if mtu is None:
        return Finding(AREA, "path MTU", WARNING, "the system does not tell it")
    if mtu < MTU_NEEDED:
        return Finding(
            AREA,
            "path MTU",
            WARNING,
            f"{mtu} octets",
            "Requests of 1300 octets may not get through by UDP: use tcp.",
        )
    return Finding(AREA, "path MTU", OK, f"{mtu} octets")


def _ask(hop: Hop, network: Network, rng: Random, *, is_own: bool) -> Iterator[Finding]:
    subject = f"OPTIONS by {hop}"
    begun = time.monotonic()
    try:
        response = options(hop, network, rng)
    except (NetworkError, TimeoutError) as error:
        is_silent = isinstance(error, TimeoutError)
        told = f"no answer within {PATIENCE:g} s" if is_silent else _without(hop, error)
        state = FAILED if is_own and not is_silent else WARNING
        remedy = "It may still answer REGISTER; or a firewall drops it." if is_silent else ""
        yield Finding(AREA, subject, state, told, remedy)
        return
    ms = (time.monotonic() - begun) * 1000
    yield Finding(AREA, subject, OK, f"{response.status} {response.reason} in {ms:.0f} ms")
    date = response.headers.get("Date")
    if date:
        yield _skew(date)


def _without(hop: Hop, error: Exception) -> str:
    """What is told of a hop, without naming it again."""
    return str(error).removeprefix(f"{hop}: ")


def _skew(date: str) -> Finding:
    try:
        skew = parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return Finding(AREA, "clocks", WARNING, f"its Date cannot be read: {date[:40]!r}")
    if abs(skew) > MAX_SKEW:
        ahead = "ahead of" if skew > 0 else "behind"
        return Finding(
            AREA,
            "clocks",
            WARNING,
            f"the network's is {abs(skew):.0f} s {ahead} ours",
            "Set the clock that is wrong: certificates depend on it.",
        )
    return Finding(AREA, "clocks", OK, f"{abs(skew):.0f} s apart")


def options(hop: Hop, network: Network, rng: Random) -> Response:
    """Ask the element itself what it can do (RFC 3261 §11).

    Raises NetworkError, and TimeoutError when it does not answer in time.
    """
    driver = Driver(network, Endpoint(rng))
    sent_by = network.local_address(hop)
    us = f"sip:{format_host(sent_by[0])}:{sent_by[1]}"
    transport = "" if hop.transport == "UDP" else f";transport={hop.transport.lower()}"
    uri = f"sip:{format_host(hop.address)}:{hop.port}{transport}"
    request = Request(
        "OPTIONS",
        uri,
        [
            ("Max-Forwards", "70"),
            ("From", f"<{us}>;tag={rng.getrandbits(64):016x}"),
            ("To", f"<{uri}>"),
            ("Call-ID", f"{rng.getrandbits(128):032x}"),
            ("CSeq", "1 OPTIONS"),
            ("Accept", "application/sdp"),
        ],
        b"",
    )
    end = driver.clock() + PATIENCE
    driver.endpoint.send_request(request, hop, sent_by, driver.clock())
    while (left := end - driver.clock()) > 0:
        driver.turn(left)
        for event in driver.endpoint.take_events():
            if isinstance(event, ResponseReceived) and event.response.status >= 200:
                return event.response
            if isinstance(event, TransportFailed):
                raise event.error
            if isinstance(event, TransactionTimeout):
                raise TimeoutError
    raise TimeoutError
