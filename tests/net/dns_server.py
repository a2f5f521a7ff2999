"""A DNS server on loopback for the tests; the messages are dnspython's."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


class DnsServer:
    """Answers from ``zone`` over UDP and TCP on one loopback port, from threads of its own.

    ``zone`` has a line ``NAME TYPE DATA`` a record. ``asked`` is what was asked, in
    order. ``silent`` leaves questions over UDP unanswered, ``truncate`` answers them
    by an empty message with TC set (RFC 2181 §9), ``refuses`` is a type of record
    that is not implemented.
    """

    def __init__(self, zone: str) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.at: tuple[str, int] = self._tcp.getsockname()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(self.at)
        self.asked: list[str] = []
        self.silent = False
        self.truncate = False
        self.refuses = ""
        self._records: dict[tuple[dns.name.Name, int], dns.rrset.RRset] = {}
        for line in zone.strip().splitlines():
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

    def __enter__(self) -> DnsServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
