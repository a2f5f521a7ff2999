"""What ``sipua card info`` tells of a card. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from card.isim import IsimSession
    from card.session import CardSession
    from card.usim import UsimSession

LOCKED = {"pin_required": True}
"""Stands for what can be read only after PIN1 was verified."""


def describe(session: CardSession) -> dict[str, Any]:
    """The card and its applications as plain values, None for an application it lacks.

    Raises CardError.
    """
    from card.isim import IsimSession
    from card.usim import UsimSession

    uicc = session.uicc
    with session.exchange.transaction():
        applications = uicc.applications()
        found = {each.kind: each for each in reversed(applications)}
        return {
            "reader": session.link.reader,
            "atr": session.link.atr.hex(),
            "iccid": uicc.iccid(),
            "pin1_tries_left": uicc.pin_tries(),
            "applications": [each._asdict() | {"aid": each.aid.hex()} for each in applications],
            "usim": _unlocked(lambda: _usim(UsimSession(uicc, found["usim"])))
            if "usim" in found
            else None,
            "isim": _unlocked(lambda: _isim(IsimSession(uicc, found["isim"])))
            if "isim" in found
            else None,
        }


def _unlocked(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    from card.errors import PinRequired

    try:
        return read()
    except PinRequired:
        return LOCKED


def _usim(usim: UsimSession) -> dict[str, Any]:
    from card.services import USIM_SERVICES

    return {
        "imsi": usim.imsi(),
        "mnc_length": usim.mnc_length(),
        "services": _named(usim.services(), USIM_SERVICES),
    }


def _isim(isim: IsimSession) -> dict[str, Any]:
    from card.services import ISIM_SERVICES

    return {
        "impi": isim.impi(),
        "impu": isim.impu(),
        "domain": isim.domain(),
        "pcscf": isim.pcscf(),
        "services": _named(isim.services(), ISIM_SERVICES),
    }


def _named(services: frozenset[int], names: dict[int, str]) -> list[str]:
    return [names.get(number, f"service {number}") for number in sorted(services)]


def print_description(description: dict[str, Any]) -> None:
    """The description as indented lines."""
    tries = description["pin1_tries_left"]
    _line("reader", description["reader"])
    _line("ATR", description["atr"])
    _line("ICCID", description["iccid"])
    _line("PIN1", "state not told" if tries is None else f"{tries} tries left")
    for each in description["applications"]:
        _line("application", f"{each['label'] or each['kind']}  {each['aid']}")
    for kind in ("usim", "isim"):
        if description[kind] is not None:
            click.echo(kind.upper())
            for name, value in description[kind].items():
                text = ", ".join(value) if isinstance(value, list) else str(value)
                _line(f"  {name.replace('_', ' ')}", text)


def _line(name: str, value: str) -> None:
    click.echo(f"{name:<14}{value}")
