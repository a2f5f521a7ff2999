"""ESP by the kernel, which is told through ``ip xfrm``."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from sipua.ipsec import ip_command, xfrm
from sipua.ipsec.association import AssociationSet, Side
from sipua.ipsec.engine import Engine
from sipua.ipsec.errors import EngineError, MissingCapability
from sipua.ipsec.keys import KEY_SIZE, expand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.ipsec.suite import Suite

STATE_DIRECTORY = "/run/sipua"
FIRST_REQID = 0x5349_0001
LAST_REQID = 0x5349_00FF
"""One each for so many processes in one network namespace. What carries one is ours."""

_STATISTICS = "/proc/net/xfrm_stat"
_TRIAL = (
    Side("192.0.2.1", 5062, 5064, 0x5349_0001, 0x5349_0002),  # RFC 5737: addresses of nobody
    Side("192.0.2.2", 5062, 5064, 0x5349_0003, 0x5349_0004),
)


class KernelEngine(Engine):
    """ESP by the kernel, for any address.

    ``suites`` are those of the given ones for which this kernel has the algorithms.
    What an earlier process left behind is removed at the start; a file in
    ``state_directory``, locked while the process lives, tells whose is whose.
    """

    name = "kernel"

    def __init__(self, suites: Iterable[Suite], state_directory: str = "") -> None:
        """Raises MissingCapability when the kernel can do none of the suites, or EngineError."""
        self._installed: list[AssociationSet] = []
        self._claim = _Claim(state_directory or _state_directory())
        self.reqid = self._claim.reqid
        try:
            self.suites = self._usable(suites)
        except EngineError:
            self._claim.release()
            raise

    def _usable(self, suites: Iterable[Suite]) -> tuple[Suite, ...]:
        usable, missing = [], MissingCapability("kernel crypto", "no suite was given")
        for suite in suites:
            trial = AssociationSet(*_TRIAL, suite, expand(suite, bytes(KEY_SIZE), _trial_key()))
            try:
                ip_command.run(_states_only(xfrm.additions(trial, self.reqid)))
            except MissingCapability as error:
                missing = error
                if error.capability != "kernel crypto":
                    break
            else:
                usable.append(suite)
            finally:
                ip_command.run(_states_only(xfrm.deletions(trial)), force=True)
        if not usable:
            raise missing
        return tuple(usable)

    def install(self, associations: AssociationSet) -> None:
        """See Engine."""
        try:
            ip_command.run(xfrm.additions(associations, self.reqid))
        except EngineError:
            ip_command.run(xfrm.deletions(associations), force=True)
            raise
        self._installed.append(associations)

    def remove(self, associations: AssociationSet) -> None:
        """See Engine."""
        if associations in self._installed:
            self._installed.remove(associations)
            ip_command.run(xfrm.deletions(associations), force=True)

    def counters(self) -> dict[str, int]:
        """The kernel's own, of the whole namespace (a wrong key shows nowhere else)."""
        with suppress(OSError), open(_STATISTICS) as file:
            return {
                name: int(value) for name, value in (line.split() for line in file) if value != "0"
            }
        return {}

    def close(self) -> None:
        """See Engine."""
        for associations in tuple(self._installed):
            self.remove(associations)
        self._claim.release()


class _Claim:
    """A reqid that no living process of ours in this namespace has; removes what dead ones left."""

    def __init__(self, directory: str) -> None:
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
            namespace = os.stat("/proc/self/ns/net").st_ino
        except OSError as error:
            raise EngineError(f"{directory} cannot be used for state: {error}") from None
        self._path = f"{directory}/xfrm-{namespace}-{{}}"
        self._descriptor = -1
        self.reqid = 0
        self._remove_leftovers()
        for reqid in range(FIRST_REQID, LAST_REQID + 1):
            descriptor = self._lock(reqid)
            if descriptor >= 0:
                self.reqid, self._descriptor = reqid, descriptor
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
                return
        raise EngineError("too many processes use IPsec in this network namespace")

    def release(self) -> None:
        """Give the reqid back."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.unlink(self._path.format(self.reqid))
            os.close(self._descriptor)
            self._descriptor = -1

    def _lock(self, reqid: int) -> int:
        """Descriptor of the locked file, -1 when a living process has it."""
        import fcntl

        path = self._path.format(reqid)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EngineError(f"{path} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return -1
        if not os.path.exists(path) or os.fstat(descriptor).st_ino != os.stat(path).st_ino:
            os.close(descriptor)  # its owner has just released it: somebody else may have it now
            return -1
        return descriptor

    def _remove_leftovers(self) -> None:
        policies = ip_command.show("-oneline", "xfrm", "policy", "list")
        states = ip_command.show("-oneline", "xfrm", "state", "list", "nokeys")
        for reqid in sorted(xfrm.reqids(policies) | xfrm.reqids(states)):
            if not FIRST_REQID <= reqid <= LAST_REQID:
                continue
            descriptor = self._lock(reqid)
            if descriptor < 0:
                continue
            ip_command.run(
                xfrm.policy_deletions(policies, {reqid}) + f"xfrm state deleteall reqid {reqid}\n",
                force=True,
            )
            with suppress(OSError):
                os.unlink(self._path.format(reqid))
            os.close(descriptor)


def _state_directory() -> str:
    """Root's, or that of a user who was given the capabilities."""
    if os.geteuid() == 0:
        return STATE_DIRECTORY
    return os.path.join(os.environ.get("XDG_RUNTIME_DIR") or STATE_DIRECTORY, "sipua")


def _states_only(batch: str) -> str:
    return "".join(line for line in batch.splitlines(True) if line.startswith("xfrm state"))


def _trial_key() -> bytes:
    """Distinct halves: 3DES refuses weak keys in some kernels."""
    return bytes(range(KEY_SIZE))
