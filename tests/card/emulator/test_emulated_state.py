"""What an emulated card must never forget, and what it must never do: raise."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from raw_terminal import ISIM, USIM, Terminal, fixture_card

from card.aka.algorithm import functions_of
from card.aka.vector import make_vector
from card.emulator.card import EmulatedCard
from card.errors import StateError
from card.statefile import StateFile

PROJECT = Path(__file__).parents[3]
RAND = bytes(16)

# A card that runs AKA as fast as it can, telling each SQN it has answered.
ENDLESS_AKA = """
import sys
from card.aka.algorithm import functions_of
from card.aka.vector import make_vector
from card.emulator.card import EmulatedCard
from card.profile import load
from card.statefile import StateFile
profile = load(sys.argv[1])
card = EmulatedCard(profile, StateFile(sys.argv[2]))
functions = functions_of(profile.authentication)
card.transmit(bytes.fromhex("00A4040C07A0000000871002"))
sqn = card.state.sequence.sqn_ms
print(sqn, flush=True)
while True:
    sqn += 33
    autn = make_vector(functions, bytes(16), sqn, bytes(2)).autn
    answer = card.transmit(bytes.fromhex("0088008122 10") + bytes(16) + b"\\x10" + autn)
    assert answer == bytes.fromhex("612C"), answer.hex()
    print(sqn, flush=True)
"""


def autn(sqn: int) -> bytes:
    """A right AUTN for the card in fixtures/cards/isim.toml."""
    functions = functions_of(fixture_card("isim").authentication)
    return make_vector(functions, RAND, sqn, b"\x80\x00").autn


def run_aka(card: EmulatedCard, sqn: int) -> bytes:
    """The first answer to AUTHENTICATE with this SQN on the ISIM."""
    card.transmit(bytes.fromhex("00A4040C10" + ISIM))
    return card.transmit(bytes.fromhex("0088008122 10") + RAND + b"\x10" + autn(sqn))


def test_the_sqn_outlasts_the_card(tmp_path: Path) -> None:
    path = str(tmp_path / "isim.state.json")
    with StateFile(path) as state:
        assert run_aka(EmulatedCard(fixture_card("isim"), state), 64) == b"\x61\x2c"
    with StateFile(path) as state:
        card = EmulatedCard(fixture_card("isim"), state)
        assert run_aka(card, 64) == b"\x61\x10", "used before"
        assert run_aka(card, 65) == b"\x61\x2c"


def test_the_sqn_is_stored_before_the_answer_leaves(tmp_path: Path) -> None:
    path = tmp_path / "isim.state.json"
    with StateFile(str(path)) as state:
        card = EmulatedCard(fixture_card("isim"), state)
        run_aka(card, 96)
        assert max(json.loads(path.read_bytes())["sqn"]) == 96


def test_a_card_that_cannot_store_gives_no_res(tmp_path: Path) -> None:
    path = tmp_path / "isim.state.json"
    with StateFile(str(path)) as state:
        card = EmulatedCard(fixture_card("isim"), state)
        (tmp_path / "isim.state.json.tmp").mkdir()
        with pytest.raises(StateError, match="cannot be written"):
            run_aka(card, 32)
        assert card.transmit(bytes.fromhex("00C0000000")) == b"\x69\x85"


def test_kill_never_turns_the_sqn_back(tmp_path: Path) -> None:
    path = tmp_path / "usim.state.json"
    profile = PROJECT / "fixtures" / "cards" / "usim.toml"
    rng = random.Random(33102)
    highest = answered = 0
    for _ in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", ENDLESS_AKA, str(profile), str(path)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        assert int(child.stdout.readline()) >= highest, "the card started where it stood, or later"
        time.sleep(rng.uniform(0.0, 0.02))
        child.send_signal(signal.SIGKILL)
        told, complaint = child.communicate()
        assert complaint == b""
        lines = told.split(b"\n")[:-1]
        answered += len(lines)
        if lines:
            highest = max(highest, int(lines[-1]))
    assert answered > 5  # else it was killed before it worked
    assert max(json.loads(path.read_bytes())["sqn"]) >= highest


# A card whose PINs and files change as fast as they can, telling each change it has answered.
ENDLESS_CHANGES = """
import itertools, sys
from card.emulator.card import EmulatedCard
from card.profile import load
from card.statefile import StateFile
card = EmulatedCard(load(sys.argv[1]), StateFile(sys.argv[2]))
pin = b"%08d" % int(sys.argv[3])
for turn in itertools.count(int(sys.argv[3]) + 1):
    new = b"%08d" % turn
    assert card.transmit(b"\\x00\\x24\\x00\\x01\\x10" + pin + new) == b"\\x90\\x00"
    print("pin", turn, flush=True)
    pin = new
    wrong = card.transmit(b"\\x00\\x20\\x00\\x01\\x08" + b"%08d" % 0)
    assert wrong == b"\\x63\\xc2"
    print("tries", 2, flush=True)
    card.transmit(b"\\x00\\x20\\x00\\x01\\x08" + pin)
    print("tries", 3, flush=True)
    command = b"\\x00\\xd6\\x85\\x00\\x02" + turn.to_bytes(2, "big")
    assert card.transmit(command) == b"\\x90\\x00"
    print("file", turn, flush=True)
