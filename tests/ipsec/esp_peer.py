"""Run inside a namespace: an engine, and plain sockets that use it. Told what to do in JSON.

Arguments: IP version, "ue" or "pcscf", and the names of the suite's algorithms.
"""

from __future__ import annotations

import selectors
import socket
import sys
import threading
import time
from typing import Any

from associations_of import CK, IK
from namespaces import ADDRESSES
from obeying import obey

from sipua.ipsec.association import AssociationSet, Side
from sipua.ipsec.keys import expand
from sipua.ipsec.suite import SUITES
from sipua.ipsec.userspace import UserSpaceEngine

PATIENCE = 20.0


class Peer:
    def __init__(self, version: int, role: str, alg: str, ealg: str) -> None:
        suite = SUITES[alg, ealg]
        ue = Side(ADDRESSES[version][0], 5062, 5064, 0x1001, 0x1002)
        pcscf = Side(ADDRESSES[version][1], 6062, 6064, 0x2001, 0x2002)
        self.ours, self.theirs = (ue, pcscf) if role == "ue" else (pcscf, ue)
        self.family = socket.AF_INET6 if version == 6 else socket.AF_INET
        self.associations = AssociationSet(self.ours, self.theirs, suite, expand(suite, CK, IK))
        self.engine = UserSpaceEngine(self.ours.address)
        self.udp = {
            port: self.socket(socket.SOCK_DGRAM, port)
            for port in (self.ours.port_c, self.ours.port_s)
        }
        self.listener = self.socket(socket.SOCK_STREAM, self.ours.port_s)
        self.listener.listen()
        threading.Thread(target=self.pump, daemon=True).start()

    def socket(self, kind: int, port: int) -> socket.socket:
        made = socket.socket(self.family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        assert self.engine.interface is not None
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.engine.interface.encode())
        made.bind((self.ours.address, port))
        made.settimeout(PATIENCE)
        return made

    def pump(self) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor, ready in self.engine.descriptors:
                selector.register(descriptor, selectors.EVENT_READ, ready)
            while True:
                for key, mask in selector.select():
                    key.data(mask)

    def install(self) -> str:
        self.engine.install(self.associations)
        return self.interface()

    def remove(self) -> bool:
        self.engine.remove(self.associations)
        return True

    def close(self) -> bool:
        self.engine.close()
        return True

    def interface(self) -> str:
        return self.engine.interface or ""

    def strict_reverse_path(self, value: int) -> bool:
        with open("/proc/sys/net/ipv4/conf/all/rp_filter", "w") as file:
            file.write(str(value))
        return True

    def wait_for(self, name: str, least: int) -> bool:
        """Until a counter has come so far."""
        end = time.monotonic() + PATIENCE
        while self.engine.counters()[name] < least and time.monotonic() < end:
            time.sleep(0.01)
        return self.engine.counters()[name] >= least

    def counters(self) -> dict[str, int]:
        return {name: count for name, count in self.engine.counters().items() if count}

    def send_udp(self, size: int) -> int:
        """From the client port to the peer's server port, as every UDP message goes."""
        return self.udp[self.ours.port_c].sendto(
            b"u" * size, (self.theirs.address, self.theirs.port_s)
        )

    def send_plain(self, size: int) -> int:
        """To the peer's protected port, but around the engine: what an attacker does."""
        with socket.socket(self.family, socket.SOCK_DGRAM) as plain:
            return plain.sendto(b"p" * size, (self.theirs.address, self.theirs.port_s))

    def receive_udp(self, patience: float = PATIENCE) -> Any:
        server = self.udp[self.ours.port_s]
        server.settimeout(patience)
        try:
            data, source = server.recvfrom(65535)
        except TimeoutError:
            return None
        return len(data), source[:2]

    def send_tcp(self, size: int) -> int:
        """One connection from the client port: send so much, and count what comes back."""
        with self.socket(socket.SOCK_STREAM, self.ours.port_c) as connection:
            connection.connect((self.theirs.address, self.theirs.port_s))
            sender = threading.Thread(target=connection.sendall, args=(b"t" * size,))
            sender.start()
            came = 0
            while came < size:
                data = connection.recv(65535)
                if not data:
                    break
                came += len(data)
            sender.join()
        return came

    def echo_tcp(self, size: int) -> Any:
        connection, source = self.listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            came = 0
            while came < size:
                data = connection.recv(65535)
                if not data:
                    break
                came += len(data)
                connection.sendall(data)
        return came, source[:2]


def main() -> None:
    version, role, alg, ealg = sys.argv[1:]
    peer = Peer(int(version), role, alg, ealg)
    obey(peer)
    peer.close()


if __name__ == "__main__":
    main()
