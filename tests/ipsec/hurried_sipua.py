"""``sipua`` as it is, but it looks around in tenths of seconds, and when to try again it can only
see: it would wait too long otherwise."""

from __future__ import annotations

import sys

from cli.__main__ import main
from sipua.agent import surroundings
from sipua.ims import outage

if __name__ == "__main__":
    surroundings.LOOK = 0.2
    outage.BASE = 1000.0
    sys.exit(main())
