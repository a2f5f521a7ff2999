"""The user agent's side of an agreement: header lines, hops, and what stands at each moment."""

from __future__ import annotations

import pytest
from associations_of import CK, IK
from place_of import Noted

from sipua.ipsec.association import Side
from sipua.ipsec.errors import EngineError, SecurityAgreementError
from sipua.ipsec.mechanisms import CLIENT, VERIFY, parse, write
from sipua.ipsec.suite import CURRENT
from sipua.ipsec.terminal import TerminalSecurity
from sipua.sip.hop import Hop

UE = "10.83.0.1"
PCSCF = "10.83.0.2"
HOP = Hop("UDP", PCSCF, 5060)
AGREEING = [
    ("Require", "sec-agree"),
    ("Proxy-Require", "sec-agree"),
    ("Supported", "sec-agree"),
]


class Terminal:
    def __init__(self) -> None:
        self.noted = Noted(UE, 20000)
        self.security = TerminalSecurity(self.noted.place)
        self.theirs = 100

    def server_lines(self) -> list[str]:
        """A new side of the P-CSCF's each time; two lines, one of them of no use to us."""
        self.theirs += 2
        side = Side(PCSCF, 30000 + self.theirs, 6064, self.theirs, self.theirs + 1)
        return ["tls;q=0.9", write(CURRENT[1:3], side)]

    def challenge(self, now: float = 0) -> list[str]:
        lines = self.server_lines()
        self.security.challenged(lines, CK, IK, HOP, now)
        return lines


def named(lines: list[tuple[str, str]], name: str) -> list[str]:
    return [value for each, value in lines if each == name]


def test_the_first_register_offers_and_goes_unprotected() -> None:
    terminal = Terminal()
    security = terminal.security
    lines = security.opening()
    assert lines[:3] == AGREEING
    (client,) = named(lines, CLIENT)
    offered = [each.side(UE) for each in parse([client])]
    assert [each.suite for each in parse([client])] == list(CURRENT)
    assert len(set(offered)) == 1
    assert offered[0].port_s == security.server_port == 20000
    assert {offered[0].port_c} == terminal.noted.ports.clients
    assert named(lines, VERIFY) == []
    assert security.hop(HOP) == security.answering_hop(HOP) == HOP
    assert security.protecting() == []
    assert not security.is_protected


def test_the_answer_repeats_the_offer_and_echoes_the_whole_list() -> None:
    terminal = Terminal()
    security = terminal.security
    (client,) = named(security.opening(), CLIENT)
    server = terminal.challenge()
    lines = security.answering()
    assert named(lines, CLIENT) == [client]
    assert named(lines, VERIFY) == server
    (installed,) = terminal.noted.engine.installed
    assert installed.suite == CURRENT[1]
    hop = security.answering_hop(HOP)
    assert hop == Hop("UDP", PCSCF, 6064, installed.ours.client)
    assert security.hop(HOP) == HOP, "nothing but REGISTER uses temporary associations"
    assert security.answering_hop(HOP._replace(transport="TCP")).transport == "TCP"


def test_registered_everything_goes_protected_and_says_so() -> None:
    terminal = Terminal()
    security = terminal.security
    security.opening()
    server = terminal.challenge()
    hop = security.answering_hop(HOP)
    security.accepted(3600, 1.0)
    assert security.is_protected
    assert security.suite == "null/aes-gcm"
    assert security.hop(HOP) == hop
    assert security.protecting() == [*AGREEING, *((VERIFY, line) for line in server)]


def test_reauthentication_takes_new_ports_and_spis_and_keeps_the_server_port() -> None:
    terminal = Terminal()
    security, ports = terminal.security, terminal.noted.ports
    (first,) = named(security.opening(), CLIENT)
    old_server = terminal.challenge()
    security.accepted(3600, 0)
    old_hop = security.hop(HOP)

    lines = security.opening()
    (second,) = named(lines, CLIENT)
    before, after = parse([first])[0].side(UE), parse([second])[0].side(UE)
    assert before.port_s == after.port_s
    assert before.port_c != after.port_c
    assert not {before.spi_c, before.spi_s} & {after.spi_c, after.spi_s}
    assert named(lines, VERIFY) == old_server, "TS 24.229: of the last successful 401"

    new_server = terminal.challenge(10)
    assert named(security.answering(), VERIFY) == new_server
    assert security.hop(HOP) == old_hop
    assert security.answering_hop(HOP).local == after.client
    security.accepted(3600, 11)
    assert security.hop(HOP).local == after.client
    assert len(terminal.noted.engine.installed) == 2
    assert ports.clients == {before.port_c, after.port_c}
    security.finished(50)
    assert len(terminal.noted.engine.installed) == 1
    assert ports.clients == {after.port_c}
    assert named(security.protecting(), VERIFY) == new_server


