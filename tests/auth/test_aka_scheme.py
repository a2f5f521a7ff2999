"""Digest AKA, both sides: the published registration, tolerance, AUTS, reject, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from sipua.auth.algorithm import algorithm_of, password, session_keys
from sipua.auth.nonce import encode_nonce
from sipua.auth.scheme import AkaChallenge, Answer, Outcome
from sipua.auth.schemes import aka
from sipua.errors import ChallengeError, CredentialsError, ParseError
from sipua.sip.headers import split_challenges

FLOWS = json.loads((Path(__file__).parents[2] / "fixtures/flows/registration.json").read_text())
PUBLISHED, JOAN = FLOWS["verified_flows"]
COMPUTED = FLOWS["computed_by_us"]
IMPI = PUBLISHED["username"]
URI = PUBLISHED["uri"]
REALM = PUBLISHED["realm"]
RAND = bytes.fromhex(PUBLISHED["RAND"])
AUTN = bytes.fromhex(PUBLISHED["AUTN"])
RESPONSE = AkaResponse(
    bytes.fromhex(PUBLISHED["RES"]),
    bytes.fromhex(PUBLISHED["CK"]),
    bytes.fromhex(PUBLISHED["IK"]),
)
AUTS = bytes.fromhex(COMPUTED["sync_failure"]["AUTS"])
CNONCE = "0a4f113b"


def parameters(value: str) -> dict[str, str]:
    (credentials,) = split_challenges(value)
    return credentials.params


def answered(challenge: AkaChallenge, outcome: Outcome = RESPONSE, **changes: Any) -> str:
    answer = Answer(challenge, outcome, IMPI, CNONCE)._replace(**changes)
    name, value = aka.write_credentials(answer, "REGISTER", URI)
    assert name == "Authorization"
    return value


def ours(algorithm: str = "AKAv1-MD5", **options: Any) -> AkaChallenge:
    return aka.make_challenge(REALM, RAND, AUTN, algorithm, **options)


# The published registration -----------------------------------------------------------


def test_published_challenge_is_read() -> None:
    challenge = aka.read_challenge(PUBLISHED["www_authenticate"])
    assert (challenge.rand, challenge.autn) == (RAND, AUTN)
    assert challenge.realm == REALM
    assert challenge.algorithm == "AKAv1-MD5"
    assert challenge.qop == PUBLISHED["qop"]


def test_published_response_is_reproduced() -> None:
    challenge = aka.read_challenge(PUBLISHED["www_authenticate"])
    value = answered(challenge, cnonce=PUBLISHED["cnonce"])
    assert parameters(value)["response"] == PUBLISHED["response"]
    assert parameters(value) == parameters(PUBLISHED["authorization"])


def test_published_credentials_are_verified() -> None:
    credentials = aka.read_credentials(PUBLISHED["authorization"])
    challenge = aka.read_challenge(PUBLISHED["www_authenticate"])
    aka.verify(credentials, challenge, RESPONSE, username=IMPI, method="REGISTER", uri=URI)


def test_res_as_hexadecimal_text_is_refused() -> None:
    """What the fixture's note gives as the wrong answer."""
    wrong = PUBLISHED["authorization"].replace(
        PUBLISHED["response"], "0b04891a09b6f2f9d12c10687feb8643"
    )
    challenge = aka.read_challenge(PUBLISHED["www_authenticate"])
    with pytest.raises(CredentialsError, match="response") as caught:
        aka.verify(
            aka.read_credentials(wrong),
            challenge,
            RESPONSE,
            username=IMPI,
            method="REGISTER",
            uri=URI,
        )
    assert caught.value.status == 403


def test_joan_vector_with_res_of_16_octets() -> None:
    challenge = AkaChallenge(
        "aka", "AKAv1-MD5", b"", b"", JOAN["realm"], JOAN["nonce"], qop_options=("auth",)
    )
    outcome = AkaResponse(bytes.fromhex(JOAN["RES"]), bytes(16), bytes(16))
    answer = Answer(challenge, outcome, JOAN["username"], JOAN["cnonce"])
    _, value = aka.write_credentials(answer, "REGISTER", JOAN["uri"])
    assert parameters(value)["response"] == JOAN["response"]


