"""TLS through Network: who is trusted, what is said when somebody is not, and OpenSSL's word."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from net.certificates import Authority
from net.turns import MESSAGE, connect, failures, is_closed, messages, run, settle
from sipua.errors import TlsFailure, Unreachable
from sipua.net import streams
from sipua.net.network import Failed, Network, Received
from sipua.net.tls_settings import TlsSettings
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sipua.net.network import NetEvent

ROOT = Path(__file__).parents[2]
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextmanager
def server_with(settings: TlsSettings, address: str = "127.0.0.1") -> Iterator[tuple[Network, Hop]]:
    with Network(settings) as server:
        yield server, Hop("TLS", *server.open("TLS", address))


def outcome(settings: TlsSettings, trust: TlsSettings | None, name: str | None) -> NetEvent:
    """Send one message to a server with ``settings``: Received there, or Failed here."""
    with server_with(settings) as (server, hop), Network(trust) as ours:
        if name is not None:
            ours.expect_name(hop, name)
        ours.send(MESSAGE, hop)
        [event] = run([ours, server], bool)
        if isinstance(event, Failed):
            assert event.hop == hop
        return event


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_message_and_answer(authority: Authority, address: str) -> None:
    settings = authority.issue([DOMAIN])
    with server_with(settings, address) as (server, hop), Network(settings) as ours:
        ours.expect_name(hop, DOMAIN)
        local = ours.local_address(hop)
        for _ in range(3):
            ours.send(MESSAGE, hop)
        asked = run([ours, server], lambda seen: len(seen) == 3)
        assert messages(asked) == [MESSAGE] * 3
        assert isinstance(asked[0], Received)
        assert asked[0].source == Hop("TLS", *local, (address, hop.port))
        server.send(MESSAGE, asked[0].source)
        [answer] = run([ours, server], bool)
        assert isinstance(answer, Received)
        assert answer.source == hop._replace(local=local)


def test_large_message_and_many(authority: Authority) -> None:
    """More than one TLS record at a time: nothing may lie in OpenSSL's buffer unseen."""
    settings = authority.issue([DOMAIN])
    large = MESSAGE.replace(b"Content-Length: 14\r\n\r\n", b"Content-Length: 60014\r\n\r\n")
    large += b"x" * 60_000
    with server_with(settings) as (server, hop), Network(settings) as ours:
        ours.expect_name(hop, DOMAIN)
        for _ in range(4):
            ours.send(large, hop)
        assert messages(run([ours, server], lambda seen: len(seen) == 4)) == [large] * 4
        for _ in range(200):
            ours.send(MESSAGE, hop)
        assert messages(run([ours, server], lambda seen: len(seen) == 200)) == [MESSAGE] * 200


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ([DOMAIN], DOMAIN.upper()),
        (["127.0.0.1"], None),
        (["127.0.0.1"], "127.0.0.1"),
        ([f"sip:{DOMAIN}"], DOMAIN),
        ([f"sip:{DOMAIN}:5061;transport=tls"], DOMAIN),
        (["other.example", DOMAIN], DOMAIN),
        ([], DOMAIN),
    ],
    ids=["case", "address", "address asked", "SIP URI", "SIP URI port", "second", "common name"],
)
def test_names_that_do(authority: Authority, names: list[str], wanted: str | None) -> None:
    settings = authority.issue(names, common_name=DOMAIN)
    assert isinstance(outcome(settings, settings, wanted), Received)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["other.example"], DOMAIN),
        (["*.example.org"], "a.example.org"),
        (["example.org"], "a.example.org"),
        (["a.example.org"], "example.org"),
        ([DOMAIN, "sip:other.example"], DOMAIN),
        ([f"sip:someone@{DOMAIN}"], DOMAIN),
        ([f"sips:{DOMAIN}"], DOMAIN),
        ([DOMAIN], None),
        (["127.0.0.2"], "127.0.0.1"),
        ([], "127.0.0.1"),
    ],
    ids=[
        "other",
        "wildcard",
        "parent",
        "child",
        "SIP URI goes first",
        "user",
        "other scheme",
        "address wanted",
        "other address",
        "none",
    ],
)
def test_names_that_do_not(authority: Authority, names: list[str], wanted: str | None) -> None:
    """RFC 5922 §7: whole names only, SIP URIs before DNS names; both names are told."""
    settings = authority.issue(names, common_name=DOMAIN if wanted == DOMAIN else "other")
    event = outcome(settings, settings, wanted)
    assert isinstance(event, Failed)
    assert isinstance(event.error, TlsFailure)
    assert f"not for {wanted or '127.0.0.1'}" in str(event.error)
    if names and not names[-1].startswith("sip"):
        assert names[-1] in str(event.error)


def test_nothing_is_sent_to_the_wrong_name(authority: Authority) -> None:
    settings = authority.issue(["other.example"])
    with server_with(settings) as (server, hop), Network(settings) as ours:
        ours.expect_name(hop, DOMAIN)
        ours.send(MESSAGE, hop)
        assert messages(settle([ours, server], 0.3)) == []


