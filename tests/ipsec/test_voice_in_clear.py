"""IPsec covers SIP, not RTP: what is on the wire, and what the user is told of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from namespaces import ADDRESSES, PATIENCE, ROOT, Cable
from protected_scene import Scene
from subscribers import profile
from test_protected_registration import wire

from sipua.agent.calls.phone_call import IN_CLEAR

pytestmark = pytest.mark.interop

__all__ = ["wire"]  # fixtures

RTP_VERSION_2 = 0x80
"""The first octet of RTP with nothing special about it (RFC 3550 §5.1); no SIP begins so."""


def sipua_call(namespace: str, *options: str) -> str:
    """What ``sipua call`` prints for its user; it dials, and the other side echoes that."""
    done = subprocess.run(
        ["ip", "netns", "exec", namespace, sys.executable, "-m", "cli", "call", *options,
         "--dtmf", "12", "--duration", "0.7"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("ipsec", ["require", "off"])
def test_voice_goes_in_clear_and_the_user_is_told(wire: Cable, tmp_path: Path, ipsec: str) -> None:
    with ExitStack() as stack:
        scene = Scene(wire, tmp_path, stack)
        here, core_address = wire.namespaces[0], ADDRESSES[4][1]
        inner = scene._begin(0, "cable_sniffer", "lo")  # between two telephones of one machine
        core = scene._begin(1, "ending_core_inside", tmp_path, 600, 4, ipsec)
        bob = scene._begin(0, "phone_inside", tmp_path, "bob", "udp", ipsec)
        bob.ask("take_calls", False, "echo")
        bob.ask("await_reports", "registered", 1)
        card = f"emulated:{profile(str(tmp_path), 'alice').path}"
        way = ("--card", card, "--pcscf", f"udp:{core_address}:5060")
        options = (scene.uri("bob"), *way, "--ipsec", ipsec)

        told = IN_CLEAR if ipsec == "require" else None
        lines = sipua_call(here, *options, "-v").splitlines()
        assert any("  media  " in line for line in lines)
        assert [IN_CLEAR in line for line in lines if "  media  " in line] == [told is not None]

        scene.clear()
        inner.ask("forget")
        events = [json.loads(line) for line in sipua_call(here, *options, "--json").splitlines()]
        (stream,) = [each for each in events if each.get("event") == "media"]
        assert stream["unprotected"] == told
        heard: list[dict[str, Any]] = bob.ask("await_reports", "media", 2)
        assert [each["unprotected"] for each in heard] == [told, told]

        rtp = [bytes.fromhex(each) for each in inner.ask("udp_payloads")]
        assert rtp
        assert all(each[0] == RTP_VERSION_2 for each in rtp), "RTP, and in clear"
        assert inner.ask("protocols").get("esp") is None
        sip_in_clear = scene.sniffer.ask("contains", "INVITE sip:")
        assert sip_in_clear == (ipsec == "off")
        assert ("esp" in scene.sniffer.ask("protocols")) == (ipsec == "require")
        assert bob.ask("close")
        core.ask("stop")
