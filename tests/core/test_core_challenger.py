"""The challenger by itself: four schemes, 401 and 407, any method, and what it refuses."""

from __future__ import annotations

import random

import pytest

from card.aka.milenage import Milenage
from card.aka.result import AkaResponse, MacFailure
from card.aka.sequence import SequenceArray
from card.aka.vector import make_auts, open_autn
from card.profile import Profile, shipped
from sipua.core.auc import Auc
from sipua.core.challenger import (
    ABSENT,
    ACCEPTED,
    LIFETIME,
    MAX_WAITING,
    RESYNCHRONISED,
    STALE,
    Challenger,
    Judgement,
)
from sipua.core.subscriber import Directory, Subscriber
from sipua.errors import CredentialsError, LocalError
from sipua.sip.headers import split_challenges
from sipua.sip.message import Request

SCHEMES = ("aka", "umts", "digest-umts", "pgp-umts")
WWW, PROXY = "WWW-Authenticate", "Proxy-Authenticate"
CREDENTIALS = {WWW: "Authorization", PROXY: "Proxy-Authorization"}
METHODS = ("REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE", "BYE")
ROLES = [(WWW, "REGISTER"), *((PROXY, method) for method in METHODS), (WWW, "INVITE")]
NOW = 1000.0


def other_profile() -> Profile:
    first = shipped()
    assert first.isim is not None
    isim = first.isim._replace(impi="other@ims.example", impu=("sip:other@ims.example",))
    return first._replace(imsi="001010000000002", isim=isim)


class Network:
    """One challenger, two subscribers, and the card's arithmetic done by the test itself."""

    def __init__(self, scheme: str, header: str = WWW, algorithm: str | None = None) -> None:
        rng = random.Random(11)
        self.header = header
        self.directory = Directory([shipped(), other_profile()])
        self.auc = Auc(self.directory, rng)
        self.challenger = Challenger(
            self.auc, rng, header=header, scheme=scheme, algorithm=algorithm
        )
        self.user, self.other = self.directory
        secrets = shipped().authentication
        self.functions = Milenage(secrets.k, secrets.opc)

    def request(
        self,
        method: str,
        credentials: str = "",
        *,
        call_id: str = "a@b",
        user: Subscriber | None = None,
    ) -> Request:
        caller = f"<{(user or self.user).impus[0]}>"
        callee = caller if method == "REGISTER" else "<sip:callee@ims.example>"
        lines = [("From", f"{caller};tag=1"), ("To", callee), ("Call-ID", call_id)]
        if credentials:
            lines.append((CREDENTIALS[self.header], credentials))
        return Request(method, "sip:ims.example", lines)

    def asked(self, request: Request, faults: dict[str, float] | None = None) -> str:
        judgement = Judgement(ABSENT)
        name, value = self.challenger.challenge(self.user, request, judgement, NOW, faults or {})
        assert name == self.header
        return value

    def judge(self, request: Request, now: float = NOW) -> str:
        user = self.directory.user_of(request)
        assert user is not None
        return self.challenger.judge(user, request, now).word


def vector_of(challenge: str) -> tuple[bytes, bytes]:
    """RAND and AUTN by plain text search, without the code under test."""
    if challenge.startswith("UMTS"):
        rand, autn = (word.partition("=")[2] for word in challenge.split()[1:])
        return bytes.fromhex(rand), bytes.fromhex(autn)
    octets = bytes.fromhex(challenge.partition('nonce="')[2].partition('"')[0])
    return octets[:16], octets[16:]


def answer(scheme: str, challenge: str, kind: str, octets: bytes, impi: str) -> str:
    """Credentials as design has them, to the octet, written by hand."""
    text = octets.hex()
    if scheme == "umts":
        return f"UMTS {kind}={octets[0] if kind == 'AUTH-REJECT' else text}"
    realm = challenge.partition('realm="')[2].partition('"')[0]
    nonce = challenge.partition('nonce="')[2].partition('"')[0]
    if scheme == "pgp-umts":
        number = {"RES": "01", "AUTS": "02", "AUTH-REJECT": "03"}[kind]
        return f'pgp ;version="5.0" ;realm="{realm}" ;nonce="{nonce}" ;signature="{number}{text}"'
    letter = {"RES": "R", "AUTS": "S", "AUTH-REJECT": "E"}[kind]
    return (
        f'Digest username="{impi}", realm="{realm}", uri="sip:ims.example", nonce="{nonce}", '
        f'algorithm=UMTS-AKA, response="{letter}{text}"'
    )


IN_CLEAR = SCHEMES[1:]
in_clear = pytest.mark.parametrize("scheme", IN_CLEAR)
roles = pytest.mark.parametrize(("header", "method"), ROLES)


def right(network: Network, scheme: str, challenge: str) -> str:
    rand, autn = vector_of(challenge)
    open_autn(network.functions, rand, autn)  # AUTN is right, or this raises
    res = network.functions.f2345(rand)[0]
    return answer(scheme, challenge, "RES", res, network.user.impi)


