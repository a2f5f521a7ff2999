"""Who is on the other side: a URI and a name out of what header fields hold, whoever wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.agent.parties import MAX_TEXT, Party, asserted_parties, read_party


@pytest.mark.parametrize(
    ("value", "party"),
    [
        ("<sip:bob@x>;tag=1a", Party("sip:bob@x")),
        ("sip:bob@x;tag=1a", Party("sip:bob@x")),
        ("<sip:bob@x;user=phone>;tag=1", Party("sip:bob@x;user=phone")),
        ('"Bob; the <elder>" <sip:bob@x>;tag=1a', Party("sip:bob@x", "Bob; the <elder>")),
        ("Bob <tel:+15550100>", Party("tel:+15550100", "Bob")),
        ('"" <sip:bob@x>', Party("sip:bob@x")),
    ],
)
def test_a_uri_and_a_name(value: str, party: Party) -> None:
    assert read_party(value) == party


@pytest.mark.parametrize(
    "value", ["", "Bob", '"Bob <sip:b@x>', "Bob <sip:b@x", "<sip:b@x> and more", "<\x1b[2J>"]
)
def test_what_is_no_address_is_given_as_it_came(value: str) -> None:
    assert read_party(value) == Party(value)


def test_nothing_is_passed_on_at_any_length() -> None:
    assert read_party("x" * 60000) == Party("x" * MAX_TEXT)
    assert read_party(f'"{"n" * 60000}" <sip:b@x>') == Party("sip:b@x", "n" * MAX_TEXT)


@given(st.text(st.characters()))
def test_nothing_that_a_peer_writes_gets_in_the_way(value: str) -> None:
    uri, name = read_party(value)
    assert uri == value[:MAX_TEXT] or uri in value
    assert name != ""


def test_what_the_network_vouches_for() -> None:
    both = ["<tel:+15550100>", '"Robert" <sip:bob@x>']
    assert asserted_parties(both) == (["tel:+15550100", "sip:bob@x"], "Robert")
    assert asserted_parties([]) == ([], None)
