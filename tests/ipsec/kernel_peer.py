"""Run inside a namespace: the kernel engine, alone. Told what to do in JSON.

Arguments: the state directory, and optionally an ``ip`` to be used in place of the real one.
"""

from __future__ import annotations

import sys

from associations_of import CK, IK
from namespaces import ADDRESSES
from obeying import obey

from sipua.ipsec import ip_command
from sipua.ipsec.association import AssociationSet, Side
from sipua.ipsec.choice import choose_engine
from sipua.ipsec.errors import EngineError, MissingCapability
from sipua.ipsec.kernel import KernelEngine
from sipua.ipsec.keys import expand
from sipua.ipsec.suite import CURRENT, SUITES


class Peer:
    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.engine: KernelEngine | None = None

    def start(self) -> dict[str, object]:
        try:
            self.engine = KernelEngine(CURRENT, self.directory)
        except MissingCapability as error:
            return {"missing": error.capability, "told": str(error)}
        except EngineError as error:
            return {"refused": str(error)}
        return {"suites": [suite.name for suite in self.engine.suites], "reqid": self.engine.reqid}

    def associations(self, version: int, number: int) -> AssociationSet:
        suite = SUITES["hmac-sha-1-96", "aes-cbc"]
        ours, theirs = ADDRESSES[version]
        return AssociationSet(
            Side(ours, 5062 + 2 * number, 5063, 0x1001 + 2 * number, 0x1002 + 2 * number),
            Side(theirs, 6062 + 2 * number, 6063, 0x2001 + 2 * number, 0x2002 + 2 * number),
            suite,
            expand(suite, CK, IK),
        )

    def install(self, version: int, number: int) -> str:
        assert self.engine is not None
        try:
            self.engine.install(self.associations(version, number))
        except EngineError as error:
            return str(error)
        return ""

    def remove(self, version: int, number: int) -> str:
        assert self.engine is not None
        self.engine.remove(self.associations(version, number))
        return ""

    def close(self) -> str:
        if self.engine is not None:
            self.engine.close()
        return ""

    def choose(self) -> dict[str, object]:
        choice = choose_engine(ADDRESSES[4][0], state_directory=self.directory)
        told: dict[str, object] = {
            "engine": choice.engine.name,
            "sentence": choice.sentence,
            "suites": [suite.name for suite in choice.suites],
        }
        choice.engine.close()
        return told


def main() -> None:
    directory, *command = sys.argv[1:]
    if command:
        ip_command.COMMAND = command[0]
    peer = Peer(directory)
    obey(peer)


if __name__ == "__main__":
    main()
