"""Session keys and RES out of header text, before anybody reads it.

An S-CSCF hands CK and IK to the P-CSCF as parameters of the challenge (TS 24.229
§5.4.1.2.1A). A P-CSCF that does not strip them, or none at all, shows them to
every trace. The patent's three modes show RES.
"""

from __future__ import annotations

import re

MASK = "<hidden>"

_HIDDEN = r"""(?ix) (?<![\w%+.!~*'`-]) (?:
    ( (?: [ci]k | x?res ) \s* = \s* ) (?: "[^"]*"? | [^\s,;"]+ )
  | ( response \s* = \s* ) "? R [0-9a-f]{8,} "?   # digest-umts; a digest has no R in it
  | ( signature \s* = \s* ) "? 01 [0-9a-f]{8,} "?  # pgp-umts
)"""


def redact(text: str) -> str:
    """The text with the values of all ck=, ik= and res= parameters masked, and other forms of RES.

    Works on one header line or on a whole message, in linear time. What looks
    like such a parameter inside a quoted string is masked as well.
    """
    return re.sub(_HIDDEN, _masked, text)


def redact_message(data: bytes) -> bytes:
    """``redact`` for a message as it is on the wire, whatever its encoding."""
    text = redact(data.decode("utf-8", "surrogateescape"))
    return text.encode("utf-8", "surrogateescape")


def _masked(found: re.Match[str]) -> str:
    return f'{found[1] or found[2] or found[3]}"{MASK}"'
