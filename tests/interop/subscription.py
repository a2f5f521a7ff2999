"""One subscriber for one test: the card's profile as a file, and the same for the HSS."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from interop.cx_hss import Subscriber

# Test set 1 of TS 35.208.
K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")

PROFILE = """\
iccid = "8900{imsi}"
imsi = "{imsi}"
mnc_length = 2
[authentication]
algorithm = "milenage"
k = "{k}"
opc = "{opc}"
sqn = {sqn}
"""
ISIM = """\
[isim]
impi = "{impi}"
impu = ["sip:{impi}"]
domain = "{domain}"
"""


class Subscription(NamedTuple):
    """A subscriber of ``domain`` whose card is the profile at ``path``."""

    path: Path
    imsi: str
    domain: str

    @property
    def impi(self) -> str:
        return f"{self.imsi}@{self.domain}"

    @property
    def impu(self) -> str:
        return f"sip:{self.impi}"

    @property
    def card(self) -> str:
        """What ``--card`` takes for this card, in process."""
        return f"emulated:{self.path}"

    def in_hss(self, k: bytes = K, sqn: int = 0, xres_mask: int = 0) -> Subscriber:
        """The same subscriber as an HSS knows it, unless told otherwise."""
        return Subscriber(self.impi, (self.impu,), k, OPC, sqn, xres_mask=xres_mask)


def write_profile(
    folder: Path, imsi: str, domain: str, *, sqn: int = 0, isim: bool = True, k: bytes = K
) -> Subscription:
    """Write the card of a new subscriber; ``sqn`` is the highest that it has accepted."""
    subscription = Subscription(folder / f"{imsi}.toml", imsi, domain)
    text = PROFILE.format(imsi=imsi, k=k.hex(), opc=OPC.hex(), sqn=sqn)
    if isim:
        text += ISIM.format(impi=subscription.impi, domain=domain)
    subscription.path.write_text(text)
    return subscription
