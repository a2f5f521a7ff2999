"""The real pcscd with vpcd's virtual readers, on a socket of its own.

pcscd listens on a fixed path, one a machine, unless it is handed a listening
socket as systemd does it (sd_listen_fds). This harness hands it one, so that a
pcscd which runs already is left in peace, several test runs can go at once and
no root is needed. Clients find the socket through PCSCLITE_CSOCK_NAME.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from interop.program import Program, free_port, required, wait_until

RUN_DIRECTORY = Path("/run/pcscd")
VPCD_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
SLOTS = 2  # Debian's vpcd: one TCP port a slot, counted up from the first

# Child: put the listening socket at descriptor 3 and become pcscd (sd_listen_fds(3)).
LAUNCH = """
import os, sys
listener = int(sys.argv[1])
if listener != 3:
    os.dup2(listener, 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""

# A question any PC/SC client asks; a process of its own, since libpcsclite keeps state.
LIST_READERS = """
from smartcard.scard import *
result, context = SCardEstablishContext(SCARD_SCOPE_SYSTEM)
assert result == SCARD_S_SUCCESS, SCardGetErrorMessage(result)
result, readers = SCardListReaders(context, [])
states = [(reader, SCARD_STATE_UNAWARE) for reader in readers]
for name, state, atr in SCardGetStatusChange(context, 0, states)[1] if states else []:
    print(name, bool(state & SCARD_STATE_PRESENT), sep="\\t")
"""


class Pcscd:
    """One pcscd. ``ports`` are vpcd's TCP ports, ``readers`` their readers' names, in order."""

    def __init__(self, directory: Path) -> None:
        self.binary = required("pcscd", "pcscd")
        if not VPCD_DRIVER.exists():
            pytest.skip("the virtual reader is not installed (Debian package vsmartcard-vpcd)")
        if importlib.util.find_spec("smartcard") is None:
            pytest.skip("pyscard is not installed (extra pcsc)")
        if os.geteuid() != 0 and not RUN_DIRECTORY.is_dir():
            pytest.skip(f"{RUN_DIRECTORY} does not exist and pcscd needs root to make it")
        first = free_port(SLOTS)
        self.directory = directory
        self.socket_path = directory / "pcscd.comm"
        self.ports = tuple(range(first, first + SLOTS))
        self.readers = tuple(f"sipua test 00 {slot:02X}" for slot in range(SLOTS))
        self._program: Program | None = None
        configuration = directory / "reader.conf.d"
        configuration.mkdir()
        (configuration / "vpcd").write_text(
            'FRIENDLYNAME "sipua test"\n'
            f"DEVICENAME /dev/null:0x{first:04X}\n"
            f"LIBPATH {VPCD_DRIVER}\n"
            f"CHANNELID 0x{first:04X}\n"
        )

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a PC/SC client that shall find this pcscd."""
        return {**os.environ, "PCSCLITE_CSOCK_NAME": str(self.socket_path)}

    @property
    def running(self) -> bool:
        return self._program is not None and self._program.running

    @property
    def log(self) -> str:
        return self._program.log if self._program else ""

    def start(self) -> None:
        """Start pcscd and return when it lists its readers."""
        RUN_DIRECTORY.mkdir(exist_ok=True)
        self.socket_path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.socket_path))
            listener.listen(16)
            argv = [self.binary, "-f", "-c", str(self.directory / "reader.conf.d"), "--info"]
            self._program = Program(
                [sys.executable, "-c", LAUNCH, str(listener.fileno()), *argv],
                self.directory / "pcscd.log",
                pass_fds=[listener.fileno()],
            )
        self._program.wait_ready(lambda: tuple(self.slots()) == self.readers)

    def stop(self) -> None:
        """Stop pcscd; its clients then find no service."""
        self.socket_path.unlink(missing_ok=True)
        if self._program is not None:
            self._program.stop()

    def slots(self) -> dict[str, bool]:
        """Ask pcscd for its readers: name to "holds a card"; empty when it does not answer."""
        answer = subprocess.run(
            [sys.executable, "-c", LIST_READERS],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        rows = (line.split("\t") for line in answer.stdout.splitlines())
        return {name: present == "True" for name, present in rows}

    def wait_for_card(self, slot: int = 0, *, present: bool = True, seconds: float = 5) -> None:
        """Wait until pcscd has seen a card arrive at (or leave) a reader."""
        wait_until(
            lambda: self.slots().get(self.readers[slot]) is present,
            seconds,
            f"card {'in' if present else 'out of'} {self.readers[slot]}",
        )
