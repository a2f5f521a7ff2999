"""ESP in user space between two network namespaces, with a sniffer on the cable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from namespaces import ADDRESSES, Cable, Inside, cable, ip

from sipua.ipsec.suite import CURRENT, SUITES, Suite

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def wire() -> Iterator[Cable]:
    with cable() as made:
        yield made


@pytest.fixture
def sniffer(wire: Cable) -> Iterator[Inside]:
    with Inside(wire.namespaces[0], "cable_sniffer", wire.devices[0]) as made:
        assert made.answer() == "ready"
        yield made


def peers(wire: Cable, suite: Suite, version: int) -> tuple[Inside, Inside]:
    ue, pcscf = (
        Inside(namespace, "esp_peer", str(version), role, suite.alg, suite.ealg)
        for namespace, role in zip(wire.namespaces, ("ue", "pcscf"), strict=True)
    )
    for each in (ue, pcscf):
        assert each.answer() == "ready"
    return ue, pcscf


@pytest.mark.parametrize("suite", CURRENT, ids=lambda suite: suite.name)
@pytest.mark.parametrize("version", [4, 6])
def test_udp_and_tcp_pass_and_only_esp_is_seen(
    wire: Cable, sniffer: Inside, suite: Suite, version: int
) -> None:
    ue_address, pcscf_address = ADDRESSES[version]
    ue, pcscf = peers(wire, suite, version)
    with ue, pcscf:
        assert ue.ask("install").startswith("sipua")
        pcscf.ask("install")

        ue.ask("send_udp", 900)
        assert pcscf.ask("receive_udp") == [900, [ue_address, 5062]]
        pcscf.ask("send_udp", 700)
        assert ue.ask("receive_udp") == [700, [pcscf_address, 6062]]
        ue.ask("send_udp", 6000)
        assert pcscf.ask("receive_udp") == [6000, [ue_address, 5062]]

        pcscf.tell("echo_tcp", 50_000)
        assert ue.ask("send_tcp", 50_000) == 50_000
        assert pcscf.answer() == [50_000, [ue_address, 5062]]

        dropped = {"unprotected", "unsent", "altered", "malformed", "mismatched", "replayed"}
        for each in (ue, pcscf):
            assert not set(each.ask("counters")) & dropped
    seen = sniffer.ask("protocols")
    assert seen["esp"] > 20
    assert not {"udp", "tcp"} & set(seen)
    assert sniffer.ask("contains", "u" * 100) == (suite.ealg == "null" and suite.alg != "null")


SHA1_AES = SUITES["hmac-sha-1-96", "aes-cbc"]


def test_what_an_attacker_on_the_cable_sends_is_dropped_and_counted(
    wire: Cable, sniffer: Inside
) -> None:
    ue, pcscf = peers(wire, SHA1_AES, 4)
    with ue, pcscf:
        ue.ask("install")
        pcscf.ask("install")
        for size in (101, 102, 103):
            ue.ask("send_udp", size)
            assert pcscf.ask("receive_udp")[0] == size
        sealed = [bytes.fromhex(frame) for frame in sniffer.ask("esp")]
        assert len(sealed) == 3
        ip_header = 14

        def inject(frame: bytes) -> None:
            """With the IP header's length and checksum made right again."""
            total = len(frame) - ip_header
            head = bytearray(frame[: ip_header + 20])
            head[16:18] = total.to_bytes(2, "big")
            head[24:26] = b"\0\0"
            words = sum(int.from_bytes(head[at : at + 2], "big") for at in range(14, 34, 2))
            words = (words & 0xFFFF) + (words >> 16)
            head[24:26] = ((words & 0xFFFF) + (words >> 16) ^ 0xFFFF).to_bytes(2, "big")
            sniffer.ask("inject", (bytes(head) + frame[ip_header + 20 :]).hex())

        esp = ip_header + 20
        first, last = sealed[0], sealed[-1]
        inject(last)
        inject(first)
        inject(first[:esp] + b"\0\0\x77\x77" + first[esp + 4 :])
        fresh = last[: esp + 4] + (9).to_bytes(4, "big") + last[esp + 8 :]
        inject(fresh)
        inject(fresh[: esp + 20])
        inject(fresh[: esp + 3])
        ue.ask("send_plain", 55)
        ue.ask("send_udp", 104)
        assert pcscf.ask("receive_udp")[0] == 104, "nothing of the above has come through"
        assert pcscf.ask("counters") == {
            "opened": 4,
            "replayed": 2,
            "unknown_spi": 1,
            "altered": 1,
            "truncated": 2,
        }


def test_strict_reverse_path_checks_do_not_stop_it(wire: Cable) -> None:
    """As many distributions set net.ipv4.conf.all.rp_filter."""
    ue, pcscf = peers(wire, SHA1_AES, 4)
    with ue, pcscf:
        for each in (ue, pcscf):
            each.ask("strict_reverse_path", 1)
            each.ask("install")
        ue.ask("send_udp", 10)
        assert pcscf.ask("receive_udp")[0] == 10
        for each in (ue, pcscf):
            each.ask("strict_reverse_path", 0)


def test_nothing_leaves_before_or_after_the_associations(wire: Cable, sniffer: Inside) -> None:
    ue, pcscf = peers(wire, SHA1_AES, 4)
    with ue, pcscf:
        ue.ask("send_udp", 10)
        ue.ask("install")
        pcscf.ask("install")
        ue.ask("send_udp", 11)
        assert pcscf.ask("receive_udp")[0] == 11
        ue.ask("remove")
        ue.ask("send_udp", 12)
        pcscf.ask("send_udp", 13)
        ue.ask("wait_for", "unknown_spi", 1)
        assert ue.ask("counters") == {"sealed": 1, "unprotected": 2, "unknown_spi": 1}
    assert sniffer.ask("protocols")["esp"] == 2
    assert "udp" not in sniffer.ask("protocols")


def test_an_end_leaves_nothing_and_the_next_start_removes_what_a_crash_left(wire: Cable) -> None:
    namespace = wire.namespaces[0]

    def rules(version: int) -> list[str]:
        shown = ip("-n", namespace, f"-{version}", "rule", "show").splitlines()
        return [rule for rule in shown if "sipua" in rule]

    for version in (4, 6):
        ue, pcscf = peers(wire, SHA1_AES, version)
        with ue, pcscf:
            assert len(rules(version)) == 1
        assert rules(version) == []

        ue, pcscf = peers(wire, SHA1_AES, version)
        with pcscf:
            ue.kill()
        assert "[detached]" in rules(version)[0]
        ue, pcscf = peers(wire, SHA1_AES, version)
        with ue, pcscf:
            assert len(rules(version)) == 1
            assert "[detached]" not in rules(version)[0]
        assert rules(version) == []
    assert "sipua0" not in ip("-n", namespace, "link")


def test_one_engine_does_not_disturb_another(wire: Cable) -> None:
    """Two in one namespace, as two subscribers on one machine have."""
    ue, pcscf = peers(wire, SHA1_AES, 4)
    with ue, pcscf:
        ue.ask("install")
        pcscf.ask("install")
        with Inside(wire.namespaces[0], "esp_peer", "6", "ue", "null", "aes-gcm") as other:
            assert other.answer() == "ready"
            assert other.ask("install") != ue.ask("interface")
        ue.ask("send_udp", 10)
        assert pcscf.ask("receive_udp")[0] == 10