@pytest.mark.parametrize(
    "row", COMPUTED["responses"], ids=lambda row: f"{row['algorithm']}-{row['qop']}"
)
def test_computed_responses(row: dict[str, str]) -> None:
    """Regression: our own figures from the published keys, for every qop and hash."""
    options = (row["qop"],) if row["qop"] else ()
    value = answered(ours(row["algorithm"], qop_options=options), cnonce=row["cnonce"])
    assert parameters(value)["response"] == row["response"]
    assert parameters(value).get("nc") == row["nc"]
    assert password(algorithm_of(row["algorithm"]), RESPONSE).hex() == row["password_hex"]


def test_computed_resynchronisation() -> None:
    expected = COMPUTED["sync_failure"]
    value = answered(ours(), SynchronisationFailure(AUTS), cnonce=expected["cnonce"])
    assert parameters(value)["auts"] == expected["auts_param"]
    assert parameters(value)["response"] == expected["response"]
    assert f'auts="{expected["auts_param"]}"' in value


def test_computed_rspauth_proves_the_server() -> None:
    challenge = aka.read_challenge(PUBLISHED["www_authenticate"])
    answer = Answer(challenge, RESPONSE, IMPI, PUBLISHED["cnonce"])
    rspauth = COMPUTED["rspauth_auth_for_published_flow"]
    info = f'qop=auth, rspauth="{rspauth}", cnonce="{PUBLISHED["cnonce"]}", nc=00000001'
    aka.check_authentication_info(info, answer, URI)
    with pytest.raises(CredentialsError, match="rspauth"):
        aka.check_authentication_info(info.replace(rspauth, rspauth[::-1]), answer, URI)
    aka.check_authentication_info("nextnonce=abc", answer, URI)  # A19: not an AKA nonce
    with pytest.raises(ParseError):
        aka.check_authentication_info('rspauth="', answer, URI)


# RFC 4169 -----------------------------------------------------------------------------


def test_akav2_by_the_rule_and_not_by_the_rejected_vector() -> None:
    """The fixture's joan-akav2 used the raw HMAC; RFC 4169 wants its base64 text."""
    (rejected,) = (row for row in FLOWS["rejected_or_unverifiable"] if row["id"] == "joan-akav2")
    assert rejected["rfc4169_response"] != rejected["published_response"]
    text = password(algorithm_of("AKAv2-MD5"), RESPONSE)
    assert len(text) == 24
    assert text.endswith(b"==")


def test_akav2_masks_the_session_keys() -> None:
    """HMAC-MD5 over the published CK and IK, computed once with OpenSSL's command line."""
    ck, ik = session_keys(algorithm_of("AKAv2-MD5"), RESPONSE)
    assert ck.hex() == "39a50d6f5fa17cfa731e58a03cc1d449"
    assert ik.hex() == "d75299235590f609b2fdbfed6ae55dcd"
    assert session_keys(algorithm_of("AKAv1-MD5"), RESPONSE) == (RESPONSE.ck, RESPONSE.ik)


def test_akav2_as_a_mere_label() -> None:
    """A14: some servers take XRES itself under the name AKAv2."""
    v1 = parameters(answered(ours("AKAv1-MD5")))["response"]
    v2 = parameters(answered(ours("AKAv2-MD5"), plain_res=True))["response"]
    assert v1 == v2


# RES of every length, with every octet ------------------------------------------------


