"""The command ``sipua``: answers ``--version`` at once, leaves the rest to ``cli.app``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line in ``sys.argv``; returns the exit status."""
    if sys.argv[1:] == ["--version"]:
        from sipua.version import VERSION

        sys.stdout.write(f"sipua {VERSION}\n")
        return 0
    from cli.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
