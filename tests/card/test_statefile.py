"""The state file: locked, replaced whole, never silently reset."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from card.errors import StateError
from card.profile import load, shipped
from card.statefile import StateFile, default_path

PROJECT = Path(__file__).parents[2]
USIM = PROJECT / "fixtures" / "cards" / "usim.toml"


def test_what_was_saved_is_loaded_by_the_next_holder(tmp_path: Path) -> None:
    path = str(tmp_path / "card.state.json")
    with StateFile(path) as state:
        assert state.load() == {}
        state.save({"sqn": [1, 2, 3]})
    with StateFile(path) as state:
        assert state.load() == {"sqn": [1, 2, 3]}


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with StateFile(str(tmp_path / "a.json")) as state:
        state.save({"sqn": 1})
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_second_process_is_refused_and_told_who_holds_the_card(tmp_path: Path) -> None:
    path = str(tmp_path / "a.json")
    program = "import sys; from card.statefile import StateFile; StateFile(sys.argv[1])"
    with StateFile(path):
        result = subprocess.run(
            [sys.executable, "-c", program, path],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 1
        assert f"StateError: {path} is in use by process {os.getpid()};" in result.stderr
    subprocess.run([sys.executable, "-c", program, path], cwd=PROJECT, check=True)


def test_a_second_holder_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    path = str(tmp_path / "a.json")
    with StateFile(path), pytest.raises(StateError, match="in use"):
        StateFile(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"sqn": 1', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_reported_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with (
        StateFile(str(path)) as state,
        pytest.raises(StateError, match=r"a\.json is damaged.*copy"),
    ):
        state.load()
    assert path.read_bytes() == content


def test_a_folder_that_is_a_file_gives_our_own_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be locked"):
        StateFile(str(tmp_path / "file" / "a.json"))


def test_a_failed_save_leaves_the_old_state(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with StateFile(str(path)) as state:
        state.save({"sqn": 1})
        (tmp_path / "a.json.tmp").mkdir()
        with pytest.raises(StateError, match="cannot be written"):
            state.save({"sqn": 2})
        assert state.load() == {"sqn": 1}


def test_saving_after_close_is_refused(tmp_path: Path) -> None:
    state = StateFile(str(tmp_path / "a.json"))
    state.close()
    state.close()
    with pytest.raises(StateError, match="closed"):
        state.save({})


def test_kill_at_any_moment_leaves_a_whole_state_that_never_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    program = (
        "import sys; from card.statefile import StateFile\n"
        "state = StateFile(sys.argv[1]); n = state.load().get('n', 0); print(flush=True)\n"
        "while True:\n    n += 1; state.save({'n': n, 'pad': [n] * 200}); print(n, flush=True)\n"
    )
    rng = random.Random(31102)
    seen = 0
    for _ in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(path)], cwd=PROJECT, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.02))
        child.send_signal(signal.SIGKILL)
        printed = child.stdout.read().split()
        child.stdout.close()
        child.wait()
        if printed:
            seen = int(printed[-1])
        if path.exists():
            state = json.loads(path.read_bytes())
            assert state["n"] >= seen
            assert state["pad"] == [state["n"]] * 200
            seen = state["n"]
    assert seen > 20
    assert len(list(tmp_path.iterdir())) <= 3, "temporary files must not pile up"


def test_the_state_lives_beside_the_profile(tmp_path: Path) -> None:
    profile = load(str(USIM))._replace(path=str(tmp_path / "usim.toml"))
    assert default_path(profile) == str(tmp_path / "usim.state.json")
    assert default_path(profile, "auc") == str(tmp_path / "usim.auc.json")


def test_the_shipped_profile_keeps_its_state_in_the_xdg_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = default_path(shipped())
    assert path == str(tmp_path / "state/sipua/cards/8900101000000000001.state.json")
    with StateFile(path) as state:  # the folders are made
        state.save({})
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path(shipped()).startswith(str(tmp_path / ".local/state/sipua"))


def test_a_profile_in_a_folder_that_cannot_be_written_uses_the_xdg_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    profile = shipped()._replace(path="/proc/self/usim.toml")
    assert default_path(profile).startswith(str(tmp_path))
