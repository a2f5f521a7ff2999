"""The kernel engine in a namespace.

Where the kernel has no ESP, an ``ip`` that claims to have added states lets the rest be seen:
policies are really installed, listed and removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from namespaces import ADDRESSES, Cable, Inside, cable, ip

pytestmark = pytest.mark.interop

WITHOUT_STATES = """#!/bin/sh
# The real ip, but for the states: those are noted down.
case "$*" in
*-batch*)
    while read -r line; do
        case "$line" in
        *gcm*) echo 'Error: Requested AEAD algorithm not found.' >&2; failed=1 ;;
        "xfrm state"*) echo "$line" >> "$0.states" ;;
        *refuse*|*"sport 5066"*"dir out"*) echo 'RTNETLINK answers: File exists' >&2; failed=1 ;;
        *) echo "$line" | ip -batch - || failed=1 ;;
        esac
        case "$failed$*" in 1*-force*) ;; 1*) exit 1 ;; esac
    done
    exit 0 ;;
*) exec ip "$@" ;;
esac
"""


@pytest.fixture(scope="module")
def wire() -> Iterator[Cable]:
    with cable() as made:
        yield made


@pytest.fixture
def pretending_ip(tmp_path: Path) -> Path:
    path = tmp_path / "ip"
    path.write_text(WITHOUT_STATES)
    path.chmod(0o700)
    return path


def started(wire: Cable, *arguments: object) -> Inside:
    inside = Inside(wire.namespaces[0], "kernel_peer", *map(str, arguments))
    assert inside.answer() == "ready"
    return inside


def policies(wire: Cable) -> list[str]:
    return ip("-n", wire.namespaces[0], "-oneline", "xfrm", "policy", "list").splitlines()


def has_esp(answer: dict[str, Any]) -> bool:
    return "suites" in answer


def test_this_kernel_does_it_or_says_what_it_lacks(wire: Cable, tmp_path: Path) -> None:
    with started(wire, tmp_path) as inside:
        answer = inside.ask("start")
        if has_esp(answer):
            assert inside.ask("install", 4, 0) == ""
            assert inside.ask("install", 6, 0) == ""
            assert len(policies(wire)) == 16
            inside.ask("close")
        else:
            assert answer["missing"] in ("kernel ESP", "kernel XFRM")
            assert "CONFIG_" in answer["told"]
    assert policies(wire) == []
    assert list(tmp_path.iterdir()) == []


def test_the_choice_falls_to_user_space_and_says_why(wire: Cable, tmp_path: Path) -> None:
    with started(wire, tmp_path) as inside:
        chosen = inside.ask("choose")
        if has_esp(inside.ask("start")):
            assert chosen["engine"] == "kernel"
        else:
            assert chosen["engine"] == "user space"
            assert len(chosen["suites"]) == 4
            assert chosen["sentence"].startswith("IPsec by user space (kernel: kernel ")
        inside.ask("close")


def test_policies_are_installed_and_removed(
    wire: Cable, tmp_path: Path, pretending_ip: Path
) -> None:
    with started(wire, tmp_path / "state", pretending_ip) as inside:
        answer = inside.ask("start")
        assert answer["suites"] == ["hmac-sha-1-96/aes-cbc", "hmac-sha-1-96/null"]
        assert inside.ask("install", 4, 0) == ""
        assert inside.ask("install", 6, 0) == ""
        found = policies(wire)
        assert len(found) == 16
        ours, theirs = ADDRESSES[4]
        out = next(
            line
            for line in found
            if f"src {ours}/32 dst {theirs}/32 proto udp sport 5062 dport 6063" in line
        )
        assert "dir out priority 100" in out
        assert f"spi 0x00002002 reqid {answer['reqid']} mode transport" in out

        assert inside.ask("install", 4, 5) == ""
        assert len(policies(wire)) == 24
        inside.ask("remove", 4, 0)
        inside.ask("remove", 4, 0)
        assert len(policies(wire)) == 16
        inside.ask("close")
        assert policies(wire) == []
    assert list((tmp_path / "state").iterdir()) == []


def test_what_fails_half_way_leaves_nothing(
    wire: Cable, tmp_path: Path, pretending_ip: Path
) -> None:
    with started(wire, tmp_path / "state", pretending_ip) as inside:
        inside.ask("start")
        assert inside.ask("install", 4, 2) == "ip refused: RTNETLINK answers: File exists"
        assert policies(wire) == []
        assert inside.ask("install", 4, 0) == ""
        inside.ask("close")


def test_the_next_start_removes_what_a_crash_left_and_nobody_elses(
    wire: Cable, tmp_path: Path, pretending_ip: Path
) -> None:
    namespace = wire.namespaces[0]
    foreign = (
        "src", "10.1.1.1/32", "dst", "10.1.1.2/32", "dir", "out", "tmpl", "src", "10.1.1.1",
        "dst", "10.1.1.2", "proto", "esp", "reqid", "16", "mode", "transport",
    )  # fmt: skip
    ip("-n", namespace, "xfrm", "policy", "add", *foreign)
    state = tmp_path / "state"
    with started(wire, state, pretending_ip) as living:
        living.ask("start")
        living.ask("install", 4, 0)
        crashed = started(wire, state, pretending_ip)
        first = crashed.ask("start")["reqid"]
        crashed.ask("install", 6, 0)
        crashed.kill()
        assert len(policies(wire)) == 17

        with started(wire, state, pretending_ip) as following:
            assert following.ask("start")["reqid"] == first
            assert len(policies(wire)) == 9
            assert f"xfrm state deleteall reqid {first}" in (
                pretending_ip.with_name("ip.states").read_text()
            )
            following.ask("close")
        assert len(policies(wire)) == 9, "the living one's and the foreign one"
        living.ask("close")
    assert len(policies(wire)) == 1
    ip("-n", namespace, "xfrm", "policy", "delete", *foreign[:6])
