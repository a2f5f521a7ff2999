"""RFC 3263 over records in a dictionary: no network."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.errors import LocalError
from sipua.net.locate import (
    MAX_HOPS,
    MAX_SRV_RECORDS,
    Naptr,
    Query,
    Srv,
    Target,
    TargetError,
    by_weight,
    locate,
    parse_target,
)
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Records = dict[Query, Sequence[Naptr] | Sequence[Srv] | Sequence[str]]

# The records of RFC 3263 §4.1, with addresses.
EXAMPLE: Records = {
    Query("NAPTR", "example.com"): [
        Naptr(100, 50, "s", "SIP+D2U", "_sip._udp.example.com"),
        Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"),
        Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com"),
    ],
    Query("SRV", "_sips._tcp.example.com"): [Srv(0, 1, 5061, "tls.example.com")],
    Query("SRV", "_sip._tcp.example.com"): [
        Srv(1, 0, 5060, "server2.example.com"),
        Srv(0, 0, 5070, "server1.example.com"),
    ],
    Query("SRV", "_sip._udp.example.com"): [Srv(0, 0, 5060, "server1.example.com")],
    Query("ADDRESS", "tls.example.com"): ["192.0.2.3"],
    Query("ADDRESS", "server1.example.com"): ["2001:db8::1", "192.0.2.1"],
    Query("ADDRESS", "server2.example.com"): ["192.0.2.2"],
    Query("ADDRESS", "example.com"): ["192.0.2.9"],
}


class Resolution:
    """What locate() found, and what it asked for that."""

    def __init__(
        self, target: Target, records: Records, supported: Iterable[str] = ("UDP", "TCP", "TLS")
    ) -> None:
        search = locate(target, random.Random(1), supported)
        self.asked: list[Query] = []
        try:
            query = next(search)
            while True:
                self.asked.append(query)
                query = search.send(records.get(query, []))
        except StopIteration as done:
            self.hops: list[Hop] = done.value

    @property
    def texts(self) -> list[str]:
        return [str(hop) for hop in self.hops]


@pytest.mark.parametrize(
    ("target", "hop"),
    [
        (Target("192.0.2.1"), Hop("UDP", "192.0.2.1", 5060)),
        (Target("192.0.2.1", 5080), Hop("UDP", "192.0.2.1", 5080)),
        (Target("192.0.2.1", None, "TCP"), Hop("TCP", "192.0.2.1", 5060)),
        (Target("192.0.2.1", None, "TLS"), Hop("TLS", "192.0.2.1", 5061)),
        (Target("2001:db8::1"), Hop("UDP", "2001:db8::1", 5060)),
        (Target("2001:db8::1", 5070, "TCP"), Hop("TCP", "2001:db8::1", 5070)),
        (Target("192.0.2.1", sips=True), Hop("TLS", "192.0.2.1", 5061)),
        (Target("192.0.2.1", None, "TCP", sips=True), Hop("TLS", "192.0.2.1", 5061)),
        (Target("fe80::1%lo"), Hop("UDP", "fe80::1%lo", 5060)),
    ],
)
def test_numeric_addresses_ask_nothing(target: Target, hop: Hop) -> None:
    found = Resolution(target, {})
    assert found.hops == [hop]
    assert found.asked == []


def test_naptr_order_then_srv_priority() -> None:
    assert Resolution(Target("example.com"), EXAMPLE).texts == [
        "tls:192.0.2.3:5061",
        "tcp:[2001:db8::1]:5070",
        "tcp:192.0.2.1:5070",
        "tcp:192.0.2.2:5060",
        "udp:[2001:db8::1]:5060",
        "udp:192.0.2.1:5060",
    ]


def test_naptr_of_unsupported_transports_is_left_out() -> None:
    found = Resolution(Target("example.com"), EXAMPLE, supported=["UDP"])
    assert found.texts == ["udp:[2001:db8::1]:5060", "udp:192.0.2.1:5060"]
    assert Query("SRV", "_sip._tcp.example.com") not in found.asked


def test_naptr_preference_within_an_order() -> None:
    records: Records = dict(EXAMPLE)
    records[Query("NAPTR", "example.com")] = [
        Naptr(10, 20, "S", "sip+d2t", "_sip._tcp.example.com"),
        Naptr(10, 10, "s", "SIP+D2U", "_sip._udp.example.com"),
    ]
    assert Resolution(Target("example.com"), records).hops[0].transport == "UDP"


@pytest.mark.parametrize(
    "record",
    [
        Naptr(1, 1, "u", "SIP+D2U", "_sip._udp.example.com"),
        Naptr(1, 1, "s", "SIP+D2S", "_sip._sctp.example.com"),
        Naptr(1, 1, "s", "E2U+sip", "_sip._udp.example.com"),
        Naptr(1, 1, "", "", ""),
    ],
)
def test_naptr_of_other_applications_is_ignored(record: Naptr) -> None:
    records: Records = {**EXAMPLE, Query("NAPTR", "example.com"): [record]}
    found = Resolution(Target("example.com"), records)
    assert found.hops[0] == Hop("UDP", "2001:db8::1", 5060)


def test_sips_takes_tls_only() -> None:
    found = Resolution(Target("example.com", sips=True), EXAMPLE)
    assert found.texts == ["tls:192.0.2.3:5061"]


def test_sips_over_udp_cannot_be() -> None:
    assert Resolution(Target("192.0.2.1", None, "UDP", sips=True), EXAMPLE).hops == []


def test_transport_given_asks_srv_of_that_transport_only() -> None:
    found = Resolution(Target("example.com", None, "TCP"), EXAMPLE)
    assert {hop.transport for hop in found.hops} == {"TCP"}
    assert found.asked[0] == Query("SRV", "_sip._tcp.example.com")


def test_port_given_asks_addresses_only() -> None:
    found = Resolution(Target("example.com", 5099), EXAMPLE)
    assert found.texts == ["udp:192.0.2.9:5099"]
    assert found.asked == [Query("ADDRESS", "example.com")]


@pytest.mark.parametrize("host", ["localhost", "pcscf"])
def test_single_label_asks_addresses_only(host: str) -> None:
    assert Resolution(Target(host), {}).asked == [Query("ADDRESS", host)]


def test_without_naptr_srv_of_every_transport() -> None:
    records: Records = {key: EXAMPLE[key] for key in EXAMPLE if key.kind != "NAPTR"}
    found = Resolution(Target("example.com"), records)
    assert [hop.transport for hop in found.hops] == ["UDP", "UDP", "TCP", "TCP", "TCP", "TLS"]


def test_without_srv_the_address_of_the_domain() -> None:
    records: Records = {Query("ADDRESS", "example.com"): ["192.0.2.9", "2001:db8::9"]}
    assert Resolution(Target("example.com"), records).texts == [
        "udp:192.0.2.9:5060",
        "udp:[2001:db8::9]:5060",
    ]
    found = Resolution(Target("example.com", sips=True), records)
    assert [(hop.transport, hop.port) for hop in found.hops] == [("TLS", 5061)] * 2


def test_srv_that_says_no_service_is_not_replaced_by_the_address() -> None:
    records: Records = {
        Query("SRV", "_sip._udp.example.com"): [Srv(0, 0, 0, ".")],
        Query("ADDRESS", "example.com"): ["192.0.2.9"],
    }
    assert Resolution(Target("example.com"), records).hops == []


def test_nothing_at_all() -> None:
    found = Resolution(Target("example.com"), {})
    assert found.hops == []
    assert found.asked[-1] == Query("ADDRESS", "example.com")


@pytest.mark.parametrize("addresses", [0, 1, 1000])
def test_a_zone_of_thousands_is_cut(addresses: int) -> None:
    records: Records = {
        Query("NAPTR", "example.com"): [
            Naptr(each, 1, "s", "SIP+D2U", f"{each}.example.com") for each in range(1000)
        ],
        **{
            Query("SRV", f"{each}.example.com"): [Srv(1, 1, 5060, "a.example.com")] * 1000
            for each in range(1000)
        },
        Query("ADDRESS", "a.example.com"): ["192.0.2.1"] * addresses,
    }
    found = Resolution(Target("example.com"), records)
    assert len(found.hops) == min(MAX_HOPS, 64 * addresses)
    assert len(found.asked) < 70


def test_weights_share_the_load() -> None:
    heavy, light, idle = (
        Srv(1, 75, 1, "heavy"),
        Srv(1, 25, 1, "light"),
        Srv(2, 100, 1, "idle"),
    )
    chance = random.Random(7)
    firsts = Counter(by_weight([idle, light, heavy], chance)[0].target for _ in range(4000))
    assert 0.70 < firsts["heavy"] / 4000 < 0.80
    assert firsts["idle"] == 0


def test_weight_zero_is_seldom_first_but_always_there() -> None:
    zero, one = Srv(1, 0, 1, "zero"), Srv(1, 9, 1, "one")
    chance = random.Random(7)
    orders = [[each.target for each in by_weight([one, zero], chance)] for _ in range(2000)]
    assert all(sorted(order) == ["one", "zero"] for order in orders)
    assert 0.05 < sum(order[0] == "zero" for order in orders) / 2000 < 0.15


@given(
    st.lists(st.builds(Srv, st.integers(0, 3), st.integers(0, 65535), st.just(1), st.text("ab")))
)
def test_any_records_are_ordered_by_priority(records: list[Srv]) -> None:
    ordered = by_weight(records, random.Random(3))
    assert len(ordered) == min(len(records), MAX_SRV_RECORDS)
    assert not Counter(ordered) - Counter(records)
    priorities = sorted(each.priority for each in records)
    assert [each.priority for each in ordered] == priorities[:MAX_SRV_RECORDS]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("pcscf.example.org", Target("pcscf.example.org")),
        ("pcscf.example.org:5080", Target("pcscf.example.org", 5080)),
        ("udp:pcscf.example.org", Target("pcscf.example.org", None, "UDP")),
        ("TCP:192.0.2.1:5062", Target("192.0.2.1", 5062, "TCP")),
        ("tls:sip.example.org:5061", Target("sip.example.org", 5061, "TLS")),
        ("[2001:db8::1]", Target("2001:db8::1")),
        ("[2001:db8::1]:5060", Target("2001:db8::1", 5060)),
        ("udp:[::1]:5060", Target("::1", 5060, "UDP")),
        ("2001:db8::1", Target("2001:db8::1")),
        ("tls:2001:db8::1", Target("2001:db8::1", None, "TLS")),
        ("[fe80::1%eth0]:5060", Target("fe80::1%eth0", 5060)),
        ("localhost:5060", Target("localhost", 5060)),
        ("udp", Target("udp")),
        ("my_host-1.example.", Target("my_host-1.example.")),
        ("127.0.0.1", Target("127.0.0.1")),
    ],
)
def test_target_texts(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "udp:",
        ":5060",
        "host:",
        "host:0",
        "host:65536",
        "host:-1",
        "host:+1",
        "host:５０６０",
        "host:5060:1",
        "host:99999999999999999999",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[127.0.0.1]",
        "[]",
        "[host]:5060",
        "sctp:host",
        "sip:a@host",
        "a b",
        "a..b",
        "-a.example",
        "1.2.3",
        "256.1.1.1",
        "127.0.0.1%lo",
        "host\n",
        "hôst",
        "a" * 64,
        "a." * 130,
    ],
)
def test_texts_that_are_no_target(text: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(text)
    assert isinstance(caught.value, LocalError)
    assert len(str(caught.value)) > 20


@given(st.text())
def test_any_text_is_a_target_or_a_usage_fault(text: str) -> None:
    try:
        target = parse_target(text)
    except TargetError:
        return
    assert target.host
    assert target.port is None or 0 < target.port < 65536
