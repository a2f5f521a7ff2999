"""Reads the capture named, once. Prints messages, seconds and the peak of its memory in MB."""

from __future__ import annotations

import resource
import sys
import time

from sipua.capture.reader import messages


def main(path: str) -> None:
    """Count the SIP messages in a capture."""
    begin = time.perf_counter()
    count = sum(1 for _ in messages(path))
    seconds = time.perf_counter() - begin
    print(count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main(sys.argv[1])
