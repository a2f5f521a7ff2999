"""What is said when the machine cannot do it: the capability, by name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sipua.ipsec import ip_command, tun
from sipua.ipsec.errors import EngineError, MissingCapability
from sipua.ipsec.userspace import UserSpaceEngine

ROOT = Path(__file__).parent.parent.parent
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to get that far")


def test_an_ordinary_user_is_told_of_cap_net_raw() -> None:
    script = (
        "from sipua.ipsec.userspace import UserSpaceEngine\n"
        "from sipua.ipsec.errors import MissingCapability\n"
        "try: UserSpaceEngine('127.0.0.1')\n"
        "except MissingCapability as error: print(error.capability)\n"
    )
    command = [sys.executable, "-c", script]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("setpriv is not installed")
        command = [setpriv, "--bounding-set=-all", "--inh-caps=-all", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    assert done.stdout == "CAP_NET_RAW\n"


@is_root
def test_a_kernel_without_tun_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tun, "CLONE_DEVICE", str(tmp_path / "tun"))
    with pytest.raises(MissingCapability, match="CONFIG_TUN") as caught:
        UserSpaceEngine("127.0.0.1")
    assert caught.value.capability.endswith("/tun")


@is_root
def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(EngineError, match="not an address of this machine"):
        UserSpaceEngine("192.0.2.99")


def test_a_machine_without_iproute2_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ip_command, "COMMAND", "no-such-ip")
    with pytest.raises(MissingCapability, match="iproute2"):
        ip_command.run("rule show\n")


@pytest.mark.parametrize(
    ("told", "capability"),
    [
        ("RTNETLINK answers: Operation not permitted\nCommand failed -:1\n", "CAP_NET_ADMIN"),
        ("Error: Requested type not found.\nCommand failed -:1\n", "kernel ESP"),
        ("RTNETLINK answers: Function not implemented\n", "kernel crypto"),
        ("Cannot open netlink socket: Protocol not supported\n", "kernel XFRM"),
    ],
)
def test_refusals_of_the_kernel_are_understood(told: str, capability: str) -> None:
    refused = ip_command.refusal(told)
    assert isinstance(refused, MissingCapability)
    assert refused.capability == capability


def test_other_refusals_are_told_as_they_are() -> None:
    refused = ip_command.refusal("RTNETLINK answers: File exists\nCommand failed -:3\n")
    assert not isinstance(refused, MissingCapability)
    assert str(refused) == "ip refused: RTNETLINK answers: File exists"
    assert str(ip_command.refusal("")) == "ip refused: it does not say why"


def test_what_is_not_json_is_an_error_of_ours() -> None:
    if not shutil.which("ip"):
        pytest.skip("ip is not installed")
    with pytest.raises(EngineError, match="not JSON"):
        ip_command.show_json("-V")
