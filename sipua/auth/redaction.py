"""Session keys out of header text, before anybody reads it.

An S-CSCF hands CK and IK to the P-CSCF as parameters of the challenge (TS 24.229
§5.4.1.2.1A). A P-CSCF that does not strip them, or none at all, shows them to
every trace.
"""

from __future__ import annotations

import re

MASK = "<hidden>"

_SESSION_KEY = r"""(?ix) (?<![\w%+.!~*'`-]) ([ci]k \s* = \s*) (?: "[^"]*"? | [^\s,;"]+ )"""


def redact(text: str) -> str:
    """The text with the values of all ck= and ik= parameters masked.

    Works on one header line or on a whole message, in linear time. What looks
    like such a parameter inside a quoted string is masked as well.
    """
    return re.sub(_SESSION_KEY, rf'\1"{MASK}"', text)
