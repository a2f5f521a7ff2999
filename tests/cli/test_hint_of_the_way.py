"""What a failure on the way to the network leads to as advice: TLS, DNS, sockets."""

from __future__ import annotations

import errno
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from declared_hints import collected
from net.certificates import Authority
from net.dns_server import DnsServer
from test_verdicts import Sipua, register_at, sipua

from card.profile import Profile
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory, UserAgentFactory
from sipua.verdict import Verdict

__all__ = ["collected", "sipua"]  # fixtures

LISTENING = ("127.0.0.1", 0)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize(
    ("names", "days_left", "trusted", "first"),
    [
        (["127.0.0.1"], 1, False, "Give the authority that signed the P-CSCF's certificate"),
        (["other.example"], 1, True, "Name the P-CSCF in --pcscf as its certificate does"),
        (["127.0.0.1"], -1, True, "Check the clock of this machine"),
    ],
)
def test_tls(
    sipua: Sipua,
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    authority: Authority,
    tmp_path: Path,
    names: list[str],
    days_left: int,
    trusted: bool,
    first: str,
) -> None:
    issued = authority.issue(names, days_left=days_left)
    core = sipua_core_factory(listen=["TLS"], tls=issued)
    anchor = authority.file if trusted else Authority(tmp_path, "stranger").file
    options = ("--ca-file", str(anchor))
    _, result = sipua(*register_at(core, sipua_card_profile, *options, via="TLS"))
    assert result["verdict"] == "tls-failure"
    assert first in result["hints"][0]


def test_tls_at_a_port_that_does_not_speak_it(sipua: Sipua, sipua_card_profile: Profile) -> None:
    """SIP over TCP does not answer a ClientHello; most other services say something."""
    with socket.create_server(LISTENING) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SIP/2.0 400 Bad Request\r\n\r\n")
                with suppress(ConnectionError):
                    while connection.recv(4096):
                        pass

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        card = f"emulated:{sipua_card_profile.path}"
        there = f"tls:127.0.0.1:{listener.getsockname()[1]}"
        _, result = sipua("register", "--card", card, "--pcscf", there)
        thread.join(20)
    assert result["verdict"] == "tls-failure"
    assert "That port does not speak TLS: try --transport tcp" in result["hints"][0]


def test_no_route(
    sipua: Sipua, sipua_card_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine without a network: which addresses have no route is different everywhere."""

    class Isolated(socket.socket):
        def connect(self, _address: object, /) -> None:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket, "socket", Isolated)
    card = f"emulated:{sipua_card_profile.path}"
    _, result = sipua("register", "--card", card, "--pcscf", "udp:192.0.2.10:5060")
    assert result["verdict"] == "unreachable"
    assert result["reason"].startswith("udp:192.0.2.10:5060: ")
    assert result["hints"][0].startswith("This machine has no way to that address")


def test_refused(sipua: Sipua, sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    for via in ("UDP", "TCP"):
        command = register_at(sipua_core, sipua_card_profile, via=via)
        sipua_core.stop()
        _, result = sipua(*command)
        assert result["verdict"] == "unreachable"
        assert result["reason"].startswith(f"{via.lower()}:127.0.0.1:")  # as it is typed
        assert result["hints"][0].startswith("Nothing listens there")
        assert "--transport" in result["hints"][0]


@pytest.mark.parametrize(
    ("via", "verdict", "first"),
    [
        ("tcp", "unreachable", "Check address, port and transport of the P-CSCF"),
        ("tls", "tls-failure", "Trust the network's authority with --ca-file"),
    ],
)
def test_a_peer_that_hangs_up(
    sipua: Sipua, sipua_card_profile: Profile, via: str, verdict: str, first: str
) -> None:
    """It takes the connection and closes it, which may mean anything."""
    with socket.create_server(LISTENING) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        card = f"emulated:{sipua_card_profile.path}"
        there = f"{via}:127.0.0.1:{listener.getsockname()[1]}"
        _, result = sipua("register", "--card", card, "--pcscf", there)
        thread.join(20)
    assert result["verdict"] == verdict
    assert result["hints"][0].startswith(first)


@pytest.mark.parametrize(
    ("zone", "silent", "first"),
    [
        ("other.example. A 192.0.2.1", False, "The name is not known to DNS: check its spelling"),
        ("other.example. A 192.0.2.1", True, "The nameserver does not answer: check /etc/resolv"),
        ('sip.home.example. TXT "nobody"', False, "Check the name and this machine's resolver"),
    ],
)
def test_dns(
    sipua_user_agent: UserAgentFactory,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    silent: bool,
    first: str,
) -> None:
    monkeypatch.setattr("sipua.net.dns.QUERY_TIME", 0.5)
    with DnsServer(zone) as server:
        server.silent = silent
        agent = sipua_user_agent(pcscf="sip.home.example", nameserver=server.at)
        result = agent.register()
    assert result.verdict is Verdict.DNS_FAILURE
    assert first in result.hints[0]
    assert "--pcscf udp:ADDRESS:PORT" in result.hints[0]
