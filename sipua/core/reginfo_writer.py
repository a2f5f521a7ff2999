"""Registration information as the notifier tells it (RFC 3680 §5, RFC 5628)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as Xml

from sipua.core.bindings import seconds_left
from sipua.core.contact_events import ACTIVE, CREATED, PROBATION, REGISTERED, TERMINATED
from sipua.core.gruu import instance_of, public_gruu
from sipua.core.subscriber import address_of_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sipua.core.contact_events import Change

CONTENT_TYPE = "application/reginfo+xml"
NAMESPACE = "urn:ietf:params:xml:ns:reginfo"
GRUU_NAMESPACE = "urn:ietf:params:xml:ns:gruuinfo"

RFC_3261_PARAMETERS = ("q", "expires")
"""Contact parameters that are told as attributes; the others are unknown-params."""

MAX_PARAMETERS = 32
MAX_VALUE = 256
"""Contact parameters told of one contact, and the characters of one: a document is to fit
into a message, whatever was registered."""


class Registrations(NamedTuple):
    """What one document tells of the ``impus`` of a subscriber. ``full`` means that there is
    nothing else to know, ``state`` is that of each registration."""

    impus: tuple[str, ...]
    contacts: list[Change]
    state: str
    full: bool


def write(told: Registrations, version: int, now: float) -> bytes:
    """The document."""
    root = Xml.Element(
        "reginfo",
        {
            "xmlns": NAMESPACE,
            "xmlns:gr": GRUU_NAMESPACE,
            "version": str(version),
            "state": "full" if told.full else "partial",
        },
    )
    for number, impu in enumerate(told.impus):
        registration = Xml.SubElement(
            root, "registration", {"aor": _legal(impu), "id": f"r{number}", "state": told.state}
        )
        for change in told.contacts:
            _add_contact(registration, change, impu, number, now)
    document: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_contact(
    registration: Xml.Element, change: Change, impu: str, number: int, now: float
) -> None:
    binding = change.binding
    attributes = {
        "id": f"c{binding.id}.{number}",  # no two alike in all of the document (§5.1)
        "state": change.state,
        "event": _event_for(change, impu),
        "duration-registered": str(int(now - binding.since)),
        "callid": _legal(binding.call_id),
        "cseq": str(binding.cseq),
    }
    if change.state == ACTIVE:
        attributes["expires"] = str(max(0, seconds_left(binding, now)))
    if change.event == PROBATION:
        attributes["retry-after"] = str(change.retry_after)
    if "q" in binding.params:
        attributes["q"] = _legal(binding.params.get("q") or "")
    contact = Xml.SubElement(registration, "contact", attributes)
    Xml.SubElement(contact, "uri").text = _legal(binding.uri)
    if binding.display_name:
        Xml.SubElement(contact, "display-name").text = _legal(binding.display_name)
    for name, value in _unknown(binding.params.items):
        Xml.SubElement(contact, "unknown-param", {"name": _legal(name)}).text = _legal(value)
    gruu = public_gruu(impu, instance_of(binding)) if binding.has_gruu else ""
    if gruu and change.state != TERMINATED:
        Xml.SubElement(contact, "gr:pub-gruu", {"uri": _legal(gruu)})


def _event_for(change: Change, impu: str) -> str:
    """The public identities beside the one that was registered are created with it."""
    was_named = address_of_record(impu) == address_of_record(change.binding.aor)
    return CREATED if change.event == REGISTERED and not was_named else change.event


def _unknown(items: Iterable[tuple[str, str | None]]) -> list[tuple[str, str]]:
    fitting = [
        (name, value or "")
        for name, value in items
        if name.lower() not in RFC_3261_PARAMETERS and len(name) + len(value or "") <= MAX_VALUE
    ]
    return fitting[:MAX_PARAMETERS]


def _legal(text: str) -> str:
    """With U+FFFD for characters that no XML document may hold (XML 1.0 §2.2)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if _is_legal(each) else "\ufffd" for each in text)


def _is_legal(character: str) -> bool:
    return (
        " " <= character <= "\ud7ff"
        or character in "\t\n\r"
        or "\ue000" <= character <= "\ufffd"
        or character >= "\U00010000"
    )
