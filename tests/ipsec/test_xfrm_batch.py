"""What the kernel is told, to the letter, for each suite; nothing here needs a kernel."""

from __future__ import annotations

import pytest
from associations_of import CK, EVERY_SUITE, IK

from sipua.ipsec import xfrm
from sipua.ipsec.association import AssociationSet, Side
from sipua.ipsec.keys import expand
from sipua.ipsec.suite import SUITES, Suite

REQID = 0x53490001
UE = Side("10.83.0.1", 5062, 5064, 0x1001, 0x1002)
PCSCF = Side("10.83.0.2", 6062, 6064, 0x2001, 0x2002)
SHA1 = "auth-trunc hmac(sha1) 0x66cb51e13b70780e328e43ea52951d3f00000000 96"
MD5 = "auth-trunc hmac(md5) 0x66cb51e13b70780e328e43ea52951d3f 96"
AES = "enc cbc(aes) 0xb12bd6d3bf809a6cf001a58187353060"
DES = "enc cbc(des3_ede) 0xb12bd6d3bf809a6cf001a58187353060b12bd6d3bf809a6c"
NULL = 'enc ecb(cipher_null) ""'
ALGORITHMS = {
    "hmac-sha-1-96/aes-cbc": f"{SHA1} {AES}",
    "hmac-sha-1-96/des-ede3-cbc": f"{SHA1} {DES}",
    "hmac-sha-1-96/null": f"{SHA1} {NULL}",
    "hmac-md5-96/aes-cbc": f"{MD5} {AES}",
    "hmac-md5-96/des-ede3-cbc": f"{MD5} {DES}",
    "hmac-md5-96/null": f"{MD5} {NULL}",
    "null/aes-gcm": "aead rfc4106(gcm(aes)) 0xb12bd6d3bf809a6cf001a5818735306003b21e4a 128",
    "aes-gmac/null": "aead rfc4543(gcm(aes)) 0x66cb51e13b70780e328e43ea52951d3ff39880f3 128",
}
MODE = "reqid 1397293057 mode transport"


def agreed(suite: Suite, ours: Side = UE, theirs: Side = PCSCF) -> AssociationSet:
    return AssociationSet(ours, theirs, suite, expand(suite, CK, IK))


@pytest.mark.parametrize("suite", EVERY_SUITE, ids=lambda suite: suite.name)
def test_the_additions_of_a_user_agent(suite: Suite) -> None:
    to_us = "src 10.83.0.2 dst 10.83.0.1 proto esp spi"
    from_us = "src 10.83.0.1 dst 10.83.0.2 proto esp spi"
    algorithms = ALGORITHMS[suite.name]
    to_us_flow = "src 10.83.0.2/32 dst 10.83.0.1/32 proto"
    from_us_flow = "src 10.83.0.1/32 dst 10.83.0.2/32 proto"
    assert xfrm.additions(agreed(suite), REQID).splitlines() == [
        f"xfrm state add {to_us} 0x1001 {MODE} replay-window 32 {algorithms}",
        f"xfrm state add {to_us} 0x1002 {MODE} replay-window 32 {algorithms}",
        f"xfrm state add {from_us} 0x2002 {MODE} replay-window 32 {algorithms}",
        f"xfrm state add {from_us} 0x2001 {MODE} replay-window 32 {algorithms}",
        *(
            f"xfrm policy add {flow} {transport} sport {sport} dport {dport} dir {direction} "
            f"priority 100 tmpl {state} {spi} {MODE}"
            for flow, sport, dport, direction, state, spi in (
                (to_us_flow, 6064, 5062, "in", to_us, "0x1001"),
                (to_us_flow, 6062, 5064, "in", to_us, "0x1002"),
                (from_us_flow, 5062, 6064, "out", from_us, "0x2002"),
                (from_us_flow, 5064, 6062, "out", from_us, "0x2001"),
            )
            for transport in ("udp", "tcp")
        ),
    ]


def test_the_deletions_take_back_what_was_added_and_hold_no_key() -> None:
    associations = agreed(SUITES["hmac-sha-1-96", "aes-cbc"])
    added = xfrm.additions(associations, REQID).splitlines()
    deleted = xfrm.deletions(associations).splitlines()
    assert len(added) == len(deleted) == 12
    assert not any("0x66cb" in line or "0xb12b" in line for line in deleted)

    def subject(line: str) -> str:
        for end in (" priority ", " reqid "):
            line = line.partition(end)[0]
        return line.replace(" delete ", " add ")

    assert sorted(map(subject, deleted)) == sorted(map(subject, added))
    assert "policy" in deleted[0]
    assert "state" in deleted[-1]


def test_both_ends_have_the_same_states_and_mirrored_policies() -> None:
    suite = SUITES["null", "aes-gcm"]
    ue, pcscf = (
        xfrm.additions(agreed(suite, *sides), REQID).splitlines()
        for sides in ((UE, PCSCF), (PCSCF, UE))
    )

    def turned(line: str) -> str:
        return line.replace("dir in", "dir ?").replace("dir out", "dir in").replace("?", "out")

    assert sorted(map(turned, ue)) == sorted(pcscf)


def test_ipv6_selectors_are_whole_addresses() -> None:
    sides = (UE._replace(address="fd83::1"), PCSCF._replace(address="fd83::2"))
    batch = xfrm.additions(agreed(SUITES["aes-gmac", "null"], *sides), REQID)
    assert "policy add src fd83::1/128 dst fd83::2/128 proto tcp sport 5062" in batch
    assert "state add src fd83::1 dst fd83::2 proto esp" in batch


LISTED = (
    "src 10.83.0.1/32 dst 10.83.0.2/32 proto udp sport 5062 dport 6064 \\\tdir out priority 100 "
    "ptype main \\\ttmpl src 10.83.0.1 dst 10.83.0.2\\\t\tproto esp spi 0x00002002 "
    "reqid 1397293057 mode transport\\\n"
    "src 10.0.0.0/8 dst 10.0.0.0/8 \\\tdir in priority 0 \\\ttmpl src 1.1.1.1 dst 2.2.2.2\\"
    "\t\tproto esp reqid 16 mode tunnel\\\n"
    "src 0.0.0.0/0 dst 0.0.0.0/0 \\\tsocket in priority 0 ptype main \\\n"
)


def test_leftovers_are_found_by_their_reqid() -> None:
    assert xfrm.reqids(LISTED) == {16, 1397293057}
    assert xfrm.policy_deletions(LISTED, {1397293057}) == (
        "xfrm policy delete src 10.83.0.1/32 dst 10.83.0.2/32 proto udp sport 5062 dport 6064 "
        "dir out\n"
    )
    assert xfrm.policy_deletions(LISTED, {5}) == ""
    assert xfrm.reqids("") == set()
    assert xfrm.reqids("reqid") == set()
