"""Which engine is used: the kernel's ESP, ours, or none, and why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import LocalError
from sipua.ipsec.errors import EngineError, MissingCapability
from sipua.ipsec.suite import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sipua.ipsec.engine import Engine
    from sipua.ipsec.suite import Suite

AUTO = "auto"
REQUIRE = "require"
OFF = "off"
MODES = (AUTO, REQUIRE, OFF)


class Choice(NamedTuple):
    """The engine, and the suites to be offered with it; ``reasons`` tell of those passed over."""

    engine: Engine
    suites: tuple[Suite, ...]
    reasons: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """For people."""
        told = f"IPsec by {self.engine.name}"
        return f"{told} ({'; '.join(self.reasons)})" if self.reasons else told


class NoEngine(EngineError):
    """Neither engine can work here; ``reasons`` has one sentence each."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(f"IPsec cannot be used on this machine: {'; '.join(reasons)}")
        self.reasons = reasons


def check_mode(mode: str) -> str:
    """The mode; raises LocalError for what is none."""
    if mode not in MODES:
        raise LocalError(f"--ipsec is one of {', '.join(MODES)}, not {mode!r}")
    return mode


def choose_engine(
    address: str,
    suites: Iterable[Suite] = CURRENT,
    random_bytes: Callable[[int], bytes] = os.urandom,
    state_directory: str = "",
) -> Choice:
    """The kernel's where it can do at least one suite, else our own; raises NoEngine.

    ``address`` is the local one that the peer knows.
    """
    wanted = tuple(suites)
    reasons: list[str] = []
    from sipua.ipsec.kernel import KernelEngine

    try:
        kernel = KernelEngine(wanted, state_directory)
    except EngineError as error:
        reasons.append(_reason("kernel", error))
    else:
        missing = [suite.name for suite in wanted if suite not in kernel.suites]
        if missing:
            reasons.append(f"the kernel has no {', '.join(missing)}")
        return Choice(kernel, kernel.suites, tuple(reasons))
    from sipua.ipsec.userspace import UserSpaceEngine

    try:
        return Choice(UserSpaceEngine(address, random_bytes), wanted, tuple(reasons))
    except EngineError as error:
        reasons.append(_reason("user space", error))
    raise NoEngine(tuple(reasons))


def _reason(engine: str, error: EngineError) -> str:
    if isinstance(error, MissingCapability):
        return f"{engine}: {error.capability} is missing, {error}"
    return f"{engine}: {error}"
