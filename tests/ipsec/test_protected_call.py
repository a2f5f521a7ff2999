"""A call that outlives the associations it was begun under: what follows in it goes by the new."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from namespaces import Cable, Inside
from protected_scene import Scene
from test_protected_reg_event import wait
from test_protected_registration import DROPPED, wire

pytestmark = pytest.mark.interop

__all__ = ["wire"]  # fixtures

LASTING = "8"
"""Seconds of a registration that is renewed in the middle of a call, by itself at half of it."""


def _other(name: str) -> str:
    return "bob" if name == "alice" else "alice"


class Call:
    """Between two telephones, alice's and bob's. ``why`` they are authenticated anew: the network
    has "shortened" bob's registration and alice wants to, or by "expiry" of both. ``rings``: it
    waits for bob to answer."""

    def __init__(
        self,
        wire: Cable,
        folder: Path,
        stack: ExitStack,
        transport: str,
        why: str,
        *,
        rings: bool = False,
    ) -> None:
        self.scene = Scene(wire, folder, stack)
        lasting = [LASTING] if why == "expiry" else []
        self.core = self.scene._begin(1, "ending_core_inside", folder, *lasting)
        self.phones = {
            name: self.scene._begin(0, "phone_inside", folder, name, transport)
            for name in ("alice", "bob")
        }
        self.phones["bob"].ask("take_calls", rings, "sink")
        self.reported("bob", "registered", 1)
        assert self.phones["alice"].ask("register")["verdict"] == "registered"
        self.why = why
        self.infos = dict.fromkeys(self.phones, 0)
        self.changes = dict.fromkeys(self.phones, 1)
        self.scene.clear()

    def place(self) -> None:
        self.phones["alice"].ask("place", self.scene.uri("bob"))

    def reported(self, name: str, event: str, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.phones[name].ask("await_reports", event, count)
        assert len(found) == count, (name, self.phones[name].ask("told")[-4:])
        return found

    def authenticate_anew(self) -> None:
        """Both telephones."""
        before = {name: phone.ask("in_use") for name, phone in self.phones.items()}
        if self.why == "shortened":
            bob = self.scene.impi("bob")
            wait(lambda: self.core.ask("watches", bob) == 1, "subscribed")
            self.core.ask("shorten", bob, 600)
            self.phones["alice"].ask("renew")
        for name, phone in self.phones.items():
            self._wait_for_others(phone, before[name])

    def _wait_for_others(self, phone: Inside, before: list[int]) -> None:
        wait(lambda: phone.ask("in_use") not in (before, []), "new associations")

    def talk(self) -> None:
        """INFO and re-INVITE from each side."""
        for name in self.phones:
            self.infos[name] += 1
            self.phones[name].ask("info", str(self.infos[name]))
            told = self.reported(_other(name), "digit", self.infos[name])
            assert told[-1]["digit"] == str(self.infos[name])
        for name in self.phones:
            for what in ("hold", "resume"):
                self.phones[name].ask(what)
                for each in self.phones:
                    self.changes[each] += 1
                    self.reported(each, "media", self.changes[each])

    def associations(self) -> set[int]:
        elements = (*self.phones.values(), self.core)
        return {spi for each in elements for spi in each.ask("associations")}

    def check_end(self) -> None:
        """Nothing went unprotected, or was thrown away on either side."""
        assert self.scene.clear() == set()
        elements = (*self.phones.values(), self.core)
        for each in elements:
            assert not DROPPED & set(each.ask("counters")), each.ask("counters")
        for phone in self.phones.values():
            phone.ask("close")
        self.core.ask("stop")


@pytest.mark.parametrize(("why", "hangs_up"), [("shortened", "alice"), ("expiry", "bob")])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_goes_on_by_new_associations(
    wire: Cable, tmp_path: Path, transport: str, why: str, hangs_up: str
) -> None:
    with ExitStack() as stack:
        call = Call(wire, tmp_path, stack, transport, why)
        call.place()
        for name in call.phones:
            call.reported(name, "established", 1)
        first = call.associations()
        call.authenticate_anew()
        call.talk()
        wait(lambda: not first & call.associations(), "the old associations go")
        assert call.scene.clear() == set(), "all of it was protected"

        call.talk()
        call.phones[hangs_up].ask("hang_up")
        (ended,) = call.reported(hangs_up, "ended", 1)
        assert ended["cause"] == "hung-up"
        (ended,) = call.reported(_other(hangs_up), "ended", 1)
        assert ended["cause"] == "peer-hung-up"
        assert not first & set(call.scene.sniffer.ask("spis"))
        call.check_end()


@pytest.mark.parametrize("what", ["answer", "cancel"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_that_rings_for_longer_than_its_associations_last(
    wire: Cable, tmp_path: Path, transport: str, what: str
) -> None:
    """What ends its INVITE, and the CANCEL, go by the new ones too."""
    with ExitStack() as stack:
        call = Call(wire, tmp_path, stack, transport, "shortened", rings=True)
        call.place()
        call.reported("alice", "progress", 1)
        first = call.associations()
        call.authenticate_anew()
        wait(lambda: not first & call.associations(), "the old associations go")
        if what == "answer":
            call.phones["bob"].ask("answer")
            for name in call.phones:
                call.reported(name, "established", 1)
            call.talk()
        call.phones["alice"].ask("hang_up")
        (ended,) = call.reported("alice", "ended", 1)
        assert ended["cause"] == "hung-up" if what == "answer" else "cancelled", ended
        call.reported("bob", "ended", 1)
        call.check_end()
