"""The registrar without sockets: each rule of RFC 3261 §10.3, and how AKA ends."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from core_terminal import Terminal, parameters

from card.aka.sequence import SequenceArray
from card.profile import Profile, shipped
from sipua.core.auc import Auc
from sipua.core.bindings import MALFORMED_EXPIRES, MAX_BINDINGS, ExpiryPolicy
from sipua.core.challenger import LIFETIME, MAX_WAITING, Challenger
from sipua.core.faults import Faults
from sipua.core.registrar import Registrar
from sipua.core.reply import Reply
from sipua.core.subscriber import Directory
from sipua.errors import LocalError
from sipua.sip.hop import Hop
from sipua.sip.message import Request

PROFILE = shipped()
SOURCE = Hop("UDP", "127.0.0.1", 5070, ("127.0.0.1", 5060))


def network(
    *profiles: Profile,
    algorithm: str | None = None,
    uses: int = 1,
    qop: tuple[str, ...] = ("auth", "auth-int"),
    expiry: ExpiryPolicy | None = None,
    faults: Faults | None = None,
) -> Registrar:
    rng = random.Random(7)
    directory = Directory(profiles or [PROFILE])
    challenger = Challenger(Auc(directory, rng), rng, algorithm=algorithm, uses=uses, qop=qop)
    return Registrar(directory, challenger, faults or Faults(), expiry=expiry or ExpiryPolicy())


def header(reply: Reply, name: str) -> str:
    return next((value for known, value in reply.headers if known == name), "")


def contacts(reply: Reply) -> list[str]:
    return [value for known, value in reply.headers if known == "Contact"]


@dataclass
class Attempt:
    """A terminal at a registrar, with a clock that stands still unless it is moved."""

    registrar: Registrar
    terminal: Terminal = field(default_factory=lambda: Terminal(PROFILE))
    now: float = 1000.0

    def send(
        self,
        authorization: str = "",
        *more: tuple[str, str],
        uri: str = "",
        body: bytes = b"",
        **changes: str,
    ) -> Reply:
        head = self.terminal.head(**changes)
        head += [("Authorization", authorization)] if authorization else []
        request = Request("REGISTER", uri or f"sip:{self.terminal.domain}", [*head, *more], body)
        return self.registrar.answer(request, SOURCE, self.now)

    def challenge(self, algorithm: str = "") -> str:
        reply = self.send(self.terminal.first_credentials(algorithm))
        assert reply.status == 401
        return header(reply, "WWW-Authenticate")

    def register(self, *more: tuple[str, str], **changes: str) -> Reply:
        """Challenge and right answer."""
        return self.send(self.terminal.answer(self.challenge()), *more, uri="", body=b"", **changes)


def test_first_register_is_challenged() -> None:
    challenge = Attempt(network()).challenge()
    asked = parameters(challenge)
    assert challenge.startswith("Digest ")
    assert asked["realm"] == "ims.mnc001.mcc001.3gppnetwork.org"
    assert asked["algorithm"] == "AKAv1-MD5"
    assert asked["qop"] == "auth,auth-int"
    assert len(asked["nonce"]) == 44
    assert "ck" not in asked
    assert "ik" not in asked


def test_no_authorization_at_all_is_challenged_too() -> None:
    assert Attempt(network()).send().status == 401


@pytest.mark.parametrize("qop", ["", "auth", "auth-int"])
@pytest.mark.parametrize("algorithm", ["AKAv1-MD5", "AKAv2-MD5", "AKAv1-SHA-256", "AKAv2-SHA-256"])
def test_the_right_answer_registers(algorithm: str, qop: str) -> None:
    attempt = Attempt(network(algorithm=algorithm))
    challenge = attempt.challenge()
    assert parameters(challenge)["algorithm"] == algorithm
    body = b"hello"
    reply = attempt.send(
        attempt.terminal.answer(challenge, qop=qop, body=body),
        ("Content-Type", "text/plain"),
        ("Content-Disposition", "render;handling=optional"),
        body=body,
    )
    assert reply.status == 200
    assert len(attempt.registrar.bindings(attempt.terminal.impi, attempt.now)) == 1


def test_the_hint_chooses_the_algorithm_unless_it_is_fixed() -> None:
    assert "algorithm=AKAv2-MD5" in Attempt(network()).challenge("AKAv2-MD5")
    assert "algorithm=AKAv1-MD5" in Attempt(network()).challenge("MD5")
    assert "algorithm=AKAv1-MD5" in Attempt(network(algorithm="akav1-md5")).challenge("AKAv2-MD5")


def test_an_algorithm_nobody_knows_is_refused_at_the_start() -> None:
    with pytest.raises(LocalError, match="AKAv1-MD5"):
        network(algorithm="AKAv9-MD5")


def test_the_200_says_what_an_ims_registrar_says() -> None:
    attempt = Attempt(network())
    reply = attempt.register(("Path", "<sip:p1@127.0.0.2;lr>"), ("Supported", "path"))
    assert contacts(reply) == ["<sip:me@127.0.0.1:5070>;expires=600000"]
    assert header(reply, "Service-Route") == "<sip:orig@127.0.0.1:5060;lr>"
    assert header(reply, "P-Associated-URI") == f"<{attempt.terminal.impu}>"
    assert header(reply, "Path") == "<sip:p1@127.0.0.2;lr>"
    info = parameters(header(reply, "Authentication-Info"))
    assert info["rspauth"] == attempt.terminal.rspauth()
    assert info["nc"] == "00000001"


def test_a_wrong_res_is_forbidden_and_burns_the_vector() -> None:
    attempt = Attempt(network())
    challenge = attempt.challenge()
    right = attempt.terminal.answer(challenge)
    wrong = attempt.send(attempt.terminal.credentials(parameters(challenge), "0" * 32))
    assert wrong.status == 403
    assert attempt.send(right).status == 401
    assert attempt.registrar.bindings(attempt.terminal.impi, attempt.now) == []


def test_an_answer_serves_once() -> None:
    attempt = Attempt(network())
    right = attempt.terminal.answer(attempt.challenge())
    assert attempt.send(right).status == 200
    again = attempt.send(right)
    assert again.status == 401
    assert header(again, "WWW-Authenticate")


def test_with_more_uses_the_count_must_go_on_by_one() -> None:
    attempt = Attempt(network(uses=3))
    challenge = attempt.challenge()
    terminal = attempt.terminal
    assert attempt.send(terminal.answer(challenge)).status == 200
    terminal.card = SequenceArray()  # the same answer again, not a new run on the card
    assert attempt.send(terminal.answer(challenge)).status == 401
    terminal.card = SequenceArray()
    assert attempt.send(terminal.answer(challenge, nc="00000003")).status == 401
    terminal.card = SequenceArray()
    assert attempt.send(terminal.answer(challenge, nc="00000002")).status == 200


def test_a_count_that_does_not_begin_at_one_is_challenged_again() -> None:
    attempt = Attempt(network())
    assert attempt.send(attempt.terminal.answer(attempt.challenge(), nc="00000002")).status == 401


def test_two_challenges_at_a_time_can_be_answered_in_any_order() -> None:
    attempt = Attempt(network())
    first, second = attempt.challenge(), attempt.challenge()
    assert attempt.send(attempt.terminal.answer(second)).status == 200
    assert attempt.send(attempt.terminal.answer(first)).status == 200


def test_waiting_challenges_are_few_and_the_oldest_goes() -> None:
    attempt = Attempt(network())
    first = attempt.challenge()
    others = [attempt.challenge() for _ in range(MAX_WAITING)]
    assert attempt.send(attempt.terminal.answer(first)).status == 401
    assert attempt.send(attempt.terminal.answer(others[-1])).status == 200


def test_a_challenge_does_not_wait_for_ever() -> None:
    attempt = Attempt(network())
    challenge = attempt.challenge()
    attempt.now += LIFETIME
    assert attempt.send(attempt.terminal.answer(challenge)).status == 401


def test_a_card_that_is_ahead_is_caught_up_with() -> None:
    attempt = Attempt(network())
    attempt.terminal.card = SequenceArray(values=[9999 << 5 | ind for ind in range(32)])
    fresh = attempt.send(attempt.terminal.answer(attempt.challenge()))
    assert fresh.status == 401
    assert attempt.send(attempt.terminal.answer(header(fresh, "WWW-Authenticate"))).status == 200


def test_auts_over_another_password_is_refused() -> None:
    attempt = Attempt(network())
    attempt.terminal.card = SequenceArray(values=[9999 << 5 | ind for ind in range(32)])
    answer = attempt.terminal.answer(attempt.challenge(), response="0" * 32)
    assert attempt.send(answer).status == 403


def test_auts_of_another_key_is_refused() -> None:
    attempt = Attempt(network())
    attempt.terminal.card = SequenceArray(values=[9999 << 5 | ind for ind in range(32)])
    answer = attempt.terminal.answer(attempt.challenge())
    head, auts, tail = answer.partition(' auts="')
    swapped = "B" if tail[0] == "A" else "A"
    forged = f"{head}{auts}{swapped}{tail[1:]}"
    reply = attempt.send(forged)
    assert (reply.status, reply.reason) == (403, "AUTS Not Valid")


def test_a_reported_mac_failure_ends_it() -> None:
    attempt = Attempt(network(faults=Faults(["wrong-mac"])))
    answer = attempt.terminal.answer(attempt.challenge())
    assert 'response=""' in answer
    reply = attempt.send(answer)
    assert (reply.status, reply.reason) == (403, "MAC Failure Reported")


def test_another_subscribers_name_is_refused() -> None:
    assert PROFILE.isim is not None
    other = PROFILE._replace(
        imsi="001010000000002",
        isim=PROFILE.isim._replace(impi="other@example.org", impu=("sip:other@example.org",)),
    )
    attempt = Attempt(network(PROFILE, other))
    reply = attempt.send(attempt.terminal.first_credentials(), To="<sip:other@example.org>")
    assert reply.status == 403


def test_credentials_for_another_realm_are_not_for_us() -> None:
    attempt = Attempt(network())
    foreign = 'Digest username="x", realm="elsewhere", nonce="n", uri="sip:x", response="00"'
    assert attempt.send(foreign).status == 401
    answer = attempt.terminal.answer(attempt.challenge())
    assert attempt.send(foreign, ("Authorization", answer)).status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Digest",
        "Digest username",
        'Digest username="unclosed',
        f'Digest realm="{Terminal(PROFILE).domain}"',
    ],
)
def test_credentials_that_cannot_be_read_are_a_bad_request(authorization: str) -> None:
    reply = Attempt(network()).send(authorization)
    assert reply.status in {400, 401}


@pytest.mark.parametrize(
    ("change", "status"),
    [({"uri": "sip:elsewhere"}, 400), ({"nonce": "AAAA"}, 401), ({"username": "eve@x"}, 403)],
)
def test_an_answer_must_fit_its_request(change: dict[str, str], status: int) -> None:
    attempt = Attempt(network())
    assert (
        attempt.send(attempt.terminal.answer(attempt.challenge(), body=b"", **change)).status
        == status
    )


# RFC 3261 §10.3, step by step


def test_another_domain_is_not_ours() -> None:
    assert Attempt(network()).send(uri="sip:elsewhere.example").status == 404


def test_the_domain_is_compared_without_regard_to_case() -> None:
    assert Attempt(network()).send(uri=f"sip:{Terminal(PROFILE).domain.upper()}").status == 401


def test_an_unknown_extension_is_named() -> None:
    reply = Attempt(network()).send("", ("Require", "path, sec-agree"), ("Require", "x"))
    assert (reply.status, header(reply, "Unsupported")) == (420, "sec-agree, x")


def test_an_unknown_user_is_not_found() -> None:
    reply = Attempt(network()).send(To="<sip:nobody@ims.mnc001.mcc001.3gppnetwork.org>")
    assert reply.status == 404


def test_the_public_identity_is_compared_in_its_canonical_form() -> None:
    impu = Terminal(PROFILE).impu.replace("0123456789", "%30123456789").replace("ims.", "IMS.")
    assert Attempt(network()).send(To=f'"Me" <{impu};user=phone>').status == 401


def test_a_register_without_contact_asks_what_is_registered() -> None:
    attempt = Attempt(network())
    attempt.register()
    attempt.now += 100
    assert contacts(attempt.register(Contact="")) == ["<sip:me@127.0.0.1:5070>;expires=599900"]


def test_the_contact_parameter_counts_before_the_header() -> None:
    reply = Attempt(network()).register(
        Contact='<sip:a@127.0.0.1>;expires=700;q=0.5;+sip.instance="<urn:x>", <sip:b@127.0.0.1>',
        Expires="800",
    )
    assert contacts(reply) == [
        '<sip:a@127.0.0.1>;expires=700;q=0.5;+sip.instance="<urn:x>"',
        "<sip:b@127.0.0.1>;expires=800",
    ]


@pytest.mark.parametrize(
    ("asked", "granted"),
    [("", 3600), ("4294967295", 600_000), ("60", 60)],
)
def test_the_time_granted(asked: str, granted: int) -> None:
    reply = Attempt(network()).register(Expires=asked)
    assert contacts(reply)[0].endswith(f";expires={granted}")


@pytest.mark.parametrize("asked", ["soon", "-1", "4294967296", '"60"'])
def test_a_time_that_is_none(asked: str) -> None:
    assert Attempt(network()).send(Expires=asked).status == 400
    reply = Attempt(network()).register(Contact=f"<sip:a@127.0.0.1>;expires={asked}")
    granted = 60 if "60" in asked else MALFORMED_EXPIRES
    assert contacts(reply) == [f"<sip:a@127.0.0.1>;expires={granted}"]


def test_too_short_a_time_is_refused_before_a_vector_is_spent() -> None:
    attempt = Attempt(network(expiry=ExpiryPolicy(least=120)))
    reply = attempt.send(attempt.terminal.first_credentials(), Expires="119")
    assert (reply.status, header(reply, "Min-Expires")) == (423, "120")
    assert attempt.register(Expires="120").status == 200


def test_an_hour_is_never_too_short() -> None:
    attempt = Attempt(network(expiry=ExpiryPolicy(least=7200)))
    assert attempt.send(Expires="3599").status == 423
    assert attempt.send(Expires="3600").status == 401


def test_expires_0_removes_one_contact() -> None:
    attempt = Attempt(network())
    attempt.register(Contact="<sip:a@127.0.0.1>, <sip:b@127.0.0.1>")
    reply = attempt.register(Contact="<sip:a@127.0.0.1>;expires=0")
    assert contacts(reply) == ["<sip:b@127.0.0.1>;expires=600000"]


def test_star_removes_all() -> None:
    attempt = Attempt(network())
    attempt.register(Contact="<sip:a@127.0.0.1>, <sip:b@127.0.0.1>")
    reply = attempt.register(Contact="*", Expires="0")
    assert (reply.status, contacts(reply)) == (200, [])
    assert not header(reply, "Service-Route")
    assert attempt.registrar.bindings(attempt.terminal.impi, attempt.now) == []


@pytest.mark.parametrize(
    ("contact", "expires"),
    [("*", "1"), ("*", ""), ("*, <sip:a@127.0.0.1>", "0"), ("<no uri>", "600"), ("<sip:a", "600")],
)
def test_a_malformed_contact_is_a_bad_request(contact: str, expires: str) -> None:
    assert Attempt(network()).send(Contact=contact, Expires=expires).status == 400


def test_bindings_end_by_themselves() -> None:
    attempt = Attempt(network())
    attempt.register(Expires="60")
    attempt.now += 59.5
    (binding,) = attempt.registrar.bindings(attempt.terminal.impi, attempt.now)
    assert binding.uri == "sip:me@127.0.0.1:5070"
    attempt.now += 0.5
    assert attempt.registrar.bindings(attempt.terminal.impi, attempt.now) == []


@pytest.mark.parametrize(("contact", "expires"), [("<sip:me@127.0.0.1:5070>", ""), ("*", "0")])
def test_an_overtaken_register_changes_nothing(contact: str, expires: str) -> None:
    attempt = Attempt(network())
    attempt.register()
    reply = attempt.register(Contact=contact, Expires=expires, CSeq="1 REGISTER")
    assert (reply.status, reply.reason) == (500, "CSeq Out Of Order")
    assert len(attempt.registrar.bindings(attempt.terminal.impi, attempt.now)) == 1


def test_another_call_id_may_count_anew() -> None:
    attempt = Attempt(network())
    attempt.register()
    reply = attempt.register(CSeq="1 REGISTER", Call_ID="2@terminal", Expires="700")
    assert contacts(reply) == ["<sip:me@127.0.0.1:5070>;expires=700"]


def test_all_changes_of_a_register_or_none() -> None:
    attempt = Attempt(network())
    attempt.register()
    reply = attempt.register(
        Contact="<sip:new@127.0.0.1>, <sip:me@127.0.0.1:5070>", CSeq="1 REGISTER"
    )
    assert reply.status == 500
    (binding,) = attempt.registrar.bindings(attempt.terminal.impi, attempt.now)
    assert binding.uri == "sip:me@127.0.0.1:5070"


def test_contacts_are_compared_as_uris() -> None:
    attempt = Attempt(network())
    attempt.register(Contact="<sip:%6de@LOCALHOST:5070;ob>")
    assert len(contacts(attempt.register(Contact="<sip:me@localhost:5070>"))) == 1
    assert len(contacts(attempt.register(Contact="<sip:me@localhost>"))) == 2
    assert len(contacts(attempt.register(Contact="<sip:me@localhost;transport=tcp>"))) == 3
    assert len(contacts(attempt.register(Contact="<tel:+4930123456>"))) == 4


def test_contacts_are_limited() -> None:
    attempt = Attempt(network())
    many = ", ".join(f"<sip:c{n}@127.0.0.1>" for n in range(MAX_BINDINGS + 1))
    assert attempt.register(Contact=many).status == 403
    assert attempt.registrar.bindings(attempt.terminal.impi, attempt.now) == []


def test_the_oldest_contact_makes_room_for_a_new_one() -> None:
    attempt = Attempt(network())
    for n in range(MAX_BINDINGS + 1):
        reply = attempt.register(Contact=f"<sip:c{n}@127.0.0.1>")
        assert reply.status == 200
    kept = [binding.uri for binding in attempt.registrar.bindings(attempt.terminal.impi, 0.0)]
    assert kept == [f"sip:c{n}@127.0.0.1" for n in range(1, MAX_BINDINGS + 1)]


@pytest.mark.parametrize(
    ("method", "status"), [("OPTIONS", 200), ("INVITE", 405), ("BYE", 405), ("FOO", 501)]
)
def test_other_methods(method: str, status: int) -> None:
    terminal = Terminal(PROFILE)
    request = Request(method, f"sip:{terminal.domain}", terminal.head(method))
    reply = network().answer(request, SOURCE, 0.0)
    assert reply.status == status
    assert header(reply, "Allow").endswith("OPTIONS, REGISTER")


def test_there_is_nothing_to_cancel() -> None:
    terminal = Terminal(PROFILE)
    request = Request("CANCEL", f"sip:{terminal.domain}", terminal.head("CANCEL"))
    assert network().answer(request, SOURCE, 0.0).status == 481


def test_a_warning_tells_why() -> None:
    reply = Attempt(network()).send(uri='sip:else"where')
    assert reply.status == 400
    assert header(reply, "Warning").startswith('399 sipua "')


# Faults


@pytest.mark.parametrize(
    ("fault", "status", "name", "value"),
    [
        ("302=5099", 302, "Contact", "<sip:registrar@127.0.0.1:5099>"),
        ("403", 403, "", ""),
        ("404", 404, "", ""),
        ("421", 421, "Require", "sec-agree"),
        ("494", 494, "Security-Server", "ipsec-3gpp;alg=hmac-sha-1-96;ealg=null"),
        ("500", 500, "", ""),
        ("503=7", 503, "Retry-After", "7"),
        ("423=700000", 423, "Min-Expires", "700000"),
    ],
)
def test_a_refusing_network(fault: str, status: int, name: str, value: str) -> None:
    reply = Attempt(network(faults=Faults([fault]))).send()
    assert reply.status == status
    assert header(reply, name) == value


def test_a_fault_meets_only_its_subscriber() -> None:
    assert Attempt(network(faults=Faults(["403@001019999999999"]))).register().status == 200
    assert Attempt(network(faults=Faults([f"403@{PROFILE.imsi}"]))).send().status == 403


def test_behind_once_heals_by_auts() -> None:
    attempt = Attempt(network(faults=Faults(["sqn-behind"])))
    fresh = attempt.register()
    assert fresh.status == 401
    assert attempt.send(attempt.terminal.answer(header(fresh, "WWW-Authenticate"))).status == 200


def test_behind_always_never_heals() -> None:
    attempt = Attempt(network(faults=Faults(["sqn-always-behind"])))
    reply = attempt.register()
    for _ in range(5):
        assert reply.status == 401
        answer = attempt.terminal.answer(header(reply, "WWW-Authenticate"))
        assert "auts=" in answer
        reply = attempt.send(answer)


def test_a_password_is_asked_for() -> None:
    challenge = Attempt(network(faults=Faults(["md5"]))).challenge()
    assert "algorithm=MD5" in challenge
    assert len(parameters(challenge)["nonce"]) == 32


def test_a_nonce_too_short_for_aka() -> None:
    challenge = Attempt(network(faults=Faults(["bad-nonce"]))).challenge()
    assert len(parameters(challenge)["nonce"]) == 20


def test_challenged_for_ever() -> None:
    attempt = Attempt(network(faults=Faults(["challenge-loop"])))
    reply = attempt.register()
    for _ in range(5):
        assert reply.status == 401
        answer = attempt.terminal.answer(header(reply, "WWW-Authenticate"))
        assert "auts=" not in answer
        reply = attempt.send(answer)
    assert attempt.registrar.bindings(attempt.terminal.impi, attempt.now) == []


# Subscribers


def test_a_usim_alone_gives_the_derived_identities() -> None:
    (subscriber,) = Directory([PROFILE._replace(isim=None)])
    assert subscriber.impi == "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"
    assert subscriber.impus == (f"sip:{subscriber.impi}",)


def test_profiles_must_not_share_an_identity() -> None:
    with pytest.raises(LocalError, match="two profiles have the IMPI"):
        Directory([PROFILE, PROFILE])
    assert PROFILE.isim is not None
    other = PROFILE._replace(isim=PROFILE.isim._replace(impi="other@example.org"))
    with pytest.raises(LocalError, match="two profiles have the IMPU"):
        Directory([PROFILE, other])


def test_a_network_of_nobody_is_refused() -> None:
    with pytest.raises(LocalError, match="card profile"):
        Directory([])


def test_a_tel_uri_is_a_public_identity() -> None:
    assert PROFILE.isim is not None
    isim = PROFILE.isim._replace(impu=(*PROFILE.isim.impu, "tel:+49-30-123"))
    directory = Directory([PROFILE._replace(isim=isim)])
    assert directory.by_impu("tel:+4930123;phone-context=x") is directory.by_impi(isim.impi)
