"""The command ``sipua``: answers ``--version`` at once, leaves the rest to ``cli.app``."""

from __future__ import annotations

import sys


def entry() -> None:
    """The console command: ``main``, then the end of the process.

    Taking the interpreter apart costs more than a registration does. Cards,
    sockets and state files are closed by then, so that is skipped.
    """
    import os

    status = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def main() -> int:
    """Run the command line in ``sys.argv``; returns the exit status."""
    if sys.argv[1:] == ["--version"]:
        from sipua.version import VERSION

        sys.stdout.write(f"sipua {VERSION}\n")
        return 0
    from cli.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    entry()
