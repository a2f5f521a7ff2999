"""Registration information documents (RFC 3680 §5, with the GRUUs of RFC 5628)."""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import ParseError
from sipua.ims import xml_document
from sipua.ims.xml_document import Element
from sipua.sip.grammar import parse_number

CONTENT_TYPE = "application/reginfo+xml"
NAMESPACE = "urn:ietf:params:xml:ns:reginfo"
GRUU_NAMESPACE = "urn:ietf:params:xml:ns:gruuinfo"

MAX_VERSION = 2**32 - 1
MAX_NUMBER = 2**64 - 1  # xs:unsignedLong

ACTIVE, TERMINATED, INIT = "active", "terminated", "init"

MAX_KEPT = 1024
"""Contacts of one subscription; whoever has more is not followed any further."""


class Contact(NamedTuple):
    """One contact of a registration; numbers are seconds, -1 where there is none."""

    id: str
    uri: str
    state: str
    event: str
    expires: int = -1
    retry_after: int = -1
    registered_for: int = -1
    call_id: str = ""
    cseq: int = -1
    q: str = ""
    display_name: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    pub_gruu: str = ""
    temp_gruu: str = ""
    temp_gruu_first_cseq: int = -1


class RegistrationInfo(NamedTuple):
    """The contacts of one address of record."""

    id: str
    aor: str
    state: str
    contacts: tuple[Contact, ...]


class Document(NamedTuple):
    """One document; ``full`` replaces what was known, otherwise it adds to it."""

    version: int
    full: bool
    registrations: tuple[RegistrationInfo, ...]


def parse(data: bytes) -> Document:
    """Read a document; raises ParseError. Elements of other namespaces are passed over."""
    root = xml_document.parse(data)
    if (root.name, root.namespace) != ("reginfo", NAMESPACE):
        raise ParseError(f"the XML document is a {root.name[:40]}, not a reginfo")
    state = root.required("state")
    if state not in ("full", "partial"):
        raise ParseError(f"a reginfo document of state {state[:40]!r}")
    version = parse_number(root.required("version").strip(), MAX_VERSION, "version")
    registrations = tuple(_registration(each) for each in root.all("registration"))
    return Document(version, state == "full", registrations)


def _registration(element: Element) -> RegistrationInfo:
    state = element.required("state")
    if state not in (INIT, ACTIVE, TERMINATED):
        raise ParseError(f"a registration of state {state[:40]!r}")
    contacts = tuple(_contact(each) for each in element.all("contact"))
    return RegistrationInfo(
        element.required("id"), element.required("aor").strip(), state, contacts
    )


def _contact(element: Element) -> Contact:
    state = element.required("state")
    if state not in (ACTIVE, TERMINATED):
        raise ParseError(f"a contact of state {state[:40]!r}")
    uri = element.first("uri")
    if uri is None:
        raise ParseError("a contact without a uri")
    name = element.first("display-name")
    public = element.first("pub-gruu", GRUU_NAMESPACE)
    temporary = element.first("temp-gruu", GRUU_NAMESPACE)
    return Contact(
        element.required("id"),
        uri.text.strip(),
        state,
        element.required("event").strip(),
        _number(element, "expires"),
        _number(element, "retry-after"),
        _number(element, "duration-registered"),
        element.attributes.get("callid", ""),
        _number(element, "cseq"),
        element.attributes.get("q", ""),
        name.text.strip() if name is not None else "",
        tuple(
            (each.attributes.get("name", ""), each.text.strip())
            for each in element.all("unknown-param")
        ),
        public.attributes.get("uri", "") if public is not None else "",
        temporary.attributes.get("uri", "") if temporary is not None else "",
        _number(temporary, "first-cseq") if temporary is not None else -1,
    )


def _number(element: Element, name: str) -> int:
    """A number that may be missing; what is none is as good as missing."""
    try:
        return parse_number(element.attributes.get(name, "").strip(), MAX_NUMBER, name)
    except ParseError:
        return -1


class View:
    """What is known after several documents (RFC 3680 §5.2). ``registrations`` by their id."""

    def __init__(self) -> None:
        self.version = -1
        self.registrations: dict[str, RegistrationInfo] = {}

    def take(self, document: Document) -> bool:
        """Whether the document was news: one older than what is known is passed over."""
        if document.version < self.version:
            return False
        if document.full:
            self.registrations.clear()
        self.version = document.version
        for registration in document.registrations:
            self._update(registration)
        return True

    def has_missed(self, document: Document) -> bool:
        """Whether documents between the last one and this one did not come."""
        return -1 < self.version < document.version - 1 and not document.full

    def contacts(self) -> list[tuple[str, Contact]]:
        """Every contact with its address of record."""
        return [(each.aor, contact) for each in self.registrations.values() for contact in each[3]]

    def _update(self, news: RegistrationInfo) -> None:
        known = self.registrations.get(news.id)
        contacts = {contact.id: contact for contact in known.contacts} if known is not None else {}
        contacts.update((contact.id, contact) for contact in news.contacts)
        kept = tuple(contact for contact in contacts.values() if contact.state == ACTIVE)
        others = sum(len(each.contacts) for each in self.registrations.values() if each != known)
        if others + len(kept) > MAX_KEPT:
            raise ParseError(f"more than {MAX_KEPT} contacts", 513)
        if news.state == TERMINATED:
            self.registrations.pop(news.id, None)
        else:
            self.registrations[news.id] = news._replace(contacts=kept)
