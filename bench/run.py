"""Figures of speed, ours and a yardstick's measured side by side in one run.

Not a test: it prints what it found and which target is met, and ends 0. Started
by `make bench`, with PYTHONPATH=tests for the harness of the foreign programs.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import captures
import emulated_card
import explain_capture
import pytest
from interop.pcscd import Pcscd
from interop.program import Program, free_port
from measure import Figure, Rounds, interleaved, run, table
from sipp_peers import PROFILE, fake_registrar, sipp_registers

HERE = Path(__file__).resolve().parent
SIPUA = str(Path(sys.executable).with_name("sipua"))
BARE = (sys.executable, "-c", "pass")

START_ROUNDS = 40
REGISTER_ROUNDS = 25
LOOP_ROUNDS = 5
LOOP_COUNT = 400  # registrations in one closed loop
CPU_ROUNDS = 5
CPU_SHORT, CPU_LONG = 1000, 7000  # registrations; the difference is what counts
SIPP_SHORT, SIPP_LONG = 100, 700  # the same for SIPp with one call at a time, 250 a second
APDU_LIMIT = 16
SIPP_RATE = 2000  # calls a second
LASTING = "  with the card's state on disk"


class Bench:
    """What every figure needs: a folder of its own, a card, an environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not _is_ours(name)},
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        self._numbers = itertools.count()

    def new_card(self) -> str:
        """The path of a profile whose card has not been used: its SQN is 0."""
        path = self.folder / f"card{next(self._numbers)}" / "profile.toml"
        path.parent.mkdir()
        path.write_text(PROFILE)
        return str(path)

    @contextmanager
    def core(self) -> Iterator[int]:
        """Our registrar in a process of its own; gives its UDP port."""
        argv = [sys.executable, str(HERE / "serve_core.py"), self.new_card()]
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, env=self.environment, text=True
        ) as core:
            assert core.stdout is not None
            try:
                yield int(core.stdout.readline())
            finally:
                core.terminate()

    def loop_command(
        self, port: int, count: int, memory: str = "memory", rate: int = 0, trace: str = ""
    ) -> list[str]:
        """Our user agent with an unused card, registering ``count`` times; see there."""
        argv = [sys.executable, str(HERE / "register_loop.py"), self.new_card(), str(port)]
        return [*argv, str(count), memory, str(rate), trace]

    def loop_rate(self, port: int, count: int, memory: str = "memory", trace: str = "") -> float:
        """Registrations a second of our user agent, one after another."""
        argv = self.loop_command(port, count, memory, trace=trace)
        done = subprocess.run(
            argv, env=self.environment, capture_output=True, text=True, check=True
        )
        return count / float(done.stdout)


def _is_ours(name: str) -> bool:
    return name == "PYTHONPATH" or name.startswith("SIPUA_")


def version(bench: Bench) -> list[Figure]:
    """Start of ``sipua --version`` against that of the bare interpreter."""
    ours, bare = interleaved(
        START_ROUNDS,
        lambda: run([SIPUA, "--version"], bench.environment).wall,
        lambda: run(BARE, bench.environment).wall,
    )
    return [Figure("sipua --version", ms(ours), f"bare interpreter {ms(bare)}", ours / bare, 1.5)]


def register(bench: Bench) -> list[Figure]:
    """``sipua register`` as a whole process against the bare interpreter's start."""
    with bench.core() as port:
        argv = [SIPUA, "register", "--card", f"emulated:{bench.new_card()}"]
        argv += ["--pcscf", f"udp:127.0.0.1:{port}", "--json"]
        argv += ["--bind", f"127.0.0.1:{free_port()}"]  # one contact, registered anew
        ours, bare = interleaved(
            REGISTER_ROUNDS,
            lambda: run(argv, bench.environment).wall,
            lambda: run(BARE, bench.environment).wall,
        )
    return [Figure("sipua register", ms(ours), f"bare interpreter {ms(bare)}", ours / bare, 9)]


def closed_loop_at_core(bench: Bench) -> list[Figure]:
    """One registration after another at our registrar, against SIPp with one call at a time."""
    with bench.core() as port:
        return closed_loop(bench, port, "our core")


def closed_loop_at_sipp(bench: Bench) -> list[Figure]:
    """The same with SIPp as registrar."""
    with fake_registrar(3 * LOOP_ROUNDS * LOOP_COUNT) as port:
        return closed_loop(bench, port, "SIPp")


def closed_loop(bench: Bench, port: int, registrar: str) -> list[Figure]:
    """Rates of both at the registrar on ``port``."""

    def sipp() -> float:
        done = sipp_registers(port, LOOP_COUNT, "-l", "1", "-r", "10000")
        return done.registrations / done.cost.wall

    ours, lasting, theirs = interleaved(
        LOOP_ROUNDS,
        lambda: bench.loop_rate(port, LOOP_COUNT),
        lambda: bench.loop_rate(port, LOOP_COUNT, "disk"),
        sipp,
    )
    name, yardstick = f"closed loop at {registrar}", f"SIPp {theirs:.0f}/s"
    return [
        Figure(name, f"{ours:.0f}/s", yardstick, ours / theirs, 3, at_least=True),
        Figure(LASTING, f"{lasting:.0f}/s", yardstick, lasting / theirs),
    ]


