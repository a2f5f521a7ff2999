"""Everything about a card that can be told by reading it, as plain values for people and JSON.

What cannot be read is None, and ``unreadable`` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from card import atr, counters
from card.coding.basic import is_unused
from card.errors import AnswerError, PinRequired, StateError, StatusError
from card.files.catalogue import DF_TELECOM
from card.files.gsm import EF_PSISMSC
from card.files.services import ISIM_SERVICES, USIM_SERVICES
from card.files.usim import EF_MSISDN, EF_SMSP, EF_SPN
from card.isim import IsimSession
from card.precaution import is_protected, protected_cards
from card.uicc import NOT_FOUND
from card.user_pin import states
from card.usim import UsimSession

if TYPE_CHECKING:
    from collections.abc import Iterable

    from card.files.ef import Ef
    from card.session import CardSession

Facts = dict[str, Any]


def describe(session: CardSession, protected: Iterable[str] = ()) -> Facts:
    """The card, its applications (None for one that it lacks), PINs and counters.

    Raises CardError only when the card does not answer at all.
    """
    uicc = session.uicc
    with session.exchange.transaction():
        applications = _attempt(uicc.applications, [])
        found = {each.kind: each for each in reversed(applications)}
        usim, isim = found.get("usim"), found.get("isim")
        main = usim or isim
        pins = _attempt(lambda: states(uicc, main), [])
        described: Facts = {
            "reader": session.link.reader,
            "atr": session.link.atr.hex(),
            "atr_meaning": _attempt(lambda: atr.explain(session.link.atr), []),
            "iccid": session.iccid or None,
            "pin1_tries_left": next((each.tries_left for each in pins if each.enabled), None),
            "pins": [each._asdict() | {"reference": f"{each.reference:02X}"} for each in pins],
            "applications": [
                each._asdict() | {"aid": each.aid.hex(), "kind": each.kind} for each in applications
            ],
            "usim": _usim(UsimSession(uicc, usim)) if usim else None,
            "isim": _isim(IsimSession(uicc, isim)) if isim else None,
        }
    cards = protected_cards(protected)
    described["protected"] = bool(cards) and is_protected(session.iccid, cards)
    described["counters"] = _counters(session.iccid) if session.iccid else None
    return described


def _usim(usim: UsimSession) -> Facts:
    reading = Reading()
    imsi = reading.of("imsi", usim.imsi)
    mnc_length = reading.of("mnc_length", usim.mnc_length) or 0
    services = reading.of("services", usim.services)
    msisdn = reading.of("msisdn", lambda: _records(usim, EF_MSISDN))
    smsp = reading.of("smsc", lambda: _records(usim, EF_SMSP))
    psismsc = reading.of("psismsc", lambda: _centres(usim))
    return {
        "imsi": imsi,
        "mcc": imsi[:3] if imsi else None,
        "mnc": imsi[3 : 3 + mnc_length] if imsi and mnc_length else None,
        "mnc_length": mnc_length or None,
        "msisdn": [each.number for each in msisdn if each.number] if msisdn is not None else None,
        "spn": reading.of("spn", lambda: _spn(usim)),
        "smsc": [each.service_centre for each in smsp if each.service_centre]
        if smsp is not None
        else None,
        "psismsc": psismsc,
        "services": _named(services, USIM_SERVICES),
        "unreadable": reading.problems,
    }


def _isim(isim: IsimSession) -> Facts:
    reading = Reading()
    return {
        "impi": reading.of("impi", isim.impi),
        "impu": reading.of("impu", isim.impu),
        "domain": reading.of("domain", isim.domain),
        "pcscf": reading.of("pcscf", isim.pcscf),
        "services": _named(reading.of("services", isim.services), ISIM_SERVICES),
        "unreadable": reading.problems,
    }


class Reading:
    """Reads one value after the other and notes in ``problems`` why one cannot be had."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}

    def of(self, name: str, read: Callable[[], Any]) -> Any:
        """The value, or None."""
        try:
            return read()
        except PinRequired as error:
            self.problems[name] = f"PIN1 required ({error.sw:04X})"
        except StatusError as error:
            self.problems[name] = "not on this card" if error.sw in NOT_FOUND else str(error)
        except AnswerError as error:
            self.problems[name] = str(error)
        return None


def _records(usim: UsimSession, ef: Ef[Any]) -> list[Any]:
    """The used records; none without that file."""
    with usim.uicc.in_directory(usim.application):
        try:
            return [ef.decode(record) for record in usim.uicc.records(ef)]
        except StatusError as error:
            if error.sw in NOT_FOUND:
                return []
            raise


def _centres(usim: UsimSession) -> list[str]:
    """The URIs in EF_PSISMSC; none without that file."""
    uicc = usim.uicc
    with uicc.in_directory():
        try:
            uicc.enter(DF_TELECOM)
            return [EF_PSISMSC.decode(record) for record in uicc.records(EF_PSISMSC)]
        except StatusError as error:
            if error.sw in NOT_FOUND:
                return []
            raise


def _spn(usim: UsimSession) -> str:
    with usim.uicc.in_directory(usim.application):
        octets = usim.uicc.read_binary(EF_SPN)
    return "" if is_unused(octets) else EF_SPN.decode(octets).name


def _named(services: frozenset[int] | None, names: dict[int, str]) -> list[str] | None:
    if services is None:
        return None
    return [names.get(number, f"service {number}") for number in sorted(services)]


def _counters(iccid: str) -> Facts | None:
    try:
        return counters.read(iccid)._asdict()
    except StateError:
        return None


def _attempt(read: Callable[[], Any], otherwise: Any) -> Any:
    """What ``read`` gives; ``otherwise`` where the card refuses it or answers nonsense."""
    try:
        return read()
    except (StatusError, AnswerError, PinRequired):
        return otherwise
