"""Run inside a namespace: a user agent with an emulated card and IPsec. Told what to do in JSON.

Arguments: the folder of the cards, the name of one, IP version, transport and mode.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from namespaces import ADDRESSES
from obeying import obey
from subscribers import profile

from sipua.agent.call_plan import CallPlan, ListenPlan
from sipua.agent.call_report import CallReport
from sipua.agent.identity_module import CardChoice
from sipua.agent.texts.texter import Texter
from sipua.agent.user_agent import Observer, UserAgent
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.sip.message import Request


class UserAgentInside:
    def __init__(self, folder: str, name: str, version: int, transport: str, mode: str) -> None:
        core = ADDRESSES[version][1]
        host = f"[{core}]" if version == 6 else core
        card = profile(folder, name)
        self.requests: list[Request] = []
        settings = AgentSettings(pcscf=f"{transport}:{host}:5060", ipsec=mode, timeout=12.0)
        choice = CardChoice(f"emulated:{card.path}")
        self.agent = UserAgent(choice, settings, Observer(on_request=self.requests.append))
        self.texter = Texter(choice, settings)
        self.reports: list[CallReport] = []
        self._staying: threading.Thread | None = None
        self._ended: list[RegistrationResult] = []

    def register(self) -> dict[str, Any]:
        return self.agent.register().to_json()

    def deregister(self) -> dict[str, Any]:
        return self.agent.deregister().to_json()

    def anew(self) -> bool:
        """The next registration takes other sockets."""
        self.agent._equipment.start_over()
        return True

    def message(self, uri: str, text: str) -> dict[str, Any]:
        return self.agent.message(uri, text).to_json()

    def call(self, uri: str, seconds: float) -> dict[str, Any]:
        return self.agent.call(uri, CallPlan(duration=seconds)).to_json()

    def stay(self) -> bool:
        return self._begin(self.agent.stay)

    def listen(self, count: int) -> bool:
        return self._begin(lambda: self.agent.listen(ListenPlan(calls=count)))

    def _begin(self, what: Any) -> bool:
        self._staying = threading.Thread(target=lambda: self._ended.append(what()), daemon=True)
        self._staying.start()
        return True

    def send_text(self, number: str, text: str) -> dict[str, Any]:
        """A short message, with its delivery report."""
        with self.texter:
            return self.texter.send(number, text, report_wait=20.0).to_json()

    def take_text(self) -> bool:
        return self._begin(lambda: self.texter.listen(1, self.reports.append))

    def await_report(self, event: str) -> dict[str, Any]:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for report in list(self.reports):
                if report.event == event:
                    return report.details
            time.sleep(0.02)
        return {}

    def await_registration(self) -> bool:
        """Until the one that listens is registered."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            standing = self.agent._conversation
            if standing is not None and standing.machine.binding is not None:
                return True
            time.sleep(0.02)
        return False

    def leave(self) -> dict[str, Any]:
        """End ``stay`` or ``listen``; what came of it."""
        assert self._staying is not None
        self.agent.interrupt()
        self._staying.join(30)
        return self._ended[0].to_json()

    def await_end(self) -> dict[str, Any]:
        assert self._staying is not None
        self._staying.join(30)
        return self._ended[0].to_json()

    def texts(self) -> list[str]:
        return [each.body.decode() for each in self.requests]

    def counters(self) -> dict[str, int]:
        protection = self.agent._equipment._protection
        return (
            {name: count for name, count in protection.counters.items() if count}
            if protection is not None
            else {}
        )

    def associations(self) -> list[int]:
        protection = self.agent._equipment._protection
        return sorted(protection.security._agreement.life.spis) if protection is not None else []

    def in_use(self) -> list[int]:
        """The SPIs of what carries everything but REGISTER."""
        protection = self.agent._equipment._protection
        held = protection.security._agreement.life.in_use if protection is not None else None
        return sorted(each.spi for each in held.inbound) if held is not None else []

    def keys(self) -> list[list[str]]:
        """All associations in use, as a capture program wants to be told of them."""
        protection = self.agent._equipment._protection
        assert protection is not None
        life = protection.security._agreement.life
        return [
            [
                *(each.source.address, each.destination.address, f"{each.spi:#x}"),
                *(each.suite.ealg, each.keys.encryption.hex() + each.keys.salt.hex()),
                *(each.suite.alg, each.keys.authentication.hex()),
            ]
            for held in (life.in_use, *life.old)
            if held is not None
            for each in (*held.inbound, *held.outbound)
        ]

    def close(self) -> bool:
        self.agent.close()
        return True


def main() -> None:
    folder, name, version, transport, mode = sys.argv[1:]
    inside = UserAgentInside(folder, name, int(version), transport, mode)
    obey(inside)
    inside.close()


if __name__ == "__main__":
    main()