def test_auts_and_mac_failure_start_a_new_offer_and_set_nothing_up() -> None:
    terminal = Terminal()
    security = terminal.security
    (first,) = named(security.opening(), CLIENT)
    security.failed(0)
    (second,) = named(security.answering(), CLIENT)
    assert first != second
    assert terminal.noted.engine.installed == []
    assert security.answering_hop(HOP) == HOP
    assert len(terminal.noted.ports.clients) == 1

    terminal.challenge()
    security.accepted(3600, 0)
    security.opening()
    security.failed(1)
    lines = security.answering()
    assert named(lines, VERIFY)
    assert security.answering_hop(HOP) == security.hop(HOP) != HOP, "over the old associations"


def test_a_second_challenge_to_one_offer_replaces_the_first() -> None:
    """Kamailio may challenge again before it has stored the vector."""
    terminal = Terminal()
    security = terminal.security
    (client,) = named(security.opening(), CLIENT)
    terminal.challenge()
    server = terminal.challenge()
    assert len(terminal.noted.engine.installed) == 1
    lines = security.answering()
    assert named(lines, CLIENT) == [client]
    assert named(lines, VERIFY) == server
    assert len(terminal.noted.ports.clients) == 1
    assert len(terminal.noted.ports.flows) == 2
    security.accepted(100, 0)
    security.close(1)
    assert terminal.noted.is_empty


@pytest.mark.parametrize(
    "server", [[], ["tls"], ["ipsec-3gpp;alg=hmac-md5-96;spi-c=1;spi-s=2;port-c=3;port-s=4"]]
)
def test_nothing_in_common_abandons_the_registration(server: list[str]) -> None:
    terminal = Terminal()
    terminal.security.opening()
    with pytest.raises(SecurityAgreementError):
        terminal.security.challenged(server, CK, IK, HOP, 0)
    assert terminal.noted.engine.installed == []
    terminal.security.close(0)
    assert terminal.noted.is_empty


def test_an_spi_of_ours_is_not_accepted_from_the_peer() -> None:
    terminal = Terminal()
    (client,) = named(terminal.security.opening(), CLIENT)
    ours = parse([client])[0].side(UE)
    mirrored = write(CURRENT, ours._replace(port_c=7000, port_s=7001))
    with pytest.raises(SecurityAgreementError, match="same SPI"):
        terminal.security.challenged([mirrored], CK, IK, HOP, 0)
    terminal.security.close(0)
    assert terminal.noted.is_empty


def test_an_engine_that_fails_leaves_the_old_associations_alone() -> None:
    terminal = Terminal()
    security = terminal.security
    security.opening()
    terminal.challenge()
    security.accepted(3600, 0)
    security.opening()
    terminal.noted.engine.broken = True
    with pytest.raises(EngineError):
        terminal.challenge()
    assert security.is_protected
    assert len(terminal.noted.engine.installed) == 1


def test_refusal_and_silence_and_the_end_leave_nothing() -> None:
    terminal = Terminal()
    security = terminal.security
    security.opening()
    terminal.challenge()
    security.refused(0)
    assert terminal.noted.engine.installed == []
    security.opening()
    terminal.challenge()
    assert security.deadline() == 240
    security.tick(240)
    assert terminal.noted.engine.installed == []
    security.opening()
    terminal.challenge(300)
    security.accepted(60, 300)
    security.tick(391)
    assert not security.is_protected
    security.close(392)
    assert terminal.noted.is_empty


def test_a_challenge_without_an_offer_is_refused() -> None:
    terminal = Terminal()
    with pytest.raises(SecurityAgreementError, match="before any offer"):
        terminal.challenge()


def test_a_network_that_chooses_an_spi_again_is_not_agreed_with() -> None:
    """Its new association would take the place of the one in use."""
    terminal = Terminal()
    terminal.security.opening()
    terminal.challenge()
    terminal.security.accepted(3600, 0)
    (in_use,) = terminal.noted.engine.installed
    terminal.security.opening()
    taken = in_use.theirs.spi_c
    for spis in ((taken, 9001), (9000, taken)):
        side = Side(PCSCF, 31000, 6064, *spis)
        with pytest.raises(SecurityAgreementError, match="in use was chosen again"):
            terminal.security.challenged([write(CURRENT, side)], CK, IK, HOP, 1)
    assert terminal.noted.engine.installed == [in_use]