@in_clear
@roles
def test_the_right_res_is_accepted_once(scheme: str, header: str, method: str) -> None:
    network = Network(scheme, header)
    assert network.challenger.status == (401 if header == WWW else 407)
    credentials = right(network, scheme, network.asked(network.request(method)))
    request = network.request(method, credentials)
    assert network.judge(request) == ACCEPTED
    assert network.judge(request) == STALE


@in_clear
@roles
def test_auts_is_taken_and_the_next_vector_is_fresh(scheme: str, header: str, method: str) -> None:
    network = Network(scheme, header)
    card = SequenceArray()
    for ind in range(32):
        card.accept((5 << 20) + ind)
    challenge = network.asked(network.request(method))
    rand, autn = vector_of(challenge)
    assert not card.accept(open_autn(network.functions, rand, autn))
    auts = make_auts(network.functions, rand, card.sqn_ms)
    credentials = answer(scheme, challenge, "AUTS", auts, network.user.impi)
    assert network.judge(network.request(method, credentials)) == RESYNCHRONISED
    assert network.judge(network.request(method, credentials)) == STALE
    again = network.asked(network.request(method))
    assert card.accept(open_autn(network.functions, *vector_of(again)))


@in_clear
@roles
def test_an_error_code_is_refused_and_told(scheme: str, header: str, method: str) -> None:
    network = Network(scheme, header)
    challenge = network.asked(network.request(method), {"wrong-mac": 0})
    with pytest.raises(MacFailure):
        open_autn(network.functions, *vector_of(challenge))
    credentials = answer(scheme, challenge, "AUTH-REJECT", b"\x14", network.user.impi)
    request = network.request(method, credentials)
    with pytest.raises(CredentialsError) as caught:
        network.judge(request)
    assert (caught.value.status, caught.value.reason) == (403, "MAC Failure Reported")
    assert network.judge(request) == STALE


@in_clear
@roles
def test_a_wrong_res_uses_the_challenge_up(scheme: str, header: str, method: str) -> None:
    network = Network(scheme, header)
    challenge = network.asked(network.request(method))
    wrong = answer(scheme, challenge, "RES", bytes(8), network.user.impi)
    with pytest.raises(CredentialsError) as caught:
        network.judge(network.request(method, wrong))
    assert caught.value.status == 403
    assert network.judge(network.request(method, right(network, scheme, challenge))) == STALE


@in_clear
def test_auts_of_another_key_is_refused(scheme: str) -> None:
    network = Network(scheme)
    challenge = network.asked(network.request("REGISTER"))
    auts = make_auts(Milenage(bytes(16), bytes(16)), vector_of(challenge)[0], 1 << 30)
    credentials = answer(scheme, challenge, "AUTS", auts, network.user.impi)
    with pytest.raises(CredentialsError) as caught:
        network.judge(network.request("REGISTER", credentials))
    assert caught.value.status == 403


@pytest.mark.parametrize("scheme", ["umts", "pgp-umts"])
@pytest.mark.parametrize(("header", "method"), [(WWW, "REGISTER"), (PROXY, "INVITE")])
def test_nobody_is_let_in_by_anothers_answer(scheme: str, header: str, method: str) -> None:
    """These name no user, so the one who claims to ask has no such challenge."""
    network = Network(scheme, header)
    credentials = right(network, scheme, network.asked(network.request(method)))
    assert network.judge(network.request(method, credentials, user=network.other)) == STALE
    assert network.judge(network.request(method, credentials)) == ACCEPTED


@pytest.mark.parametrize(("header", "method"), [(WWW, "REGISTER"), (PROXY, "INVITE")])
def test_a_user_name_of_another_is_refused(header: str, method: str) -> None:
    network = Network("digest-umts", header)
    credentials = right(network, "digest-umts", network.asked(network.request(method)))
    with pytest.raises(CredentialsError) as caught:
        network.judge(network.request(method, credentials, user=network.other))
    assert (caught.value.status, caught.value.reason) == (403, "Not Your Identity")
    assert network.judge(network.request(method, credentials)) == ACCEPTED


@in_clear
def test_a_challenge_waits_for_a_limited_time(scheme: str) -> None:
    network = Network(scheme)
    credentials = right(network, scheme, network.asked(network.request("REGISTER")))
    assert network.judge(network.request("REGISTER", credentials), NOW + LIFETIME) == STALE


@in_clear
def test_an_answer_before_any_challenge_is_none(scheme: str) -> None:
    network = Network(scheme)
    challenge = Network(scheme).asked(network.request("REGISTER"))
    credentials = right(network, scheme, challenge)
    assert network.judge(network.request("REGISTER", credentials)) == STALE


@in_clear
def test_credentials_of_other_schemes_are_no_answer(scheme: str) -> None:
    network = Network(scheme)
    first = (
        f'Digest username="{network.user.impi}", realm="{network.user.domain}", nonce="", '
        'uri="sip:ims.example", response="", algorithm=AKAv1-MD5'
    )
    others = ('Basic dXNlcg==, realm="x"', first, 'Digest username="u", realm="else", nonce="n", '
              'uri="u", response="abc", algorithm=MD5')  # fmt: skip
    for each in others:
        assert network.judge(network.request("REGISTER", each)) == ABSENT


