"""Traces of our own runs against our own network, every fault of it explained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from card.profile import Profile
from cli.app import run
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory

Explain = Callable[..., dict[str, Any]]


def trace_of(core: CoreServer, profile: Profile, path: Path, *more: str, via: str = "UDP") -> Path:
    """Register once and keep what was said."""
    run(
        [
            *("register", "--card", f"emulated:{profile.path}", "--timeout", "5"),
            *("--pcscf", str(core.hop(via)), "--trace", str(path), *more, "--json"),
        ]
    )
    return path


def wrong_in(found: dict[str, Any]) -> list[str]:
    return [f["code"] for each in found["dialogs"] for f in each["findings"] if f["wrong"]]


@pytest.mark.parametrize("via", ["UDP", "TCP"])
@pytest.mark.parametrize(
    "algorithm", ["AKAv1-MD5", "AKAv2-SHA-256", "umts", "digest-umts", "pgp-umts"]
)
@pytest.mark.parametrize("secrets", [False, True])
def test_a_registration_in_each_scheme(
    algorithm: str,
    via: str,
    secrets: bool,
    explain: Explain,
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    tmp_path: Path,
) -> None:
    if algorithm.startswith("AKA"):
        core = sipua_core_factory(algorithm=algorithm)
    else:
        core = sipua_core_factory(scheme=algorithm)
    more = ["--trace-secrets"] if secrets else []
    path = trace_of(core, sipua_card_profile, tmp_path / "t.pcapng", *more, via=via)
    found = explain(path, "--profile", sipua_card_profile.path)
    assert wrong_in(found) == []
    (dialog,) = found["dialogs"]
    (challenge,) = dialog["challenges"]
    assert challenge["autn"]["mac"] == "right"
    assert dialog["transport"] == via
    assert challenge["card"]["answer"] == "RES"
    masked = not algorithm.startswith("AKA") and not secrets
    assert challenge["answers"][0]["checked"] == ("not checked" if masked else "right")
    assert dialog["exchanges"][-1]["status"] == 200


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("wrong-mac", ["mac-failure", "mac-wrong"]),
        ("sqn-behind", []),
        ("sqn-always-behind", ["auts-ignored", "sqn-not-fresh"]),
        ("md5", ["no-aka-offered"]),
        ("bad-nonce", ["bad-challenge"]),
        ("403", ["rejected-before-challenge"]),
        ("421", ["security-agreement"]),
        ("500", ["server-error"]),
        ("challenge-loop", ["challenge-loop"]),
    ],
)
def test_each_fault_of_the_network(
    fault: str,
    codes: list[str],
    explain: Explain,
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    tmp_path: Path,
) -> None:
    core = sipua_core_factory(faults=[fault])
    path = trace_of(core, sipua_card_profile, tmp_path / "t.pcapng")
    found = explain(path, "--profile", sipua_card_profile.path)
    assert sorted(set(wrong_in(found))) == codes
    assert found["exit_status"] == (60 if codes else 0)


def test_its_own_json(
    explain: Explain,
    sipua_core_factory: CoreFactory,
    sipua_card_profile: Profile,
    capsys: pytest.CaptureFixture[str],
) -> None:
    core = sipua_core_factory(faults=["wrong-mac"])
    run(["register", "--card", f"emulated:{sipua_card_profile.path}", "--pcscf",
         str(core.hop("UDP")), "--json"])  # fmt: skip
    document = capsys.readouterr().out
    found = explain(document)
    assert wrong_in(found) == ["mac-failure"]
    (dialog,) = found["dialogs"]
    assert dialog["impi"] == json.loads(document)["impi"]
    assert [each["status"] for each in dialog["exchanges"]] == [401, 403]
