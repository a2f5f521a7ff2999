"""Debian's Kamailio as P-CSCF, I-CSCF and S-CSCF: three processes on loopback, UDP and TCP."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from interop.cx_hss import CxHss
from interop.kamailio_scscf import PRIVATE_MEMORY_MB, SHARED_MEMORY_MB, answers_options
from interop.program import Program, free_port, required

CONFIGURATION = Path(__file__).with_name("kamailio_chain")
START_SECONDS = 40
PERMANENT_TERMINATION = 0  # Deregistration-Reason, TS 29.229 §6.3.17

# What db_text wants: the columns in the first line, a row in each other one.
TABLES = {
    "version": (
        "id(int,auto) table_name(string) table_version(int)",
        "1:s_cscf:6",
        "2:s_cscf_capabilities:6",
        "3:nds_trusted_domains:5",
    ),
    "s_cscf": ("id(int) name(string) s_cscf_uri(string)", "1:scscf:{scscf}"),
    "s_cscf_capabilities": ("id(int) id_s_cscf(int) capability(int)", "1:1:0"),
    "nds_trusted_domains": ("id(int) trusted_domain(string)", "1:{domain}"),
}


class Cscf:
    """One Kamailio process with ``name``.cfg, at 127.0.0.1:``port``."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.port = free_port()
        self.directory = directory / name
        self.directory.mkdir()
        self._program: Program | None = None

    @property
    def uri(self) -> str:
        return f"sip:127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._program.log if self._program else ""

    def launch(self, definitions: Mapping[str, str]) -> None:
        """Start it, without waiting."""
        argv = [*_without_net_admin(), required("kamailio", "kamailio")]
        argv += ["-DD", "-E", "-f", str(CONFIGURATION / f"{self.name}.cfg")]
        argv += ["-m", SHARED_MEMORY_MB, "-M", PRIVATE_MEMORY_MB]
        argv += ["-Y", str(self.directory), "-w", str(self.directory)]
        argv += ["-P", str(self.directory / "kamailio.pid")]
        for transport in ("udp", "tcp"):
            argv += ["-l", f"{transport}:127.0.0.1:{self.port}"]
        for name, value in definitions.items():
            argv += ["-A", f"{name}={value}"]
        self._program = Program(argv, self.directory / "kamailio.log", cwd=self.directory)

    def wait_ready(self) -> None:
        assert self._program is not None
        self._program.wait_ready(lambda: answers_options(self.port), START_SECONDS)

    def stop(self) -> None:
        if self._program is not None:
            self._program.stop()


class Chain:
    """Serves ``domain``; terminals talk to ``pcscf``. I-CSCF and S-CSCF ask ``hss``."""

    def __init__(self, directory: Path, domain: str, hss: CxHss) -> None:
        self.domain = domain
        self.hss = hss
        self._directory = directory
        self.pcscf = Cscf("pcscf", directory)
        self.icscf = Cscf("icscf", directory)
        self.scscf = Cscf("scscf", directory)
        self._elements = (self.pcscf, self.icscf, self.scscf)

    @property
    def log(self) -> str:
        return "".join(f"--- {each.name}\n{each.log}" for each in self._elements)

    def start(self) -> None:
        """Start and return once all three answer OPTIONS and the HSS has seen both CERs."""
        definitions = {
            "HOME_DOMAIN": self.domain,
            "HOME_DOMAIN_TEXT": f'"{self.domain}"',
            "PATH_URI": f"sip:term@127.0.0.1:{self.pcscf.port};lr",
            "PCSCF_URI": f'"{self.pcscf.uri}"',
            "ICSCF_URI": f'"{self.icscf.uri}"',
            "SCSCF_URI": f'"{self.scscf.uri}"',
            "DATABASE": f'"text://{self._write_tables()}"',
        }
        for each in self._elements:
            each.launch(definitions | {"CDP_FILE": f'"{self._write_cdp(each)}"'})
        for each in self._elements:
            each.wait_ready()
        program = self.scscf._program
        assert program is not None
        program.wait_ready(lambda: self.hss.connected(peers=2), START_SECONDS)

    def stop(self) -> None:
        for each in self._elements:
            each.stop()

    def terminate(self, impi: str) -> None:
        """Have the HSS end a registration for good."""
        self.hss.terminate(impi, f"{self.scscf.name}.{self.domain}", PERMANENT_TERMINATION)

    def _write_cdp(self, element: Cscf) -> Path:
        template = (CONFIGURATION / "cdp.xml").read_text()
        path = element.directory / "cdp.xml"
        path.write_text(
            template.format(
                name=element.name,
                domain=self.domain,
                hss_port=self.hss.port,
                cdp_port=free_port(),
            )
        )
        return path

    def _write_tables(self) -> Path:
        folder = self._directory / "tables"
        folder.mkdir()
        for name, lines in TABLES.items():
            # A colon would end the field.
            uri = self.scscf.uri.replace(":", "\\:")
            text = "\n".join(lines).format(scscf=uri, domain=self.domain)
            (folder / name).write_text(f"{text}\n")
        return folder


def _without_net_admin() -> list[str]:
    """The P-CSCF's modules clear the kernel's security associations where they may: not ours."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return []
    if setpriv is None:
        pytest.skip("setpriv is not installed (Debian package util-linux)")
    return [setpriv, "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
