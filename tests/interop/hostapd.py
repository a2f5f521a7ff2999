"""hostapd as a RADIUS server that speaks EAP-SIM, EAP-AKA and EAP-AKA', without any radio."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from interop.eap_sim_db import EapSimDb
from interop.program import Program, free_port, required

SECRET = "radius"

# The first octet of a permanent identity names the method (RFC 4186 §4.2.1.6,
# RFC 4187 §4.1.1.6, RFC 9048 §3).
USERS = """\
"1"* SIM
"0"* AKA
"6"* AKA'
"""

CONFIGURATION = """\
driver=none
interface=lo
ctrl_interface={directory}
ieee8021x=1
eap_server=1
eap_user_file={directory}/users
eap_sim_db=unix:{vectors}
eap_sim_aka_result_ind=1
radius_server_clients={directory}/clients
radius_server_auth_port={port}
"""


class Hostapd:
    """One hostapd; RADIUS on loopback at ``port``, vectors from ``vectors``."""

    def __init__(self, directory: Path, vectors: EapSimDb) -> None:
        self.binary = required("hostapd", "hostapd")
        self.directory = directory
        self.vectors = vectors
        self.port = free_port()

    def start(self) -> None:
        (self.directory / "users").write_text(USERS)
        (self.directory / "clients").write_text(f"127.0.0.1 {SECRET}\n")
        configuration = self.directory / "hostapd.conf"
        configuration.write_text(
            CONFIGURATION.format(
                directory=self.directory, vectors=self.vectors.path, port=self.port
            )
        )
        self._program = Program([self.binary, str(configuration)], self.directory / "hostapd.log")
        self._program.wait_ready(lambda: "state=ENABLED" in self._status())

    def stop(self) -> None:
        self._program.stop()

    @property
    def log(self) -> str:
        return self._program.log

    def _status(self) -> str:
        """What hostapd's control socket answers to STATUS; empty when it does not."""
        asker = self.directory / "asker"
        asker.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as control:
            control.bind(str(asker))
            control.settimeout(1)
            with contextlib.suppress(OSError):
                control.connect(str(self.directory / "lo"))
                control.send(b"STATUS")
                return control.recv(4096).decode()
        return ""
