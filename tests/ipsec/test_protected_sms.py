"""Short messages inside ESP: not a bit of them is on the cable in clear."""

from __future__ import annotations

import pytest
from namespaces import Cable
from protected_scene import Scene
from test_protected_registration import scene, wire

pytestmark = pytest.mark.interop

__all__ = ["scene", "wire"]  # fixtures


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_texts_go_inside_esp(wire: Cable, scene: Scene, transport: str) -> None:
    core = scene.core()
    alice = scene._begin(0, "sms_inside", scene._folder, "alice", 4, transport)
    assert alice.ask("register")["verdict"] == "registered"
    assert scene.clear() == {transport}, "the first REGISTER and its challenge, nothing else"
    number = scene.uri("alice").partition(":")[2].partition("@")[0]
    for text in ("hello inside", "ж" * 200):
        result = alice.ask("send", number, text)
        assert result["verdict"] == "ok", result
        assert result["delivered"] == result["parts"]
    assert alice.ask("texts") == ["hello inside", "ж" * 200]
    assert scene.clear() == set()
    assert alice.ask("deregister")["verdict"] == "deregistered"
    assert scene.clear() == set()
    alice.ask("close")
    core.ask("stop")