@pytest.mark.parametrize("size", [4, 8, 16])
@pytest.mark.parametrize("position", ["none", "first", "middle", "last"])
@pytest.mark.parametrize("algorithm", ["AKAv1-MD5", "AKAv2-MD5"])
def test_res_of_all_sizes_with_a_zero_octet(size: int, position: str, algorithm: str) -> None:
    res = bytearray(range(1, size + 1))
    if position != "none":
        res[{"first": 0, "middle": size // 2, "last": -1}[position]] = 0
    outcome = RESPONSE._replace(res=bytes(res))
    challenge = ours(algorithm)
    credentials = aka.read_credentials(answered(challenge, outcome))
    check = {"username": IMPI, "method": "REGISTER", "uri": URI}
    aka.verify(credentials, challenge, outcome, **check)
    cut = bytes(res).split(b"\0")[0] if position != "none" else bytes(res[:-1])
    with pytest.raises(CredentialsError):
        aka.verify(credentials, challenge, outcome._replace(res=cut), **check)


def test_every_algorithm_verifies_its_own_answer() -> None:
    for token in aka.PREFERENCE:
        challenge = aka.read_challenge(aka.write_challenge(ours(token)))
        assert challenge.algorithm == token
        credentials = aka.read_credentials(answered(challenge))
        aka.verify(credentials, challenge, RESPONSE, username=IMPI, method="REGISTER", uri=URI)


# Reading what servers write -----------------------------------------------------------

NONCE = PUBLISHED["nonce"]
URL_NONCE = NONCE.replace("+", "-").replace("/", "_")


@pytest.mark.parametrize(
    "nonce",
    [
        NONCE,
        NONCE.rstrip("="),
        URL_NONCE,
        URL_NONCE.rstrip("="),
        NONCE + "==",
        encode_nonce(RAND, AUTN, b"!"),
        encode_nonce(RAND, AUTN, b"0123456789"),
        encode_nonce(RAND, AUTN, b"0123456789").rstrip("="),
        encode_nonce(RAND, AUTN, b"xyz") + ":not base64",
    ],
)
def test_nonce_in_any_alphabet_and_length(nonce: str) -> None:
    challenge = aka.read_challenge(f'Digest realm="r", nonce="{nonce}", algorithm=AKAv1-MD5')
    assert (challenge.rand, challenge.autn) == (RAND, AUTN)
    assert f'nonce="{nonce}"' in answered(challenge)


@pytest.mark.parametrize(
    "nonce", ["", "=", NONCE[:-2], "abc", "*" * 44, "dcd98b7102dd2f0e8b11d0f600bfb0c093", "é" * 44]
)
def test_nonce_that_holds_no_rand_and_autn(nonce: str) -> None:
    with pytest.raises(ChallengeError, match="nonce"):
        aka.read_challenge(f'Digest realm="r", nonce="{nonce}", algorithm=AKAv1-MD5')


@pytest.mark.parametrize(
    "value",
    [
        f'Digest realm="r", nonce="{NONCE}", algorithm="AKAv1-MD5", qop=auth',
        f'DIGEST  Nonce = "{NONCE}" ,QOP="auth-int , AUTH", ALGORITHM=akav1-md5,REALM="r"',
        f'digest domain="sip:x",realm="r",nonce="{NONCE}",foo=bar,ck="00",ik="11",'
        'stale=FALSE,qop="auth",algorithm=AKAv1-MD5',
        f'Digest realm="r",, nonce="{NONCE}",algorithm=AKAv1-MD5,qop="foo,auth",realm="second"',
    ],
)
def test_quotes_case_order_and_unknown_parameters(value: str) -> None:
    challenge = aka.read_challenge(value)
    assert (challenge.algorithm, challenge.realm, challenge.qop) == ("AKAv1-MD5", "r", "auth")
    assert not challenge.stale
    assert challenge.opaque is None


def test_auth_int_is_taken_when_nothing_else_is_offered() -> None:
    challenge = ours(qop_options=("auth-int",))
    assert parameters(answered(challenge))["qop"] == "auth-int"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (f'Digest nonce="{NONCE}", algorithm=AKAv1-MD5', "no realm"),
        ('Digest realm="r", algorithm=AKAv1-MD5', "no nonce"),
        (f'Digest realm="r", nonce="{NONCE}", algorithm=AKAv1-MD5, qop="x,y"', "unknown qop"),
        (f'Digest realm="r", nonce="{NONCE}"', "no challenge of Digest AKA"),
        (f'Digest realm="r", nonce="{NONCE}", algorithm=AKAv3-MD5', "no challenge of Digest AKA"),
        (f'Basic realm="r", nonce="{NONCE}", algorithm=AKAv1-MD5', "no challenge of Digest AKA"),
    ],
)
def test_malformed_challenges(value: str, reason: str) -> None:
    with pytest.raises(ChallengeError, match=reason):
        aka.read_challenge(value)


