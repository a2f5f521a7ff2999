"""The card: what it is, what is on it, and whether its identities fit together. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from card.description import describe
from card.errors import CardError, ProfileError
from card.session import CardSession
from sipua.agent.failure_advice import advise
from sipua.agent.identity_module import verdict_of
from sipua.doctor.finding import FAILED, OK, WARNING, Finding
from sipua.errors import LocalError
from sipua.ims.identity import Identity, identity_from_imsi

if TYPE_CHECKING:
    from sipua.agent.identity_module import CardChoice

AREA = "card"
LAST_TRIES = 2


class CardFacts:
    """What the other examinations use of it; ``identity`` is None when it cannot be had."""

    def __init__(self) -> None:
        self.identity: Identity | None = None
        self.pcscf: list[str] = []
        self.is_usable = False


def examine(choice: CardChoice, facts: CardFacts) -> Iterator[Finding]:
    """Opens the card and reads it. A PIN is sent only when the choice has one."""
    try:
        session = CardSession(
            choice.card,
            None,
            choice.pin,
            choice.force_pin,
            protected=choice.protected,
            waiting=choice.waiting,
        )
    except ProfileError:
        raise
    except CardError as error:
        steps = advise(error, verdict_of(error))
        yield Finding(AREA, "card", FAILED, str(error), steps[0] if steps else "")
        return
    with session:
        described = describe(session, choice.protected)
    yield Finding(AREA, "card", OK, f"{described['reader']}, ICCID {described['iccid'] or '?'}")
    if described["atr"]:
        meaning = described["atr_meaning"]
        yield Finding(
            AREA, "ATR", OK, described["atr"].upper() + (f" ({meaning[0]})" if meaning else "")
        )
    yield from _applications(described)
    yield from _pins(described, is_given=choice.pin is not None)
    yield from _identities(described, choice.application, facts)


def _applications(described: dict[str, Any]) -> Iterator[Finding]:
    names = [kind.upper() for kind in ("usim", "isim") if described[kind] is not None]
    if names:
        yield Finding(AREA, "applications", OK, " and ".join(names))
    else:
        yield Finding(
            AREA,
            "applications",
            FAILED,
            "neither USIM nor ISIM",
            "This is no card of a 3G or later network; see sipua card info.",
        )


def _pins(described: dict[str, Any], *, is_given: bool) -> Iterator[Finding]:
    """PIN1 and the universal PIN; nothing here needs PIN2."""
    for pin in described["pins"]:
        name, tries = pin["name"], pin["tries_left"]
        if name == "PIN2":
            continue
        if not pin["enabled"]:
            yield Finding(AREA, name, OK, "not asked for")
        elif tries == 0:
            remedy = "Only the PUK helps: sipua card pin unblock."
            yield Finding(AREA, name, FAILED, "blocked", remedy)
        elif pin["verified"] or (is_given and name == "PIN1"):  # a wrong one ends it above
            yield Finding(AREA, name, OK, "verified")
        elif tries is not None and tries < LAST_TRIES:
            yield Finding(
                AREA,
                name,
                WARNING,
                f"asked for, and only {tries} try left",
                "Be sure of it: --force-pin spends the last try, and then only the PUK helps.",
            )
        else:
            remedy = "Give it with --pin-file or SIPUA_PIN."
            yield Finding(AREA, name, WARNING, f"asked for, {tries} tries left", remedy)


def _identities(described: dict[str, Any], wanted: str, facts: CardFacts) -> Iterator[Finding]:
    usim, isim = described["usim"], described["isim"]
    derived: Identity | None = None
    if usim is not None:
        yield _read("IMSI", usim, "imsi")
        derived = _derived(usim)
    if isim is None or wanted == "usim":
        facts.identity = derived
        if derived is not None:
            yield Finding(AREA, "IMPI", OK, f"{derived.impi}, from the IMSI (TS 23.003 §13)")
        facts.is_usable = derived is not None
        return
    for name in ("impi", "domain"):
        yield _read(name.upper(), isim, name)
    yield _read("IMPU", isim, "impu")
    if isim["impi"] and isim["impu"] and isim["domain"]:
        facts.identity = Identity(isim["impi"], isim["impu"][0], isim["domain"])
        facts.pcscf = list(isim["pcscf"] or [])
        facts.is_usable = True
        if derived is not None:
            yield _agreement(facts.identity, derived)
    elif derived is not None:
        facts.identity, facts.is_usable = derived, True
        yield Finding(AREA, "ISIM", WARNING, "not filled in", "The USIM's IMSI will be used.")


def _derived(usim: dict[str, Any]) -> Identity | None:
    if not usim["imsi"] or not usim["mnc_length"]:
        return None
    try:
        return identity_from_imsi(usim["imsi"], usim["mnc_length"])
    except LocalError:
        return None


def _read(subject: str, application: dict[str, Any], name: str) -> Finding:
    value = application[name]
    if name in application["unreadable"]:
        return Finding(AREA, subject, FAILED, application["unreadable"][name])
    if not value:
        return Finding(AREA, subject, WARNING, "empty", f"Give --{subject.lower()}.")
    return Finding(AREA, subject, OK, ", ".join(value) if isinstance(value, list) else value)


def _agreement(own: Identity, derived: Identity) -> Finding:
    """An ISIM may hold anything; one that was made for another IMSI is a mistake."""
    user, imsi = own.impi.partition("@")[0], derived.impi.partition("@")[0]
    if user.isdecimal() and user != imsi:
        return Finding(
            AREA,
            "IMPI and IMSI",
            WARNING,
            f"the IMPI's user is {user}, the IMSI is {imsi}",
            "See in the HSS which of the two it knows; --application usim uses the IMSI.",
        )
    return Finding(AREA, "IMPI and IMSI", OK, "fit together")
