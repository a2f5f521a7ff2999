"""One thing found out about an exchange, in sentences."""

from __future__ import annotations

from typing import Any, NamedTuple

TERMINAL, NETWORK, PROFILE, POLICY = "terminal", "network", "profile", "policy"


class Finding(NamedTuple):
    """What is so, why that matters, and what to do; ``code`` is its name for programs.

    ``side`` tells whose it is: the terminal (card included), the network, the
    profile that was given here, or a policy that cannot be seen from outside.
    ``wrong`` tells a fault from something worth knowing.
    """

    code: str
    side: str
    what: str
    why: str = ""
    todo: str = ""
    wrong: bool = True

    def to_json(self) -> dict[str, Any]:
        """The document of ``explain --json``."""
        return self._asdict()