# The one form that is written ---------------------------------------------------------


def test_canonical_answer() -> None:
    """A9: one line, qop, nc and algorithm unquoted; A24: opaque quoted."""
    value = answered(ours(opaque="5ccc"), cnonce="c1", nc=26)
    response = parameters(value)["response"]
    assert value == (
        f'Digest username="{IMPI}", realm="{REALM}", nonce="{NONCE}", uri="{URI}", '
        f'response="{response}", algorithm=AKAv1-MD5, opaque="5ccc", '
        'qop=auth, nc=0000001a, cnonce="c1"'
    )


def test_without_qop_no_count_and_no_cnonce() -> None:
    """A16: the form of RFC 2069."""
    names = list(parameters(answered(ours(qop_options=()))))
    assert names == ["username", "realm", "nonce", "uri", "response", "algorithm"]


@pytest.mark.parametrize("outcome", [RESPONSE, SynchronisationFailure(AUTS)])
def test_a_session_needs_its_cnonce_even_without_qop(outcome: Outcome) -> None:
    """RFC 7616 §3.4.2: A1 of a -sess algorithm holds it, so the server has to have it."""
    challenge = ours(algorithm="AKAv1-SHA-256-sess", qop_options=())
    value = answered(challenge, outcome, cnonce="c1")
    assert parameters(value)["cnonce"] == "c1"
    assert "nc" not in parameters(value)
    credentials = aka.read_credentials(value)
    aka.verify(credentials, challenge, RESPONSE, username=IMPI, method="REGISTER", uri=URI)


def test_reject_has_an_empty_response_and_no_auts() -> None:
    """TS 33.203 §6.1.2.2."""
    value = answered(ours(), MacFailure())
    assert 'response=""' in value
    assert "auts" not in value
    assert aka.read_credentials(value).is_reject


def test_auts_goes_with_the_empty_password() -> None:
    """RFC 3310 §3.4; A8: the response is not empty; A7: auts quoted, 20 characters."""
    value = answered(ours(), SynchronisationFailure(AUTS))
    assert len(parameters(value)["auts"]) == 20
    assert "qop=auth, nc=00000001" in value
    credentials = aka.read_credentials(value)
    assert credentials.auts == AUTS
    aka.verify(credentials, ours(), RESPONSE, username=IMPI, method="REGISTER", uri=URI)


def test_auts_with_a_response_over_res_is_refused() -> None:
    credentials = aka.read_credentials(answered(ours()))._replace(auts=AUTS)
    with pytest.raises(CredentialsError):
        aka.verify(credentials, ours(), RESPONSE, username=IMPI, method="REGISTER", uri=URI)


def test_initial_credentials_as_published() -> None:
    ours_initial = aka.initial_credentials(IMPI, REALM, URI)
    assert parameters(ours_initial) == parameters(PUBLISHED["initial_authorization"])
    assert aka.read_credentials(ours_initial).is_initial
    hinted = aka.initial_credentials(IMPI, REALM, URI, "AKAv2-MD5")
    assert hinted == ours_initial + ", algorithm=AKAv2-MD5"


def test_proxy_challenge_is_answered_in_proxy_authorization() -> None:
    challenge = ours(header="Proxy-Authenticate")
    name, _ = aka.write_credentials(Answer(challenge, RESPONSE, IMPI, "c"), "INVITE", URI)
    assert name == "Proxy-Authorization"


def test_realm_of_the_challenge_is_hashed_not_the_home_domain() -> None:
    """A21."""
    challenge = aka.make_challenge("vip.hr", RAND, AUTN)
    value = answered(challenge)
    assert parameters(value)["realm"] == "vip.hr"
    assert parameters(value)["uri"] == URI
    assert parameters(value)["response"] != parameters(answered(ours()))["response"]


