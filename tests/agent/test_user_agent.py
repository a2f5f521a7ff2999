"""The user agent as a library: cards that wait, cards that leave, stays, names, TLS, secrets."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from net.certificates import Authority

from card.errors import NoCard
from card.link import CardLink
from card.masking import TracedApdu
from card.profile import Profile
from card.readers.emulated import EmulatedLink
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.core.bindings import ExpiryPolicy
from sipua.core.server import CoreServer
from sipua.net.tls_settings import TlsSettings
from sipua.pytest_plugin import CoreFactory
from sipua.settings import AgentSettings
from sipua.sip.hop import Hop
from sipua.trace.step import Step
from sipua.verdict import Verdict

AUTHENTICATE = 0x88


class Reader(CardLink):
    """The emulated card as if in a reader: it waits, and can be made to misbehave."""

    waits = True
    reader = "a slow reader"

    def __init__(self, profile: Profile) -> None:
        self.card = EmulatedLink(profile.path, remember=False)
        self.before_authenticate: Callable[[], None] = lambda: None
        self.threads: set[str] = set()
        self.closed = False

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def transmit(self, command: bytes) -> bytes:
        if command[1] == AUTHENTICATE:
            self.threads.add(threading.current_thread().name)
            self.before_authenticate()
        return self.card.transmit(command)

    def reset(self) -> None:
        self.card.reset()

    def close(self) -> None:
        self.closed = True
        self.card.close()


@pytest.fixture
def reader(sipua_card_profile: Profile) -> Reader:
    return Reader(sipua_card_profile)


Make = Callable[..., UserAgent]


@pytest.fixture
def agent(reader: Reader) -> Iterator[Make]:
    """Makes user agents with the waiting reader's card."""
    with contextlib.ExitStack() as stack:

        def make(observer: Observer | None = None, **settings: object) -> UserAgent:
            chosen = AgentSettings(**settings)  # type: ignore[arg-type]
            return stack.enter_context(UserAgent(CardChoice(reader), chosen, observer))

        yield make


