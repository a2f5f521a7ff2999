"""wpa_supplicant's EAP peer with its own PC/SC client, as `eapol_test` runs it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from interop.hostapd import SECRET, Hostapd
from interop.pcscd import Pcscd
from interop.program import required

NETWORK = """\
network={{
    key_mgmt=WPA-EAP
    eap={method}
    phase1="result_ind=1"
    pcsc=""
    {pin}
}}
"""


class Outcome(NamedTuple):
    """How one run of eapol_test ended: exit status and what it printed."""

    exit_status: int
    output: str

    @property
    def succeeded(self) -> bool:
        """The peer and the authenticator hold the same keys, and eapol_test says so."""
        return (
            self.exit_status == 0
            and "MPPE keys OK: 1  mismatch: 0" in self.output
            and self.output.rstrip().endswith("SUCCESS")
        )

    @property
    def failed(self) -> bool:
        return self.exit_status != 0 and self.output.rstrip().endswith("FAILURE")

    def lines(self, *words: str) -> str:
        """The lines that hold one of ``words``: for assertions' messages."""
        chosen = (x for x in self.output.splitlines() if any(word in x for word in words))
        return "\n".join(chosen)


def eapol_test(pcscd: Pcscd, *arguments: str, seconds: float = 30) -> Outcome:
    """Run eapol_test against the pcscd of the test."""
    done = subprocess.run(
        [required("eapol_test", "eapoltest"), *arguments],
        env=pcscd.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
    return Outcome(done.returncode, done.stdout)


def authenticate(
    pcscd: Pcscd,
    hostapd: Hostapd,
    method: str,
    folder: Path,
    *,
    slot: int = 0,
    pin: str = "",
    seconds: int = 15,
) -> Outcome:
    """One whole EAP authentication by the card in a slot, over RADIUS to hostapd.

    eapol_test gives up after ``seconds``: a PIN that it lacks is waited for.
    """
    configuration = folder / f"eap-{method.rstrip(chr(39)).lower()}.conf"
    configuration.write_text(NETWORK.format(method=method, pin=f'pin="{pin}"' if pin else ""))
    return eapol_test(
        pcscd,
        *("-c", str(configuration), "-R", pcscd.readers[slot], "-t", str(seconds)),
        *("-a", "127.0.0.1", "-p", str(hostapd.port), "-s", SECRET),
    )
