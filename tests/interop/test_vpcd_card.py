"""The emulated card in the real pcscd, asked by programs that are not ours.

pcsc_scan judges the ATR; osmo-auc-gen (libosmocore) makes the vectors and takes
AUTS apart, so both sides of the arithmetic are not ours; the commands are sent
through libpcsclite without our own client.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from card.aka.conversion import kc_from_keys
from card.emulator.card import ATR
from card.profile import Authentication, load
from interop.pcscd import Pcscd
from interop.program import Program, required

PROJECT = Path(__file__).parents[2]
PROFILE = PROJECT / "fixtures" / "cards" / "isim.toml"
USIM = bytes.fromhex("A0000000871002FFFFFFFF8907090000")
ISIM = bytes.fromhex("A0000000871004FFFFFFFF8907090000")
RAND = bytes(range(16))

SHOW_CARD = """
import sys
from card.emulator.card import EmulatedCard
from card.emulator.vpcd import VpcdCard
from card.profile import load
from card.statefile import StateFile
card = EmulatedCard(load(sys.argv[1]), StateFile(sys.argv[2]))
VpcdCard(card, port=int(sys.argv[3])).run(lambda: print("ready", flush=True))
"""


class ShownCard:
    """An emulated card in the first virtual reader, in a process of its own."""

    def __init__(self, pcscd: Pcscd, directory: Path) -> None:
        self.pcscd = pcscd
        self.directory = directory
        self.reader = pcscd.readers[0]
        self.start()

    def start(self) -> None:
        self.program = Program(
            [
                *(sys.executable, "-c", SHOW_CARD, str(PROFILE)),
                *(str(self.directory / "isim.state.json"), str(self.pcscd.ports[0])),
            ],
            self.directory / "card.log",
            cwd=PROJECT,
        )
        self.program.wait_ready(lambda: "ready" in self.program.log)
        self.pcscd.wait_for_card()

    def pull(self) -> None:
        self.program.kill()
        self.pcscd.wait_for_card(present=False)


class PcscClient:
    """One connection through libpcsclite; nothing is followed or retried."""

    def __init__(self, reader: str) -> None:
        from smartcard import scard

        self._scard = scard
        result, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        assert result == scard.SCARD_S_SUCCESS, scard.SCardGetErrorMessage(result)
        result, self._card, self.protocol = scard.SCardConnect(
            self._context,
            reader,
            scard.SCARD_SHARE_EXCLUSIVE,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        assert result == scard.SCARD_S_SUCCESS, scard.SCardGetErrorMessage(result)

    def __enter__(self) -> PcscClient:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._scard.SCardDisconnect(self._card, self._scard.SCARD_UNPOWER_CARD)
        self._scard.SCardReleaseContext(self._context)

    def transmit(self, command: bytes) -> bytes:
        result, answer = self._scard.SCardTransmit(self._card, self.protocol, list(command))
        assert result == self._scard.SCARD_S_SUCCESS, self._scard.SCardGetErrorMessage(result)
        return bytes(answer)

    def warm_reset(self) -> None:
        scard = self._scard
        result, self.protocol = scard.SCardReconnect(
            self._card, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T0, scard.SCARD_RESET_CARD
        )
        assert result == scard.SCARD_S_SUCCESS, scard.SCardGetErrorMessage(result)

    def authenticate(self, autn: bytes) -> bytes:
        """The data of an AUTHENTICATE, fetched as T=0 wants it."""
        answer = self.transmit(bytes.fromhex("008800812210") + RAND + b"\x10" + autn)
        assert answer[0] == 0x61, answer.hex()
        answer = self.transmit(bytes.fromhex("00C00000") + answer[1:2])
        assert answer[-2:] == b"\x90\x00"
        return answer[:-2]


def osmo_auc_gen(authentication: Authentication, *options: str) -> dict[str, str]:
    """What libosmocore computes for RAND: {"AUTN": hex, "RES": hex, ...}."""
    answer = subprocess.run(
        [
            *(required("osmo-auc-gen", "libosmocore-utils"), "-3", "-a", "milenage"),
            *("-k", authentication.k.hex(), "-o", authentication.opc.hex()),
            *("-r", RAND.hex(), "-f", authentication.amf.hex(), *options),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.split(":", 1) for line in answer.stdout.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in rows}


def answer_of(vector: dict[str, str], with_kc: bool) -> bytes:
    """What the card must say to libosmocore's vector."""
    res, ck, ik = (bytes.fromhex(vector[name]) for name in ("RES", "CK", "IK"))
    kc = b"\x08" + bytes.fromhex(vector["Kc"]) if with_kc else b""
    return b"\xdb\x08" + res + b"\x10" + ck + b"\x10" + ik + kc


@pytest.fixture
def shown(pcscd: Pcscd, tmp_path: Path) -> Iterator[ShownCard]:
    shown = ShownCard(pcscd, tmp_path)
    yield shown
    shown.program.kill()
    pcscd.wait_for_card(present=False)


