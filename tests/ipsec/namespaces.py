"""Two network namespaces with a cable between them, and processes that run inside."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent
ADDRESSES = {4: ("10.83.0.1", "10.83.0.2"), 6: ("fd83::1", "fd83::2")}
PATIENCE = 30.0


class Cable(NamedTuple):
    """Names of the namespaces and of the network device in each."""

    namespaces: tuple[str, str]
    devices: tuple[str, str]


def ip(*arguments: str) -> str:
    return subprocess.run(
        ["ip", *arguments], check=True, capture_output=True, text=True, timeout=PATIENCE
    ).stdout


@contextlib.contextmanager
def cable() -> Iterator[Cable]:
    """Skips the test where namespaces cannot be made."""
    tag = f"{os.getpid() & 0xFFFFF:x}"
    made = Cable((f"sipua-a{tag}", f"sipua-b{tag}"), (f"spa{tag}", f"spb{tag}"))
    try:
        for name in made.namespaces:
            ip("netns", "add", name)
        a, b = made.devices
        ip("link", "add", a, "netns", made.namespaces[0], "type", "veth", "peer", "name", b,
           "netns", made.namespaces[1])  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        _delete(made)
        pytest.skip(f"no network namespaces here: {error}")
    try:
        for at, (name, device) in enumerate(zip(*made, strict=True)):
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "addr", "add", f"{ADDRESSES[4][at]}/24", "dev", device)
            ip("-n", name, "addr", "add", f"{ADDRESSES[6][at]}/64", "dev", device, "nodad")
            ip("-n", name, "link", "set", device, "up")
        yield made
    finally:
        _delete(made)


def _delete(made: Cable) -> None:
    for name in made.namespaces:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextlib.contextmanager
def few_ports(namespace: str, first: int, last: int) -> Iterator[None]:
    """Have the kernel choose ports from these only, so that whoever can meet does meet."""
    setting = "/proc/sys/net/ipv4/ip_local_port_range"

    def write(text: str) -> None:
        ip("netns", "exec", namespace, "sh", "-c", f"echo {text} > {setting}")

    before = ip("netns", "exec", namespace, "cat", setting).strip()
    write(f"{first} {last}")
    try:
        yield
    finally:
        write(before)


class Inside:
    """A Python program of these tests in a namespace; it talks in lines of JSON."""

    def __init__(self, namespace: str, program: str, *arguments: str) -> None:
        paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, "-m", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "PYTHONPATH": paths},
        )

    def ask(self, *words: object) -> Any:
        """Have it do something, and wait for its answer."""
        self.tell(*words)
        return self.answer()

    def tell(self, *words: object) -> None:
        """Have it do something; its answer is to be taken later."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            assert selector.select(PATIENCE), "no answer from the namespace"
        line = self._process.stdout.readline()
        assert line, f"the program in the namespace ended ({self._process.poll()})"
        return json.loads(line)

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.communicate(timeout=PATIENCE)

    def __enter__(self) -> Inside:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()
