"""The interface of a machine goes down and comes up again, under a registration that is to stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pytest
from namespaces import ADDRESSES, PATIENCE, ROOT, Cable, cable, ip
from protected_scene import Scene
from subscribers import profile
from test_protected_reg_event import wait
from test_protected_registration import check_nothing_is_left

pytestmark = pytest.mark.interop

LASTING = 3
"""Seconds of a registration: it is renewed at half of it."""

OTHER = {4: "10.83.0.7", 6: "fd83::7"}


class Staying:
    """``sipua register --stay --keep-trying`` in a namespace, and what it tells its user."""

    def __init__(self, namespace: str, *options: str) -> None:
        paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, "-m", "hurried_sipua",
             "register", "--stay", "--keep-trying", "--timeout", "10", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        self.told: list[str] = []
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.told.append(line.rstrip())

    def says(self, text: str, times: int = 1) -> None:
        """Wait until it has."""

        def said() -> bool:
            assert self._process.poll() is None, self.told
            return sum(text in line for line in self.told) >= times

        wait(said, f"{text!r} {times} times")

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(PATIENCE)

    def __enter__(self) -> Staying:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        assert self._process.stderr is not None
        self._process.stderr.close()


@pytest.fixture
def wire() -> Iterator[Cable]:
    """One of its own for each test, as each leaves it otherwise than it was."""
    with cable() as made:
        yield made


@pytest.mark.parametrize(
    ("version", "transport", "ipsec", "moves"),
    [
        (4, "udp", "off", False),
        (4, "udp", "off", True),
        (6, "tcp", "off", True),
        (4, "tcp", "require", True),
        (6, "udp", "require", False),
    ],
)
def test_registered_again_when_the_interface_is_up_again(
    wire: Cable, tmp_path: Path, version: int, transport: str, ipsec: str, moves: bool
) -> None:
    here, (device, _) = wire.namespaces[0], wire.devices
    ours, core_address = ADDRESSES[version]
    later = OTHER[version] if moves else ours
    length = 64 if version == 6 else 24
    host = f"[{core_address}]" if version == 6 else core_address
    with ExitStack() as stack:
        scene = Scene(wire, tmp_path, stack)
        core = scene._begin(1, "ending_core_inside", tmp_path, LASTING, version, ipsec)
        impi = scene.impi("alice")

        def contacts() -> list[str]:
            found: list[str] = core.ask("bindings", impi)
            return found

        card = f"emulated:{profile(str(tmp_path), 'alice').path}"
        options = ("--card", card, "--pcscf", f"{transport}:{host}:5060", "--ipsec", ipsec)
        sipua = stack.enter_context(Staying(here, *options))
        sipua.says("Staying registered")
        (first,) = contacts()

        ip("-n", here, "link", "set", device, "down")
        sipua.says("There is no route")
        sipua.says("Waiting")
        wait(lambda: contacts() == [], "its binding runs out")
        if moves or version == 6:  # which loses its address as the link goes down
            ip("-n", here, "addr", "flush", "dev", device)
            nodad = ["nodad"] if version == 6 else []
            ip("-n", here, "addr", "add", f"{later}/{length}", "dev", device, *nodad)
        ip("-n", here, "link", "set", device, "up")
        sipua.says("Registered again")
        (again,) = contacts()
        assert again != first
        assert f"@{f'[{later}]' if version == 6 else later}:" in again

        wait(lambda: core.ask("contacts", impi)[0][1] == "refreshed", "renewed as before")
        assert contacts() == [again]
        assert sipua.interrupt() == 0, sipua.told
        assert contacts() == []
        core.ask("stop")
        check_nothing_is_left(wire)
