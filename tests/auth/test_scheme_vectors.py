"""Every scheme's own examples, in both directions and with everything a peer may vary."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from sipua.auth.scheme import AkaChallenge, Answer, Outcome
from sipua.auth.scheme_interface import Scheme
from sipua.auth.schemes import aka
from sipua.auth.selection import SCHEMES, offered, scheme_named, select
from sipua.errors import ChallengeError, CredentialsError
from sipua.sip.message import Request, Response, parse

SETS = {
    each["set"]: each
    for each in json.loads(
        (Path(__file__).parents[2] / "fixtures/vectors/milenage_ts35208.json").read_text()
    )["sets"]
}
IMPI, REALM, URI, CNONCE = "user@ims.example", "ims.example", "sip:ims.example", "0a4f113b"
HEADERS = ("WWW-Authenticate", "Proxy-Authenticate")

Row = tuple[Scheme, int, str, str, str, str]
ROWS: list[Row] = [
    (scheme, *vector) for scheme in map(scheme_named, SCHEMES) for vector in scheme.VECTORS
]
row = pytest.mark.parametrize(
    ("scheme", "number", "algorithm", "kind", "challenge", "credentials"),
    ROWS,
    ids=[f"{each[0].NAME}-{each[1]}-{each[2]}-{each[3]}" for each in ROWS],
)


def octets(number: int, name: str) -> bytes:
    return bytes.fromhex(SETS[number][name])


def expected(number: int) -> AkaResponse:
    return AkaResponse(octets(number, "f2"), octets(number, "f3"), octets(number, "f4"))


def outcome(number: int, kind: str) -> Outcome:
    if kind == "RES":
        return expected(number)
    if kind == "AUTS":
        return SynchronisationFailure(octets(number, "AUTS_if_SQNms_eq_SQN"))
    return MacFailure()


def received(status: int, header: str, value: str) -> Response:
    """A response as it comes from the network."""
    reason = f"SIP/2.0 {status} Prove it\r\n"
    message = parse(f"{reason}{header}: {value}\r\nContent-Length: 0\r\n\r\n".encode())
    assert isinstance(message, Response)
    return message


def sent(header: str, value: str) -> str:
    """Credentials as they stand in a request that has come from the network."""
    head = f"REGISTER {URI} SIP/2.0\r\n"
    message = parse(f"{head}{header}: {value}\r\nContent-Length: 0\r\n\r\n".encode())
    assert isinstance(message, Request)
    return message.headers.get(header) or ""


def chosen(value: str, header: str = "WWW-Authenticate") -> AkaChallenge:
    return select(offered(received(407 if header.startswith("Proxy") else 401, header, value)))


def judge(scheme: Scheme, value: str, challenge: AkaChallenge, number: int, kind: str) -> None:
    """The server finds in these credentials what the card has said."""
    read = scheme.read_credentials(value)
    if kind == "AUTH-REJECT":
        assert read.is_reject
        return
    assert not read.is_reject
    assert not read.is_initial
    assert read.auts == (octets(number, "AUTS_if_SQNms_eq_SQN") if kind == "AUTS" else b"")
    assert scheme.waiting_key(read, "call 7") == scheme.waiting_key(challenge, "call 7")
    check: dict[str, Any] = {"username": IMPI, "method": "REGISTER", "uri": URI}
    scheme.verify(read, challenge, expected(number), **check)
    if kind == "RES":
        with pytest.raises(CredentialsError) as caught:
            scheme.verify(read, challenge, expected(number)._replace(res=bytes(8)), **check)
        assert caught.value.status == 403


def test_every_scheme_and_kind_has_an_example() -> None:
    for name in SCHEMES:
        kinds = {kind for _, _, kind, _, _ in scheme_named(name).VECTORS}
        assert kinds == {"RES", "AUTS", "AUTH-REJECT"}


@row
@pytest.mark.parametrize("header", HEADERS)
def test_the_user_agent_answers_to_the_octet(
    scheme: Scheme,
    number: int,
    algorithm: str,
    kind: str,
    challenge: str,
    credentials: str,
    header: str,
) -> None:
    read = chosen(challenge, header)
    assert (read.scheme, read.algorithm) == (scheme.NAME, algorithm)
    assert (read.rand, read.autn) == (octets(number, "RAND"), octets(number, "AUTN"))
    answer = Answer(read, outcome(number, kind), IMPI, CNONCE)
    assert scheme.write_credentials(answer, "REGISTER", URI) == (
        {HEADERS[0]: "Authorization", HEADERS[1]: "Proxy-Authorization"}[header],
        credentials,
    )


@row
@pytest.mark.parametrize("header", HEADERS)
def test_the_server_asks_to_the_octet_and_understands_the_answer(
    scheme: Scheme,
    number: int,
    algorithm: str,
    kind: str,
    challenge: str,
    credentials: str,
    header: str,
) -> None:
    more = {} if "opaque" not in challenge else {"nonce_digits": 32, "opaque": "4f2e"}
    made = scheme.make_challenge(
        REALM,
        octets(number, "RAND"),
        octets(number, "AUTN"),
        algorithm,
        qop_options=("auth",),
        header=header,
        **more,
    )
    assert scheme.write_challenge(made) == challenge
    assert made == chosen(challenge, header)
    judge(scheme, credentials, made, number, kind)


# What peers may vary ------------------------------------------------------------------


def words(value: str) -> list[str]:
    """The scheme and its parameters; no quoted string of the examples holds a comma."""
    head, _, rest = value.partition(" ")
    for separator in (" ;", ", "):
        rest = rest.replace(separator, " ")
    return [head, *rest.replace(";", "").split()]


def pairs(value: str) -> list[tuple[str, str]]:
    return [(name, text) for name, _, text in (each.partition("=") for each in words(value)[1:])]


def change_names(value: str, change: Callable[[str], str]) -> str:
    params = ", ".join(f"{change(name)}={text}" for name, text in pairs(value))
    return f"{change(words(value)[0])} {params}"


def upper_hexadecimal(value: str) -> str:
    """RAND, AUTN, RES and AUTS in upper case, names and tokens as they were."""
    changed = ("RAND", "AUTN", "RES", "AUTS", "nonce", "opaque", "signature", "response")
    params = [f"{name}={text.upper() if name in changed else text}" for name, text in pairs(value)]
    return f"{words(value)[0]} {', '.join(params)}"


def quoted(value: str) -> str:
    params = [f'{name}="{text.strip(chr(34))}"' for name, text in pairs(value)]
    return f"{words(value)[0]} {' '.join(params)}"


def put(after_scheme: str, between: str, at_end: str = "") -> Callable[[str], str]:
    """Other text than the canonical one between the parts."""

    def vary(value: str) -> str:
        scheme, *params = words(value)
        return scheme + after_scheme + between.join(params) + at_end

    return vary


def second(param: str) -> str:
    """The same parameter with another value: the first one counts."""
    return f'{param.partition("=")[0]}="00"'


VARIATIONS: dict[str, Callable[[str], str]] = {
    "as written": lambda value: value,
    "upper case": lambda value: change_names(value, str.upper),
    "lower case": lambda value: change_names(value, str.lower),
    "commas": put(" ", ", "),
    "commas alone": put(" ", ","),
    "empty list elements": put(" , ", ",, ", " ,"),
    "unknown parameters": put(' x-first="a, b; c=d", ', ", ", ', ck="00", y=z'),
    "blanks around =": lambda value: (
        f"{words(value)[0]} {' , '.join(f'{name} = {text}' for name, text in pairs(value))}"
    ),
    "other order": lambda value: f"{words(value)[0]} {', '.join(words(value)[:0:-1])}",
    "said twice": lambda value: f"{put(' ', ', ')(value)}, {second(words(value)[1])}",
    "folded": put("\r\n ", ",\r\n\t"),
}
FREE_VARIATIONS: dict[str, Callable[[str], str]] = {
    "all quoted": quoted,
    "semicolons": put(" ;", " ;"),
    "semicolons alone": put(";", ";"),
    "semicolons, but not the first": put(" ", " ;"),  # RFC 2543 §15.1.2 in its own example
    "white space": put("  ", "  "),
    "tabs": put("\t", "\t"),
    "folded at white space": put("\r\n ", "\r\n "),
    "folded with semicolons": put("\r\n\t;", "\r\n ;"),
    "upper hexadecimal": upper_hexadecimal,
}
"""For the patent's modes; Digest AKA keeps to RFC 3261's commas."""

HEXADECIMAL = ("umts", "digest-umts", "pgp-umts")


def variations() -> Iterator[Any]:
    for each in ROWS:
        ways = VARIATIONS if each[0] is aka else VARIATIONS | FREE_VARIATIONS
        for name, vary in ways.items():
            label = f"{each[0].NAME}-{each[1]}-{each[2]}-{each[3]}-{name}"
            yield pytest.param(each, vary, id=label)


@pytest.mark.parametrize(("example", "vary"), list(variations()))
def test_both_sides_read_what_peers_may_write(example: Row, vary: Callable[[str], str]) -> None:
    scheme, number, algorithm, kind, challenge, credentials = example
    read = chosen(vary(challenge))
    assert (read.scheme, read.algorithm) == (scheme.NAME, algorithm)
    assert (read.rand, read.autn) == (octets(number, "RAND"), octets(number, "AUTN"))
    value = sent("Authorization", vary(credentials))
    judge(scheme, value, chosen(challenge), number, kind)


@row
def test_an_answer_to_a_varied_challenge_repeats_its_nonce(
    scheme: Scheme, number: int, algorithm: str, kind: str, challenge: str, credentials: str
) -> None:
    """A6: the text as it came, or servers do not find it."""
    if scheme is aka or scheme.NAME == "umts":
        return
    varied = upper_hexadecimal(challenge)
    answer = Answer(chosen(varied), outcome(number, kind), IMPI, CNONCE)
    _, value = scheme.write_credentials(answer, "REGISTER", URI)
    nonce = chosen(varied).nonce
    assert nonce.isupper()
    assert f'nonce="{nonce}"' in value


# Digest AKA, computed without us ------------------------------------------------------


@pytest.mark.parametrize("example", [each for each in ROWS if each[0] is aka], ids=lambda e: e[2])
def test_digests_of_the_examples_by_hashlib_alone(example: Row) -> None:
    _, number, algorithm, kind, challenge, credentials = example
    version, _, name = algorithm.partition("-")
    hash_name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[
        name.removesuffix("-sess")
    ]

    def digest(data: bytes) -> bytes:
        return hashlib.new(hash_name, data).hexdigest().encode()

    nonce = base64.b64encode(octets(number, "RAND") + octets(number, "AUTN"))
    assert nonce.decode() in challenge
    if kind == "AUTH-REJECT":
        assert 'response=""' in credentials
        return
    res, ck, ik = (octets(number, each) for each in ("f2", "f3", "f4"))
    password = res if kind == "RES" else b""
    if password and version == "AKAv2":
        keyed = hmac.new(res + ik + ck, b"http-digest-akav2-password", hash_name)
        password = base64.b64encode(keyed.digest())
    a1 = b"user@ims.example:ims.example:" + password
    if name.endswith("-sess"):
        a1 = b":".join([digest(a1), nonce, CNONCE.encode()])
    a2 = digest(b"REGISTER:sip:ims.example")
    middle = b":".join([nonce, b"00000001", CNONCE.encode(), b"auth"])
    response = digest(b":".join([digest(a1), middle, a2]))
    assert f'response="{response.decode()}"' in credentials


# What is refused ----------------------------------------------------------------------

RAND_AUTN = "23553cbe9637a89d218ae64dae47bf35" + "55f328b43577b9b94a9ffac354dfafb3"
RAND, AUTN = RAND_AUTN[:32], RAND_AUTN[32:]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (f"UMTS RAND={RAND}", "no AUTN"),
        (f"UMTS AUTN={AUTN}", "no RAND"),
        ("UMTS", "no RAND"),
        (f"UMTS RAND={RAND[:-2]} AUTN={AUTN}", "RAND.* 30 digits"),
        (f"UMTS RAND={RAND} AUTN={AUTN}00", "AUTN.* 34 digits"),
        (f"UMTS RAND={RAND[:-1]}g AUTN={AUTN}", "not hexadecimal"),
        (f"UMTS RAND= AUTN={AUTN}", "RAND"),
        (f'Digest realm="r", algorithm=UMTS-AKA, nonce="{RAND}"', "nonce.* 32 digits"),
        (f'Digest realm="r", algorithm=UMTS-AKA, nonce="{RAND}", opaque="{AUTN[:-1]}"', "opaque"),
        (f'Digest realm="r", algorithm=UMTS-AKA, nonce="{RAND}", opaque="hello"', "hexadecimal"),
        (f'Digest algorithm=UMTS-AKA, nonce="{RAND_AUTN}"', "no realm"),
        ('Digest realm="r", algorithm=UMTS-AKA', "no nonce"),
        (f'pgp ;realm="r" ;algorithm=UMTS-AKA ;nonce="{RAND}"', "nonce.* 32 digits"),
        (f'pgp ;algorithm=UMTS-AKA ;nonce="{RAND_AUTN}"', "no realm"),
        ('pgp ;realm="r" ;algorithm=UMTS-AKA', "no nonce"),
    ],
)
def test_malformed_challenges(value: str, reason: str) -> None:
    with pytest.raises(ChallengeError, match=reason):
        chosen(value)


def test_opaque_may_hold_all_of_it() -> None:
    value = f'Digest realm="r", algorithm=UMTS-AKA, nonce="", opaque="{RAND_AUTN}rest"'
    read = chosen(value)
    assert (read.rand.hex(), read.autn.hex()) == (RAND, AUTN)
    answer = Answer(read, MacFailure(), IMPI, CNONCE)
    scheme = scheme_named("digest-umts")
    _, credentials = scheme.write_credentials(answer, "REGISTER", URI)
    assert f'nonce="", algorithm=UMTS-AKA, response="E14", opaque="{RAND_AUTN}rest"' in credentials
    assert scheme.read_credentials(credentials).is_reject


DIGEST = 'Digest username="u", realm="r", uri="u", nonce="n", algorithm=UMTS-AKA, response="%s"'
PGP = 'pgp ;version="5.0" ;realm="r" ;nonce="n" ;signature="%s"'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("umts", "UMTS"),
        ("umts", ""),
        ("umts", "RES=a54211d5e3ba50bf"),
        ("umts", 'UMTS RES="a54211d5e3ba50bf'),
        ("umts", "Digest RES=a54211d5e3ba50bf"),
        ("umts", "UMTS RES="),
        ("umts", "UMTS RES=a54211d5e3ba50bf AUTS=451e8beca43bcf44e93596e355c6"),
        ("umts", "UMTS RES=a54211"),
        ("umts", "UMTS RES=a54211d5e3ba50b"),
        ("umts", f"UMTS RES={'00' * 17}"),
        ("umts", "UMTS RES=a54211d5e3ba50bx"),
        ("umts", "UMTS AUTS=451e8beca43bcf44e93596e355"),
        ("umts", "UMTS AUTH-REJECT=0"),
        ("umts", "UMTS AUTH-REJECT=256"),
        ("umts", "UMTS AUTH-REJECT=-1"),
        ("umts", f"UMTS AUTH-REJECT={'9' * 5000}"),
        ("digest-umts", DIGEST % "a54211d5e3ba50bf"),
        ("digest-umts", DIGEST % "R"),
        ("digest-umts", DIGEST % "Ra54211d5e3ba50b"),
        ("digest-umts", DIGEST % "S451e8beca43b"),
        ("digest-umts", DIGEST % "E"),
        ("digest-umts", DIGEST % "E00"),
        ("digest-umts", DIGEST % "E0014"),
        ("digest-umts", "UMTS RES=a54211d5e3ba50bf"),
        ("digest-umts", 'Digest username="u", realm="r", uri="u", nonce="n"'),
        ("pgp-umts", PGP % ""),
        ("pgp-umts", PGP % "01"),
        ("pgp-umts", PGP % "04a54211d5e3ba50bf"),
        ("pgp-umts", PGP % "01a54211d5e3ba50b"),
        ("pgp-umts", PGP % "02a54211d5e3ba50bf"),
        ("pgp-umts", PGP % "030014"),
        ("pgp-umts", 'pgp ;version="5.0" ;realm="r" ;nonce="n"'),
        ("pgp-umts", DIGEST % "Ra54211d5e3ba50bf"),
    ],
)
def test_malformed_credentials(name: str, value: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        scheme_named(name).read_credentials(value)
    assert caught.value.status == 400


@pytest.mark.parametrize("size", [4, 8, 16])
@pytest.mark.parametrize("name", HEXADECIMAL)
@pytest.mark.parametrize("zero", [0, -1, 2])
def test_res_of_all_sizes_with_a_zero_octet(name: str, size: int, zero: int) -> None:
    scheme = scheme_named(name)
    res = bytearray(range(1, size + 1))
    res[zero] = 0
    response = AkaResponse(bytes(res), bytes(16), bytes(16))
    challenge = scheme.make_challenge(REALM, bytes(16), bytes(16))
    _, value = scheme.write_credentials(Answer(challenge, response, IMPI, ""), "INVITE", URI)
    check: dict[str, Any] = {"username": IMPI, "method": "INVITE", "uri": URI}
    read = scheme.read_credentials(value)
    scheme.verify(read, challenge, response, **check)
    for wrong in (bytes(res).replace(b"\0", b""), bytes(res[:-1]), bytes(res) + b"\0"):
        with pytest.raises(CredentialsError):
            scheme.verify(read, challenge, response._replace(res=wrong), **check)


@pytest.mark.parametrize("cause", [20, 21, 26, 255])
def test_every_error_code_is_a_refusal(cause: int) -> None:
    for name, value in (
        ("umts", f"UMTS AUTH-REJECT={cause}"),
        ("digest-umts", DIGEST % f"E{cause:02x}"),
        ("pgp-umts", PGP % f"03{cause:02X}"),
    ):
        read = scheme_named(name).read_credentials(value)
        assert read.is_reject
        assert read.cause == cause


def test_the_last_refusal_of_a_second_use() -> None:
    """RES in clear is good for one request: who has seen it must not repeat it."""
    for name in HEXADECIMAL:
        scheme = scheme_named(name)
        challenge = scheme.make_challenge(REALM, bytes(16), bytes(16))
        response = AkaResponse(bytes(8), bytes(16), bytes(16))
        answer = Answer(challenge, response, IMPI, "")
        assert not answer.is_reusable
        _, value = scheme.write_credentials(answer, "REGISTER", URI)
        with pytest.raises(CredentialsError) as caught:
            scheme.verify(
                scheme.read_credentials(value),
                challenge,
                response,
                username=IMPI,
                method="REGISTER",
                uri=URI,
                nc=2,
            )
        assert caught.value.status == 401


def test_no_res_shows_in_a_repr() -> None:
    for scheme, _, _, kind, _, credentials in ROWS:
        if kind == "RES":
            assert scheme.read_credentials(credentials).response not in repr(
                scheme.read_credentials(credentials)
            )


# Garbage ------------------------------------------------------------------------------

PIECES = [
    *("UMTS", "Digest", "pgp", " ", "  ", "\t", ",", ";", "=", '"', "\\", "é", "\udcff"),
    *("RAND", "AUTN", "RES", "AUTS", "AUTH-REJECT", "nonce", "opaque", "realm", "algorithm"),
    *("UMTS-AKA", "AKAv1-MD5", "response", "signature", "username", "uri", "20", "R", "S", "E14"),
    *(RAND, AUTN, RAND_AUTN, "01a54211d5e3ba50bf", "a54211d5e3ba50bf"),
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=24).map("".join))
def test_garbage_raises_only_what_is_the_peers_fault(text: str) -> None:
    for name in SCHEMES:
        with contextlib.suppress(CredentialsError):
            scheme_named(name).read_credentials(text)
    with contextlib.suppress(ChallengeError):
        select(offered(Response(401, "", [("WWW-Authenticate", text)])))