def test_connection_of_one_name_does_not_serve_another(authority: Authority) -> None:
    settings = authority.issue(["one.example"])
    with server_with(settings) as (server, hop), Network(settings) as ours:
        ours.expect_name(hop, "one.example")
        ours.send(MESSAGE, hop)
        assert messages(run([ours, server], bool)) == [MESSAGE]
        ours.expect_name(hop, "two.example")
        ours.send(MESSAGE, hop)
        [failed] = run([ours, server], bool)
        assert isinstance(failed, Failed)
        assert "not for two.example" in str(failed.error)
        ours.expect_name(hop, "one.example")
        ours.send(MESSAGE, hop)
        assert messages(run([ours, server], bool)) == [MESSAGE]


@pytest.mark.parametrize(
    ("days_left", "self_signed", "client_only", "said"),
    [
        (-1, False, False, "has expired"),
        (40, False, False, "not valid yet"),
        (1, True, False, "self-signed.*--ca-file"),
        (1, False, True, "not meant for servers"),
    ],
    ids=["expired", "future", "self-signed", "client's"],
)
def test_certificates_that_do_not(
    authority: Authority, days_left: int, self_signed: bool, client_only: bool, said: str
) -> None:
    settings = authority.issue(
        [DOMAIN], days_left=days_left, self_signed=self_signed, client_only=client_only
    )
    event = outcome(settings, settings, DOMAIN)
    assert isinstance(event, Failed)
    assert isinstance(event.error, TlsFailure)
    with pytest.raises(TlsFailure, match=said):
        raise event.error


def test_unknown_authority(authority: Authority, tmp_path: Path) -> None:
    settings = authority.issue([DOMAIN])
    stranger = TlsSettings(str(Authority(tmp_path, "stranger").file))
    for trust in (stranger, None):
        event = outcome(settings, trust, DOMAIN)
        assert isinstance(event, Failed)
        assert isinstance(event.error, TlsFailure)
        assert DOMAIN in str(event.error)
        assert "--ca-file" in str(event.error)


def test_self_signed_certificate_can_be_trusted_by_itself(authority: Authority) -> None:
    settings = authority.issue([DOMAIN], self_signed=True)
    assert isinstance(outcome(settings, TlsSettings(settings.certificate), DOMAIN), Received)


def test_server_without_a_certificate() -> None:
    with Network() as network, pytest.raises(TlsFailure, match="certificate"):
        network.open("TLS", "127.0.0.1")


@pytest.mark.parametrize("which", ["certificate", "key", "ca_file"])
@pytest.mark.parametrize("content", [None, b"not PEM"], ids=["missing", "garbage"])
def test_files_of_no_use(
    authority: Authority, tmp_path: Path, which: str, content: bytes | None
) -> None:
    bad = tmp_path / "bad.pem"
    if content is not None:
        bad.write_bytes(content)
    settings = authority.issue([DOMAIN])._replace(**{which: str(bad)})
    with Network(settings) as network:
        network.send(MESSAGE, Hop("TLS", "127.0.0.1", 1))
        [failed] = failures(network.poll(1.0))
        assert isinstance(failed.error, TlsFailure)
        assert str(settings.certificate if which == "key" else bad) in str(failed.error)


def test_peer_without_tls(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Network() as ours:
        ours.send(MESSAGE, Hop("TLS", *listener.getsockname()))
        settle([ours], 0.05)
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"SIP/2.0 400 Bad Request\r\n\r\n")
            [failed] = failures(run([ours], bool))
    assert isinstance(failed.error, TlsFailure)
    assert "does not speak TLS" in str(failed.error)


def test_peer_that_hangs_up_in_the_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Network() as ours:
        ours.send(MESSAGE, Hop("TLS", *listener.getsockname()))
        settle([ours], 0.05)
        listener.accept()[0].close()
        [failed] = failures(run([ours], bool))
    assert isinstance(failed.error, TlsFailure)
    assert "handshake" in str(failed.error)


def test_peer_that_never_answers_the_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALL_TIME", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener, Network() as ours:
        ours.send(MESSAGE, Hop("TLS", *listener.getsockname()))
        [failed] = failures(run([ours], bool))
    assert "handshake" in str(failed.error)


def test_refused_is_unreachable_and_not_distrust() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        hop = Hop("TLS", *gone.getsockname())
    with Network() as ours:
        ours.send(MESSAGE, hop)
        [failed] = failures(run([ours], bool))
    assert isinstance(failed.error, Unreachable)


def test_connection_closed_by_the_peer_is_unreachable(authority: Authority) -> None:
    settings = authority.issue(["127.0.0.1"])
    with server_with(settings) as (server, hop), Network(settings) as ours:
        ours.send(MESSAGE, hop)
        run([ours, server], bool)
        server.close()
        [failed] = failures(run([ours], bool))
    assert isinstance(failed.error, Unreachable)


