"""P-CSCFs found by NAPTR, SRV and A: the first is dead, the second refuses, the third accepts.

The DNS server answers real questions over loopback; second and third are networks
of sipua.core, at ports that the kernel gave and the SRV records tell.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

import pytest
from net.dns_server import DnsServer

from card.profile import Profile
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import Observer, UserAgent
from sipua.core.server import CoreServer
from sipua.ims.events import Ended
from sipua.ims.outage import leads_on
from sipua.ims.register_request import RegistrationSettings
from sipua.ims.registration import Registration
from sipua.pytest_plugin import CoreFactory
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.sip.endpoint import Endpoint, TransactionTimeout
from sipua.sip.hop import Hop
from sipua.sip.timers import TimerValues, ims_timers
from sipua.verdict import Verdict

PCSCF = "pcscf.ims.mnc001.mcc001.3gppnetwork.org"  # as the ISIM has it

NAPTR = f"""
{PCSCF}. NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.{PCSCF}.
{PCSCF}. NAPTR 10 20 "s" "SIP+D2T" "" _sip._tcp.{PCSCF}.
{PCSCF}. NAPTR 10 10 "s" "SIP+D2S" "" _sip._sctp.{PCSCF}.
one.{PCSCF}. A 127.0.0.1
two.{PCSCF}. A 127.0.0.1
three.{PCSCF}. A 127.0.0.1
"""


@contextmanager
def dead(transport: str, *, silent: bool) -> Iterator[int]:
    """A port where nobody is, or somebody who never says a word."""
    kind = socket.SOCK_DGRAM if silent and transport == "UDP" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as holding:
        holding.bind(("127.0.0.1", 0))
        if silent and transport == "TCP":
            holding.listen()
        yield holding.getsockname()[1]


def services(transport: str, *ports: int) -> str:
    """SRV records of one, two and three in the order of their names in DNS, not of priority."""
    names = ("one", "two", "three")
    lines = [
        f"_sip._{transport.lower()}.{PCSCF}. SRV {number * 10} 0 {port} {name}.{PCSCF}."
        for number, (name, port) in enumerate(zip(names, ports, strict=False), 1)
    ]
    return "\n".join(sorted(lines, reverse=True))


class Attempt:
    """One registration; ``tried`` is where REGISTERs went, in order, each place once."""

    def __init__(self, profile: Profile, dns: DnsServer, **settings: object) -> None:
        self.tried: list[Hop] = []
        choice = CardChoice(f"emulated:{profile.path}")
        wanted = AgentSettings(nameserver=dns.at, **settings)  # type: ignore[arg-type]
        with UserAgent(choice, wanted, Observer(on_message=self._see)) as agent:
            self.result: RegistrationResult = agent.register()

    def _see(self, direction: Literal["sent", "received"], _data: bytes, hop: Hop) -> None:
        if direction == "sent" and (not self.tried or self.tried[-1][:3] != hop[:3]):
            self.tried.append(hop)

    @property
    def ports(self) -> list[int]:
        return [hop.port for hop in self.tried]

    @property
    def statuses(self) -> list[int]:
        return [step.status for step in self.result.exchange]


@pytest.fixture
def accepting(sipua_core_factory: CoreFactory) -> CoreServer:
    return sipua_core_factory()


@pytest.fixture
def refusing(sipua_core_factory: CoreFactory) -> CoreServer:
    return sipua_core_factory(faults=["503=3600"])


def registered(core: CoreServer, profile: Profile) -> bool:
    assert profile.isim is not None
    return bool(core.bindings(profile.isim.impi))


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("silent", [False, True], ids=["nobody", "silent"])
def test_dead_refusing_accepting(
    sipua_card_profile: Profile,
    refusing: CoreServer,
    accepting: CoreServer,
    transport: str,
    silent: bool,
) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(dead(transport, silent=silent))
        ports = [first, refusing.hop(transport).port, accepting.hop(transport).port]
        dns = stack.enter_context(DnsServer(NAPTR + services(transport, *ports)))
        # Each place has so long; by default Timer F says when a silent one is given up.
        patience = 3.0 if silent else 32.0
        attempt = Attempt(sipua_card_profile, dns, transport=transport.lower(), timeout=patience)
    result = attempt.result
    assert result.verdict is Verdict.REGISTERED, result.reason
    assert attempt.statuses == [0, 503, 401, 200]
    assert attempt.ports == ports
    assert result.registrar == str(accepting.hop(transport))
    assert registered(accepting, sipua_card_profile)
    assert not registered(refusing, sipua_card_profile)
    if silent:
        assert result.exchange[0].ms >= 2900
    assert dns.asked[0] == f"SRV _sip._{transport.lower()}.{PCSCF}."


def test_naptr_prefers_a_transport_and_the_other_one_follows(
    sipua_card_profile: Profile, refusing: CoreServer, accepting: CoreServer
) -> None:
    """SCTP, which nobody here speaks, is passed over; TCP is before UDP by its order."""
    refusing_by_tcp, by_udp = refusing.hop("TCP").port, accepting.hop("UDP").port
    zone = NAPTR + services("TCP", refusing_by_tcp) + "\n" + services("UDP", by_udp)
    with DnsServer(zone) as dns:
        attempt = Attempt(sipua_card_profile, dns)
    assert attempt.result.verdict is Verdict.REGISTERED, attempt.result.reason
    assert [(hop.transport, hop.port) for hop in attempt.tried] == [
        ("TCP", refusing_by_tcp),
        ("UDP", by_udp),
    ]
    services_asked = [each for each in dns.asked if not each.startswith("A")]
    assert services_asked == [
        f"NAPTR {PCSCF}.",
        f"SRV _sip._tcp.{PCSCF}.",
        f"SRV _sip._udp.{PCSCF}.",
    ]


def test_every_address_of_a_name_is_tried(
    sipua_card_profile: Profile, accepting: CoreServer
) -> None:
    port = accepting.hop("TCP").port
    zone = f"""
