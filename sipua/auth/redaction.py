"""Session keys and RES out of header text, before anybody reads it.

An S-CSCF hands CK and IK to the P-CSCF as parameters of the challenge (TS 24.229
§5.4.1.2.1A). A P-CSCF that does not strip them, or none at all, shows them to
every trace. The patent's three modes show RES.
"""

from __future__ import annotations

import re
from functools import cache

MASK = "<hidden>"

_HIDDEN = r"""(?ix) (?<![\w%+/.!~*'`-]) (?:
    ( (?: [ci]k | x?res ) \s* = \s* ) (?: "[^"]*"? | [^\s,;"]+ )
  | ( response \s* = \s* ) "? R [0-9a-f]{8,} "?   # digest-umts; a digest has no R in it
  | ( signature \s* = \s* ) "? 01 [0-9a-f]{8,} "?  # pgp-umts
)"""


_SUSPECT = rb"""(?x) = (?:
    (?<= [cCiI\x80-\xff] [kK] = )
  | (?<= [\s\x80-\xff] = )
  | (?<= [rR][eE][sS] = ) (?<! [iI][rR][eE][sS] = )
  | (?<= [nN\x80-\xff] [sS\x80-\xff] [eE] = ) (?! "[0-9a-f"] | [0-9a-f] )
  | (?<= [uU][rR][eE] = )
)"""
"""Wherever _HIDDEN finds something, and now and then elsewhere: ten times as fast to look for.
Octets above 0x7F stand for what Unicode counts as a blank, or as the other case of a letter.
"""


def redact(text: str) -> str:
    """The text with the values of all ck=, ik= and res= parameters masked, and other forms of RES.

    Works on one header line or on a whole message, in linear time. What looks
    like such a parameter inside a quoted string is masked as well.
    """
    return re.sub(_HIDDEN, _masked, text)


def redact_message(data: bytes) -> bytes:
    """``redact`` for a message as it is on the wire, whatever its encoding.

    In the body as many octets stay, so that Content-Length stays true.
    """
    if not _suspect().search(data):
        return data
    head, end, body = data.partition(b"\r\n\r\n")
    text = redact(head.decode("utf-8", "surrogateescape"))
    body_text = re.sub(_HIDDEN, _blotted, body.decode("utf-8", "surrogateescape"))
    return (
        text.encode("utf-8", "surrogateescape") + end + body_text.encode("utf-8", "surrogateescape")
    )


@cache
def _suspect() -> re.Pattern[bytes]:
    """Compiled when first needed: most runs trace nothing."""
    return re.compile(_SUSPECT)


def _masked(found: re.Match[str]) -> str:
    return f'{found[1] or found[2] or found[3]}"{MASK}"'


def _blotted(found: re.Match[str]) -> str:
    name = found[1] or found[2] or found[3]
    octets = len(found[0].encode("utf-8", "surrogateescape")) - len(name.encode())
    return name + "*" * octets
