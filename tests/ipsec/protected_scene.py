"""User agents in one namespace, their network in another, and a sniffer between them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from namespaces import Cable, Inside
from subscribers import profile, write_profiles


class Scene:
    """The programs of one test, all of which end with it."""

    def __init__(self, wire: Cable, folder: Path, stack: ExitStack) -> None:
        self._wire = wire
        self._folder = folder
        self._stack = stack
        write_profiles(folder)
        self.sniffer = self._begin(0, "cable_sniffer", wire.devices[0])

    def _begin(self, end: int, program: str, *arguments: object) -> Inside:
        inside = Inside(self._wire.namespaces[end], program, *map(str, arguments))
        self._stack.enter_context(inside)
        assert inside.answer() == "ready"
        return inside

    def core(self, version: int = 4, mode: str = "require", *suites: str) -> Inside:
        return self._begin(1, "core_inside", self._folder, version, mode, *suites)

    def ue(
        self, name: str, version: int = 4, transport: str = "udp", mode: str = "require"
    ) -> Inside:
        return self._begin(0, "ue_inside", self._folder, name, version, transport, mode)

    def uri(self, name: str) -> str:
        isim = profile(str(self._folder), name).isim
        assert isim is not None
        return isim.impu[0]

    def impi(self, name: str) -> str:
        isim = profile(str(self._folder), name).isim
        assert isim is not None
        return isim.impi

    def clear(self) -> set[str]:
        """What went over the cable as UDP or TCP since it was asked last."""
        seen = self.sniffer.ask("protocols")
        self.sniffer.ask("forget")
        return {"udp", "tcp"} & set(seen)