@pytest.mark.parametrize("garbage", [b"OPTIONS sip:a@b SIP/2.0\r\n\r\n", bytes(5000), b"\x16\x03"])
def test_garbage_on_the_tls_port(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, garbage: bytes
) -> None:
    monkeypatch.setattr(streams, "STALL_TIME", 0.2)
    settings = authority.issue(["127.0.0.1"])
    with server_with(settings) as (server, hop), Network(settings) as ours, connect(hop) as bad:
        bad.sendall(garbage)
        end = time.monotonic() + 3
        while not is_closed(bad):
            assert time.monotonic() < end
            assert server.poll(0.01) == []
        ours.send(MESSAGE, hop)
        assert messages(run([ours, server], bool)) == [MESSAGE]


def test_ssl_is_not_loaded_in_vain() -> None:
    program = (
        "import sys; from sipua.net.network import Network; from sipua.sip.hop import Hop; "
        "from sipua.net.tls_settings import TlsSettings; import sipua.net.driver; "
        "n = Network(TlsSettings()); n.open('TCP', '127.0.0.1'); "
        "n.send(b'x', Hop('UDP', '127.0.0.1', 9)); n.poll(0.1); n.close(); "
        "loaded = {'ssl', 'threading', 'asyncio', 'logging', 'dataclasses'} & set(sys.modules); "
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


# OpenSSL on the other side


def test_openssl_s_client_verifies_our_server(authority: Authority) -> None:
    settings = authority.issue([DOMAIN])
    with server_with(settings) as (server, hop):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{hop.port}", "-quiet"]
        command += ["-servername", DOMAIN, "-CAfile", str(authority.file)]
        command += ["-verify_return_error", "-verify_hostname", DOMAIN]
        client = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert client.stdin is not None
        client.stdin.write(MESSAGE)
        client.stdin.flush()
        [asked] = run([server], bool, limit=10)
        assert isinstance(asked, Received)
        assert asked.data == MESSAGE
        server.send(MESSAGE, asked.source)
        settle([server], 0.1)
        server.close()
        answer, noise = client.communicate(timeout=10)
    assert answer == MESSAGE, noise


def test_openssl_s_client_with_tls_1_1_is_refused(authority: Authority) -> None:
    settings = authority.issue([DOMAIN])
    with server_with(settings) as (server, hop):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{hop.port}", "-tls1_1"]
        client = subprocess.Popen(
            [*command, "-cipher", "ALL:@SECLEVEL=0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        end = time.monotonic() + 10
        while client.poll() is None:
            assert time.monotonic() < end
            assert server.poll(0.02) == []
        assert b"alert protocol version" in client.communicate()[1]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_our_client_talks_to_openssl_s_server(authority: Authority, version: str) -> None:
    settings = authority.issue([DOMAIN])
    with openssl_server(settings, version) as (hop, server), Network(settings) as ours:
        ours.expect_name(hop, DOMAIN)
        ours.send(MESSAGE, hop)
        assert server.stdin is not None
        assert server.stdout is not None
        settle([ours], 0.5)
        assert os.read(server.stdout.fileno(), 65536) == MESSAGE
        server.stdin.write(MESSAGE)
        server.stdin.flush()
        assert messages(run([ours], bool)) == [MESSAGE]


def test_openssl_s_server_with_tls_1_1_only(authority: Authority) -> None:
    settings = authority.issue(["127.0.0.1"])
    options = ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    with openssl_server(settings, *options) as (hop, _), Network(settings) as ours:
        ours.send(MESSAGE, hop)
        [failed] = failures(run([ours], bool))
    assert isinstance(failed.error, TlsFailure)
    assert "TLS" in str(failed.error)


def test_openssl_s_server_that_wants_a_certificate(authority: Authority) -> None:
    settings = authority.issue(["127.0.0.1"])
    options = ("-Verify", "1", "-CAfile", str(authority.file), "-verify_return_error", "-tls1_2")
    with openssl_server(settings, *options) as (hop, server):
        with Network(TlsSettings(settings.ca_file)) as ours:
            ours.send(MESSAGE, hop)
            [failed] = failures(run([ours], bool))
            assert isinstance(failed.error, TlsFailure)
        with Network(settings) as ours:
            ours.send(MESSAGE, hop)
            settle([ours], 0.5)
            assert server.stdout is not None
            assert os.read(server.stdout.fileno(), 65536) == MESSAGE


@contextmanager
def openssl_server(
    settings: TlsSettings, *options: str
) -> Iterator[tuple[Hop, subprocess.Popen[bytes]]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        hop = Hop("TLS", *free.getsockname())
    assert settings.certificate is not None
    assert settings.key is not None
    command = ["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{hop.port}", *options]
    command += ["-cert", settings.certificate, "-key", settings.key]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for_listener(hop, server)
            yield hop, server
        finally:
            server.kill()


def wait_for_listener(hop: Hop, server: subprocess.Popen[bytes]) -> None:
    """Wait until the port is taken; a connection would be one that s_server talks to."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        assert server.poll() is None
        with socket.socket() as probe:
            try:
                probe.bind((hop.address, hop.port))
            except OSError:
                return
        time.sleep(0.02)
    pytest.fail("openssl s_server does not listen")
