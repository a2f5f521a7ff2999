"""resolve() against a DNS server on loopback, and against the system's own resolver."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from net.dns_server import DnsServer
from sipua.errors import DnsFailure
from sipua.net import dns as sipua_dns
from sipua.net.dns import resolve
from sipua.net.locate import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.sip.hop import Hop

ROOT = Path(__file__).parents[2]
ZONE = """
ims.example. NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.ims.example.
ims.example. NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.other.example.
_sip._tcp.ims.example. SRV 10 0 5062 pcscf.ims.example.
_sip._udp.other.example. SRV 0 0 5063 pcscf.ims.example.
pcscf.ims.example. A 192.0.2.10
pcscf.ims.example. AAAA 2001:db8::10
plain.example. A 192.0.2.11
alias.example. CNAME plain.example.
nonaptr.example. A 192.0.2.12
_sip._udp.nonaptr.example. SRV 0 0 5064 plain.example.
empty.example. TXT "no address"
refused.example. A 192.0.2.13
_sip._udp.shared.example. SRV 20 100 5069 plain.example.
_sip._udp.shared.example. SRV 10 90 5061 plain.example.
_sip._udp.shared.example. SRV 10 10 5062 plain.example.
_sip._udp.shared.example. SRV 10 0 5063 plain.example.
"""


@pytest.fixture
def server() -> Iterator[DnsServer]:
    running = DnsServer(ZONE)
    yield running
    running.close()


def find(target: Target, server: DnsServer) -> list[str]:
    return [str(hop) for hop in resolve(target, random.Random(1), nameserver=server.at)]


def test_naptr_srv_and_addresses(server: DnsServer) -> None:
    assert find(Target("ims.example"), server) == [
        "tcp:[2001:db8::10]:5062",
        "tcp:192.0.2.10:5062",
        "udp:[2001:db8::10]:5063",
        "udp:192.0.2.10:5063",
    ]
    assert server.asked[0] == "NAPTR ims.example."


def test_srv_without_naptr(server: DnsServer) -> None:
    assert find(Target("nonaptr.example"), server) == ["udp:192.0.2.11:5064"]


def test_weights_share_the_load_within_a_priority(server: DnsServer) -> None:
    chance, target = random.Random(1), Target("shared.example", transport="UDP")
    orders = [
        [hop.port for hop in resolve(target, chance, nameserver=server.at)] for _ in range(50)
    ]
    assert all(sorted(order[:3]) == [5061, 5062, 5063] for order in orders)
    assert {order[3] for order in orders} == {5069}
    first = [order[0] for order in orders]
    assert 35 < first.count(5061) < 50
    assert first.count(5062) > first.count(5063)


def test_address_only(server: DnsServer) -> None:
    assert find(Target("plain.example"), server) == ["udp:192.0.2.11:5060"]


def test_port_asks_for_addresses_only(server: DnsServer) -> None:
    assert find(Target("alias.example", 5070, "TCP"), server) == ["tcp:192.0.2.11:5070"]
    assert server.asked == ["AAAA alias.example.", "A alias.example."]


def test_truncated_answers_are_asked_again_over_tcp(server: DnsServer) -> None:
    server.truncate = True
    assert find(Target("plain.example", 5060), server) == ["udp:192.0.2.11:5060"]
    assert "A plain.example. over TCP" in server.asked


def test_resolver_that_knows_no_naptr(server: DnsServer) -> None:
    """Many a home router answers NOTIMP or SERVFAIL; SRV and A still serve."""
    server.refuses = "NAPTR"
    assert find(Target("nonaptr.example"), server) == ["udp:192.0.2.11:5064"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("nosuch.example", "no such name"), ("empty.example", "A of empty.example: none")],
)
def test_no_address_names_what_was_asked(server: DnsServer, name: str, said: str) -> None:
    with pytest.raises(DnsFailure) as caught:
        find(Target(name), server)
    assert said in str(caught.value)
    assert "NAPTR of" in str(caught.value)
    assert "_sip._udp" in str(caught.value)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
def test_names_dns_cannot_hold(server: DnsServer, host: str) -> None:
    with pytest.raises(DnsFailure):
        find(Target(host), server)
    with pytest.raises(DnsFailure):
        resolve(Target(host, 5060), random.Random(1))


def test_silent_nameserver_costs_bounded_time(
    server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sipua_dns, "QUERY_TIME", 0.3)
    server.silent = True
    started = time.monotonic()
    with pytest.raises(DnsFailure, match=rf"NAPTR of ims\.example: no answer.*{server.at[1]}"):
        find(Target("ims.example"), server)
    assert time.monotonic() - started < 10.0


def test_names_of_this_machine_need_no_dns(server: DnsServer) -> None:
    for nameserver in (None, server.at):
        hops: list[Hop] = resolve(
            Target("localhost", 5070), random.Random(1), nameserver=nameserver
        )
        assert {hop.address for hop in hops} <= {"127.0.0.1", "::1"}
        assert {hop.port for hop in hops} == {5070}
    assert server.asked == []


def test_unknown_name_of_the_system() -> None:
    with pytest.raises(DnsFailure, match=r"A and AAAA of nosuch"):
        resolve(Target("nosuch", 5060), random.Random(1))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_dnspython_is_not_loaded_in_vain(host: str) -> None:
    program = (
        "import random, sys; from sipua.net.dns import resolve; "
        "from sipua.net.locate import Target; "
        f"print(resolve(Target({host!r}), random.Random(1))); "
        "assert 'dns' not in sys.modules and 'encodings.idna' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
