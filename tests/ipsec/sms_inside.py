"""Run inside a namespace: a user agent with IPsec that sends short messages to itself.

Arguments: the folder of the cards, the name of one, IP version and transport.
"""

from __future__ import annotations

import sys
from typing import Any

from namespaces import ADDRESSES
from obeying import obey
from subscribers import profile

from sipua.agent.call_report import CallReport
from sipua.agent.identity_module import CardChoice
from sipua.agent.texts.texter import Texter
from sipua.settings import AgentSettings


class TexterInside:
    def __init__(self, folder: str, name: str, version: int, transport: str) -> None:
        core = ADDRESSES[version][1]
        host = f"[{core}]" if version == 6 else core
        self.reports: list[CallReport] = []
        self.agent = Texter(
            CardChoice(f"emulated:{profile(folder, name).path}"),
            AgentSettings(pcscf=f"{transport}:{host}:5060", ipsec="require", timeout=12.0),
            psi="sip:smsc@example.com",
        )

    def register(self) -> dict[str, Any]:
        return self.agent.register().to_json()

    def send(self, number: str, text: str) -> dict[str, Any]:
        result = self.agent.send(number, text, report_wait=20, on_report=self.reports.append)
        return result.to_json()

    def texts(self) -> list[str]:
        return [each.details["text"] for each in self.reports if each.event == "sms"]

    def deregister(self) -> dict[str, Any]:
        return self.agent.deregister().to_json()

    def close(self) -> bool:
        self.agent.close()
        return True


def main() -> None:
    folder, name, version, transport = sys.argv[1:]
    inside = TexterInside(folder, name, int(version), transport)
    obey(inside)
    inside.close()


if __name__ == "__main__":
    main()
