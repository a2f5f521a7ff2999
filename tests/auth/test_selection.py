"""Which challenge of several is answered, and what is said when none can be."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sipua.auth.nonce import encode_nonce
from sipua.auth.scheme import AkaChallenge
from sipua.auth.selection import (
    NoAkaOffered,
    check_names,
    offered,
    scheme_named,
    scheme_of,
    select,
)
from sipua.errors import ChallengeError, LocalError
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
    with pytest.raises(LocalError, match="digest-umts"):
        scheme_of(challenge._replace(scheme="carrier-pigeon"))


# The patent's modes beside the others -------------------------------------------------

HEX = "52" * 16 + "41" * 16
UMTS = f"UMTS RAND={HEX[:32]} AUTN={HEX[32:]}"
DIGEST_UMTS = f'Digest realm="ims.example", algorithm=UMTS-AKA, nonce="{HEX}"'
PGP_UMTS = f'pgp ;version="5.0" ;realm="ims.example" ;algorithm=UMTS-AKA ;nonce="{HEX}"'
IN_ORDER = [
    *(digest(token) for token in scheme_named("aka").PREFERENCE),
    UMTS,
    DIGEST_UMTS,
    PGP_UMTS,
]


def named(challenge: AkaChallenge) -> tuple[str, str]:
    return challenge.scheme, challenge.algorithm


@pytest.mark.parametrize("first", range(len(IN_ORDER)))
@pytest.mark.parametrize("arrange", ["headers", "one header"])
def test_the_rule_of_preference(first: int, arrange: str) -> None:
    """AKAv2 with its newest hash, AKAv1, umts, digest-umts, pgp-umts; wherever they stand."""
    values = IN_ORDER[first:]
    (best,) = offered(unauthorized(values[0]))
    for order in (values, values[::-1], values[1:] + values[:1]):
        response = unauthorized(*order) if arrange == "headers" else unauthorized(", ".join(order))
        offers = offered(response)
        assert len(offers) == len(values)
        assert select(offers) == best.challenge


def test_the_order_of_digest_aka_itself() -> None:
    """RFC 4169 §4.1: AKAv2 before AKAv1; then the newer hash."""
    tokens = scheme_named("aka").PREFERENCE
    assert [token[4] for token in tokens] == ["2"] * 6 + ["1"] * 6
    assert tokens[0] == "AKAv2-SHA-256"
    assert tokens.index("AKAv2-SHA-256") < tokens.index("AKAv2-MD5")
    assert tokens.index("AKAv1-SHA-256") < tokens.index("AKAv1-MD5")


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ((), ("aka", "AKAv2-SHA-256")),
        (("umts",), ("umts", "")),
        (("UMTS",), ("umts", "")),
        (("digest-umts",), ("digest-umts", "UMTS-AKA")),
        (("pgp-umts",), ("pgp-umts", "UMTS-AKA")),
        (("umts-aka",), ("digest-umts", "UMTS-AKA")),
        (("pgp-umts", "AKAv1-SHA-256"), ("aka", "AKAv1-SHA-256")),
        (("pgp-umts", "umts"), ("umts", "")),
    ],
)
def test_allowed_restricts_to_the_patents_modes(
    allowed: tuple[str, ...], expected: tuple[str, str]
) -> None:
    check_names(allowed)
    assert named(select(offered(unauthorized(", ".join(IN_ORDER))), allowed)) == expected


@pytest.mark.parametrize("name", ["akav3-md5", "", "Digest", "pgp", "umts,aka"])
def test_a_name_of_nothing_tells_what_there_is(name: str) -> None:
    with pytest.raises(LocalError) as caught:
        check_names(["aka", name])
    for known in ("umts", "digest-umts", "pgp-umts", "AKAv2-SHA-512-256-sess", "UMTS-AKA"):
        assert known in str(caught.value)


def test_a_password_in_the_same_header_does_no_harm() -> None:
    values = f'Basic realm="x", Bearer abc, {digest("MD5")}, {UMTS}, Negotiate dGVzdA=='
    offers = offered(unauthorized(values))
    assert [offer.what.split()[0] for offer in offers] == [
        *("Basic", "Bearer", "Digest", "UMTS", "Negotiate"),
    ]
    assert named(select(offers)) == ("umts", "")


def test_a_pgp_challenge_which_wants_a_signature_is_not_answered() -> None:
    """RFC 2543 §15.1.1's own example."""
    pgp = 'pgp ;version="5.0" ;realm="Your Startrek identity, please" ;algorithm=md5'
    with pytest.raises(NoAkaOffered, match="pgp md5 for realm"):
        select(offered(unauthorized(f'{pgp} ;nonce="913082051"')))
    both = unauthorized(f'{pgp} ;nonce="913082051", {digest("AKAv1-MD5")}')
    assert named(select(offered(both))) == ("aka", "AKAv1-MD5")


def test_a_malformed_one_of_the_patents_does_not_hide_a_good_one() -> None:
    assert named(select(offered(unauthorized("UMTS RAND=00", PGP_UMTS)))) == (
        *("pgp-umts", "UMTS-AKA"),
    )


def test_a_challenge_with_ten_thousand_parameters() -> None:
    many = ", ".join(f"x{number}=y" for number in range(10_000))
    assert named(select(offered(unauthorized(f"{UMTS}, {many}")))) == ("umts", "")


@pytest.mark.parametrize(
    "piece", [" ", ",", ";", "=", '"', "a", 'a="', "a=b ", "UMTS ", "a b=", "\\"]
)
def test_linear_time(piece: str) -> None:
    def cost(size: int) -> float:
        text = "UMTS " + piece * (size // len(piece))
        start = time.perf_counter()
        with contextlib.suppress(ChallengeError):
            select(offered(unauthorized(text)))
        return time.perf_counter() - start

    assert cost(200_000) < 60 * max(cost(10_000), 0.001)


def test_the_patents_modes_are_imported_when_met() -> None:
    script = (
        "import sys\n"
        "from sipua.auth.selection import offered, select\n"
        "from sipua.sip.message import Response\n"
        f"for value in {[digest('AKAv1-MD5'), UMTS]!r}:\n"
        "    select(offered(Response(401, '', [('WWW-Authenticate', value)])))\n"
        "    print('sipua.auth.schemes.umts' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split() == ["False", "True"]
