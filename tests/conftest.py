"""Options of the test run as a whole."""

from __future__ import annotations

import pytest

pytest_plugins = ["sipua.pytest_plugin"]  # ours; an installed distribution brings it by itself


@pytest.fixture(autouse=True)
def _folders_of_this_test(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test reads or writes the state and configuration of who runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--card-iccid",
        metavar="ICCID",
        help="the one card which tests marked 'device' may touch",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave device tests out, rather than skip them, unless a card was named."""
    if config.getoption("--card-iccid"):
        return
    device = [item for item in items if item.get_closest_marker("device")]
    if device:
        config.hook.pytest_deselected(items=device)
        items[:] = [item for item in items if item not in device]