"""


def test_kill_never_loses_a_pin_a_try_or_an_update(tmp_path: Path) -> None:
    """What was answered is kept; of what was not, the old or the new, never a mixture."""
    path = tmp_path / "gba.state.json"
    profile = PROJECT / "fixtures" / "cards" / "gba.toml"
    with StateFile(str(path)) as state:
        terminal = Terminal(fixture_card("gba"), state)
        first = (b"%08d" % 1).hex()
        assert terminal.send(f"0024000110 32343638FFFFFFFF {first}") == "9000"
        assert terminal.send("00D6850002 0001") == "9000"
    rng = random.Random(7816)
    turn = written = 1
    changes = 0
    for _ in range(10):
        child = subprocess.Popen(
            [sys.executable, "-c", ENDLESS_CHANGES, str(profile), str(path), str(turn)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        begin = child.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.02))
        child.send_signal(signal.SIGKILL)
        told, complaint = child.communicate()
        assert complaint == ""
        lines = [line.split() for line in (begin + told).split("\n")[:-1]]
        changes += len(lines)
        last = {kind: int(value) for kind, value in lines}
        tries = [int(value) for kind, value in lines if kind == "tries"]
        written = last.get("file", written)
        with StateFile(str(path)) as state:
            terminal = Terminal(fixture_card("gba"), state)
            left = int(terminal.send("0020000100")[-1])
            # a try is spent before the PIN is compared: one answered and one in the air
            assert left in ({3, 2, 1} if not tries or tries[-1] == 2 else {3, 2})
            turn = int(json.loads(path.read_bytes())["pin1"])
            assert turn in (last["pin"], last["pin"] + 1)
            assert terminal.send(f"0020000108{(b'%08d' % turn).hex()}") == "9000"
            content = int(terminal.send("00B0850002")[:4], 16)
            assert content in (written, last["pin"])
            written = content
    assert changes > 5  # else it was killed before it worked


def test_a_second_process_cannot_use_the_same_card(tmp_path: Path) -> None:
    path = tmp_path / "usim.state.json"
    profile = PROJECT / "fixtures" / "cards" / "usim.toml"
    with StateFile(str(path)):
        result = subprocess.run(
            [sys.executable, "-c", ENDLESS_AKA, str(profile), str(path)],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    assert "StateError" in result.stderr
    assert "is in use by process" in result.stderr


GOOD: dict[str, Any] = {
    "iccid": "8900101000000000004",
    "sqn": [0] * 32,
    "pin1": "1234",
    "pin1_enabled": False,
    "pin1_tries": 3,
    "puk1_tries": 10,
}


@pytest.mark.parametrize(
    "change",
    [
        {"iccid": "8900101000000000009"},
        {"iccid": None},
        {"sqn": [0] * 31},
        {"sqn": [0] * 33},
        {"sqn": [-1] * 32},
        {"sqn": [1 << 48] * 32},
        {"sqn": 0},
        {"sqn": ["0"] * 32},
        {"pin1": "12"},
        {"pin1": 1234},
        {"pin1_tries": 4},
        {"pin1_tries": True},
        {"puk1_tries": None},
        {"pin1_enabled": "no"},
    ],
    ids=str,
)
def test_a_state_that_cannot_be_right_is_not_used(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "a.state.json"
    for state, good in ((GOOD, True), (GOOD | change, False)):
        path.write_text(json.dumps(state))
        with StateFile(str(path)) as file:
            if good:
                EmulatedCard(fixture_card("isim"), file)
            else:
                with pytest.raises(StateError, match=r"a\.state\.json is damaged"):
                    EmulatedCard(fixture_card("isim"), file)
        assert json.loads(path.read_text()) == state
    short = {key: value for key, value in GOOD.items() if key not in change}
    path.write_text(json.dumps(short))
    with StateFile(str(path)) as file, pytest.raises(StateError, match="damaged"):
        EmulatedCard(fixture_card("isim"), file)


@pytest.mark.parametrize("name", ["isim", "pin"])
def test_ten_thousand_garbage_commands_give_a_status_word_each(name: str) -> None:
    rng = random.Random(7816)
    terminal = Terminal(fixture_card(name))
    instructions = bytes.fromhex("20242628 2C7088A4B0B2C0F2")
    references = [b"", *map(bytes.fromhex, ("3F00", "7FFF", "6F07", "2F00", USIM, ISIM))]
    seen = set()
    for _ in range(10_000):
        kind = rng.randrange(4)
        if kind == 0:
            command = rng.randbytes(rng.randrange(300))
        elif kind == 1:  # a command that exists, with anything behind it
            head = bytes([rng.choice((0, 0, 0, 0x80)), rng.choice(instructions)])
            command = head + rng.randbytes(rng.randrange(40))
        elif kind == 2:  # a right frame around anything
            data = rng.randbytes(rng.choice((1, 2, 8, 16, 17, 34)))
            head = bytes([0, rng.choice(instructions), 0, rng.choice((1, 0x81, 0x80, 4, 0x0C))])
            command = head + bytes([len(data)]) + data
        else:
            data = rng.choice(references)
            head = bytes([0, 0xA4, rng.choice((0, 3, 4, 8, 9)), rng.choice((4, 12, 0))])
            command = head + bytes([len(data)]) + data
        answer = terminal.card.transmit(command)
        assert 2 <= len(answer) <= 258
        assert answer[-2] in (0x61, 0x62, 0x63, *range(0x65, 0x70), 0x90, 0x98), answer.hex()
        seen.add(answer[-2:])
    assert len(seen) > 15, "the garbage reached many corners"
    assert terminal.card.transmit(bytes.fromhex("00A40004023F00"))[0] == 0x61
