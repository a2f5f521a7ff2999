"""Python, the packages this program stands on, and the clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from importlib import metadata

from sipua.doctor.finding import FAILED, OK, WARNING, Finding
from sipua.version import VERSION

AREA = "software"
NEEDED = (3, 11)

PACKAGES = {
    "click": "",
    "cryptography": "",
    "dnspython": "",
    "pyosmocom": "",
    "rich": "",
    "pyscard": "real readers need it: pip install 'sipua-usim[pcsc]'",
    "pyserial": "SIMs in modems need it: pip install 'sipua-usim[modem]'",
}
"""What is wanted, and what for where it can do without."""

WRITTEN = 1_790_000_000
"""Unix time when this was written: no clock is right that shows less (2026-09)."""


def examine(now: float | None = None) -> Iterator[Finding]:
    """Nothing is opened; ``now`` is Unix time, for tests."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= NEEDED:
        yield Finding(AREA, "Python", OK, f"{version}, sipua {VERSION}")
    else:
        yield Finding(AREA, "Python", FAILED, version, "sipua needs Python 3.11 or newer.")
    for package, use in PACKAGES.items():
        try:
            yield Finding(AREA, package, OK, metadata.version(package))
        except metadata.PackageNotFoundError:
            state, remedy = (WARNING, use) if use else (FAILED, f"pip install {package}")
            yield Finding(AREA, package, state, "not installed", remedy)
    clock = time.time() if now is None else now
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(clock))
    if clock < WRITTEN:
        yield Finding(
            AREA,
            "clock",
            FAILED,
            f"shows {shown}, which is past",
            "Set the clock: certificates and traces depend on it.",
        )
    else:
        yield Finding(AREA, "clock", OK, shown)