def wait_for(what: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_a_card_that_waits_is_asked_from_a_worker(
    agent: Make, reader: Reader, sipua_core: CoreServer
) -> None:
    reader.before_authenticate = lambda: time.sleep(0.3)
    result = agent(pcscf=str(sipua_core.hop("UDP"))).register()
    assert result.verdict is Verdict.REGISTERED
    assert reader.threads == {"card"}
    assert result.card is not None
    assert result.card.ms >= 300


def test_a_card_pulled_out_during_authenticate(
    agent: Make, reader: Reader, sipua_core: CoreServer
) -> None:
    def pull() -> None:
        raise NoCard("the card was taken out")

    reader.before_authenticate = pull
    result = agent(pcscf=str(sipua_core.hop("UDP"))).register()
    assert (result.verdict, result.exit_status) == (Verdict.NO_CARD, 11)
    assert "taken out" in result.reason


def test_a_card_that_never_answers_ends_with_the_patience(
    agent: Make, reader: Reader, sipua_core: CoreServer
) -> None:
    released = threading.Event()

    def hang() -> None:
        released.wait(20)

    reader.before_authenticate = hang
    result = agent(pcscf=str(sipua_core.hop("UDP")), timeout=0.5).register()
    released.set()
    assert result.verdict is Verdict.TIMEOUT


def test_a_fault_of_ours_in_the_worker_ends_in_a_verdict(
    agent: Make, reader: Reader, sipua_core: CoreServer
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    reader.before_authenticate = fail
    assert agent(pcscf=str(sipua_core.hop("UDP"))).register().verdict is Verdict.INTERNAL_ERROR


def test_the_card_is_given_back(agent: Make, reader: Reader, sipua_core: CoreServer) -> None:
    with agent(pcscf=str(sipua_core.hop("UDP"))) as ours:
        ours.register()
    assert reader.closed


def test_a_registrar_that_dies_between_401_and_200(
    agent: Make, sipua_core_factory: CoreFactory
) -> None:
    core = sipua_core_factory(faults=["die"])
    started = time.monotonic()
    for hop in core.hops:
        result = agent(pcscf=str(hop), timeout=3.0).register()
        assert result.verdict in (Verdict.UNREACHABLE, Verdict.TIMEOUT)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("via", ["UDP", "TCP"])
def test_a_stay_renews_answers_options_and_ends_by_deregistration(
    agent: Make, sipua_core_factory: CoreFactory, sipua_card_profile: Profile, via: str
) -> None:
    core = sipua_core_factory(expiry=ExpiryPolicy(least=1, most=2))
    ours = agent(pcscf=str(core.hop(via)))
    first = ours.register()
    assert first.expires == 2
    impi = first.impi or ""
    ended: list[Verdict] = []
    stay = threading.Thread(target=lambda: ended.append(ours.stay().verdict))
    stay.start()
    try:
        until = core.bindings(impi)[0].until
        wait_for(lambda: core.bindings(impi)[0].until > until)  # renewed at half of 2 s
        if via == "UDP":
            assert _options(first.local or "") == b"SIP/2.0 200 OK"
    finally:
        ours.interrupt()
        stay.join(10)
    assert ended == [Verdict.DEREGISTERED]
    assert core.bindings(impi) == []


def _options(target: str) -> bytes:
    """Status line of the answer to an OPTIONS sent to ``udp:ADDRESS:PORT``."""
    _, address, port = target.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        sender.settimeout(5)
        mine = sender.getsockname()[1]
        sender.sendto(
            (
                f"OPTIONS sip:ue@{address}:{port} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:{mine};branch=z9hG4bK-keepalive\r\n"
                "Max-Forwards: 70\r\nFrom: <sip:pcscf@127.0.0.1>;tag=1\r\n"
                f"To: <sip:ue@{address}>\r\nCall-ID: keepalive\r\nCSeq: 1 OPTIONS\r\n"
                "Content-Length: 0\r\n\r\n"
            ).encode(),
            (address, int(port)),
        )
        return sender.recv(65536).split(b"\r\n")[0]


def test_one_agent_registers_again_and_again(agent: Make, sipua_core: CoreServer) -> None:
    ours = agent(pcscf=str(sipua_core.hop("UDP")))
    for _ in range(3):
        assert ours.register().verdict is Verdict.REGISTERED
    assert ours.deregister().verdict is Verdict.DEREGISTERED
    assert ours.deregister().verdict is Verdict.DEREGISTERED


def test_tls_is_verified(agent: Make, sipua_core_factory: CoreFactory, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = authority.issue(["127.0.0.1", "localhost"])
    core = sipua_core_factory(listen=["TLS"], tls=server)
    port = core.hop("TLS").port
    trusted = {"ca_file": str(authority.file)}
    good = agent(pcscf=f"tls:localhost:{port}", **trusted).register()
    assert good.verdict is Verdict.REGISTERED
    assert (good.registrar or "").startswith("tls:")
    strange = agent(pcscf=f"tls:localhost:{port}").register()
    assert (strange.verdict, strange.exit_status) == (Verdict.TLS_FAILURE, 43)
    assert "--ca-file" in strange.reason + " ".join(strange.hints)


def test_tls_certificate_of_another_name(
    agent: Make, sipua_core_factory: CoreFactory, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    server: TlsSettings = authority.issue(["pcscf.other.example"])
    core = sipua_core_factory(listen=["TLS"], tls=server)
    result = agent(
        pcscf=f"tls:localhost:{core.hop('TLS').port}", ca_file=str(authority.file)
    ).register()
    assert result.verdict is Verdict.TLS_FAILURE
    assert "localhost" in result.reason


def test_ipv6(agent: Make, sipua_card_profile: Profile) -> None:
    with CoreServer([sipua_card_profile], [("UDP", "::1", 0), ("TCP", "::1", 0)]) as core:
        for hop in core.hops:
            result = agent(pcscf=str(hop)).register()
            assert result.verdict is Verdict.REGISTERED
            assert "[::1]" in (result.contact or "")


def test_a_large_request_goes_by_tcp_and_by_udp_when_tcp_is_refused(
    agent: Make, sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    padding = (("P-Padding", "x" * 1400),)
    udp = sipua_core_factory(listen=["UDP"]).hop("UDP")
    by_udp = agent(pcscf=str(udp), headers=padding).register()
    assert by_udp.verdict is Verdict.REGISTERED
    assert {step.transport for step in by_udp.exchange} == {"UDP"}
    with CoreServer([sipua_card_profile], [("TCP", udp.address, udp.port)]):
        by_tcp = agent(pcscf=str(udp), headers=padding).register()
    assert by_tcp.verdict is Verdict.REGISTERED
    assert {step.transport for step in by_tcp.exchange} == {"TCP"}


def test_no_secret_reaches_an_observer_a_result_or_a_repr(
    reader: Reader, sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    seen = io.StringIO()

    def step(step: Step) -> None:
        print(step, file=seen)

    def message(direction: str, data: bytes, hop: Hop) -> None:
        print(direction, data.decode(), hop, file=seen)

    def apdu(apdu: TracedApdu) -> None:
        print(apdu, file=seen)

    secrets: list[bytes] = []
    choice = CardChoice(reader, pin="1234")
    settings = AgentSettings(pcscf=str(sipua_core.hop("UDP")))
    with UserAgent(choice, settings, Observer(step, message, apdu)) as ours:
        answer = reader.card.transmit

        def overheard(command: bytes) -> bytes:
            octets = answer(command)
            if octets[:2] == b"\xdb\x08":  # RES (8), then CK and IK (16 each)
                secrets.extend((octets[2:10], octets[11:27], octets[28:44]))
            return octets

        reader.card.transmit = overheard  # type: ignore[method-assign]
        result = ours.register()
        print(result.to_json(), ours, choice, sipua_card_profile, file=seen)
        print(sipua_card_profile.authentication, sipua_card_profile.pin, file=seen)
    assert len(secrets) == 3
    keys = sipua_card_profile.authentication
    text = seen.getvalue().lower()
    for secret in (*secrets, keys.k, keys.opc):
        assert secret.hex() not in text
        assert repr(secret).lower()[2:-1] not in text
    assert "AUTHENTICATE" in seen.getvalue()
    assert "'1234'" not in text


def test_several_registrations_at_once_over_one_endpoint(
    agent: Make, reader: Reader, sipua_core_factory: CoreFactory
) -> None:
    reader.waits = False  # one card answers one challenge after another
    core = sipua_core_factory(faults=["delay=0.2"])
    ours = agent(pcscf=str(core.hop("UDP")))
    started = time.monotonic()
    running = [ours.start() for _ in range(8)]
    while not all(each.settled for each in running):
        ours.turn(time.monotonic() + 1)
    assert {each.result.verdict for each in running} == {Verdict.REGISTERED}
    assert time.monotonic() - started < 8 * 0.4, "they waited for each other"