def test_quotes_and_backslashes_survive_both_ways() -> None:
    challenge = aka.make_challenge('a"b\\c', RAND, AUTN, opaque='o"\\p')
    again = aka.read_challenge(aka.write_challenge(challenge))
    assert again == challenge
    credentials = aka.read_credentials(answered(again))
    assert (credentials.realm, credentials.opaque) == ('a"b\\c', 'o"\\p')
    aka.verify(credentials, challenge, RESPONSE, username=IMPI, method="REGISTER", uri=URI)


def test_challenge_written_is_challenge_read() -> None:
    challenge = ours(
        "AKAv2-MD5",
        qop_options=("auth", "auth-int"),
        opaque="",
        stale=True,
        server_data=b"node 7",
        header="Proxy-Authenticate",
    )
    assert aka.read_challenge(aka.write_challenge(challenge), "Proxy-Authenticate") == challenge


# Server: refusals ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"nonce": "other"}, 401),
        ({"nc": 2}, 401),
        ({"nc": 0}, 400),
        ({"cnonce": ""}, 400),
        ({"qop": "auth-int"}, 400),
        ({"username": "someone@else"}, 403),
        ({"realm": "else"}, 403),
        ({"uri": "sip:else"}, 400),
        ({"algorithm": "MD5"}, 400),
        ({"response": ""}, 403),
        ({"response": "ü"}, 403),
        ({"response": RESPONSE.res.hex()}, 403),
    ],
)
def test_server_refuses(changes: dict[str, Any], status: int) -> None:
    credentials = aka.read_credentials(answered(ours()))._replace(**changes)
    with pytest.raises(CredentialsError) as caught:
        aka.verify(credentials, ours(), RESPONSE, username=IMPI, method="REGISTER", uri=URI)
    assert caught.value.status == status


def test_server_counts_the_nonce() -> None:
    check: dict[str, Any] = {"username": IMPI, "method": "REGISTER", "uri": URI, "nc": 2}
    aka.verify(aka.read_credentials(answered(ours(), nc=2)), ours(), RESPONSE, **check)
    with pytest.raises(CredentialsError):
        aka.verify(aka.read_credentials(answered(ours(), nc=1)), ours(), RESPONSE, **check)
    unprotected = ours(qop_options=())
    with pytest.raises(CredentialsError, match="one request"):
        aka.verify(aka.read_credentials(answered(unprotected)), unprotected, RESPONSE, **check)


def test_server_takes_credentials_without_algorithm() -> None:
    """RFC 3310 §4 leaves it out of its own example."""
    value = answered(ours("AKAv2-MD5")).replace("algorithm=AKAv2-MD5, ", "")
    aka.verify(
        aka.read_credentials(value),
        ours("AKAv2-MD5"),
        RESPONSE,
        username=IMPI,
        method="REGISTER",
        uri=URI,
    )


@pytest.mark.parametrize("qop", ["auth", "auth-int", ""])
def test_server_proves_itself(qop: str) -> None:
    challenge = ours("AKAv2-MD5", qop_options=(qop,) if qop else ())
    answer = Answer(challenge, RESPONSE, IMPI, CNONCE)
    _, value = aka.write_credentials(answer, "REGISTER", URI)
    info = aka.write_authentication_info(aka.read_credentials(value), challenge, RESPONSE, b"body")
    aka.check_authentication_info(info, answer, URI, b"body")
    if qop == "auth-int":
        with pytest.raises(CredentialsError):
            aka.check_authentication_info(info, answer, URI, b"other")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic dXNlcg==",
        'Digest username="u"',
        'Digest username="u',
        'Digest username="u", realm="r", nonce="n", uri="u", response="r", nc=xyz',
        'Digest username="u", realm="r", nonce="n", uri="u", response="r", nc=100000000',
        'Digest username="u", realm="r", nonce="n", uri="u", response="r", auts="abc"',
        f'Digest username="u", realm="r", nonce="n", uri="u", response="r", auts="{AUTS.hex()}"',
    ],
)
def test_malformed_credentials(value: str) -> None:
    with pytest.raises(CredentialsError):
        aka.read_credentials(value)


def test_no_secret_shows_in_a_repr() -> None:
    shown = repr(Answer(ours(), RESPONSE, IMPI, CNONCE))
    for secret in (RESPONSE.res, RESPONSE.ck, RESPONSE.ik):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