def cpu(bench: Bench) -> list[Figure]:
    """CPU of one more registration: a long run less a short one, both of whole processes.

    How much a message costs depends on how often the process sleeps: one that waits
    for each answer wakes up for each, its caches cold, and on a virtual machine by way
    of the hypervisor. At 2000 a second SIPp begins eight calls every 4 ms and takes
    several messages for one waking-up; with one call at a time it costs three times as
    much itself. So the target is for both at 2000 a second, begun in the same ticks;
    both one after another are shown beside it. All take turns in each round, and the
    ratio is the median of the rounds' ratios, so that a machine that changes its pace
    meanwhile changes it for both.
    """

    def ours(memory: str = "memory", rate: int = 0) -> float:
        def spent(count: int) -> float:
            return run(bench.loop_command(port, count, memory, rate), bench.environment).cpu

        return (spent(CPU_LONG) - spent(CPU_SHORT)) / (CPU_LONG - CPU_SHORT)

    def sipp(short: int, long: int, *options: str) -> float:
        less, more = (sipp_registers(port, count, *options) for count in (short, long))
        return (more.cost.cpu - less.cost.cpu) / (more.registrations - less.registrations)

    at_rate, one_by_one = f"SIPp at {SIPP_RATE}/s", "SIPp one after another"
    nonces = CPU_ROUNDS * (4 * (CPU_SHORT + CPU_LONG) + SIPP_SHORT + SIPP_LONG)
    with fake_registrar(nonces) as port:
        rounds = Rounds(
            CPU_ROUNDS,
            {
                "at rate": lambda: ours(rate=SIPP_RATE),
                at_rate: lambda: sipp(CPU_SHORT, CPU_LONG, "-r", str(SIPP_RATE)),
                "one by one": ours,
                one_by_one: lambda: sipp(SIPP_SHORT, SIPP_LONG, "-l", "1", "-r", "10000"),
                "disk": lambda: ours("disk"),
            },
        )

    def figure(name: str, which: str, yardstick: str, target: float | None = None) -> Figure:
        theirs = f"{yardstick} {ms(rounds.median(yardstick))}"
        return Figure(
            name, ms(rounds.median(which)), theirs, rounds.ratio(which, yardstick), target
        )

    return [
        figure(f"CPU per registration at {SIPP_RATE}/s", "at rate", at_rate, 8),
        figure("  both one after another", "one by one", one_by_one),
        figure("  ours so, SIPp at its rate", "one by one", at_rate),
        figure(LASTING, "disk", one_by_one),
    ]


def apdus(bench: Bench) -> list[Figure]:
    """APDUs of a registration with an ISIM over PC/SC, from connect to disconnect."""
    card = bench.new_card()
    folder = bench.folder / "pcscd"
    folder.mkdir()
    pcscd = Pcscd(folder)
    pcscd.start()
    emulate = [SIPUA, "card", "emulate", card, "--vpcd", f"127.0.0.1:{pcscd.ports[0]}"]
    emulator = Program(emulate, folder / "emulate.log", env=bench.environment)
    try:
        emulator.wait_ready(lambda: "ready" in emulator.log)
        pcscd.wait_for_card()
        with bench.core() as port:
            argv = [SIPUA, "register", "--card", "pcsc", "--json"]
            argv += ["--pcscf", f"udp:127.0.0.1:{port}"]
            environment = {**bench.environment, "PCSCLITE_CSOCK_NAME": str(pcscd.socket_path)}
            done = subprocess.run(argv, env=environment, capture_output=True, check=True)
    finally:
        emulator.stop()
        pcscd.stop()
    count = json.loads(done.stdout)["card"]["apdus"]
    return [Figure("APDUs over PC/SC", str(count), f"{APDU_LIMIT} allowed", count / APDU_LIMIT, 1)]


def card(bench: Bench) -> list[Figure]:
    """The emulated card: AUTHENTICATE in process, APDUs through pcscd against a card that nods."""
    folder = bench.folder / "card"
    folder.mkdir()
    return emulated_card.figures(folder)


def tracing(bench: Bench) -> list[Figure]:
    """The closed loop at our registrar with and without a trace."""
    with bench.core() as port:
        return captures.tracing(
            bench.folder, lambda path: bench.loop_rate(port, captures.COUNT, trace=path)
        )


def reading(bench: Bench) -> list[Figure]:
    """A large capture, read once."""
    return captures.reading(bench.folder)


def explaining(bench: Bench) -> list[Figure]:
    """A large capture of registrations, explained."""
    return explain_capture.explaining(bench.folder)


def ms(seconds: float) -> str:
    """Seconds as milliseconds for people."""
    return f"{seconds * 1000:.3g} ms"


TAKEN = (
    *(version, register, closed_loop_at_core, closed_loop_at_sipp, cpu, apdus, card),
    *(tracing, reading, explaining),
)


def main() -> None:
    """Take every figure and print the table."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="sipua-bench-") as folder:
        bench = Bench(Path(folder))
        for take in TAKEN:
            print(f"… {(take.__doc__ or take.__name__).splitlines()[0]}", file=sys.stderr)
            try:
                figures += take(bench)
            except pytest.skip.Exception as reason:
                print(f"  left out: {reason}", file=sys.stderr)
    print(table(figures))


if __name__ == "__main__":
    main()
