"""INVITE at the gate: what each scheme's answers are worth, by 407 and by 401."""

from __future__ import annotations

import pytest
from core_scene import DOMAIN, Scene, uri

from sipua.auth.scheme import CHALLENGE_HEADERS, CREDENTIALS_HEADERS
from sipua.core.gate import Demand
from sipua.sip.message import Request, Response

SCHEMES = ("aka", "umts", "digest-umts", "pgp-umts")
EACH = [(scheme, status) for scheme in SCHEMES for status in (401, 407)]
each_way = pytest.mark.parametrize(("scheme", "status"), EACH)


def challenged(scheme: str, status: int, *faults: str) -> Scene:
    return Scene(faults=faults, INVITE=Demand(status, scheme))


def invites(scene: Scene) -> int:
    """How many INVITEs have reached bob."""
    return len(scene.bob.got("INVITE"))


def refusals(scene: Scene, status: int) -> list[Response]:
    return [
        each
        for each in scene.alice.inbox
        if isinstance(each, Response) and each.status == status and each.cseq.method == "INVITE"
    ]


def credentials(request: Request, status: int) -> str:
    return request.headers.get(CREDENTIALS_HEADERS[CHALLENGE_HEADERS[status]]) or ""


@each_way
def test_the_right_answer_lets_it_pass(scheme: str, status: int) -> None:
    scene = challenged(scheme, status)
    scene.call()
    first, second = (each for each in scene.alice.sent if each.method == "INVITE")
    assert first.call_id == second.call_id
    assert first.from_.tag == second.from_.tag
    assert second.cseq.number == first.cseq.number + 1
    assert credentials(second, status)
    assert len(refusals(scene, status)) == 1
    assert invites(scene) == 1
    assert credentials(scene.bob.invited, status) == ""


@each_way
def test_each_call_is_challenged_anew(scheme: str, status: int) -> None:
    scene = challenged(scheme, status)
    for number in (1, 2, 3):
        scene.call()
        scene.bob.reply(486)
        assert invites(scene) == number
        assert len(refusals(scene, status)) == number
    asked = [each.headers.get(CHALLENGE_HEADERS[status]) for each in refusals(scene, status)]
    assert len(set(asked)) == 3


@each_way
def test_a_replayed_invite_reaches_nobody(scheme: str, status: int) -> None:
    scene = challenged(scheme, status)
    scene.call()
    scene.alice.send(scene.sent)
    assert len(refusals(scene, status)) == 2
    assert invites(scene) == 1


@each_way
def test_a_sequence_out_of_step_is_resynchronised(scheme: str, status: int) -> None:
    scene = challenged(scheme, status, "sqn-behind")
    scene.call()
    assert len(refusals(scene, status)) == 2
    assert invites(scene) == 1


@each_way
def test_a_network_that_is_always_behind_never_lets_it_pass(scheme: str, status: int) -> None:
    scene = challenged(scheme, status, "sqn-always-behind")
    scene.call()
    assert invites(scene) == 0


@each_way
def test_a_refused_mac_is_told_and_ends_in_403(scheme: str, status: int) -> None:
    scene = challenged(scheme, status, "wrong-mac")
    scene.call()
    (refused,) = refusals(scene, 403)
    assert refused.reason == "MAC Failure Reported"
    assert invites(scene) == 0


@each_way
def test_a_stale_answer_is_asked_anew(scheme: str, status: int) -> None:
    scene = challenged(scheme, status)
    request = scene.answered_challenge("INVITE")
    scene.network.pass_time(241)
    assert [each.status for each in scene.alice.send(request)] == [status]
    assert invites(scene) == 0


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("scheme", ["aka", "digest-umts"])
def test_nobody_calls_with_anothers_answer(scheme: str, status: int) -> None:
    """Where there is a user name; the others know the user by From alone."""
    scene = challenged(scheme, status)
    scene.bob.request(uri(1), "INVITE", headers=(("Contact", f"<{scene.bob.contact}>"),))
    header = CREDENTIALS_HEADERS[CHALLENGE_HEADERS[status]]
    stolen = {header.replace("-", "_"): credentials(scene.bob.sent[-1], status)}
    assert scene.invite(**stolen) == [403]


