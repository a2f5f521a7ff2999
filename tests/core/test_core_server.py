"""The core on real loopback sockets, seen by a bare socket."""

from __future__ import annotations

import datetime
import ipaddress
import random
import socket
import ssl
import threading
from pathlib import Path

import pytest
from core_client import Client
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from card.errors import StateError
from card.profile import Profile, shipped
from sipua.core.server import CoreServer
from sipua.errors import LocalError, TlsFailure
from sipua.net.tls_settings import TlsSettings
from sipua.pytest_plugin import CoreFactory
from sipua.sip.hop import Hop

PROFILE = shipped()


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_terminal_registers(
    sipua_core: CoreServer, sipua_card_profile: Profile, transport: str
) -> None:
    with Client(sipua_core.hop(transport), sipua_card_profile) as client:
        accepted = client.answer(client.ask(client.terminal.first_credentials()))
        assert accepted.status == 200
        assert accepted.headers.get("Contact") == "<sip:me@127.0.0.1:5070>;expires=600000"
        assert f":{sipua_core.hop(transport).port}" in (accepted.headers.get("Service-Route") or "")
        assert (accepted.headers.get("Date") or "").endswith(" GMT")
        (binding,) = sipua_core.bindings(client.terminal.impi)
        assert binding.uri == "sip:me@127.0.0.1:5070"
        assert client.answer(client.ask(), Contact="*", Expires="0").status == 200
        assert sipua_core.bindings(client.terminal.impi) == []


def test_over_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no ::1")
    with CoreServer([PROFILE], [("udp", "::1", 0)]) as core:
        with Client(core.hops[0], PROFILE) as client:
            accepted = client.answer(client.ask())
        assert accepted.status == 200
        route = accepted.headers.get("Service-Route")
        assert route == f"<sip:orig@[::1]:{core.hops[0].port};lr>"


def test_over_tls(tmp_path: Path) -> None:
    settings = self_signed(tmp_path)
    with CoreServer([PROFILE], [("TLS", "127.0.0.1", 0)], tls=settings) as core:
        trust = ssl.create_default_context(cafile=settings.certificate)
        with Client(core.hops[0], PROFILE, trust) as client:
            assert client.answer(client.ask()).status == 200


def test_tls_without_a_certificate_is_refused() -> None:
    with pytest.raises(TlsFailure):
        CoreServer([PROFILE], [("TLS", "127.0.0.1", 0)]).open()


def self_signed(folder: Path) -> TlsSettings:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "core")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return TlsSettings(certificate=str(folder / "certificate.pem"), key=str(folder / "key.pem"))


def test_a_retransmission_gets_the_same_answer_and_no_second_vector(
    sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    with Client(sipua_core.hop("UDP"), sipua_card_profile) as client:
        request = client.register()
        client.socket.sendall(request)
        first = client.receive()
        client.socket.sendall(request)
        assert client.receive().raw == first.raw


def test_garbage_does_not_stop_it(sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    rng = random.Random(3)
    with Client(sipua_core.hop("UDP"), sipua_card_profile) as client:
        good = client.register()
        for _ in range(500):
            bad = bytearray(good)
            for _ in range(rng.randrange(1, 30)):
                bad[rng.randrange(len(bad))] = rng.randrange(256)
            client.socket.sendall(bad[: rng.randrange(len(bad))])
            client.socket.sendall(bytes(bad))
    with Client(sipua_core.hop("UDP"), sipua_card_profile) as client:
        assert client.answer(client.ask()).status == 200


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("SUBSCRIBE", 405)])
def test_other_methods_are_answered(
    sipua_core: CoreServer, sipua_card_profile: Profile, method: str, status: int
) -> None:
    with Client(sipua_core.hop("UDP"), sipua_card_profile) as client:
        assert client.ask(method=method).status == status


