"""Foreign programs as child processes: started, asked whether they are ready, stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

POLL_INTERVAL = 0.02  # seconds between two questions "are you ready?"


def required(name: str, package: str) -> str:
    """Return the path of a program, or skip the test and say which Debian package holds it."""
    found = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        pytest.skip(f"{name} is not installed (Debian package {package})")
    return found


def free_port(neighbours: int = 1) -> int:
    """Return a port that UDP and TCP on loopback leave free, with its next ``neighbours - 1``.

    Somebody else could take it before it is used; callers start soon.
    """
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first: int = probe.getsockname()[1]
        if all(_is_free(port) for port in range(first, first + neighbours)):
            return first
    raise RuntimeError("no free port found on loopback")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                return False
    return True


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again until ``condition`` holds; TimeoutError names ``what`` was awaited."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(POLL_INTERVAL)


class Program:
    """One child process with its output in a file. ``stop`` ends exactly this process."""

    def __init__(
        self,
        argv: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.argv = list(argv)
        self.log_path = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                pass_fds=tuple(pass_fds),
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """What the program has written so far."""
        return self.log_path.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def wait_ready(self, ready: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until ``ready()``; a program that ends or stays silent is an error with its log."""

        def ready_or_dead() -> bool:
            return not self.running or ready()

        try:
            wait_until(ready_or_dead, seconds, f"{self.argv[0]} ready")
        except TimeoutError:
            self.kill()
            raise RuntimeError(f"{self.argv[0]} did not become ready:\n{self.log}") from None
        if not self.running:
            raise RuntimeError(
                f"{self.argv[0]} ended with {self.process.returncode} at start:\n{self.log}"
            )

    def stop(self, seconds: float = 5) -> int:
        """SIGTERM, then SIGKILL for one that does not listen; returns the exit status."""
        if self.running:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """SIGKILL to the program and its children, as a pulled plug would do it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
