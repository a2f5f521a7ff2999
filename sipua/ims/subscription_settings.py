"""What a subscription needs to be told."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_EXPIRES = 600_000
"""Seconds asked for (TS 24.229 §5.1.1.3)."""


class SubscriptionSettings(NamedTuple):
    """``uri`` is whose state is asked for; ``route`` and ``contact`` as a registration gave
    them. The others are as in RegistrationSettings."""

    uri: str
    impi: str
    impu: str
    contact: str
    event: str = "reg"
    accept: str = "application/reginfo+xml"
    expires: int = DEFAULT_EXPIRES
    contact_params: str = ""
    route: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    user_agent: str = ""
    schemes: tuple[str, ...] = ()
    plain_res: bool = False
    refusal_wait: float = 4.0
