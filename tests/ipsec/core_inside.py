"""Run inside a namespace: the embedded network with IPsec. Told what to do in JSON.

Arguments: the folder of the cards, IP version, mode, and the names of the suites it
offers, if not the usual ones.
"""

from __future__ import annotations

import sys

from namespaces import ADDRESSES
from obeying import obey
from subscribers import profiles

from sipua.core.bindings import ExpiryPolicy
from sipua.core.server import CoreServer
from sipua.ipsec.suite import SUITES


class Core:
    def __init__(
        self,
        folder: str,
        version: int,
        mode: str,
        suites: list[str],
        expiry: ExpiryPolicy | None = None,
    ) -> None:
        address = ADDRESSES[version][1]
        self.server = CoreServer(
            profiles(folder),
            [("UDP", address, 5060), ("TCP", address, 5060)],
            allow_remote=True,
            expiry=expiry,
            ipsec=mode,
            suites=[each for each in SUITES.values() if each.name in suites],
        )
        self.server.start()

    def fault(self, text: str) -> bool:
        self.server.faults.add(text)
        return True

    def clear_faults(self) -> bool:
        self.server.faults.clear()
        return True

    def engine(self) -> str:
        protection = self.server.protection
        return protection.told if protection is not None else ""

    def counters(self) -> dict[str, int]:
        protection = self.server.protection
        return {
            name: count
            for name, count in (protection.counters.items() if protection is not None else ())
            if count
        }

    def bindings(self, impi: str) -> list[str]:
        return [each.uri for each in self.server.bindings(impi)]

    def stop(self) -> bool:
        self.server.stop()
        return True


def main() -> None:
    folder, version, mode, *suites = sys.argv[1:]
    core = Core(folder, int(version), mode, suites)
    obey(core)
    core.stop()


if __name__ == "__main__":
    main()
