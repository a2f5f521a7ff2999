"""The PC/SC service, its readers and what is in them. No card is touched."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from card.errors import CardError
from card.readers.locate import list_readers
from sipua.doctor.finding import FAILED, OK, WARNING, Finding

AREA = "readers"


def examine() -> Iterator[Finding]:
    """From the service up to the cards in the readers."""
    try:
        readers = list_readers()
    except CardError as error:
        yield Finding(AREA, "PC/SC service", FAILED, str(error), _remedy(str(error)))
        return
    yield Finding(AREA, "PC/SC service", OK, _version() or "answers")
    if not readers:
        yield Finding(
            AREA,
            "readers",
            FAILED,
            "there is none",
            "Plug one in; lsusb shows whether the system sees it, and Debian's libccid drives "
            "most of them.",
        )
    for number, reader in enumerate(readers):
        if reader.present:
            yield Finding(AREA, f"pcsc:{number}", OK, f"{reader.name}, with a card")
        else:
            yield Finding(AREA, f"pcsc:{number}", WARNING, f"{reader.name}, empty")


def _remedy(told: str) -> str:
    if "pyscard" in told:
        return "pip install 'sipua-usim[pcsc]' (it compiles: gcc, python3-dev, libpcsclite-dev)."
    if "polkit" in told:
        return "Allow this user org.debian.pcsc-lite.access_pcsc in polkit, or run as root."
    if "same version" in told:
        return "Use pcscd and libpcsclite of one version; in a container share pcscd's socket."
    return "Install and start pcscd: apt install pcscd, then systemctl start pcscd."


def _version() -> str:
    """What pcscd says of itself, empty when it cannot be asked."""
    try:
        told = subprocess.run(
            ["pcscd", "--version"],  # noqa: S607  wherever it is installed
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.partition("\n")[0].strip().rstrip(".")