@pytest.mark.parametrize("scheme", ["umts", "pgp-umts"])
def test_anothers_answer_is_worth_nothing_without_names_either(scheme: str) -> None:
    scene = challenged(scheme, 407)
    scene.bob.request(uri(1), "INVITE", headers=(("Contact", f"<{scene.bob.contact}>"),))
    assert scene.invite(Proxy_Authorization=credentials(scene.bob.sent[-1], 407)) == [407]
    assert invites(scene) == 0


@pytest.mark.parametrize("changed", ["method", "uri"])
def test_an_answer_is_for_one_method_and_one_target(changed: str) -> None:
    scene = Scene(INVITE=Demand(407), SUBSCRIBE=Demand(407))
    request = scene.answered_challenge("INVITE")
    if changed == "uri":
        request.uri = uri(1)
    else:
        request.method = "SUBSCRIBE"
        request.headers.set("CSeq", f"{request.cseq.number} SUBSCRIBE")
    assert scene.status(request) in (400, 403, 407)
    assert [each for each in scene.bob.inbox if isinstance(each, Request)] == []


BEFORE_RES = {
    "aka": 'response="',
    "umts": "RES=",
    "digest-umts": 'response="R',
    "pgp-umts": 'signature="01',
}


@each_way
def test_a_wrong_answer_is_refused_and_uses_the_challenge_up(scheme: str, status: int) -> None:
    scene = challenged(scheme, status)
    right = scene.answered_challenge("INVITE")
    value = credentials(right, status)
    head, mark, tail = value.partition(BEFORE_RES[scheme])
    digit = "1" if tail[0] == "0" else "0"
    wrong = Request(right.method, right.uri, right.headers.copy(), right.body)
    header = CREDENTIALS_HEADERS[CHALLENGE_HEADERS[status]]
    wrong.headers.set(header, head + mark + digit + tail[1:])
    assert scene.status(wrong) == 403
    assert scene.status(right) == status
    assert invites(scene) == 0


def test_the_proof_stands_in_the_200_alone() -> None:
    scene = Scene(INVITE=Demand(407))
    scene.call()
    scene.bob.reply(180)
    assert "Proxy-Authentication-Info" not in scene.alice.told.headers
    scene.bob.reply(200)
    assert "rspauth=" in (scene.alice.told.headers.get("Proxy-Authentication-Info") or "")


def test_the_challenge_names_the_realm_of_the_caller() -> None:
    scene = Scene(INVITE=Demand(407))
    scene.invite()
    assert f'realm="{DOMAIN}"' in (scene.alice.told.headers.get("Proxy-Authenticate") or "")


def test_every_method_may_have_its_own_way() -> None:
    scene = Scene(
        INVITE=Demand(407, "umts"), MESSAGE=Demand(401, "pgp-umts"), INFO=Demand(407, "digest-umts")
    )
    for method, status, word in (
        ("INVITE", 407, "UMTS"),
        ("MESSAGE", 401, "pgp"),
        ("INFO", 407, "Digest"),
    ):
        (response,) = scene.alice.send(
            scene.request(method=method, Contact=f"<{scene.alice.contact}>")
        )
        assert response.status == status
        assert (response.headers.get(CHALLENGE_HEADERS[status]) or "").startswith(word)


def test_a_star_challenges_all_but_ack_and_cancel() -> None:
    scene = Scene(every=Demand(407))
    scene.call()
    scene.bob.reply(180)
    assert scene.cancel() == [200]
    scene.bob.reply(487)
    scene.acknowledge()
    assert scene.told() == [407, 180, 487]
    assert scene.status(scene.request(method="OPTIONS", CSeq="7 OPTIONS")) == 407


def test_credentials_sent_without_being_asked_do_not_reach_the_callee() -> None:
    """A user agent counts its nonce on in BYE and ACK; RES may stand there in clear."""
    scene = Scene(INVITE=Demand(407, "umts"))
    scene.call()
    asked = credentials(scene.sent, 407)
    ours = f'Digest username="x", realm="{DOMAIN.upper()}", nonce="n", uri="u", response="r"'
    scene.bob.reply(200, ("Contact", f"<{scene.bob.contact}>"))
    for method, value in (("ACK", asked), ("BYE", asked), ("INFO", ours)):
        request = scene.request(
            scene.bob.contact,
            method,
            Call_ID=scene.sent.call_id,
            CSeq=f"{scene.sent.cseq.number} {method}",
            Proxy_Authorization=value,
        )
        scene.alice.send(request)
        assert scene.bob.asked.method == method
        assert "Proxy-Authorization" not in scene.bob.asked.headers
