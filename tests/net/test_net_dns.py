"""resolve() against a DNS server on loopback, and against the system's own resolver."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

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
"""


class DnsServer:
    """Answers from ZONE over UDP and TCP on one loopback port, from threads of its own."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.at: tuple[str, int] = self._tcp.getsockname()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(self.at)
        self.asked: list[str] = []
        self.silent = False
        self.truncate = False
        self.refuses = ""
        self._records: dict[tuple[dns.name.Name, int], dns.rrset.RRset] = {}
        for line in ZONE.strip().splitlines():
            name, kind, data = line.split(" ", 2)
            found = dns.rrset.from_text(name, 60, "IN", kind, data)
            key = (found.name, int(found.rdtype))
            if key in self._records:
                self._records[key].update(found)  # type: ignore[no-untyped-call]
            else:
                self._records[key] = found
        self._threads = [
            threading.Thread(target=each, daemon=True)
            for each in (self._serve_udp, self._serve_tcp)
        ]
        for thread in self._threads:
            thread.start()

    def _answer(self, wire: bytes, *, stream: bool) -> bytes:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{kind} {question.name}{' over TCP' if stream else ''}")
        answer = dns.message.make_response(query)
        if kind == self.refuses:
            answer.set_rcode(dns.rcode.NOTIMP)
            return answer.to_wire()
        if self.truncate and not stream:
            answer.flags |= dns.flags.TC
            return answer.to_wire()
        name = question.name
        alias = self._records.get((name, int(dns.rdatatype.CNAME)))
        if alias is not None:
            answer.answer.append(alias)
            name = next(iter(alias)).target
        found = self._records.get((name, int(question.rdtype)))
        if found is not None:
            answer.answer.append(found)
        elif all(known != name for known, _ in self._records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()

    def _serve_udp(self) -> None:
        with suppress(OSError):
            while True:
                wire, peer = self._udp.recvfrom(4096)
                if not wire:
                    return
                if not self.silent:
                    self._udp.sendto(self._answer(wire, stream=False), peer)

    def _serve_tcp(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._tcp.accept()
                with peer:
                    size = int.from_bytes(peer.recv(2, socket.MSG_WAITALL))
                    if not size:
                        return
                    wire = peer.recv(size, socket.MSG_WAITALL)
                    answer = self._answer(wire, stream=True)
                    peer.sendall(len(answer).to_bytes(2) + answer)

    def close(self) -> None:
        self._udp.sendto(b"", self.at)
        socket.create_connection(self.at).close()
        for thread in self._threads:
            thread.join(5)
        self._udp.close()
        self._tcp.close()


@pytest.fixture
def server() -> Iterator[DnsServer]:
    running = DnsServer()
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
    assert time.monotonic() - started < 2.0


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
