"""``sipua card info``: what a card is and what is on it. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.card_session import Document, Outcome, run
from cli.options import card_options, json_option, verbose_option

if TYPE_CHECKING:
    from card.session import CardSession

KEYS = (
    *("reader", "atr", "atr_meaning", "iccid", "pin1_tries_left", "pins", "applications"),
    *("usim", "isim", "protected", "counters"),
)


@click.command(epilog="Example:  sipua card info --card emulated")
@card_options
@json_option
@verbose_option
def info(**options: Any) -> int:
    """Print the card's applications, identities, PIN states and what was done to it.

    Reads only. Of a locked card it tells what can be read without a PIN.
    """

    def work(session: CardSession) -> Outcome:
        from card.description import describe

        return Outcome("ok", "The card was read.", describe(session, options["protected"]))

    if options["application"] == "auto":
        options["application"] = None  # a card without USIM and ISIM can be told about, too
    return run(work, _show, blank=dict.fromkeys(KEYS), **options)


def _show(facts: Document) -> None:
    _line("reader", facts["reader"])
    _line("ATR", facts["atr"].upper())
    for sentence in facts["atr_meaning"]:
        _line("", sentence)
    _line("ICCID", facts["iccid"] or "cannot be read")
    if facts["protected"]:
        _line("", "protected: this card is only read")
    for pin in facts["pins"]:
        _line(f"{pin['name']}", pin_sentence(pin))
    if facts["counters"]:
        counts = facts["counters"]
        _line(
            "sent so far",
            f"{counts['authentications']} AUTHENTICATE, {counts['pin_tries']} PIN commands",
        )
    for each in facts["applications"]:
        _line("application", f"{each['label'] or each['kind']}  {each['aid'].upper()}")
    for kind in ("usim", "isim"):
        if facts[kind] is not None:
            click.echo(kind.upper())
            _show_application(facts[kind])


def _show_application(facts: Document) -> None:
    problems = facts["unreadable"]
    for name, value in facts.items():
        if name == "unreadable":
            continue
        text = ", ".join(value) if isinstance(value, list) else value
        if name in problems:
            text = f"({problems[name]})"
        elif text in (None, "") and name in ("mcc", "mnc", "mnc_length"):
            continue
        _line(f"  {LABELS.get(name, name)}", str(text or "(empty)"))


LABELS = {
    **{name: name.upper() for name in ("imsi", "mcc", "mnc", "msisdn", "spn", "smsc", "impi")},
    "impu": "IMPU",
    "mnc_length": "MNC digits",
    "pcscf": "P-CSCF",
    "psismsc": "SMSC URI",
}


def pin_sentence(pin: Document) -> str:
    """A PIN's state in words."""
    parts = [
        {True: "enabled", False: "disabled, not required", None: "state not told"}[pin["enabled"]]
    ]
    if pin["verified"]:
        parts.append("verified")
    tries = pin["tries_left"]
    if tries == 0:
        parts.append("BLOCKED")
    elif tries is not None:
        parts.append(f"{tries} tries left")
    if pin["unblock_tries_left"] is not None:
        parts.append(f"PUK: {pin['unblock_tries_left']} tries left")
    return f"{', '.join(parts)} (key {pin['reference']})"


def _line(name: str, value: str) -> None:
    click.echo(f"{name:<15}{value}")
