"""Key expansion: what Annex I of TS 33.203 has each algorithm use."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from associations_of import CK, EVERY_SUITE, IK

from card.aka.result import AkaResponse
from sipua.auth.algorithm import algorithm_of, session_keys
from sipua.errors import LocalError
from sipua.ipsec.keys import expand
from sipua.ipsec.suite import CURRENT, OLDER, SUITES, Suite, suites_named

KEYS = {
    ("hmac-sha-1-96", "aes-cbc"): (IK + bytes(4), CK, b""),
    ("hmac-sha-1-96", "null"): (IK + bytes(4), b"", b""),
    ("hmac-sha-1-96", "des-ede3-cbc"): (IK + bytes(4), CK[:8] + CK[8:] + CK[:8], b""),
    ("hmac-md5-96", "aes-cbc"): (IK, CK, b""),
    ("hmac-md5-96", "null"): (IK, b"", b""),
    ("hmac-md5-96", "des-ede3-cbc"): (IK, CK[:8] + CK[8:] + CK[:8], b""),
    # the salts are computed, not published: they pin what was read out of Annex I
    ("aes-gmac", "null"): (IK, b"", bytes.fromhex("f39880f3")),
    ("null", "aes-gcm"): (b"", CK, bytes.fromhex("03b21e4a")),
}


@pytest.mark.parametrize("suite", EVERY_SUITE, ids=lambda suite: suite.name)
def test_each_suite_gets_its_keys(suite: Suite) -> None:
    keys = expand(suite, CK, IK)
    assert tuple(keys) == KEYS[suite.alg, suite.ealg]
    assert [len(key) for key in keys] == [
        suite.authentication_key,
        suite.encryption_key,
        suite.salt,
    ]


def test_the_salt_is_the_end_of_the_key_derivation_function() -> None:
    """TS 33.220 §B.2: HMAC-SHA-256 over FC, P0 and the length of P0, with CK || IK."""
    text = bytes([0x58]) + b"AES_GMAC_SALT" + b"\x00\x0d"
    derived = hmac.new(CK + IK, text, hashlib.sha256).digest()
    assert expand(SUITES["aes-gmac", "null"], CK, IK).salt == derived[28:]


def test_akav2_brings_masked_keys() -> None:
    suite = SUITES["hmac-sha-1-96", "aes-cbc"]
    response = AkaResponse(bytes(8), CK, IK)
    plain = expand(suite, *session_keys(algorithm_of("AKAv1-MD5"), response))
    masked = expand(suite, *session_keys(algorithm_of("AKAv2-MD5"), response))
    assert plain == expand(suite, CK, IK)
    assert masked.encryption == hmac.digest(CK, b"http-digest-akav2-cipherkey", "md5")
    assert masked.authentication[:16] == hmac.digest(IK, b"http-digest-akav2-integritykey", "md5")
    wide = expand(suite, *session_keys(algorithm_of("AKAv2-SHA-256"), response))
    assert wide.encryption == hmac.digest(CK, b"http-digest-akav2-cipherkey", "sha256")[:16]


def test_keys_of_another_size_are_refused() -> None:
    for ck, ik in ((CK[:15], IK), (CK, IK[:15]), (b"", b"")):
        with pytest.raises(LocalError, match="16 octets"):
            expand(CURRENT[0], ck, ik)


def test_what_is_offered_is_known_and_nothing_is_offered_without_integrity() -> None:
    assert len({*CURRENT, *OLDER}) == len(SUITES) == 8
    assert not any("md5" in suite.alg or "des" in suite.ealg for suite in CURRENT)
    assert ("null", "null") not in SUITES
    assert ("null", "aes-cbc") not in SUITES


def test_suites_are_found_by_their_names() -> None:
    assert suites_named(()) == CURRENT
    assert suites_named(["HMAC-SHA-1-96/aes-cbc", "null/aes-gcm"]) == CURRENT[:2]
    with pytest.raises(LocalError, match=r"no security mechanism null/null; there are: hmac-sha"):
        suites_named(["null/null"])
