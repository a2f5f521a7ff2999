"""RTP sockets beside SIP in one Network, on real sockets of the loopback interface."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from net.turns import messages
from sipua.errors import LocalError, NetworkError, Unreachable
from sipua.net.network import NetEvent, Network
from sipua.net.rtp import DATAGRAMS_PER_TURN, RtpSocket
from sipua.sip.hop import Hop

ROOT = Path(__file__).parent.parent.parent
LOOPBACK = ["127.0.0.1", "::1"]
LIMIT = 20.0  # seconds until what must happen is given up
SIP = b"OPTIONS sip:a@example.org SIP/2.0\r\n\r\n"

Arrived = list[tuple[bytes, tuple[str, int]]]


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


def open_rtp(network: Network, address: str = "127.0.0.1") -> tuple[RtpSocket, Arrived]:
    arrived: Arrived = []
    opened = network.open_rtp(address, lambda data, source: arrived.append((data, source)))
    return opened, arrived


def poll_until(network: Network, arrived: Arrived, count: int) -> None:
    end = time.monotonic() + LIMIT
    while len(arrived) < count:
        assert time.monotonic() < end, arrived
        assert network.poll(0.05) == []


@pytest.mark.parametrize("address", LOOPBACK)
def test_there_and_back(network: Network, address: str) -> None:
    near, heard_near = open_rtp(network, address)
    far, heard_far = open_rtp(network, address)
    assert near.send(b"there", (far.address, far.port))
    poll_until(network, heard_far, 1)
    assert heard_far == [(b"there", (address, near.port))]
    assert far.send(b"back", heard_far[0][1])
    poll_until(network, heard_near, 1)
    assert heard_near == [(b"back", (address, far.port))]


def test_ports_are_even_and_the_odd_ones_are_given_back(network: Network) -> None:
    """RFC 3550 §11. Every second port of the kernel's is odd."""
    before = len(os.listdir("/proc/self/fd"))
    opened = [open_rtp(network)[0] for _ in range(20)]
    assert len({rtp.port for rtp in opened}) == 20
    assert all(rtp.port % 2 == 0 and rtp.port > 0 for rtp in opened)
    assert len(os.listdir("/proc/self/fd")) == before + 20
    for rtp in opened:
        rtp.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_empty_datagram_arrives(network: Network) -> None:
    """RFC 6263 §4.1: some keep a NAT open with it."""
    near, _ = open_rtp(network)
    far, heard = open_rtp(network)
    near.send(b"", (far.address, far.port))
    poll_until(network, heard, 1)
    assert heard[0][0] == b""


def test_close_gives_the_port_back_and_tells_no_more(network: Network) -> None:
    near, _ = open_rtp(network)
    far, heard = open_rtp(network)
    near.send(b"late", (far.address, far.port))
    far.close()
    far.close()
    assert network.poll(0.05) == []
    assert heard == []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((far.address, far.port))


def test_a_callback_may_close_its_socket(network: Network) -> None:
    """A call may end by what its last packet says."""
    heard: list[bytes] = []

    def hang_up(data: bytes, source: tuple[str, int]) -> None:
        heard.append(data)
        far.close()

    near, _ = open_rtp(network)
    far = network.open_rtp("127.0.0.1", hang_up)
    for data in (b"1", b"2", b"3"):
        near.send(data, (far.address, far.port))
    end = time.monotonic() + LIMIT
    while not heard and time.monotonic() < end:
        network.poll(0.05)
    network.poll(0.05)
    assert heard == [b"1"]


def test_the_network_closes_what_is_open() -> None:
    network = Network()
    rtp, _ = open_rtp(network)
    network.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((rtp.address, rtp.port))
    rtp.close()


def dead_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_peer_that_is_gone_ends_nothing(network: Network) -> None:
    near, heard = open_rtp(network)
    gone = ("127.0.0.1", dead_port())
    for _ in range(10):
        near.send(b"anybody?", gone)
        assert network.poll(0.01) == []
    far, _ = open_rtp(network)
    far.send(b"still here", (near.address, near.port))
    poll_until(network, heard, 1)
    assert heard[0][0] == b"still here"


@pytest.mark.parametrize(
    "to",
    [
        ("localhost", 4000),  # no name is looked up, which would hold up the loop
        ("::1", 4000),  # another family
        ("127.0.0.1", 0),
        ("127.0.0.1", 70000),
        ("255.255.255.255", 4000),  # broadcasting was not asked for
    ],
)
def test_what_cannot_be_sent_is_lost(network: Network, to: tuple[str, int]) -> None:
    near, _ = open_rtp(network)
    assert not near.send(b"voice", to)
    assert not near.send(bytes(70000), ("127.0.0.1", near.port))


def test_a_flood_of_rtp_does_not_starve_sip(network: Network) -> None:
    """A bounded number is read in each turn of the loop, in which SIP has its turn too."""
    flooded, heard = open_rtp(network)
    sip = Hop("UDP", *network.open("UDP", "127.0.0.1"))
    sent = 3 * DATAGRAMS_PER_TURN + 1
    events: list[NetEvent] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood, Network() as peer:
        for number in range(sent):
            flood.sendto(b"%d" % number, (flooded.address, flooded.port))
        peer.send(SIP, sip)
        end = time.monotonic() + LIMIT
        while len(heard) < sent or not events:
            assert time.monotonic() < end
            before = len(heard)
            events += network.poll(0.05)
            assert len(heard) - before <= DATAGRAMS_PER_TURN
    assert messages(events) == [SIP]
    assert [data for data, _ in heard] == [b"%d" % number for number in range(sent)]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_media_leave_from_where_sip_is_bound_to(address: str) -> None:
    with Network(bound_to=("127.0.0.2", 0)) as network:
        rtp, _ = open_rtp(network, address)
        assert rtp.address == "127.0.0.2"


def test_a_wildcard_binds_nothing() -> None:
    with Network(bound_to=("0.0.0.0", 0)) as network:
        rtp, _ = open_rtp(network, "127.0.0.3")
        assert rtp.address == "127.0.0.3"


def test_no_media_of_another_family() -> None:
    with Network(bound_to=("127.0.0.1", 0)) as network, pytest.raises(Unreachable):
        open_rtp(network, "::1")


def test_the_interface_holds_for_media_too() -> None:
    with (
        Network(interface="nosuch0") as network,
        pytest.raises(LocalError, match="nosuch0"),
    ):
        open_rtp(network)


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "no.address"])
def test_an_address_that_is_not_ours(network: Network, address: str) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises((LocalError, NetworkError)):
        open_rtp(network, address)
    assert len(os.listdir("/proc/self/fd")) == before


def test_who_makes_no_call_pays_nothing() -> None:
    script = (
        "import sys\n"
        "from sipua.net.network import Network\n"
        "with Network() as network: network.open('UDP', '127.0.0.1')\n"
        "print([name for name in sys.modules if 'rtp' in name or 'media' in name])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
