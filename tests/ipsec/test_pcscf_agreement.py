"""The P-CSCF's side against the user agent's, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from place_of import Noted
from subscribers import CARD

from card.aka.result import AkaResponse
from card.profile import load
from sipua.auth.algorithm import algorithm_of, session_keys
from sipua.core.bindings import Binding
from sipua.core.contact_events import BY_NETWORK, Change, Changes
from sipua.core.pcscf import LINGER, MAX_TERMINALS, OLD_KEPT, Pcscf
from sipua.core.reply import Reply
from sipua.core.session_keys import add_session_keys, take_session_keys
from sipua.core.subscriber import from_profile
from sipua.errors import ChallengeError, PeerError
from sipua.ipsec.association import Side
from sipua.ipsec.mechanisms import CLIENT, SERVER, VERIFY, write
from sipua.ipsec.suite import CURRENT, OLDER, Suite
from sipua.ipsec.terminal import TerminalSecurity
from sipua.sip.hop import Hop
from sipua.sip.message import Request
from sipua.sip.parameters import Parameters

UE, PCSCF = "10.83.0.1", "10.83.0.2"
PLAIN = Hop("UDP", PCSCF, 5060)
SOURCE = Hop("UDP", UE, 5060, (PCSCF, 5060))
KEYS = AkaResponse(bytes(8), bytes(range(16)), bytes(range(16, 32)))
CHALLENGE = 'Digest realm="ims.example", nonce="abc", algorithm={}, qop="auth,auth-int"'
Lines = Sequence[tuple[str, str]]


class Registrar:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.reply = Reply(500)
        self.asked: list[Request] = []

    def answer(self, request: Request, source: Hop, now: float) -> Reply:
        self.asked.append(request)
        return self.reply


class Both:
    """A user agent and a P-CSCF, and the requests between them."""

    def __init__(
        self,
        network: tuple[Suite, ...] = CURRENT,
        terminal: tuple[Suite, ...] = CURRENT,
        *,
        required: bool = True,
        algorithm: str = "AKAv1-MD5",
    ) -> None:
        self.ue = Noted(UE, 20000, terminal, seed=1)
        self.network = Noted(PCSCF, 30000, network, seed=2)
        self.security = TerminalSecurity(self.ue.place)
        self.pcscf = Pcscf(self.network.place, required=required)
        self.registrar = Registrar()
        self.algorithm = algorithm
        self.now = 0.0

    def register(self, lines: Lines, hop: Hop, reply: Reply) -> Reply:
        self.registrar.reply = reply
        request = Request("REGISTER", "sip:ims.example", list(lines))
        return self.pcscf.register(request, self.source(hop), self.now, self.registrar.answer)

    def source(self, hop: Hop) -> Hop:
        """How the P-CSCF sees what the user agent sends to ``hop``."""
        if hop.local is None:
            return SOURCE
        return Hop(hop.transport, *hop.local, (hop.address, hop.port))

    @property
    def challenge(self) -> Reply:
        value = add_session_keys(CHALLENGE.format(self.algorithm), KEYS)
        return Reply(401, [("WWW-Authenticate", value)])

    def accepted(self, expires: int = 3600) -> Reply:
        contact = [("Contact", f"<sip:a@{UE}:20000>;expires={expires}")] if expires else []
        return Reply(200, contact)

    def hear(self, reply: Reply) -> None:
        keys = session_keys(algorithm_of(self.algorithm), KEYS)
        lines = [value for name, value in reply.headers if name == SERVER]
        self.security.challenged(lines, *keys, PLAIN, self.now)

    def challenged(self) -> Both:
        reply = self.register(self.security.opening(), self.security.hop(PLAIN), self.challenge)
        assert reply.status == 401
        self.hear(reply)
        return self

    def answered(self, reply: Reply | None = None) -> Reply:
        hop = self.security.answering_hop(PLAIN)
        return self.register(self.security.answering(), hop, reply or self.accepted())

    def registered(self) -> Both:
        assert self.challenged().answered().status == 200
        self.security.accepted(3600, self.now)
        return self

    def same_associations(self) -> bool:
        ours = {
            (each.spi, each.source, each.destination, each.suite, each.keys)
            for agreed in self.ue.engine.installed
            for each in (*agreed.inbound, *agreed.outbound)
        }
        theirs = {
            (each.spi, each.source, each.destination, each.suite, each.keys)
            for agreed in self.network.engine.installed
            for each in (*agreed.inbound, *agreed.outbound)
        }
        return ours == theirs


@pytest.mark.parametrize("algorithm", ["AKAv1-MD5", "AKAv2-MD5", "AKAv2-SHA-256"])
def test_both_ends_install_the_same_four_associations(algorithm: str) -> None:
    both = Both(algorithm=algorithm).challenged()
    assert len(both.ue.engine.installed) == 1
    assert both.same_associations()
    spis = [
        each.spi
        for agreed in both.ue.engine.installed
        for each in (*agreed.inbound, *agreed.outbound)
    ]
    assert len(set(spis)) == 4
    assert both.answered().status == 200


def test_ck_and_ik_never_leave_and_security_headers_never_go_further() -> None:
    both = Both()
    reply = both.register(both.security.opening(), PLAIN, both.challenge)
    text = str(reply.headers)
    assert KEYS.ck.hex() not in text
    assert KEYS.ik.hex() not in text
    assert 'nonce="abc"' in text
    assert 'qop="auth,auth-int"' in text
    (asked,) = both.registrar.asked
    for name in (CLIENT, VERIFY, "Require", "Proxy-Require"):
        assert name not in asked.headers
    plain = Both(required=False)
    assert KEYS.ck.hex() not in str(plain.register([], PLAIN, plain.challenge).headers)


def test_other_required_extensions_stay() -> None:
    both = Both()
    lines = [("Require", "path, Sec-Agree"), *both.security.opening()]
    both.register(lines, PLAIN, both.challenge)
    assert both.registrar.asked[0].headers.values("Require") == ["path"]


def test_the_list_is_the_networks_own_and_its_first_common_suite_is_taken() -> None:
    network = (OLDER[0], CURRENT[3], CURRENT[0])
    both = Both(network=network).challenged()
    (agreed,) = both.ue.engine.installed
    assert agreed.suite == CURRENT[3]
    assert both.same_associations()


def test_reauthentication_and_the_end_of_the_old() -> None:
    both = Both().registered()
    first = both.network.engine.installed[0]
    both.now = 100
    both.registered()
    assert both.same_associations()
    second = both.network.engine.installed[1]
    assert first.ours.port_s == second.ours.port_s
    assert first.ours.port_c != second.ours.port_c
    assert both.network.ports.flows == [
        (each.source, each.destination) for each in (*first.outbound, *second.outbound)
    ]
    both.pcscf.tick(both.now + OLD_KEPT - 1)
    assert both.network.engine.installed == [first, second]
    both.now += OLD_KEPT
    both.pcscf.tick(both.now)
    assert both.network.engine.installed == [second]
    both.security.finished(both.now)
    assert both.same_associations()


def test_the_registrar_is_told_the_way_back() -> None:
    """Path (RFC 3327): ours, at the protected port once there is one."""
    both = Both().registered()
    first, last = both.registrar.asked[0], both.registrar.asked[-1]
    assert first.headers.all("Path") == [f"<sip:term@{PCSCF}:5060;lr>"]
    assert last.headers.all("Path") == [f"<sip:term@{PCSCF}:{both.network.place.server_port};lr>"]


def test_deregistration_is_answered_before_its_associations_go() -> None:
    both = Both().registered()
    both.challenged()
    assert both.answered(both.accepted(0)).status == 200
    assert both.network.engine.installed
    both.security.close(both.now)
    assert both.ue.is_empty
    both.now += LINGER
    both.pcscf.tick(both.now)
    assert both.network.is_empty


def gone(both: Both, event: str) -> Changes:
    """A registration of which nothing is left."""
    source = both.source(both.security.hop(PLAIN))
    binding = Binding("sip:a@ue", Parameters([]), 3600, "c", 1, (), source)
    return Changes(from_profile(load(str(CARD))), [Change(binding, event)], is_gone=True)


@pytest.mark.parametrize("event", BY_NETWORK)
def test_after_the_network_has_ended_a_registration_its_associations_go(event: str) -> None:
    both = Both().registered()
    both.pcscf.registrations_changed(gone(both, event), both.now)
    both.pcscf.tick(both.now + LINGER - 1)
    assert both.network.engine.installed, "the NOTIFY about it still goes protected"
    both.pcscf.tick(both.now + LINGER)
    assert both.network.is_empty


def test_who_comes_back_after_the_network_let_him_go_keeps_what_is_agreed_anew() -> None:
    both = Both().registered()
    both.pcscf.registrations_changed(gone(both, BY_NETWORK[0]), both.now)
    both.now += LINGER - 1
    both.challenged()
    both.now += 2
    both.pcscf.tick(both.now)
    assert both.answered().status == 200
    both.pcscf.tick(both.now + OLD_KEPT)
    assert len(both.network.engine.installed) == 1


def test_a_refused_answer_takes_the_temporary_associations_with_it() -> None:
    both = Both().challenged()
    assert both.answered(Reply(403)).status == 403
    assert both.network.engine.installed
    both.now += LINGER
    both.pcscf.tick(both.now)
    assert both.network.is_empty


def test_silence_and_expiry_leave_nothing() -> None:
    both = Both().challenged()
    both.pcscf.tick(239)
    assert both.network.engine.installed
    both.pcscf.tick(240)
    assert both.network.is_empty
    both = Both().registered()
    both.pcscf.tick(3600 + 30)
    assert both.network.is_empty


def test_close_leaves_nothing() -> None:
    both = Both().registered().challenged()
    both.pcscf.close(0)
    assert both.network.is_empty


def test_without_an_offer_nobody_registers_where_it_is_required() -> None:
    both = Both()
    reply = both.register([("Supported", "path")], PLAIN, both.challenge)
    assert reply.status == 421
    assert ("Require", "sec-agree") in reply.headers
    assert any(name == SERVER for name, _ in reply.headers)
    assert both.registrar.asked == []
    plain = Both(required=False)
    assert plain.register([], PLAIN, plain.accepted()).status == 200


def test_an_offer_without_anything_in_common_is_refused() -> None:
    both = Both(network=CURRENT[:1], terminal=CURRENT[1:])
    reply = both.register(both.security.opening(), PLAIN, both.challenge)
    assert reply.status == 494
    assert "aes-cbc" in dict(reply.headers)[SERVER]
    assert both.network.is_empty


def test_a_bid_down_is_noticed() -> None:
    """RFC 3329 §2.3.1: who removed a mechanism from the list on its way is found out."""
    both = Both()
    reply = both.register(both.security.opening(), PLAIN, both.challenge)
    (line,) = [value for name, value in reply.headers if name == SERVER]
    weaker = line.rpartition(", ")[2]
    both.hear(Reply(401, [(SERVER, weaker)]))
    answer = both.answered()
    assert answer.status == 494
    assert len(both.registrar.asked) == 1


def changed(lines: Lines, name: str, old: str, new: str) -> Lines:
    assert any(each == name and old in value for each, value in lines)
    return [(each, value.replace(old, new) if each == name else value) for each, value in lines]


def test_what_was_changed_on_the_way_is_refused() -> None:
    both = Both().challenged()
    hop = both.security.answering_hop(PLAIN)
    lines = both.security.answering()
    for bad in (
        changed(lines, VERIFY, "q=0.9", "q=0.8"),
        [each for each in lines if each[0] != VERIFY],
        changed(lines, CLIENT, "aes-cbc", "des-ede3-cbc"),
        [each for each in lines if each[0] != CLIENT],
        [*lines, (VERIFY, 'tls;broken="')],
    ):
        try:
            assert both.register(bad, hop, both.accepted()).status == 494
        except PeerError as error:
            assert error.status == 400  # noqa: PT017
    assert both.register(lines, hop, both.accepted()).status == 200


def test_requests_pass_only_as_agreed() -> None:
    both = Both().challenged()

    def admitted(lines: Lines, hop: Hop) -> Request:
        request = Request("MESSAGE", "sip:b@ims.example", list(lines))
        both.pcscf.admit(request, both.source(hop))
        return request

    with pytest.raises(PeerError, match="for REGISTER"):
        admitted([], both.security.answering_hop(PLAIN))
    both.answered()
    both.security.accepted(3600, 0)
    hop = both.security.hop(PLAIN)
    request = admitted(both.security.protecting(), hop)
    assert VERIFY not in request.headers
    assert "Proxy-Require" not in request.headers
    admitted([], hop)
    admitted([], hop._replace(transport="TCP"))
    with pytest.raises(PeerError, match="Security-Verify") as caught:
        admitted(changed(both.security.protecting(), VERIFY, "q=0.9", "q=0.8"), hop)
    assert caught.value.status == 494
    for stranger in (PLAIN, hop._replace(local=(UE, 9)), hop._replace(local=("10.83.0.9", 9))):
        with pytest.raises(PeerError) as caught:
            admitted([], stranger)
        assert caught.value.status == 403


def test_where_nothing_is_required_the_registered_must_still_be_protected() -> None:
    both = Both(required=False).registered()
    request = Request("MESSAGE", "sip:b@ims.example", [])
    with pytest.raises(PeerError, match="must come protected"):
        both.pcscf.admit(request, SOURCE)
    both.pcscf.admit(request, SOURCE._replace(address="10.83.0.7"))


def test_session_keys_in_a_challenge() -> None:
    value = add_session_keys(CHALLENGE.format("AKAv1-MD5"), KEYS)
    assert take_session_keys(value) == (
        CHALLENGE.format("AKAv1-MD5"),
        AkaResponse(b"", KEYS.ck, KEYS.ik),
        "AKAv1-MD5",
    )
    kamailio = (
        f'Digest realm="r", nonce="n", algorithm=AKAv1-MD5, ck="{KEYS.ck.hex()}", '
        f'ik="{KEYS.ik.hex()}", qop="auth,auth-int"'
    )
    text, keys, _ = take_session_keys(kamailio)
    assert text == 'Digest realm="r", nonce="n", algorithm=AKAv1-MD5, qop="auth,auth-int"'
    assert keys == AkaResponse(b"", KEYS.ck, KEYS.ik)
    assert take_session_keys("Digest nonce=x")[1] is None
    for bad in ("zz", "aa", KEYS.ck.hex() + "00"):
        with pytest.raises(ChallengeError):
            take_session_keys(f'Digest nonce="n", ck="{bad}", ik="{KEYS.ik.hex()}"')


def test_nobody_takes_anothers_protected_ports() -> None:
    """Who sends from the same address could have its answers sealed for himself otherwise."""
    both = Both().registered()
    (agreed,) = both.network.engine.installed
    ours = agreed.theirs
    for port_c, port_s in ((ours.port_c, 7001), (7000, ours.port_s), (ours.port_s, ours.port_c)):
        stolen = write(CURRENT, ours._replace(port_c=port_c, port_s=port_s))
        with pytest.raises(PeerError, match="somebody else") as caught:
            both.register([(CLIENT, stolen)], PLAIN, both.challenge)
        assert caught.value.status == 403
    other = ours._replace(port_c=7000, port_s=7001, spi_c=7000, spi_s=7001)
    lines = [(CLIENT, write(CURRENT, other))]
    assert both.register(lines, PLAIN, both.challenge).status == 401


def test_an_spi_at_an_address_is_one_association() -> None:
    """A kernel would take that of another one for the first, ours for the one in use."""
    both = Both().registered()
    (agreed,) = both.network.engine.installed
    ours = agreed.theirs
    another = ours._replace(port_c=7000, port_s=7001)
    again = ours._replace(port_c=7000)
    verify = [(VERIFY, value) for name, value in both.security.protecting() if name == VERIFY]
    for spi_c, spi_s in ((ours.spi_c, 7001), (7000, ours.spi_s), (ours.spi_s, ours.spi_c)):
        for side, hop, more in ((another, PLAIN, []), (again, both.security.hop(PLAIN), verify)):
            line = write(CURRENT, side._replace(spi_c=spi_c, spi_s=spi_s))
            with pytest.raises(PeerError, match="SPIs are in use") as caught:
                both.register([(CLIENT, line), *more], hop, both.challenge)
            assert caught.value.status == 403
    assert both.network.engine.installed == [agreed]
    assert both.challenged().answered().status == 200


def test_ports_are_free_again_when_their_owner_has_left() -> None:
    both = Both().registered()
    (agreed,) = both.network.engine.installed
    again = write(CURRENT, agreed.theirs)
    both.challenged()
    assert both.answered(both.accepted(0)).status == 200
    both.security.close(both.now)
    assert both.register([(CLIENT, again)], PLAIN, both.challenge).status == 401
    (agreed,) = both.network.engine.installed
    assert agreed.theirs.port_c == 20001


def test_there_is_a_limit_and_an_engine_may_fail() -> None:
    both = Both()
    both.network.engine.broken = True
    with pytest.raises(PeerError, match="out of order") as caught:
        both.challenged()
    assert caught.value.status == 503
    assert both.network.engine.installed == []
    both.network.engine.broken = False
    for number in range(MAX_TERMINALS):
        even, odd = 10000 + 2 * number, 10001 + 2 * number
        side = Side(UE, even, odd, even, odd)
        assert both.register([(CLIENT, write(CURRENT, side))], PLAIN, both.challenge)
    with pytest.raises(PeerError, match="too many") as caught:
        both.challenged()
    assert caught.value.status == 503
    both.pcscf.tick(240)
    assert both.network.engine.installed == []
    both.challenged()


def test_a_terminal_that_reports_auts_comes_again_at_the_same_server_port() -> None:
    both = Both().challenged()
    (first,) = both.network.engine.installed
    both.security.failed(0)
    reply = both.register(both.security.answering(), PLAIN, both.challenge)
    assert reply.status == 401
    both.hear(reply)
    (second,) = both.network.engine.installed
    assert second.theirs.port_s == first.theirs.port_s
    assert both.answered().status == 200
    both.security.close(0)
    both.pcscf.close(0)
    assert both.network.is_empty
    assert both.ue.is_empty