def test_many_subscribers_at_a_time(sipua_core_factory: CoreFactory) -> None:
    assert PROFILE.isim is not None
    profiles = [
        PROFILE._replace(
            imsi=f"00101{n:010}",
            isim=PROFILE.isim._replace(impi=f"{n}@{PROFILE.isim.domain}", impu=(f"sip:{n}@x",)),
        )
        for n in range(50)
    ]
    core = sipua_core_factory(profiles=profiles)
    clients = [Client(core.hop("UDP"), profile) for profile in profiles]
    challenges = [client.ask() for client in clients]
    for client, challenge in zip(clients, challenges, strict=True):
        assert client.answer(challenge).status == 200
        client.socket.close()
    assert all(core.bindings(profile.isim.impi) for profile in profiles if profile.isim)


def test_the_counters_outlive_a_restart(tmp_path: Path) -> None:
    with CoreServer([PROFILE], state_dir=str(tmp_path)) as core, Client(core.hops[0], PROFILE) as c:
        assert c.answer(c.ask()).status == 200
        card = c.terminal.card
        with pytest.raises(StateError, match="in use"):
            CoreServer([PROFILE], state_dir=str(tmp_path)).start()
    with CoreServer([PROFILE], state_dir=str(tmp_path)) as core, Client(core.hops[0], PROFILE) as c:
        c.terminal.card = card
        assert c.answer(c.ask()).status == 200


def test_a_core_that_cannot_keep_its_counters_ends_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipua.core.auc.BLOCK", 0)  # every vector is written down first
    core = CoreServer([PROFILE], state_dir=str(tmp_path / "folder"))
    core.start()
    (tmp_path / "folder").rename(tmp_path / "gone")
    with Client(core.hops[0], PROFILE) as client:
        client.socket.send(client.register())
        while not is_free(core.hops[0]):
            pass
        with pytest.raises(ConnectionError):
            client.ask()
    with pytest.raises(StateError, match="cannot be written"):
        core.stop()


# Starting and stopping


def is_free(hop: Hop) -> bool:
    kind = socket.SOCK_DGRAM if hop.transport == "UDP" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((hop.address, hop.port))
        except OSError:
            return False
        return True


def test_after_stop_nothing_listens_and_no_thread_is_left() -> None:
    before = threading.active_count()
    core = CoreServer([PROFILE], [("UDP", "127.0.0.1", 0), ("TCP", "127.0.0.1", 0)])
    core.start()
    assert len({hop.port for hop in core.hops}) == 2
    assert not any(map(is_free, core.hops))
    core.stop()
    assert all(map(is_free, core.hops))
    assert threading.active_count() == before
    core.stop()


def test_it_can_be_started_again() -> None:
    core = CoreServer([PROFILE])
    for _ in range(2):
        with core, Client(core.hops[0], PROFILE) as client:
            assert client.ask().status == 401


def test_run_serves_in_the_foreground_until_stopped() -> None:
    core = CoreServer([PROFILE])
    core.open()
    seen: list[int] = []

    def visit() -> None:
        with Client(core.hops[0], PROFILE) as client:
            seen.append(client.ask().status)
        core.stop()

    visitor = threading.Thread(target=visit)
    visitor.start()
    core.run()
    visitor.join()
    assert seen == [401]


def test_stop_after_open_closes_and_run_comes_back() -> None:
    core = CoreServer([PROFILE])
    core.open()
    core.stop()
    assert is_free(core.hops[0])
    core.run()
    assert is_free(core.hops[0])


def test_nobody_is_registered_before_it_is_open() -> None:
    assert CoreServer([PROFILE]).bindings("anybody") == []


