"""A TUN device of our own: packets of the sockets bound to it come to us (Linux)."""

from __future__ import annotations

import errno
import os
import struct
from contextlib import suppress

from sipua.ipsec import ip_command
from sipua.ipsec.errors import EngineError, MissingCapability

CLONE_DEVICE = "/dev/net/tun"
NAME_PATTERN = b"sipua%d"
PROTOCOL = 83  # marks our rules: who added them (rtm_protocol, free for use by anybody)
FIRST_TABLE = 0x5349_0000  # the interface's index is added
MTU = 65000
"""Larger than any datagram: ESP is put around whole packets, and only then are they cut
(RFC 4303 §3.3.4)."""
SEGMENT = 1200
"""What TCP is told to send us at most, so that with ESP around it nothing need be cut."""
DUMMY_ADDRESS = "192.0.0.8/32"
"""What RFC 7600 §4.8 sets aside: a device without any address fails every check of the way
back (RFC 3704) where those are on."""

_IPV6 = "/proc/sys/net/ipv6"  # not there: a kernel without
_TUNSETIFF = 0x400454CA
_IFF_TUN_NO_PI = 0x1001
_REQUEST = struct.Struct("16sH22x")


class Tun:
    """The device ``name``, up, with its own routing table for sockets bound to it.

    It and its routes vanish with the process; the rule which leads to the table
    does not, so the next start removes what it finds without a device.
    """

    def __init__(self, family: int) -> None:
        """For this IP version; raises MissingCapability or EngineError."""
        self._family = family
        remove_leftovers(family)
        self.fileno, self.name = _open()
        try:
            with open(f"/sys/class/net/{self.name}/ifindex") as file:
                self.table = FIRST_TABLE + int(file.read())
            ip_command.run(self._batch(), family)
            _loosen(self.name)
        except (EngineError, OSError) as error:
            self.close()
            if isinstance(error, OSError):
                raise EngineError(f"{self.name} cannot be set up: {error}") from None
            raise

    def _batch(self) -> str:
        return (
            f"link set dev {self.name} addrgenmode none\n" * os.path.exists(_IPV6)
            + f"link set dev {self.name} mtu {MTU} up\n"
            + (f"addr add {DUMMY_ADDRESS} dev {self.name} scope link\n" * (self._family == 4))
            + f"route add default dev {self.name} table {self.table} advmss {SEGMENT}\n"
            f"rule add oif {self.name} lookup {self.table} protocol {PROTOCOL}\n"
        )

    def read(self) -> bytes:
        """The next packet of ours; b"" when none waits."""
        try:
            return os.read(self.fileno, MTU + 100)
        except OSError:  # none waits, or the device is gone
            return b""

    def write(self, packet: bytes) -> bool:
        """Hand a packet to the sockets here; False when the kernel does not take it."""
        try:
            os.write(self.fileno, packet)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Take the device, its table and its rules away."""
        if self.fileno < 0:
            return
        os.close(self.fileno)
        self.fileno = -1
        with suppress(EngineError):
            remove_leftovers(self._family)


def remove_leftovers(family: int) -> int:
    """Remove rules of ours whose device is gone; return how many. Raises an EngineError."""
    lines = [
        f"rule del pref {rule['priority']} oif {rule['oif']} lookup {rule['table']}\n"
        for rule in ip_command.show_json(f"-{family}", "rule", "show")
        if str(rule.get("protocol")) == str(PROTOCOL) and "oif_detached" in rule
    ]
    if lines:
        ip_command.run("".join(lines), family, force=True)  # another start may be as fast
    return len(lines)


def _open() -> tuple[int, str]:
    import fcntl

    try:
        descriptor = os.open(CLONE_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MissingCapability(
            CLONE_DEVICE, "the kernel has no TUN devices (CONFIG_TUN; module tun)"
        ) from None
    except OSError as error:
        raise MissingCapability(CLONE_DEVICE, f"cannot be opened: {error.strerror}") from None
    try:
        answer = fcntl.ioctl(descriptor, _TUNSETIFF, _REQUEST.pack(NAME_PATTERN, _IFF_TUN_NO_PI))
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EPERM, errno.EACCES):
            raise MissingCapability(
                "CAP_NET_ADMIN", "run as root, or give the program CAP_NET_ADMIN"
            ) from None
        raise EngineError(f"a TUN device cannot be made: {error.strerror}") from None
    return descriptor, answer[:16].rstrip(b"\0").decode()


def _loosen(name: str) -> None:
    """Let what we opened come from this device: some route back is enough (RFC 3704 §2.4)."""
    with suppress(OSError), open(f"/proc/sys/net/ipv4/conf/{name}/rp_filter", "w") as file:
        file.write("2")
