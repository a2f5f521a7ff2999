"""The reg event inside ESP: authenticated anew when the network wants it, and let go."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from namespaces import Cable
from protected_scene import Scene
from test_protected_registration import check_nothing_is_left, scene, wire

pytestmark = pytest.mark.interop

__all__ = ["scene", "wire"]  # fixtures

PATIENCE = 30.0


def wait(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_shortened_deactivated_rejected(wire: Cable, scene: Scene, transport: str) -> None:
    core = scene._begin(1, "ending_core_inside", scene._folder)
    alice = scene._begin(0, "staying_inside", scene._folder, "alice", transport)
    impi = scene.impi("alice")
    assert alice.ask("register")["verdict"] == "registered"
    alice.ask("stay")
    wait(lambda: core.ask("watches", impi) == 1, "subscribed")
    scene.clear()
    ((first, _),) = core.ask("contacts", impi)

    before = alice.ask("associations")
    core.ask("shorten", impi, 600)
    wait(lambda: core.ask("contacts", impi) == [[first, "refreshed"]], "authenticated anew")
    wait(lambda: alice.ask("associations") != before, "by new associations")
    assert scene.clear() == set(), "inside the old ones"

    core.ask("deregister", impi, "deactivated")
    wait(lambda: [number for number, _ in core.ask("contacts", impi)] not in ([], [first]), "anew")
    wait(lambda: core.ask("watches", impi) == 1, "subscribed anew")

    core.ask("deregister", impi, "rejected")
    result = alice.ask("await_end")
    assert result["verdict"] == "rejected", result
    assert core.ask("contacts", impi) == []
    alice.ask("close")
    core.ask("stop")
    check_nothing_is_left(wire)
