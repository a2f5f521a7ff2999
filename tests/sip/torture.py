"""The torture messages of RFC 4475 and RFC 5118, and what the index says of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TORTURE = Path(__file__).parents[2] / "fixtures" / "torture"


def entries(rfc: str) -> list[dict[str, Any]]:
    """The index of ``rfc4475`` or ``rfc5118``."""
    found: list[dict[str, Any]] = json.loads((TORTURE / rfc / "index.json").read_text())["messages"]
    return found


def octets(rfc: str, name: str) -> bytes:
    """One message as it stands on the wire: RFC 5118's with CRLF, as its index says."""
    folder = TORTURE / rfc / "crlf" if rfc == "rfc5118" else TORTURE / rfc
    return (folder / f"{name}.dat").read_bytes()


def everything() -> list[bytes]:
    """All messages of both RFCs."""
    return [
        octets(rfc, str(entry["name"])) for rfc in ("rfc4475", "rfc5118") for entry in entries(rfc)
    ]
