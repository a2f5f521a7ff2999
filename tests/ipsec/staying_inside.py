"""Run inside a namespace: a user agent with IPsec that stays and watches its registration.

Arguments: the folder of the cards, the name of one, the transport, and the mode if it is another
than "require".
"""

from __future__ import annotations

import sys

from obeying import obey
from ue_inside import UserAgentInside

from sipua.agent.user_agent import UserAgent


class StayingInside(UserAgentInside):
    def __init__(self, folder: str, name: str, transport: str, mode: str = "require") -> None:
        super().__init__(folder, name, 4, transport, mode)
        settings = self.agent.settings._replace(reg_event=True)
        self.agent = UserAgent(self.agent._equipment._choice, settings)


def main() -> None:
    inside = StayingInside(*sys.argv[1:])
    obey(inside)
    inside.close()


if __name__ == "__main__":
    main()