@pytest.fixture
def authentication() -> Authentication:
    return load(str(PROFILE)).authentication


def test_pcsc_scan_reads_a_correct_atr(shown: ShownCard) -> None:
    scan = subprocess.run(
        [required("pcsc_scan", "pcsc-tools"), "-t", "1"],
        env=shown.pcscd.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert ATR.hex(" ").upper() in scan.stdout
    assert "correct checksum" in scan.stdout
    assert "WRONG" not in scan.stdout.upper()


@pytest.mark.parametrize(("aid", "with_kc"), [(USIM, True), (ISIM, False)], ids=["usim", "isim"])
def test_the_card_answers_with_the_res_of_osmo_auc_gen(
    shown: ShownCard, authentication: Authentication, aid: bytes, with_kc: bool
) -> None:
    vector = osmo_auc_gen(authentication, "-s", "64")
    with PcscClient(shown.reader) as client:
        assert client.transmit(bytes.fromhex("00A4040C10") + aid) == b"\x90\x00"
        autn = bytes.fromhex(vector["AUTN"])
        assert client.authenticate(autn) == answer_of(vector, with_kc)
        assert kc_from_keys(*(bytes.fromhex(vector[n]) for n in ("CK", "IK"))).hex() == vector["Kc"]


def test_osmo_auc_gen_understands_auts_and_catches_up(
    shown: ShownCard, authentication: Authentication
) -> None:
    with PcscClient(shown.reader) as client:
        client.transmit(bytes.fromhex("00A4040C10") + ISIM)
        ahead = osmo_auc_gen(authentication, "-s", str(1 << 20))
        assert client.authenticate(bytes.fromhex(ahead["AUTN"]))[0] == 0xDB
        behind = osmo_auc_gen(authentication, "-s", "64")
        answer = client.authenticate(bytes.fromhex(behind["AUTN"]))
        assert answer[:2] == b"\xdc\x0e"
        opened = osmo_auc_gen(authentication, "-A", answer[2:].hex())
        assert opened["SQN.MS"] == str(1 << 20)
        assert client.authenticate(bytes.fromhex(opened["AUTN"])) == answer_of(opened, False)


def test_a_wrong_key_is_9862(shown: ShownCard, authentication: Authentication) -> None:
    vector = osmo_auc_gen(authentication._replace(k=bytes(16)), "-s", "64")
    command = bytes.fromhex("008800812210") + RAND + b"\x10" + bytes.fromhex(vector["AUTN"])
    with PcscClient(shown.reader) as client:
        client.transmit(bytes.fromhex("00A4040C10") + ISIM)
        assert client.transmit(command) == b"\x98\x62"


def test_power_bursts_and_resets_begin_at_the_mf(shown: ShownCard) -> None:
    for _ in range(8):
        with PcscClient(shown.reader) as client:
            assert client.transmit(bytes.fromhex("00A40004027FFF")) == b"\x6a\x82"
            assert client.transmit(bytes.fromhex("00A4040C10") + ISIM) == b"\x90\x00"
            client.warm_reset()
            assert client.transmit(bytes.fromhex("00A40004027FFF")) == b"\x6a\x82"
    assert shown.program.running


def test_no_apdu_waits_for_a_delayed_ack(shown: ShownCard) -> None:
    """Without TCP_QUICKACK each one takes 44 ms; with it 0.1 ms here."""
    taken = []
    with PcscClient(shown.reader) as client:
        for _ in range(50):
            started = time.perf_counter()
            assert client.transmit(bytes.fromhex("00B082000A"))[-2:] == b"\x90\x00"
            taken.append(time.perf_counter() - started)
    assert statistics.median(taken) < 0.020


def test_a_pulled_card_remembers_its_sqn(shown: ShownCard, authentication: Authentication) -> None:
    autn = bytes.fromhex(osmo_auc_gen(authentication, "-s", "64")["AUTN"])
    select = bytes.fromhex("00A4040C10") + ISIM
    with PcscClient(shown.reader) as client:
        client.transmit(select)
        assert client.authenticate(autn)[0] == 0xDB
    shown.pull()
    shown.start()
    with PcscClient(shown.reader) as client:
        client.transmit(select)
        assert client.authenticate(autn)[0] == 0xDC


def test_the_card_is_back_after_pcscd_was_restarted(shown: ShownCard) -> None:
    shown.pcscd.stop()
    shown.pcscd.start()
    shown.pcscd.wait_for_card()
    assert shown.program.running
    with PcscClient(shown.reader) as client:
        assert client.transmit(bytes.fromhex("00A4040C10") + ISIM) == b"\x90\x00"


def test_a_reader_that_holds_a_card_takes_no_second_one(shown: ShownCard, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    program = [sys.executable, "-c", SHOW_CARD, str(PROFILE), str(second / "a.state.json")]
    result = subprocess.run(
        [*program, str(shown.pcscd.ports[0])],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert "NoReader" in result.stderr
    assert "does not take the card" in result.stderr
