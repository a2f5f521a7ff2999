"""Vectors by osmo-auc-gen (Debian libosmocore-utils), so that the arithmetic is not ours."""

from __future__ import annotations

import secrets
import subprocess

from card.profile import Authentication
from interop.program import required

SQN_STEP = 32
"""From one SQN to the next while IND stays the same: IND has 5 bits (TS 33.102 C.1.1.1)."""


class OsmoAuc:
    """An authentication centre with one subscriber; ``sqn`` goes into the next vector."""

    def __init__(self, authentication: Authentication, sqn: int = 2 * SQN_STEP) -> None:
        self._authentication = authentication
        self.sqn = sqn

    def vector(self) -> dict[str, str]:
        """The next vector as hex: RAND, AUTN, RES, CK, IK, and SRES and Kc by c2 and c3."""
        made = self._osmo_auc_gen(secrets.token_bytes(16), "-s", str(self.sqn))
        self.sqn += SQN_STEP
        return made

    def triplet(self, rand: bytes) -> tuple[str, str]:
        """SRES and Kc for RAND as hex."""
        made = self._osmo_auc_gen(rand, "-s", "0")
        return made["SRES"], made["Kc"]

    def resynchronise(self, auts: bytes, rand: bytes) -> int:
        """Take AUTS apart and go on from the card's SQN, which is returned."""
        sqn_ms = int(self._osmo_auc_gen(rand, "-A", auts.hex())["SQN.MS"])
        self.sqn = sqn_ms + SQN_STEP
        return sqn_ms

    def _osmo_auc_gen(self, rand: bytes, *options: str) -> dict[str, str]:
        secret = self._authentication
        argv = [required("osmo-auc-gen", "libosmocore-utils"), "-3", "-a", "milenage"]
        argv += ["-k", secret.k.hex(), "-o", secret.opc.hex(), "-f", secret.amf.hex()]
        argv += ["-r", rand.hex(), *options]
        output = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        rows = (line.partition(":") for line in output.splitlines())
        return {name.strip(): value.strip() for name, colon, value in rows if colon}
