"""Two user agents and the embedded network in two namespaces: all of SIP inside ESP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from namespaces import ADDRESSES, Cable, cable, few_ports, ip
from protected_scene import Scene
from subscribers import number_of

from sipua.ipsec.suite import CURRENT, Suite

pytestmark = pytest.mark.interop

DROPPED = {
    *("altered", "late", "malformed", "mismatched"),
    *("replayed", "truncated", "unprotected", "unsent"),
}


@pytest.fixture(scope="module")
def wire() -> Iterator[Cable]:
    with cable() as made:
        yield made


@pytest.fixture
def scene(wire: Cable, tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(wire, tmp_path, stack)


def verdict(result: dict[str, Any]) -> str:
    return f"{result['verdict']}: {result['reason']}"


def check_nothing_is_left(wire: Cable) -> None:
    for namespace in wire.namespaces:
        assert "sipua0" not in ip("-n", namespace, "link")
        for family in ("-4", "-6"):
            assert "sipua" not in ip("-n", namespace, family, "rule", "show")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("version", [4, 6])
def test_registration_messages_and_calls_go_inside_esp(
    wire: Cable, scene: Scene, version: int, transport: str
) -> None:
    core = scene.core(version)
    alice = scene.ue("alice", version, transport)
    bob = scene.ue("bob", version, transport)
    server, our = ADDRESSES[version][1], ADDRESSES[version][0]
    host = f"[{our}]" if version == 6 else our

    for name, ue in (("alice", alice), ("bob", bob)):
        result = ue.ask("register")
        assert result["verdict"] == "registered", result
        assert result["protection"] == "user space, hmac-sha-1-96/aes-cbc"
        assert [each["status"] for each in result["exchange"]] == [401, 200]
        (contact,) = core.ask("bindings", scene.impi(name))
        assert f"@{host}:" in contact
        assert contact == result["contact"]
        assert ":5060" not in contact
        assert server.replace(":", "") in result["service_route"][0].replace(":", "")
    assert scene.clear() == {transport}, "the first REGISTER and its challenge, nothing else"

    bob.ask("stay")
    result = alice.ask("message", scene.uri("bob"), "hello inside")
    assert result["verdict"] == "ok", result
    assert bob.ask("texts") == ["hello inside"]

    assert alice.ask("register")["verdict"] == "registered", "and authenticated anew"
    result = alice.ask("message", scene.uri("bob"), "x" * 3000)
    assert result["verdict"] == "ok", result
    assert bob.ask("texts")[1] == "x" * 3000
    assert scene.clear() == set()

    assert bob.ask("leave")["verdict"] == "deregistered"
    assert alice.ask("deregister")["verdict"] == "deregistered"
    assert scene.clear() == set()
    for each in (alice, bob, core):
        assert not DROPPED & set(each.ask("counters")), each.ask("counters")
    for ue in (alice, bob):
        assert ue.ask("associations") == []
        ue.ask("close")
    core.ask("stop")
    check_nothing_is_left(wire)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_is_signalled_inside_esp(scene: Scene, transport: str) -> None:
    scene.core()
    alice, bob = scene.ue("alice", 4, transport), scene.ue("bob", 4, transport)
    bob.ask("listen", 1)
    assert alice.ask("register")["verdict"] == "registered"
    bob.ask("await_registration")
    scene.sniffer.ask("forget")
    result = alice.ask("call", scene.uri("bob"), 0.5)
    assert result["verdict"] == "ok", result
    assert bob.ask("await_end")["verdict"] in ("registered", "deregistered")
    for word in ("INVITE sip:", "SIP/2.0 ", "BYE sip:"):
        assert not scene.sniffer.ask("contains", word)
    assert scene.sniffer.ask("protocols")["esp"] > 10


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_short_messages_go_inside_esp(scene: Scene, transport: str) -> None:
    scene.core()
    alice, bob = scene.ue("alice", 4, transport), scene.ue("bob", 4, transport)
    bob.ask("take_text")
    assert bob.ask("await_report", "registered")
    result = alice.ask("send_text", number_of("bob"), "hidden from all in between")
    assert result["verdict"] == "ok", result
    assert (result["submitted"], result["delivered"]) == (1, 1)
    assert bob.ask("await_report", "sms")["text"] == "hidden from all in between"
    assert bob.ask("await_end")["verdict"] == "deregistered"
    assert not scene.sniffer.ask("contains", "MESSAGE sip:")
    assert not scene.sniffer.ask("contains", "MESSAGE tel:")


def test_user_agents_at_one_address_never_take_each_others_ports(wire: Cable, scene: Scene) -> None:
    """Their sockets are tied to different devices, which alone does not keep ports apart."""
    scene.core()
    alice, bob = scene.ue("alice"), scene.ue("bob")
    with few_ports(wire.namespaces[0], 40000, 40011):
        assert alice.ask("register")["verdict"] == "registered"
        for _ in range(8):
            result = bob.ask("register")
            assert result["verdict"] == "registered", (result["reason"], result["exchange"])
            assert bob.ask("deregister")["verdict"] == "deregistered"
            assert bob.ask("anew")


@pytest.mark.parametrize("suite", CURRENT, ids=lambda suite: suite.name)
def test_the_network_decides_on_the_suite(scene: Scene, suite: Suite) -> None:
    scene.core(4, "require", suite.name)
    alice = scene.ue("alice")
    result = alice.ask("register")
    assert result["protection"] == f"user space, {suite.name}", result
    assert alice.ask("deregister")["verdict"] == "deregistered"


def test_a_card_out_of_step_is_resynchronised_before_anything_is_installed(scene: Scene) -> None:
    core = scene.core()
    core.ask("fault", "sqn-behind")
    alice = scene.ue("alice")
    result = alice.ask("register")
    assert result["verdict"] == "registered", result
    assert result["resynchronised"]
    assert [each["status"] for each in result["exchange"]] == [401, 401, 200]
    assert len(alice.ask("associations")) == 4
    assert alice.ask("message", scene.uri("alice"), "to myself")["exchange"]


def test_a_wrong_mac_installs_nothing(scene: Scene) -> None:
    core = scene.core()
    core.ask("fault", "wrong-mac")
    alice = scene.ue("alice")
    assert alice.ask("register")["verdict"] == "mac-failure"
    assert alice.ask("associations") == []
    assert "esp" not in scene.sniffer.ask("protocols")


def test_a_network_without_ipsec_is_refused_or_taken_as_it_is(scene: Scene) -> None:
    scene.core(4, "off")
    alice, bob = scene.ue("alice", mode="require"), scene.ue("bob", mode="auto")
    result = alice.ask("register")
    assert result["verdict"] != "registered", result
    result = bob.ask("register")
    assert result["verdict"] == "registered", result
    assert result["protection"] is None
    assert any("420" in hint for hint in result["hints"])
    assert "esp" not in scene.sniffer.ask("protocols")


def test_a_network_that_requires_it_refuses_who_does_not_offer(scene: Scene) -> None:
    scene.core(4, "require")
    result = scene.ue("alice", mode="off").ask("register")
    assert result["verdict"] == "security-agreement", result
    assert result["exchange"][-1]["status"] == 421


def test_after_a_refusal_everything_begins_anew_at_other_ports(scene: Scene) -> None:
    core, alice = scene.core(), scene.ue("alice")
    first = alice.ask("register")
    assert first["verdict"] == "registered"
    core.ask("fault", "403")
    assert alice.ask("register")["verdict"] == "rejected"
    assert alice.ask("associations") == []
    core.ask("clear_faults")
    second = alice.ask("register")
    assert second["verdict"] == "registered", second
    assert second["contact"] != first["contact"]
    assert alice.ask("message", scene.uri("alice"), "x")["exchange"][0]["status"] == 200


def test_a_lost_network_is_noticed_and_the_next_registration_begins_anew(scene: Scene) -> None:
    core = scene.core()
    alice = scene.ue("alice")
    assert alice.ask("register")["verdict"] == "registered"
    before = alice.ask("associations")
    core.kill()
    scene.core()
    result = alice.ask("register")
    assert result["verdict"] in ("timeout", "unreachable"), result
    assert alice.ask("associations") == []
    result = alice.ask("register")
    assert result["verdict"] == "registered", result
    assert not set(before) & set(alice.ask("associations"))
