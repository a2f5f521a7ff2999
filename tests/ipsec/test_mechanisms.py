"""The three Security headers: what networks send, how a mechanism is chosen, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipua.errors import ParseError
from sipua.ipsec.association import Side
from sipua.ipsec.errors import SecurityAgreementError
from sipua.ipsec.mechanisms import (
    MAX_MECHANISMS,
    Mechanism,
    choose,
    parse,
    same_list,
    write,
)
from sipua.ipsec.suite import CURRENT, OLDER, SUITES

ADDRESS = "192.0.2.2"
NUMBERS = "spi-c=1001;spi-s=1002;port-c=6062;port-s=6064"
THEIRS = Side(ADDRESS, 6062, 6064, 1001, 1002)
EVERYTHING = (*CURRENT, *OLDER)


def listed(*values: str) -> list[Mechanism]:
    return parse([value.replace("NUMBERS", NUMBERS) for value in values])


def test_what_is_written_is_read() -> None:
    ours = Side("192.0.2.1", 5062, 5064, 4_294_967_295, 256)
    value = write(EVERYTHING, ours)
    assert "\r" not in value
    read = parse([value])
    assert [each.suite for each in read] == list(EVERYTHING)
    assert {each.side("192.0.2.1") for each in read} == {ours}
    assert choose(read, EVERYTHING, "192.0.2.1") == (EVERYTHING[0], ours)


def test_the_usual_offer_to_the_letter() -> None:
    ours = Side("192.0.2.1", 5062, 5064, 1111, 2222)
    numbers = "prot=esp;mod=trans;spi-c=1111;spi-s=2222;port-c=5062;port-s=5064"
    assert write(CURRENT, ours) == (
        f"ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;{numbers}, "
        f"ipsec-3gpp;alg=null;ealg=aes-gcm;{numbers}, "
        f"ipsec-3gpp;alg=aes-gmac;ealg=null;{numbers}, "
        f"ipsec-3gpp;alg=hmac-sha-1-96;ealg=null;{numbers}"
    )
    assert write(CURRENT[:2], ours, preferences=True) == (
        f"ipsec-3gpp;q=1.0;alg=hmac-sha-1-96;ealg=aes-cbc;{numbers}, "
        f"ipsec-3gpp;q=0.9;alg=null;ealg=aes-gcm;{numbers}"
    )


@pytest.mark.parametrize(
    ("value", "pair"),
    [
        # parameters in any order and case, with white space, unknown ones, quotes
        (
            "IPSEC-3GPP ; PORT-S=6064 ; Port-C=6062;SPI-S=1002; spi-c=1001 ;ALG = HMAC-SHA-1-96"
            ";EALG=AES-CBC;Prot=ESP;mod=TRANS",
            ("hmac-sha-1-96", "aes-cbc"),
        ),
        ('ipsec-3gpp;new="a,b;c";flag;alg="hmac-md5-96";NUMBERS', ("hmac-md5-96", "null")),
        # ealg, prot and mod left out
        ("ipsec-3gpp;alg=hmac-sha-1-96;NUMBERS", ("hmac-sha-1-96", "null")),
        ("ipsec-3gpp;q=0.1;alg=aes-gmac;NUMBERS", ("aes-gmac", "null")),
        ("ipsec-3gpp;alg=null;ealg=aes-gcm;NUMBERS", ("null", "aes-gcm")),
        ("ipsec-3gpp;alg=hmac-md5-96;ealg=des-ede3-cbc;NUMBERS", ("hmac-md5-96", "des-ede3-cbc")),
        # ten digits, as the grammar has it
        (
            "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=0000001001;spi-s=0000001002;port-c=6062;port-s=6064",
            ("hmac-sha-1-96", "null"),
        ),
    ],
)
def test_what_networks_write_is_understood(value: str, pair: tuple[str, str]) -> None:
    assert choose(listed(value), EVERYTHING, ADDRESS) == (SUITES[pair], THEIRS)


def test_reserved_spis_are_taken_as_some_networks_give_them() -> None:
    value = "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=100;spi-s=101;port-c=6062;port-s=6064"
    assert choose(listed(value), CURRENT, ADDRESS).theirs == THEIRS._replace(spi_c=100, spi_s=101)


def test_several_lines_and_commas_are_one_list() -> None:
    found = listed(
        "tls;q=0.2, ipsec-3gpp;q=0.3;alg=hmac-md5-96;NUMBERS",
        "",
        "ipsec-3gpp;q=0.1;alg=hmac-sha-1-96;ealg=aes-cbc;NUMBERS,",
    )
    assert [(each.name, each.preference) for each in found] == [
        ("tls", 200),
        ("ipsec-3gpp", 300),
        ("ipsec-3gpp", 100),
    ]
    assert choose(found, EVERYTHING, ADDRESS).suite.name == "hmac-md5-96/null"
    assert choose(found, CURRENT, ADDRESS).suite.name == "hmac-sha-1-96/aes-cbc"


def test_the_first_on_the_list_wins_among_equals() -> None:
    """TS 33.203 §7.2; q decides only where it differs."""
    found = listed(
        "ipsec-3gpp;alg=aes-gmac;NUMBERS", "ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;NUMBERS"
    )
    assert choose(found, CURRENT, ADDRESS).suite.name == "aes-gmac/null"
    found = listed(
        "ipsec-3gpp;q=0.5;alg=aes-gmac;NUMBERS", "ipsec-3gpp;q=0.50;alg=hmac-sha-1-96;NUMBERS"
    )
    assert choose(found, CURRENT, ADDRESS).suite.name == "aes-gmac/null"


GOOD = "ipsec-3gpp;q=0.001;alg=hmac-sha-1-96;NUMBERS"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("ipsec-3gpp;alg=hmac-sha-1-96;q=nan;NUMBERS", "cannot be read"),
        ("ipsec-3gpp;alg=hmac-sha-1-96;q=1.1;NUMBERS", "cannot be read"),
        ("ipsec-3gpp;alg=hmac-sha-1-96;q=0.1234;NUMBERS", "cannot be read"),
        ("ipsec-3gpp;alg=hmac-sha-1-96;q;NUMBERS", "cannot be read"),
        ("ipsec-3gpp;alg=<hmac>;NUMBERS", "cannot be read"),
        ("ipsec 3gpp;alg=hmac-sha-1-96;NUMBERS", "cannot be read"),
        (";alg=hmac-sha-1-96", "cannot be read"),
        ("tls", "tls is not ipsec-3gpp"),
        ("ipsec-ike;q=0.3", "ipsec-ike is not"),
        ("ipsec-3gpp;NUMBERS", "alg= with"),
        ("ipsec-3gpp;alg=null;NUMBERS", "alg=null with ealg=null"),
        ("ipsec-3gpp;alg=null;ealg=aes-cbc;NUMBERS", "alg=null with ealg=aes-cbc"),
        ("ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-gcm;NUMBERS", "with ealg=aes-gcm"),
        ("ipsec-3gpp;alg=hmac-sha-2-256;NUMBERS", "hmac-sha-2-256"),
        ("ipsec-3gpp;alg=hmac-sha-1-96;prot=ah;NUMBERS", "prot=ah"),
        ("ipsec-3gpp;alg=hmac-sha-1-96;mod=tun;NUMBERS", "mod=tun"),
        ("ipsec-3gpp;alg=hmac-sha-1-96;mod=UDP-enc-tun;NUMBERS", "mod=udp-enc-tun"),
        ("ipsec-3gpp;alg=hmac-sha-1-96", "spi-c is missing"),
        ("ipsec-3gpp;alg=hmac-sha-1-96;spi=1;port1=2;port2=3", "spi-c is missing"),
        (
            "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1001;spi-s=1001;port-c=6062;port-s=6064",
            "spi-c and spi-s must differ",
        ),
        (
            "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=4294967296;spi-s=1001;port-c=6062;port-s=6064",
            "larger than",
        ),
        (
            "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=0;spi-s=1001;port-c=6062;port-s=6064",
            "less than 1",
        ),
        (
            "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=-1;spi-s=1001;port-c=6062;port-s=6064",
            "not a number",
        ),
        (
            "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1000;spi-s=1001;port-c=0;port-s=6064",
            "less than 1",
        ),
        (
            "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1000;spi-s=1001;port-c=6064;port-s=6064",
            "port-c and port-s must differ",
        ),
        (
            "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1000;spi-s=1001;port-c=6062;port-s=5060",
            "5060 is for what is not protected",
        ),
    ],
)
def test_what_cannot_be_used_is_passed_over_and_named(bad: str, why: str) -> None:
    """an unknown or broken entry does not spoil the list."""
    found = listed(bad, GOOD)
    assert len(found) == 2
    assert choose(found, CURRENT, ADDRESS).theirs == THEIRS
    with pytest.raises(SecurityAgreementError, match=why):
        choose(listed(bad), EVERYTHING, ADDRESS)


def test_what_we_did_not_offer_is_not_chosen() -> None:
    """A network, or somebody in between, cannot bring us to an older algorithm."""
    with pytest.raises(SecurityAgreementError, match="hmac-md5-96/null was not offered"):
        choose(listed("ipsec-3gpp;alg=hmac-md5-96;NUMBERS"), CURRENT, ADDRESS)
    with pytest.raises(SecurityAgreementError, match="none is listed"):
        choose([], CURRENT, ADDRESS)


def test_an_echo_is_compared_by_its_meaning() -> None:
    server = ["ipsec-3gpp;q=0.2;alg=hmac-sha-1-96;spi-c=1, tls;q=0.1"]
    assert same_list(server, ["ipsec-3gpp; Q=0.2 ;spi-c=1; alg=HMAC-SHA-1-96", "TLS;q=0.1"])
    for changed in (
        [],
        ["tls;q=0.1, ipsec-3gpp;q=0.2;alg=hmac-sha-1-96;spi-c=1"],
        ["ipsec-3gpp;q=0.2;alg=hmac-sha-1-96;spi-c=1"],
        ["ipsec-3gpp;q=0.2;alg=hmac-sha-1-96;spi-c=2, tls;q=0.1"],
        ["ipsec-3gpp;q=0.2;alg=hmac-sha-1-96;spi-c=1;more, tls;q=0.1"],
        ["ipsec-3gpp;q=0.2;spi-c=1, tls;q=0.1"],
        [*server, ";;;"],
    ):
        assert not same_list(server, changed)


def test_endless_lists_and_open_quotes_are_refused() -> None:
    with pytest.raises(SecurityAgreementError, match="more than") as caught:
        parse([", ".join(["tls"] * (MAX_MECHANISMS + 1))])
    assert caught.value.status == 494
    with pytest.raises(ParseError):
        parse(['ipsec-3gpp;a="b, tls'])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=60),
            st.text(alphabet='ipsec-3gpalgq=;,." \t<>0123456789', max_size=120),
        ),
        max_size=4,
    )
)
def test_hostile_lists_raise_only_our_errors(lines: list[str]) -> None:
    try:
        found = parse(lines)
        for mechanism in found:
            assert 0 <= mechanism.preference <= 1000
        choose(found, EVERYTHING, ADDRESS)
    except (ParseError, SecurityAgreementError):
        pass
