"""``ck`` and ``ik`` in a challenge: how an S-CSCF hands the session keys to the P-CSCF.

TS 24.229 §5.4.1.2.1 adds them, §5.2.2 has the P-CSCF take them out again.
"""

from __future__ import annotations

from card.aka.result import AkaResponse
from sipua.errors import ChallengeError
from sipua.sip.grammar import split, unquote

KEY_SIZE = 16  # octets


def add_session_keys(value: str, response: AkaResponse) -> str:
    """The challenge with CK and IK, which must not go further than the P-CSCF."""
    return f'{value}, ck="{response.ck.hex()}", ik="{response.ik.hex()}"'


def take_session_keys(value: str) -> tuple[str, AkaResponse | None, str]:
    """The challenge without them, CK and IK if both were there, and its algorithm.

    Raises ChallengeError when they are there and are no keys.
    """
    kept: list[str] = []
    found: dict[str, str] = {"algorithm": ""}
    for part in split(value, ",", brackets=False):
        name, _, text = part.partition("=")
        name = name.strip().lower()
        if name in ("ck", "ik"):
            found[name] = unquote(text.strip())
            continue
        if name == "algorithm":
            found[name] = unquote(text.strip())
        kept.append(part)
    if "ck" not in found or "ik" not in found:
        return ", ".join(kept), None, found["algorithm"]
    try:
        ck, ik = bytes.fromhex(found["ck"]), bytes.fromhex(found["ik"])
    except ValueError:
        raise ChallengeError("ck or ik of a challenge is not hexadecimal") from None
    if len(ck) != KEY_SIZE or len(ik) != KEY_SIZE:
        raise ChallengeError("ck and ik of a challenge must be 16 octets each")
    return ", ".join(kept), AkaResponse(b"", ck, ik), found["algorithm"]
