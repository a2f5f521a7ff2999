"""Who is on the other side, for scripts and people: a URI, and the name that came with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sipua.errors import ParseError
from sipua.sip.headers import NameAddr

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TEXT = 256
"""Characters of a name, or of a value that cannot be read, which are passed on."""


class Party(NamedTuple):
    """``name`` is the display name, None where there is none; tags and other parameters of the
    header are left out."""

    uri: str
    name: str | None = None


def read_party(value: str) -> Party:
    """Whom a From, To, P-Asserted-Identity or Referred-By names (RFC 3261 §20.10).

    What cannot be read is given as it came, its beginning: whoever wrote it shall be seen.
    """
    try:
        address = NameAddr.parse(value)
    except ParseError:
        return Party(value[:MAX_TEXT])
    return Party(address.uri, address.display_name[:MAX_TEXT] or None)


def asserted_parties(values: Iterable[str]) -> tuple[list[str], str | None]:
    """The URIs of P-Asserted-Identity, one SIP and one tel URI at most (RFC 3325 §9.1), and the
    first name among them."""
    parties = [read_party(value) for value in values]
    return [each.uri for each in parties], next((each.name for each in parties if each.name), None)
