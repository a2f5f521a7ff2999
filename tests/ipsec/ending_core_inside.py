"""Run inside a namespace: the embedded network with IPsec, which ends and shortens registrations,
and keeps old associations for a few seconds only.

Arguments: the folder of the cards, and if they are not the usual ones, the most seconds that a
registration lasts, IP version, and mode.
"""

from __future__ import annotations

import sys

from core_inside import Core
from obeying import obey

from sipua.core import pcscf
from sipua.core.bindings import ExpiryPolicy

OLD_KEPT = 3.0
USUAL = ("600000", "4", "require")


class EndingCore(Core):
    def deregister(self, impi: str, event: str) -> bool:
        self.server.deregister(impi, event, 1)
        return True

    def shorten(self, impi: str, seconds: float) -> bool:
        self.server.shorten(impi, seconds)
        return True

    def contacts(self, impi: str) -> list[tuple[int, str]]:
        """The number of each contact, and what happened to it last."""
        return [(each.id, each.event) for each in self.server.bindings(impi)]

    def watches(self, impi: str) -> int:
        """Subscriptions whose NOTIFYs have been answered."""
        return sum(each.state == "active" for each in self.server.watches(impi))

    def associations(self) -> list[int]:
        """The SPIs of all terminals."""
        protection = self.server.protection
        assert protection is not None
        known = list(protection.pcscf._terminals.values())
        return sorted(set().union(*[each.agreement.life.spis for each in known]))


def main() -> None:
    folder, *others = sys.argv[1:]
    most, version, mode = [*others, *USUAL[len(others) :]]
    pcscf.OLD_KEPT = OLD_KEPT
    core = EndingCore(folder, int(version), mode, [], ExpiryPolicy(least=1, most=int(most)))
    obey(core)
    core.stop()


if __name__ == "__main__":
    main()
