"""iproute2, told what to do on its standard input, where other users cannot see the keys."""

from __future__ import annotations

import json
from typing import Any

from sipua.ipsec.errors import EngineError, MissingCapability

COMMAND = "ip"
_TIMEOUT = 20.0

_LACKING = (
    (
        "Operation not permitted",
        "CAP_NET_ADMIN",
        "run as root, or give the program CAP_NET_ADMIN (setcap cap_net_admin,cap_net_raw+ep)",
    ),
    (
        "Requested type not found",
        "kernel ESP",
        "the kernel has no ESP (CONFIG_INET_ESP, CONFIG_INET6_ESP; modules esp4, esp6)",
    ),
    (
        "Requested mode not supported",
        "kernel ESP",
        "the kernel has no ESP in transport mode (modules esp4, esp6)",
    ),
    (
        "Requested COMP algorithm not found",
        "kernel crypto",
        "the kernel lacks an algorithm of this suite",
    ),
    (
        "algorithm not found",
        "kernel crypto",
        "the kernel lacks an algorithm of this suite (see /proc/crypto)",
    ),
    ("Function not implemented", "kernel crypto", "the kernel lacks an algorithm of this suite"),
    ("Protocol not supported", "kernel XFRM", "the kernel has no XFRM (CONFIG_XFRM_USER)"),
    ("Cannot open netlink socket", "kernel XFRM", "the kernel has no XFRM (CONFIG_XFRM_USER)"),
)


def run(batch: str, family: int = 4, *, force: bool = False) -> None:
    """Have ``ip`` carry out the lines of a batch; with ``force`` go on after one that fails.

    ``family`` is the IP version that rules and routes without addresses are for.

    Raises MissingCapability when the machine cannot do this at all, EngineError
    when it refuses. Neither shows the batch: it holds keys.
    """
    options = ("-force",) if force else ()
    done = _ip((f"-{family}", *options, "-batch", "-"), batch)
    if done.returncode and not force:
        raise refusal(done.stderr)


def show(*arguments: str) -> str:
    """What ``ip`` prints; raises MissingCapability or EngineError."""
    done = _ip(arguments, "")
    if done.returncode:
        raise refusal(done.stderr)
    return str(done.stdout)


def show_json(*arguments: str) -> list[dict[str, Any]]:
    """What ``ip -json`` prints; raises MissingCapability or EngineError."""
    text = show("-json", *arguments)
    try:
        found = json.loads(text) if text.strip() else []
    except ValueError:
        raise EngineError("what ip prints is not JSON: is this iproute2?") from None
    return [entry for entry in found if isinstance(entry, dict)]


def refusal(told: str) -> EngineError:
    """What it means that ``ip`` printed this and failed."""
    for sign, capability, meaning in _LACKING:
        if sign in told:
            return MissingCapability(capability, meaning)
    lines = [line for line in told.splitlines() if line and not line.startswith("Command failed")]
    return EngineError(f"ip refused: {' '.join(lines)[:200] or 'it does not say why'}")


def _ip(arguments: tuple[str, ...], text: str) -> Any:
    import subprocess

    try:
        return subprocess.run(  # noqa: S603  # our own arguments, no shell
            [COMMAND, *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise MissingCapability("iproute2", "there is no program ip (package iproute2)") from None
    except subprocess.TimeoutExpired:
        raise EngineError(f"ip did not end within {_TIMEOUT:g} s") from None
