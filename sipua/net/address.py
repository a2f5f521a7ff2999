"""Numeric addresses: which family, which source the kernel would take, what an errno means."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import TYPE_CHECKING

from sipua.errors import LocalError, Unreachable

if TYPE_CHECKING:
    from sipua.sip.hop import Hop

_IP_MTU, _IPV6_MTU = 14, 24  # Linux, <linux/in.h> and <linux/in6.h>
WILDCARDS = {"0.0.0.0", "::"}  # noqa: S104 - compared with, never a default
DISCARD_PORT = 9  # any port does for asking the routing table; nothing is sent

HINTS = {
    errno.ECONNREFUSED: "nothing listens there; check address, port and transport",
    errno.ECONNRESET: "the peer broke the connection off",
    errno.EPIPE: "the peer has closed the connection",
    errno.ETIMEDOUT: "nothing answered; check the address and the firewalls on the way",
    errno.ENETUNREACH: "this machine has no route there; check the address and the network",
    errno.EHOSTUNREACH: "no machine answers at that address",
    errno.EADDRNOTAVAIL: "the local address is not on this machine; check --bind",
    errno.EMSGSIZE: "the message does not fit in one datagram; use TCP",
    errno.EACCES: "the system forbids it; check address and firewall",
    errno.EPERM: "a firewall of this machine forbids it",
    errno.EMFILE: "this process has too many open files; raise its limit (ulimit -n)",
}

CAUSES = {
    errno.ECONNREFUSED: "refused",
    errno.ENETUNREACH: "no-route",
    errno.EHOSTUNREACH: "no-route",
    errno.EADDRNOTAVAIL: "no-route",
}


def is_numeric(address: str) -> bool:
    """Whether this is an IPv4 address, or an IPv6 address without brackets (a %zone may follow)."""
    host, _, zone = address.partition("%")
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):
        return False
    return ":" in host or not zone


def family(address: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6 of a numeric address; raises Unreachable for a host name.

    A host name here would have the kernel's resolver block the loop.
    """
    if not is_numeric(address):
        raise Unreachable(f"{address!r} is not a numeric address; resolve names before sending")
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def check_port(hop: Hop) -> None:
    """Raise Unreachable if the port of ``hop`` cannot be one."""
    if not 0 < hop.port < 65536:
        raise Unreachable(f"{hop}: there is no such port; ports are 1 to 65535")


def new_socket(
    kind: socket.SocketKind, of: socket.AddressFamily, interface: str | None
) -> socket.socket:
    """Make a non-blocking socket, tied to ``interface`` when one is named.

    Raises LocalError if the interface cannot be had, Unreachable if no socket can.
    """
    try:
        made = socket.socket(of, kind)
    except OSError as error:
        hint = HINTS.get(error.errno or 0, str(error))
        raise Unreachable(f"the system gives no socket: {hint}") from None
    made.setblocking(False)
    if of == socket.AF_INET6:
        # Each family has its own sockets, so no address is ever ::ffff:192.0.2.1.
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if interface is not None:
        try:
            tie(made, interface)
        except LocalError:
            made.close()
            raise
    return made


def tie(to_tie: socket.socket, interface: str) -> None:
    """Have a socket send and receive by ``interface`` alone; raises LocalError."""
    if sys.platform != "linux":
        raise LocalError(f"cannot bind to interface {interface}: only Linux can; use --bind")
    try:
        to_tie.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    except OSError as error:
        hint = {
            errno.ENODEV: "there is no such interface; `ip link` lists them",
            errno.EPERM: "that needs the capability CAP_NET_RAW; use --bind ADDRESS instead",
        }.get(error.errno or 0, os.strerror(error.errno or 0))
        raise LocalError(f"cannot bind to interface {interface}: {hint}") from None


def bind(to_bind: socket.socket, transport: str, address: str, port: int) -> None:
    """Give a socket its local address; raises LocalError with what to do about it."""
    try:
        to_bind.bind((address, port))
    except (OSError, OverflowError) as error:
        to_bind.close()
        number = error.errno if isinstance(error, OSError) else None
        hint = {
            errno.EADDRINUSE: "another program has it; choose another port, or 0 for any",
            errno.EADDRNOTAVAIL: "this machine does not have that address",
            errno.EACCES: "ports below 1024 need a privilege; choose a higher one",
        }.get(number or 0, str(error))
        host = f"[{address}]" if ":" in address else address
        raise LocalError(f"cannot open {transport.lower()}:{host}:{port}: {hint}") from None


def source_address(hop: Hop, interface: str | None) -> str:
    """Return our address that the kernel would send from; raises Unreachable without a route."""
    probe = new_socket(socket.SOCK_DGRAM, family(hop.address), interface)
    with probe:
        try:
            probe.connect((hop.address, DISCARD_PORT))
        except OSError as error:
            raise unreachable(hop, error) from None
        return numeric_host(probe.getsockname())


def numeric_host(name: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """Return the address of a socket name; a link-local one keeps its zone, or is of no use."""
    if len(name) == 4 and name[3] and "%" not in name[0]:
        return f"{name[0]}%{name[3]}"
    return name[0]


def unreachable(hop: Hop, error: OSError) -> Unreachable:
    """Make the sentence for a system call that failed on the way to ``hop``."""
    number = error.errno or 0
    what = os.strerror(number).lower() if number > 0 else str(error)
    hint = HINTS.get(number)
    said = f"{hop}: {what}; {hint}" if hint else f"{hop}: {what}"
    return Unreachable(said, CAUSES.get(number, ""))


def packed(address: str) -> bytes:
    """Return the 4 or 16 octets of a numeric address, so that spellings compare equal."""
    host = address.partition("%")[0]
    return socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)


def path_mtu(hop: Hop) -> int | None:
    """Octets of an IP packet on the way to ``hop``, as far as the system knows; None if it
    does not tell. Nothing is sent.
    """
    probe = new_socket(socket.SOCK_DGRAM, family(hop.address), None)
    with probe:
        try:
            probe.connect((hop.address, DISCARD_PORT))
            if probe.family == socket.AF_INET6:
                return probe.getsockopt(socket.IPPROTO_IPV6, _IPV6_MTU)
            return probe.getsockopt(socket.IPPROTO_IP, _IP_MTU)
        except OSError:
            return None
