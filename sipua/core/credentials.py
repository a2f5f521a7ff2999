"""Credentials that have reached whom they are for (RFC 3261 §20.28, §22.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.auth.scheme import CREDENTIALS_HEADERS
from sipua.errors import ParseError
from sipua.sip.headers import split_challenges

if TYPE_CHECKING:
    from collections.abc import Collection

    from sipua.sip.message import Request


def remove_credentials(request: Request, realms: Collection[str]) -> None:
    """Take out what was for one of our realms, or for none; others go on to who wants them.

    The callee is not to see them, since some schemes show RES.
    """
    headers = request.headers
    for name in CREDENTIALS_HEADERS.values():
        values = headers.all(name)
        if values:
            headers.remove(name)
            for value in values:
                if _realm(value) not in (None, *realms):
                    headers.add(name, value)


def _realm(credentials: str) -> str | None:
    try:
        realm = split_challenges(credentials)[0].get("realm")
    except ParseError:
        return None
    return realm and realm.lower()
