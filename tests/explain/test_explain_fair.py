"""Nobody is accused who did everything right: 200 random flows over all schemes."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from card.aka.algorithm import functions_of
from card.aka.result import AkaResponse, SynchronisationFailure
from card.aka.vector import make_auts, make_vector
from card.profile_authentication import Authentication
from explain.seen_on_the_wire import Talk, write_pcap
from sipua.auth.algorithm import ALGORITHMS
from sipua.auth.scheme import AkaChallenge, Answer, Outcome
from sipua.auth.schemes import aka, digest_umts
from sipua.auth.selection import scheme_named
from sipua.explain.investigation import Investigation
from sipua.explain.sources import captured
from sipua.explain.subscriber import Subscriber

FLOWS = 200
TOKENS = [algorithm.token for algorithm in ALGORITHMS]
WAYS = [("aka", token) for token in TOKENS] + [("umts", ""), ("digest-umts", ""), ("pgp-umts", "")]
METHODS = ("REGISTER", "REGISTER", "INVITE", "MESSAGE")


class Made(NamedTuple):
    """A flow, its subscriber, and how many answers it holds."""

    talk: Talk
    subscriber: Subscriber
    answers: int


def authentication(rng: random.Random) -> Authentication:
    algorithm = rng.choice(("milenage", "milenage", "tuak", "xor"))
    common = Authentication(algorithm, rng.randbytes(16))
    if algorithm == "milenage":
        return common._replace(opc=rng.randbytes(16), res_length=rng.choice((8, 8, 4, 16)))
    if algorithm == "tuak":
        return common._replace(topc=rng.randbytes(32), res_length=rng.choice((4, 8, 16)))
    return common._replace(res_length=rng.choice((4, 8, 16)))


def challenge_of(
    rng: random.Random, way: tuple[str, str], realm: str, rand: bytes, autn: bytes, header: str
) -> AkaChallenge:
    name, token = way
    qop_options = rng.choice(((), ("auth",), ("auth", "auth-int"), ("auth-int",)))
    if token.endswith("-sess"):  # without qop no cnonce is sent, and the -sess form needs one
        qop_options = qop_options or ("auth",)
    if name == "aka":
        return aka.make_challenge(
            realm,
            rand,
            autn,
            token,
            qop_options=qop_options,
            opaque=rng.choice((None, "", rng.randbytes(6).hex())),
            server_data=rng.randbytes(rng.choice((0, 0, 1, 7, 16))),
            header=header,
        )
    if name == "digest-umts":
        digits = rng.choice((64, 32, 16))
        return digest_umts.make_challenge(realm, rand, autn, header=header, nonce_digits=digits)
    return scheme_named(name).make_challenge(realm, rand, autn, token, header=header)


def flow(number: int) -> Made:
    """Challenge and answer as our own two sides write them, and now and then an AUTS before."""
    rng = random.Random(number)
    keys = authentication(rng)
    functions = functions_of(keys)
    imsi = f"00101{rng.randrange(10**10):010}"
    domain = rng.choice(("ims.mnc001.mcc001.3gppnetwork.org", "ims.example", "Home.Example"))
    impi = f"{imsi}@{domain}"
    impu = rng.choice((f"sip:{impi}", f"sip:+15550{rng.randrange(10**6):06}@{domain}"))
    subscriber = Subscriber(keys, impi, (impu,), imsi, domain)
    realm = rng.choice((domain, domain, "epc.example"))
    method = METHODS[number % len(METHODS)]
    uri = f"sip:{domain}" if method == "REGISTER" else f"sip:+15550199@{domain};user=phone"
    proxy = method != "REGISTER"
    talk = Talk(method, uri, f"call{number}", 1_700_000_000.0 + number * 10, impu)
    body = b"" if method == "REGISTER" else rng.randbytes(rng.choice((0, 40))).hex().encode()
    first = ""
    if method == "REGISTER" and rng.random() < 0.7:
        first = f"Authorization: {aka.initial_credentials(impi, domain, uri, rng.choice(TOKENS))}"
    talk.request(*filter(None, [first]), body=body)
    way = WAYS[number % len(WAYS)]
    header = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
    status, reason = (407, "Proxy Authentication Required") if proxy else (401, "Unauthorized")
    sqn = rng.randrange(32, 2**40)
    answers = 0
    for out_of_step in (True, False) if rng.random() < 0.3 else (False,):
        rand = rng.randbytes(16)
        vector = make_vector(functions, rand, sqn, rng.choice((b"\x80\x00", b"\x00\x00")))
        challenge = challenge_of(rng, way, realm, rand, vector.autn, header)
        scheme = scheme_named(challenge.scheme)
        talk.response(status, reason, f"{header}: {scheme.write_challenge(challenge)}")
        outcome: Outcome = AkaResponse(vector.xres, vector.ck, vector.ik)
        if out_of_step:
            sqn_ms = sqn + rng.randrange(1, 1 << 20) * 32
            outcome = SynchronisationFailure(make_auts(functions, rand, sqn_ms))
            sqn = sqn_ms + 32
        answer = Answer(challenge, outcome, impi, f"{rng.getrandbits(64):016x}")
        for nc in range(1, rng.choice((2, 2, 3)) if answer.is_reusable else 2):
            name, value = scheme.write_credentials(answer._replace(nc=nc), method, uri, body)
            talk.request(f"{name}: {value}", body=body)
            answers += 1
            if nc > 1:
                break
            if answer.is_reusable and rng.random() < 0.5:
                talk.response(200, "OK")
    return Made(talk, subscriber, answers)


def explained(path: Path, *subscribers: Subscriber) -> list[dict[str, Any]]:
    investigation = Investigation(subscribers)
    found: list[dict[str, Any]] = []
    with path.open("rb") as stream:
        for seen in captured(stream, pytest.fail):
            found += investigation.take(seen)
    return found + list(investigation.finish())


@pytest.fixture(scope="module")
def flows() -> list[Made]:
    return [flow(number) for number in range(FLOWS)]


@pytest.mark.parametrize("end", ["200", "403", "none"])
def test_no_accusation_with_the_key(flows: list[Made], tmp_path: Path, end: str) -> None:
    """Also where nothing tells that the network took the answer, or where it refused it."""
    for made in flows:
        packets = list(made.talk.packets)
        waits = packets[-1][1]  # the last packet is a request
        if end != "none" and waits:
            made.talk.response(int(end), "OK" if end == "200" else "Forbidden")
        path = write_pcap(tmp_path / "flow.pcap", made.talk)
        made.talk.packets = packets
        (dialog,) = explained(path, made.subscriber)
        wrong = {each["code"] for each in dialog["findings"] if each["wrong"]}
        resynchronised = any(
            answer["auts"] for each in dialog["challenges"] for answer in each["answers"]
        )
        answers = [answer for each in dialog["challenges"] for answer in each["answers"]]
        assert len(answers) == made.answers
        digested = [each for each in answers if each["kind"] == "RES"]
        assert {each["checked"] for each in digested} == {"right"}, made.talk.text().decode()
        assert {each["autn"]["mac"] for each in dialog["challenges"]} == {"right"}
        allowed = {"right-answer-refused"} if end == "403" else set()
        if resynchronised and end != "200":
            allowed |= {"sqn-not-fresh"}  # the one thing that was indeed out of order
        assert wrong <= allowed, made.talk.text().decode()
        if end == "403" and waits:
            assert "right-answer-refused" in wrong or resynchronised


def test_no_accusation_without_the_key(flows: list[Made], tmp_path: Path) -> None:
    for made in flows:
        (dialog,) = explained(write_pcap(tmp_path / "flow.pcap", made.talk))
        wrong = {each["code"] for each in dialog["findings"] if each["wrong"]}
        assert wrong <= {"sync-failure"}, made.talk.text().decode()


def test_no_accusation_with_somebody_elses_key(flows: list[Made], tmp_path: Path) -> None:
    """A key that belongs to another IMPI is not held against this one."""
    for made, other in pairwise(flows):
        (dialog,) = explained(write_pcap(tmp_path / "flow.pcap", made.talk), other.subscriber)
        wrong = {each["code"] for each in dialog["findings"] if each["wrong"]}
        assert wrong <= {"sync-failure"}
        assert {each["autn"] is None for each in dialog["challenges"]} == {True}


def test_one_capture_with_all_of_them(flows: list[Made], tmp_path: Path) -> None:
    """Interleaved, each is told apart, in the order in which they began."""
    rng = random.Random(1)
    for made in flows:
        shift = rng.random() * 600 - (made.talk.packets[0][0] - 1_700_000_000)
        made.talk.packets = [(at + shift, out, data) for at, out, data in made.talk.packets]
    path = write_pcap(tmp_path / "all.pcap", *(made.talk for made in flows))
    found = explained(path, *(made.subscriber for made in flows))
    begun = sorted(flows, key=lambda made: made.talk.packets[0][0])
    assert [each["call_id"] for each in found] == [made.talk.call_id for made in begun]
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)
    for dialog, made in zip(found, begun, strict=True):
        answers = [answer for each in dialog["challenges"] for answer in each["answers"]]
        assert len(answers) == made.answers
        assert {answer["checked"] for answer in answers if answer["kind"] == "RES"} == {"right"}
