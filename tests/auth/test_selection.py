"""Which challenge of several is answered, and what is said when none can be."""

from __future__ import annotations

import pytest

from sipua.auth.nonce import encode_nonce
from sipua.auth.selection import NoAkaOffered, offered, scheme_of, select
from sipua.errors import ChallengeError
from sipua.sip.message import Response

NONCE = encode_nonce(b"R" * 16, b"A" * 16)


def digest(algorithm: str, nonce: str = NONCE, realm: str = "ims.example") -> str:
    return f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"'


def unauthorized(*values: str, status: int = 401, header: str = "WWW-Authenticate") -> Response:
    return Response(status, "", [(header, value) for value in values])


def chosen(*values: str, allowed: tuple[str, ...] = ()) -> str:
    return select(offered(unauthorized(*values)), allowed).algorithm


def test_akav2_before_akav1_in_any_order() -> None:
    """RFC 4169 §4.1."""
    assert chosen(digest("AKAv1-MD5"), digest("AKAv2-MD5")) == "AKAv2-MD5"
    assert chosen(digest("AKAv2-MD5"), digest("AKAv1-MD5")) == "AKAv2-MD5"
    assert chosen(digest("AKAv1-SHA-256"), digest("AKAv2-MD5")) == "AKAv2-MD5"


def test_newest_hash_first() -> None:
    assert chosen(digest("AKAv2-MD5"), digest("AKAv2-SHA-256")) == "AKAv2-SHA-256"


def test_several_challenges_in_one_header() -> None:
    both = f"{digest('MD5')}, {digest('AKAv1-MD5')}, {digest('AKAv2-MD5')}"
    assert chosen(both) == "AKAv2-MD5"


def test_aka_before_a_password_even_when_it_stands_last() -> None:
    """RFC 3310 §5.3."""
    assert chosen('Basic realm="x"', digest("SHA-256"), digest("AKAv1-MD5")) == "AKAv1-MD5"


def test_a_malformed_challenge_does_not_hide_a_good_one() -> None:
    assert chosen(digest("AKAv2-MD5", nonce="short"), digest("AKAv1-MD5")) == "AKAv1-MD5"
    assert chosen('Digest realm="open', digest("AKAv1-MD5")) == "AKAv1-MD5"


def test_allowed_restricts_by_scheme_or_algorithm() -> None:
    both = digest("AKAv1-MD5"), digest("AKAv2-MD5")
    assert chosen(*both, allowed=("aka",)) == "AKAv2-MD5"
    assert chosen(*both, allowed=("akav1-md5",)) == "AKAv1-MD5"
    with pytest.raises(NoAkaOffered, match="not among the schemes allowed"):
        chosen(*both, allowed=("umts",))


def test_password_only_names_what_was_offered() -> None:
    response = unauthorized('Basic realm="x"', digest("MD5"), digest("SHA-256", realm="y"))
    with pytest.raises(NoAkaOffered) as caught:
        select(offered(response))
    for part in ('Basic for realm "x"', 'Digest MD5 for realm "ims.example"', "Digest SHA-256"):
        assert part in str(caught.value)


def test_an_unknown_aka_version_is_not_answered() -> None:
    with pytest.raises(NoAkaOffered, match="AKAv3-MD5"):
        chosen(digest("AKAv3-MD5"))


def test_digest_without_algorithm_is_md5() -> None:
    with pytest.raises(NoAkaOffered, match="Digest MD5"):
        chosen(f'Digest realm="x", nonce="{NONCE}"')


def test_malformed_aka_is_told_from_a_password() -> None:
    with pytest.raises(ChallengeError, match="AKAv1-MD5") as caught:
        chosen(digest("MD5"), digest("AKAv1-MD5", nonce="short"))
    assert not isinstance(caught.value, NoAkaOffered)


def test_no_challenge_at_all() -> None:
    with pytest.raises(ChallengeError, match="no challenge"):
        chosen()


def test_proxy_challenges_are_read_from_their_header() -> None:
    response = unauthorized(digest("AKAv1-MD5"), status=407, header="Proxy-Authenticate")
    challenge = select(offered(response))
    assert challenge.header == "Proxy-Authenticate"
    assert scheme_of(challenge).NAME == "aka"


def test_a_challenge_in_the_other_header_is_found() -> None:
    response = unauthorized(digest("AKAv1-MD5"), status=407)
    assert select(offered(response)).header == "WWW-Authenticate"


def test_a_challenge_of_no_scheme_has_no_answer() -> None:
    challenge = select(offered(unauthorized(digest("AKAv1-MD5"))))
    with pytest.raises(ChallengeError):
        scheme_of(challenge._replace(scheme="carrier-pigeon"))