_sip._tcp.{PCSCF}. SRV 10 0 {port} both.{PCSCF}.
both.{PCSCF}. AAAA ::1
both.{PCSCF}. A 127.0.0.1
"""
    with DnsServer(zone) as dns:
        attempt = Attempt(sipua_card_profile, dns)
    assert attempt.result.verdict is Verdict.REGISTERED, attempt.result.reason
    assert attempt.result.registrar == str(accepting.hop("TCP"))
    assert attempt.statuses == [0, 401, 200]


def test_truncated_answers_come_over_tcp(
    sipua_card_profile: Profile, accepting: CoreServer
) -> None:
    with DnsServer(NAPTR + services("UDP", accepting.hop("UDP").port)) as dns:
        dns.truncate = True
        attempt = Attempt(sipua_card_profile, dns)
    assert attempt.result.verdict is Verdict.REGISTERED, attempt.result.reason
    assert f"NAPTR {PCSCF}. over TCP" in dns.asked


def test_everybody_refuses(sipua_card_profile: Profile, refusing: CoreServer) -> None:
    """Each is asked once; what the last one said is the verdict."""
    ports = [refusing.hop("UDP").port] * 3
    with DnsServer(NAPTR + services("UDP", *ports)) as dns:
        attempt = Attempt(sipua_card_profile, dns)
    assert attempt.statuses == [503, 503, 503]
    assert attempt.result.verdict is Verdict.SERVER_ERROR, attempt.result.reason


def test_who_is_forbidden_is_not_let_in_next_door(
    sipua_card_profile: Profile, sipua_core_factory: CoreFactory, accepting: CoreServer
) -> None:
    forbidding = sipua_core_factory(faults=["403"])
    ports = [forbidding.hop("UDP").port, accepting.hop("UDP").port]
    with DnsServer(NAPTR + services("UDP", *ports)) as dns:
        attempt = Attempt(sipua_card_profile, dns)
    assert (attempt.statuses, attempt.ports) == ([403], ports[:1])
    assert attempt.result.verdict is Verdict.REJECTED, attempt.result.reason


def test_nobody_answers_the_name(sipua_card_profile: Profile) -> None:
    with DnsServer("elsewhere.example. A 127.0.0.1") as dns:
        attempt = Attempt(sipua_card_profile, dns)
    assert attempt.result.verdict is Verdict.DNS_FAILURE, attempt.result.reason
    assert PCSCF in attempt.result.reason


@pytest.mark.parametrize(("timers", "seconds"), [(TimerValues(), 32.0), (ims_timers(), 128.0)])
@pytest.mark.parametrize(("transport", "copies"), [("UDP", 11), ("TCP", 1)])
def test_how_long_a_silent_one_is_waited_for(
    timers: TimerValues, seconds: float, transport: str, copies: int
) -> None:
    """Timer F, in virtual time: then the next one's turn comes (RFC 3263 §4.3)."""
    rng = random.Random(1)
    endpoint = Endpoint(rng, timers)
    settings = RegistrationSettings("a@h", "sip:a@h", "h", "sip:a@192.0.2.1")
    machine = Registration(settings, rng)
    machine.start(0.0)
    hop = Hop(transport, "192.0.2.2", 5060)
    endpoint.send_request(machine.take_requests()[0], hop, ("192.0.2.1", 5060), 0.0)
    sent, now = 0, 0.0
    while True:
        sent += len(endpoint.take_outgoing())
        if any(isinstance(each, TransactionTimeout) for each in endpoint.take_events()):
            break
        due = endpoint.deadline()
        assert due is not None
        now = due
        endpoint.tick(now)
    assert (now, sent) == (seconds, copies)
    machine.request_failed(TimeoutError("silence"), now)
    ended = machine.take_events()[-1]
    assert isinstance(ended, Ended)
    assert leads_on(ended.verdict, 0)
