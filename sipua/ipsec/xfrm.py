"""Association sets as lines for ``ip -batch``: what the kernel is told (ip-xfrm(8))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.ipsec.packet import PROTOCOLS
from sipua.ipsec.suite import NULL

if TYPE_CHECKING:
    from sipua.ipsec.association import AssociationSet, SecurityAssociation

REPLAY_WINDOW = 32
"""Packets; more would need the kernel's other kind of replay state."""
PRIORITY = 100

_INTEGRITY = {"hmac-sha-1-96": "hmac(sha1)", "hmac-md5-96": "hmac(md5)"}
_ENCRYPTION = {"aes-cbc": "cbc(aes)", "des-ede3-cbc": "cbc(des3_ede)", NULL: "ecb(cipher_null)"}
_COMBINED = {"aes-gcm": "rfc4106(gcm(aes))", "aes-gmac": "rfc4543(gcm(aes))"}


def additions(associations: AssociationSet, reqid: int) -> str:
    """States first, so that a policy never asks for one that is missing. Holds keys."""
    lines = [
        f"xfrm state add {_state(each)} reqid {reqid} mode transport "
        f"replay-window {REPLAY_WINDOW} {_algorithms(each)}"
        for each in (*associations.inbound, *associations.outbound)
    ]
    lines += (
        f"xfrm policy add {selector} priority {PRIORITY} tmpl {_state(each)} "
        f"reqid {reqid} mode transport"
        for selector, each in _policies(associations)
    )
    return _batch(lines)


def deletions(associations: AssociationSet) -> str:
    """The reverse, policies first."""
    lines = [f"xfrm policy delete {selector}" for selector, _ in _policies(associations)]
    lines += (
        f"xfrm state delete {_state(each)}"
        for each in (*associations.inbound, *associations.outbound)
    )
    return _batch(lines)


def policy_deletions(listed: str, reqids: set[int]) -> str:
    """From what ``ip -oneline xfrm policy list`` prints: lines that delete policies of these."""
    lines = []
    for line in listed.splitlines():
        selector, _, rest = line.partition("\\")
        words = rest.split()
        if "reqid" not in words or "dir" not in words:
            continue
        if int(_after(words, "reqid")) in reqids:
            lines.append(f"xfrm policy delete {selector.strip()} dir {_after(words, 'dir')}")
    return _batch(lines)


def reqids(listed: str) -> set[int]:
    """Every reqid in what ``ip xfrm policy list`` or ``ip xfrm state list`` prints."""
    words = listed.replace("\\", " ").split()
    return {
        int(words[at + 1])
        for at, word in enumerate(words[:-1])
        if word == "reqid" and words[at + 1].isdecimal()
    }


def _batch(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _after(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def _state(each: SecurityAssociation) -> str:
    return f"src {each.source.address} dst {each.destination.address} proto esp spi {each.spi:#x}"


def _policies(associations: AssociationSet) -> list[tuple[str, SecurityAssociation]]:
    """UDP and TCP are both covered by each association (TS 33.203 §7.1)."""
    return [
        (f"{_selector(each, transport)} dir {direction}", each)
        for direction, pair in (("in", associations.inbound), ("out", associations.outbound))
        for each in pair
        for transport in PROTOCOLS.values()
    ]


def _selector(each: SecurityAssociation, transport: str) -> str:
    length = 128 if ":" in each.source.address else 32
    return (
        f"src {each.source.address}/{length} dst {each.destination.address}/{length} "
        f"proto {transport} sport {each.source.port} dport {each.destination.port}"
    )


def _algorithms(each: SecurityAssociation) -> str:
    suite, keys = each.suite, each.keys
    for name in (suite.ealg, suite.alg):
        if name in _COMBINED:
            key = (keys.encryption or keys.authentication) + keys.salt
            return f"aead {_COMBINED[name]} 0x{key.hex()} {suite.icv * 8}"
    encryption = f"0x{keys.encryption.hex()}" if keys.encryption else '""'
    return (
        f"auth-trunc {_INTEGRITY[suite.alg]} 0x{keys.authentication.hex()} {suite.icv * 8} "
        f"enc {_ENCRYPTION[suite.ealg]} {encryption}"
    )