def test_a_taken_port_is_said_in_words() -> None:
    with CoreServer([PROFILE]) as core:
        taken = core.hops[0]
        with pytest.raises(LocalError, match=str(taken.port)):
            CoreServer([PROFILE], [("UDP", taken.address, taken.port)]).start()


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        (("UDP", "0.0.0.0", 0), "--allow-remote"),
        (("TCP", "::", 0), "--allow-remote"),
        (("UDP", "192.0.2.1", 0), "--allow-remote"),
        (("UDP", "127.0.0.1.example", 0), "numeric"),
        (("UDP", "localhost", 0), "numeric"),
        (("SCTP", "127.0.0.1", 0), "UDP, TCP or TLS"),
    ],
)
def test_what_it_will_not_listen_on(listen: tuple[str, str, int], said: str) -> None:
    with pytest.raises(LocalError, match=said):
        CoreServer([PROFILE], [listen])


def test_every_interface_when_told_so() -> None:
    with CoreServer([PROFILE], [("UDP", "0.0.0.0", 0)], allow_remote=True) as core:
        hop = core.hops[0]._replace(address="127.0.0.1")
        with Client(hop, PROFILE) as client:
            assert client.ask().status == 401


def test_a_fault_for_nobody_is_refused() -> None:
    with pytest.raises(LocalError, match="no subscriber is called 00101"):
        CoreServer([PROFILE], faults=["403@00101"])


def test_it_tells_who_may_register() -> None:
    assert CoreServer([PROFILE]).subscribers == (PROFILE.imsi,)


def test_every_message_is_shown() -> None:
    seen: list[tuple[str, bytes]] = []
    core = CoreServer([PROFILE], on_message=lambda way, data, _: seen.append((way, data)))
    with core, Client(core.hops[0], PROFILE) as client:
        client.ask()
    assert [way for way, _ in seen] == ["received", "sent"]
    assert seen[0][1].startswith(b"REGISTER ")
    assert seen[1][1].startswith(b"SIP/2.0 401 ")


def test_the_network_ends_a_registration(
    sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    with Client(sipua_core.hop("UDP"), sipua_card_profile) as client:
        client.answer(client.ask())
        (binding,) = sipua_core.bindings(client.terminal.impi)
        sipua_core.shorten(client.terminal.impu, 60)
        (shorter,) = sipua_core.bindings(client.terminal.impi)
        assert binding.until - shorter.until > 500_000
        sipua_core.deregister(sipua_card_profile.imsi, "probation", 5)
        assert sipua_core.bindings(client.terminal.impi) == []
        with pytest.raises(LocalError, match="is not registered"):
            sipua_core.deregister(client.terminal.impi)
        with pytest.raises(LocalError, match="no subscriber is called"):
            sipua_core.deregister("nobody")
        with pytest.raises(LocalError, match="deactivated, probation, rejected"):
            sipua_core.deregister(client.terminal.impi, "abolished")
        with pytest.raises(LocalError, match="cannot be shortened"):
            sipua_core.shorten(client.terminal.impi, 0)


def test_what_is_not_open_cannot_end_a_registration(sipua_card_profile: Profile) -> None:
    core = CoreServer([sipua_card_profile])
    with pytest.raises(LocalError, match="not open"):
        core.deregister(sipua_card_profile.imsi)
    core.open()
    with pytest.raises(LocalError, match="is not registered"):
        core.deregister(sipua_card_profile.imsi)
    core.stop()
    with pytest.raises(LocalError, match="not open"):
        core.deregister(sipua_card_profile.imsi)


def test_the_network_may_be_told_so_from_within(sipua_card_profile: Profile) -> None:
    """By who sees its messages, in its own thread."""
    ended: list[str] = []

    def end(way: str, data: bytes, _: Hop) -> None:
        if way == "sent" and data.startswith(b"SIP/2.0 200"):
            core.deregister(sipua_card_profile.imsi)
            ended.append(way)

    core = CoreServer([sipua_card_profile], on_message=end)
    with core, Client(core.hops[0], sipua_card_profile) as client:
        assert client.answer(client.ask()).status == 200
        assert core.bindings(client.terminal.impi) == []
    assert ended == ["sent"]
