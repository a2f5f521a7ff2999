"""The 504 of an S-CSCF that has lost a subscriber's data (TS 24.229 §5.4.3.2), as a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.core.reply import Reply, own_uri

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sipua.core.registrar import Registrar
    from sipua.core.subscriber import Subscriber
    from sipua.sip.hop import Hop

FAULT = "restoration"

CONTENT_TYPE = "application/3gpp-ims+xml"
BODY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<ims-3gpp version="1"><alternative-service><type>restoration</type>'
    b"<reason>the registration was lost</reason><action>initial-registration</action>"
    b"</alternative-service></ims-3gpp>\n"
)
"""TS 24.229 §7.6."""


class Losses:
    """Registrations that are lost because the fault says so, and how many have been."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar
        self._count: dict[str, int] = {}

    def strike(self, caller: Subscriber, faults: Mapping[str, float], source: Hop) -> Reply | None:
        """Lose the caller's registration, and tell him; None when the fault has done its work."""
        known = self._count.get(caller.impi, 0)
        if known >= faults.get(FAULT, 0):
            return None
        self._count[caller.impi] = known + 1
        self._registrar.forget(caller)
        asserted = f"<{own_uri(source, 'orig')};lr>"  # as in Service-Route
        headers = [("P-Asserted-Identity", asserted), ("Content-Type", CONTENT_TYPE)]
        return Reply(504, headers, body=BODY)
