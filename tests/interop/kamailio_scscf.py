"""Debian's Kamailio as an IMS S-CSCF and registrar on one loopback port, UDP and TCP."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from interop.cx_hss import CxHss
from interop.program import Program, free_port, required

CONFIGURATION = Path(__file__).with_name("kamailio")
SHARED_MEMORY_MB, PRIVATE_MEMORY_MB = "64", "8"


class Kamailio:
    """Serves ``domain`` at 127.0.0.1:``port`` and asks ``hss`` for vectors and profiles."""

    def __init__(self, directory: Path, domain: str, hss: CxHss) -> None:
        self.domain = domain
        self.hss = hss
        self.port = free_port()
        self._binary = required("kamailio", "kamailio")
        self._directory = directory
        self._program: Program | None = None

    @property
    def log(self) -> str:
        return self._program.log if self._program else ""

    def start(self) -> None:
        """Start and return once OPTIONS is answered and the HSS has seen the S-CSCF's CER."""
        cdp_file = self._directory / "cdp.xml"
        template = (CONFIGURATION / "cdp.xml").read_text()
        cdp_file.write_text(
            template.format(domain=self.domain, hss_port=self.hss.port, cdp_port=free_port())
        )
        definitions = {
            "HOME_DOMAIN": self.domain,
            "HOME_DOMAIN_TEXT": f'"{self.domain}"',
            "SCSCF_URI": f'"sip:127.0.0.1:{self.port}"',
            "CDP_FILE": f'"{cdp_file}"',
        }
        argv = [self._binary, "-DD", "-E", "-f", str(CONFIGURATION / "kamailio.cfg")]
        argv += ["-m", SHARED_MEMORY_MB, "-M", PRIVATE_MEMORY_MB]
        argv += ["-Y", str(self._directory), "-w", str(self._directory)]
        argv += ["-P", str(self._directory / "kamailio.pid")]
        for transport in ("udp", "tcp"):
            argv += ["-l", f"{transport}:127.0.0.1:{self.port}"]
        for name, value in definitions.items():
            argv += ["-A", f"{name}={value}"]
        self._program = Program(argv, self._directory / "kamailio.log", cwd=self._directory)
        self._program.wait_ready(
            lambda: self.hss.connected() and answers_options(self.port), seconds=20
        )

    def stop(self) -> None:
        if self._program is not None:
            self._program.stop()


def answers_options(port: int) -> bool:
    """Whether a SIP element at this UDP port of loopback answers an OPTIONS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.5)
        probe.connect(("127.0.0.1", port))
        local = probe.getsockname()[1]
        request = (
            f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{local};branch=z9hG4bK-ready-{local}\r\n"
            f"From: <sip:ready@127.0.0.1>;tag={local}\r\n"
            f"To: <sip:127.0.0.1:{port}>\r\n"
            f"Call-ID: ready-{local}\r\n"
            "CSeq: 1 OPTIONS\r\n"
            "Max-Forwards: 10\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        try:
            probe.send(request.encode())
            return probe.recv(4096).startswith(b"SIP/2.0")
        except OSError:
            return False


def modules_missing() -> str:
    """The Debian packages whose modules are not there; empty when all are."""
    wanted = {"ims_auth.so": "kamailio-ims-modules", "presence.so": "kamailio-presence-modules"}
    absent = [package for name, package in wanted.items() if not _module(name)]
    return ", ".join(absent)


def _module(name: str) -> bool:
    return any(Path("/usr/lib").glob(f"*/kamailio/modules/{name}"))


def skip_without_modules() -> None:
    if missing := modules_missing():
        pytest.skip(f"Kamailio's modules are not installed (Debian packages {missing})")
