"""The embedded network in a process of its own, until it is stopped. Prints its UDP port.

Argument: card profile of the one subscriber.
"""

from __future__ import annotations

import sys

from card import profile
from sipua.core.server import CoreServer


def main(path: str) -> None:
    """Serve the subscriber on loopback."""
    server = CoreServer([profile.load(path)])
    server.open()
    print(server.hops[0].port, flush=True)
    server.run()


if __name__ == "__main__":
    main(sys.argv[1])
