"""Pairs of integrity and encryption algorithm that TS 33.203 Annex H can name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sipua.errors import LocalError

NULL = "null"


class Suite(NamedTuple):
    """``alg`` and ``ealg`` as the Security headers spell them.

    Sizes are octets: keys without salt, ``icv`` as it is sent, ``block`` what
    the padded payload is a multiple of (at least 4, RFC 4303 §2.4).
    """

    alg: str
    ealg: str
    authentication_key: int
    encryption_key: int
    salt: int
    iv: int
    block: int
    icv: int

    @property
    def name(self) -> str:
        """As ``hmac-sha-1-96/aes-cbc``."""
        return f"{self.alg}/{self.ealg}"


_INTEGRITY = {"hmac-sha-1-96": 20, "hmac-md5-96": 16}
_ENCRYPTION = {"aes-cbc": (16, 16, 16), "des-ede3-cbc": (24, 8, 8), NULL: (0, 0, 4)}

SUITES = {
    (suite.alg, suite.ealg): suite
    for suite in (
        *(
            Suite(alg, ealg, key, encryption_key, 0, iv, block, 12)
            for alg, key in _INTEGRITY.items()
            for ealg, (encryption_key, iv, block) in _ENCRYPTION.items()
        ),
        Suite("aes-gmac", NULL, 16, 0, 4, 8, 4, 16),  # RFC 4543
        Suite(NULL, "aes-gcm", 0, 16, 4, 8, 4, 16),  # RFC 4106
    )
}
"""All that can be spoken, by (alg, ealg). null/null is none: something must protect."""

CURRENT = tuple(
    SUITES[pair]
    for pair in (
        ("hmac-sha-1-96", "aes-cbc"),
        (NULL, "aes-gcm"),
        ("aes-gmac", NULL),
        ("hmac-sha-1-96", NULL),
    )
)
"""Offered unless told otherwise, the most protecting and most widely known first."""

OLDER = tuple(
    SUITES[pair]
    for pair in (
        ("hmac-sha-1-96", "des-ede3-cbc"),
        ("hmac-md5-96", "aes-cbc"),
        ("hmac-md5-96", "des-ede3-cbc"),
        ("hmac-md5-96", NULL),
    )
)
"""Algorithms that TS 33.203 has dropped and networks still ask for; offered on request."""


def suites_named(names: Iterable[str]) -> tuple[Suite, ...]:
    """The suites of these names, ``alg/ealg``; CURRENT for none. Raises LocalError."""
    chosen = []
    for name in names:
        alg, _, ealg = name.lower().partition("/")
        if (alg, ealg) not in SUITES:
            known = ", ".join(suite.name for suite in SUITES.values())
            raise LocalError(f"there is no security mechanism {name}; there are: {known}")
        chosen.append(SUITES[alg, ealg])
    return tuple(chosen) or CURRENT
