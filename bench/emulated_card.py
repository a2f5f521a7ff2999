"""Figures of the emulated card: AUTHENTICATE in process, and APDUs through the real pcscd.

``run.py`` prints them with the others; alone: ``PYTHONPATH=tests python bench/emulated_card.py``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from interop.pcscd import Pcscd
from interop.program import Program
from measure import Figure, interleaved, table

from card.aka.algorithm import functions_of
from card.aka.vector import make_vector
from card.emulator.card import EmulatedCard
from card.profile import Profile, load
from card.statefile import StateFile

HERE = Path(__file__).resolve().parent
PROFILE = HERE.parent / "fixtures" / "cards" / "isim.toml"

RUNS, RUNS_ON_DISK = 5000, 500  # of AKA in one round
ROUNDS = 5
APDUS, APDU_ROUNDS = 200, 15
AIM = 20_000  # runs of AKA a second, in memory

SELECT_ISIM = bytes.fromhex("00A4040C10A0000000871004FFFFFFFF8907090000")
READ_ICCID = bytes.fromhex("00B082000A")


def authenticate(folder: Path) -> list[Figure]:
    """AUTHENTICATE and GET RESPONSE, with the SQN in memory and on disk."""
    profile = load(str(PROFILE))
    with StateFile(str(folder / "card.state.json")) as state:
        memory, disk = interleaved(
            ROUNDS,
            lambda: _aka_rate(profile, None, RUNS),
            lambda: _aka_rate(profile, state, RUNS_ON_DISK),
        )
    aim = f"{AIM}/s"
    return [
        Figure("AUTHENTICATE in process", f"{memory:.0f}/s", aim, memory / AIM, 1, at_least=True),
        Figure("  with the card's state on disk", f"{disk:.0f}/s", aim, disk / AIM),
    ]


def _aka_rate(profile: Profile, state: StateFile | None, runs: int) -> float:
    """Runs a second, none with a RAND that was used before; the AuC's work is not counted."""
    card = EmulatedCard(profile, state)
    functions = functions_of(profile.authentication)
    first = (card.state.sequence.sqn_ms | 0x1F) + 1
    commands = []
    for sqn in range(first, first + 32 * runs, 32):
        rand = os.urandom(16)
        autn = make_vector(functions, rand, sqn, b"\x80\x00").autn
        commands.append(bytes.fromhex("008800812210") + rand + b"\x10" + autn)
    card.transmit(SELECT_ISIM)
    begin = time.perf_counter()
    for command in commands:
        announced = card.transmit(command)
        answer = card.transmit(b"\x00\xc0\x00\x00" + announced[1:])
    seconds = time.perf_counter() - begin
    if answer[0] != 0xDB:
        raise RuntimeError(f"the last AUTHENTICATE was answered {answer[:1].hex()}")
    return runs / seconds


def round_trip(folder: Path) -> list[Figure]:
    """One APDU through pcscd and vpcd, against a card in the same process that says 9000."""
    pcscd = Pcscd(folder)
    os.environ["PCSCLITE_CSOCK_NAME"] = str(pcscd.socket_path)
    pcscd.start()
    argv = [sys.executable, str(HERE / "serve_cards.py"), str(PROFILE), str(pcscd.ports[0])]
    cards = Program(argv, folder / "cards.log", env={**os.environ, "PYTHONPATH": str(HERE.parent)})
    try:
        cards.wait_ready(lambda: "ready" in cards.log)
        pcscd.wait_for_card(0)
        pcscd.wait_for_card(1)
        ours, nodding = (_connect(reader) for reader in pcscd.readers)
        read, nod = interleaved(APDU_ROUNDS, lambda: ours(READ_ICCID), lambda: nodding(READ_ICCID))
    finally:
        cards.stop()
        pcscd.stop()
    yardstick = f"a card that nods {nod * 1e6:.0f} µs"
    return [Figure("APDU through pcscd", f"{read * 1e6:.0f} µs", yardstick, read / nod, 3)]


def _connect(reader: str) -> Callable[[bytes], float]:
    """Gives what measures: seconds for one APDU, the mean of many."""
    from smartcard import scard

    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    result, handle, protocol = scard.SCardConnect(
        context, reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0
    )
    if result != scard.SCARD_S_SUCCESS:
        raise RuntimeError(f"{reader}: {scard.SCardGetErrorMessage(result)}")

    def seconds(command: bytes) -> float:
        octets = list(command)
        begin = time.perf_counter()
        for _ in range(APDUS):
            result, answer = scard.SCardTransmit(handle, protocol, octets)
        mean = (time.perf_counter() - begin) / APDUS
        if result != scard.SCARD_S_SUCCESS or answer[-2:] != [0x90, 0x00]:
            raise RuntimeError(f"{reader} answered {result:#x} {bytes(answer).hex()}")
        return mean

    return seconds


def figures(folder: Path) -> list[Figure]:
    """Everything about the card; ``folder`` is empty and for this alone."""
    return [*authenticate(folder), *round_trip(folder)]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(table(figures(Path(scratch))))
