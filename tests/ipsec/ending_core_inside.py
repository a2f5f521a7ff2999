"""Run inside a namespace: the embedded network with IPsec, which ends and shortens registrations.

Arguments: the folder of the cards.
"""

from __future__ import annotations

import json
import sys

from core_inside import Core


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
        proxy = self.server._proxy
        assert proxy is not None
        return sum(each.state == "active" for each in proxy.notifier.watches(impi))


def main() -> None:
    core = EndingCore(sys.argv[1], 4, "require", [])
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(core, name)(*arguments)), flush=True)
    core.stop()


if __name__ == "__main__":
    main()
