"""Who takes part in what was captured: the UE, its card, and each node of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.report.trace import SeenMessage, address
from sipua.sip.message import Request
from sipua.trace.picture import Lane
from sipua.trace.step import CARD, UE

if TYPE_CHECKING:
    from sipua.report.trace import Trace
    from sipua.sip.hop import Hop

MAX_NODES = 6
OTHERS = "other nodes"


class Participants:
    """Lanes for addresses. An address is one participant, whatever its ports, unless two of its
    ports talk to each other, as on one machine.
    """

    def __init__(self, trace: Trace) -> None:
        messages = trace.messages
        self._divided = {
            each.source.address
            for each in messages
            if each.source.address == each.destination.address
        }
        self._names: dict[str, str] = {}
        self._roles: dict[str, str] = {}
        self._ports: dict[str, list[str]] = {}
        ue = self._find_ue(messages)
        if ue:
            self._names[ue] = UE
        for each in messages:
            for hop in (each.source, each.destination):
                self._join(hop)
            self._note_role(each)
        self.has_card = bool(trace.apdus)

    def lane(self, hop: Hop) -> str:
        """The lane of an address."""
        return self._names[self._key(hop)]

    @property
    def lanes(self) -> list[Lane]:
        """From left to right: card, UE, the network in order of appearance."""
        lanes = [Lane(CARD)] if self.has_card else []
        where: dict[str, list[str]] = {}
        for key, name in self._names.items():
            where.setdefault(name, []).append(key)
        if UE not in where:
            lanes.append(Lane(UE))
        else:
            (ue, *_) = where.pop(UE)
            ports = self._ports.get(ue, [])
            lanes.append(Lane(UE, ports[0] if len(ports) == 1 else ue))
        for name, keys in where.items():
            if name == OTHERS:
                lanes.append(Lane(name, f"{len(keys)} addresses"))
            else:
                lanes.append(Lane(name, self._roles.get(keys[0], "network")))
        return lanes

    def _key(self, hop: Hop) -> str:
        return address(hop) if hop.address in self._divided else hop.address

    def _find_ue(self, messages: list[SeenMessage]) -> str:
        """Who sends the first request that nobody carried before: it has one Via. Else who sends
        the first request, else who gets the first answer."""
        requests = [each for each in messages if isinstance(each.message, Request)]
        for wanted in ("REGISTER", ""):
            for each in requests:
                assert isinstance(each.message, Request)
                vias = each.message.headers.values("Via")
                if len(vias) == 1 and wanted in ("", each.message.method):
                    return self._key(each.source)
        if requests:
            return self._key(requests[0].source)
        return self._key(messages[0].destination) if messages else ""

    def _join(self, hop: Hop) -> None:
        key = self._key(hop)
        ports = self._ports.setdefault(key, [])
        if address(hop) not in ports:
            ports.append(address(hop))
        if key in self._names:
            return
        nodes = len(self._names) - (UE in self._names.values())
        self._names[key] = key if nodes < MAX_NODES else OTHERS

    def _note_role(self, seen: SeenMessage) -> None:
        """What a node is, by what it does: who answers a REGISTER is on the way to a registrar."""
        message = seen.message
        if message is None or isinstance(message, Request) or message.status < 200:
            return
        cseq = message.headers.get("CSeq") or ""
        key = self._key(seen.source)
        if cseq.endswith("REGISTER"):
            self._roles[key] = "registrar or its proxy"
        else:
            self._roles.setdefault(key, "network")