@in_clear
def test_the_answer_is_found_behind_anothers(scheme: str) -> None:
    network = Network(scheme, PROXY)
    credentials = right(network, scheme, network.asked(network.request("INVITE")))
    request = network.request("INVITE")
    request.headers.add("Proxy-Authorization", 'Basic dXNlcg==, realm="else"')
    request.headers.add("Proxy-Authorization", credentials)
    assert network.judge(request) == ACCEPTED


def test_umts_is_known_by_call_id_and_user() -> None:
    network = Network("umts", PROXY)
    first = network.asked(network.request("INVITE", call_id="first"))
    second = network.asked(network.request("MESSAGE", call_id="second"))
    to_first, to_second = (right(network, "umts", each) for each in (first, second))
    with pytest.raises(CredentialsError):
        network.judge(network.request("INVITE", to_second, call_id="first"))
    assert network.judge(network.request("MESSAGE", to_second, call_id="second")) == ACCEPTED
    assert network.judge(network.request("INVITE", to_first, call_id="third")) == STALE


def test_umts_a_new_challenge_in_a_call_replaces_the_one_before() -> None:
    network = Network("umts")
    old = right(network, "umts", network.asked(network.request("REGISTER")))
    new = right(network, "umts", network.asked(network.request("REGISTER")))
    assert network.judge(network.request("REGISTER", new)) == ACCEPTED
    network.asked(network.request("REGISTER"))
    with pytest.raises(CredentialsError):
        network.judge(network.request("REGISTER", old))


def test_umts_waiting_challenges_are_limited() -> None:
    network = Network("umts")
    first = right(network, "umts", network.asked(network.request("REGISTER", call_id="0")))
    for number in range(MAX_WAITING):
        network.asked(network.request("REGISTER", call_id=f"{number + 1}"))
    assert network.judge(network.request("REGISTER", first, call_id="0")) == STALE


@pytest.mark.parametrize("name", SCHEMES)
def test_challenges_of_every_scheme_carry_what_they_must(name: str) -> None:
    network = Network(name)
    challenge = network.asked(network.request("REGISTER"))
    starts = {
        "aka": f'Digest realm="{network.user.domain}", nonce="',
        "umts": "UMTS RAND=",
        "digest-umts": f'Digest realm="{network.user.domain}", algorithm=UMTS-AKA, nonce="',
        "pgp-umts": f'pgp ;version="5.0" ;realm="{network.user.domain}" ;algorithm=UMTS-AKA ',
    }
    assert challenge.startswith(starts[name])
    if name != "aka":
        rand, autn = vector_of(challenge)
        assert (len(rand), len(autn)) == (16, 16)


def test_aka_proves_itself_and_the_patents_modes_do_not() -> None:
    for scheme in IN_CLEAR:
        network = Network(scheme)
        credentials = right(network, scheme, network.asked(network.request("REGISTER")))
        request = network.request("REGISTER", credentials)
        assert network.challenger.judge(network.user, request, NOW).info == ""


@pytest.mark.parametrize(
    ("scheme", "algorithm"),
    [("carrier-pigeon", None), ("umts", "AKAv1-MD5"), ("pgp-umts", "MD5"), ("aka", "UMTS-AKA")],
)
def test_what_there_is_not_is_refused_at_the_start(scheme: str, algorithm: str | None) -> None:
    with pytest.raises(LocalError, match="there are"):
        Network(scheme, algorithm=algorithm)


def test_the_user_is_to_of_a_register_and_from_of_all_else() -> None:
    network = Network("umts")
    third_party = Request(
        "REGISTER",
        "sip:ims.example",
        [("From", f"<{network.other.impus[0]}>"), ("To", f"<{network.user.impus[0]}>")],
    )
    assert network.directory.user_of(third_party) == network.user
    third_party.method = "INVITE"
    assert network.directory.user_of(third_party) == network.other


@pytest.mark.parametrize("method", METHODS)
def test_aka_by_407_for_any_method(method: str) -> None:
    """The same functions, with Digest AKA: what the user agent writes is accepted once."""
    from sipua.auth.scheme import Answer
    from sipua.auth.schemes import aka

    network = Network("aka", PROXY)
    (offer,) = split_challenges(network.asked(network.request(method)))
    challenge = aka.read(offer, PROXY)
    res, ck, ik, _ = network.functions.f2345(challenge.rand)
    told = Answer(challenge, AkaResponse(res, ck, ik), network.user.impi, "c", 1)
    name, value = aka.write_credentials(told, method, "sip:ims.example")
    assert name == "Proxy-Authorization"
    request = network.request(method, value)
    result = network.challenger.judge(network.user, request, NOW)
    assert result.word == ACCEPTED
    assert result.info.startswith("rspauth=")
    assert network.judge(request) == STALE
