"""Network profiles: those that ship, what a file may hold, and what each fault is told as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.app import app
from cli.profile import profile
from cli.register import register
from cli.sms_send import send
from sipua.errors import LocalError
from sipua.profiles.network_profile import ProfileFault, load, names, parse

ABOUT = 'about = "a network"\n'

OF_SMS = frozenset({"service_centre", "psi"})
"""Keys whose options only ``sipua sms`` has."""


def options_of(command: Any) -> dict[str, Any]:
    """The values that a command would run with, by option."""
    return {parameter.name: parameter for parameter in command.params}


@pytest.mark.parametrize("name", names())
def test_what_ships_is_sound_and_means_options(name: str) -> None:
    found = load(name)
    assert found.name == name
    assert found.about
    assert found.sources
    known = options_of(register)
    for option, value in found.options.items():
        if option in known:
            context = register.make_context("register", [], resilient_parsing=True)
            known[option].type_cast_value(context, value)
        else:
            assert option in OF_SMS


def test_the_example_has_every_key() -> None:
    text = (Path(__file__).parents[2] / "sipua/profiles/carrier.toml").read_text()
    commented = [
        "domain",
        "user_agent",
        "access_network",
        "visited_network",
        "pcscf",
        "service_centre",
        "psi",
    ]
    for key in commented:
        text = text.replace(f"# {key}", key)
    options = parse(text).options
    assert set(options) - set(options_of(register)) == OF_SMS
    assert set(options_of(send)) >= set(options)
    assert options["scheme"] == "aka"
    assert options["mechanisms"].split(",")[0] == "hmac-sha-1-96/aes-cbc"
    assert options["headers"] == []
    assert len(options) == 24


def test_what_is_left_out_sets_nothing() -> None:
    assert parse(ABOUT).options == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "about: the key is missing"),
        (ABOUT + "colour = 1", ":2: colour: there is no such key here; see the example"),
        (ABOUT + "[identity]\napplication = 'sim'", ":3: identity.application: it must be one of"),
        (ABOUT + "[identity]\nimpu_index = 0", ":3: identity.impu_index: it must be a number"),
        (ABOUT + "[identity]\ndomain = 'a b'", ":3: identity.domain: it must be the name"),
        (ABOUT + "[register]\nexpires = -1", ":3: register.expires: it must be a number of sec"),
        (ABOUT + "[register]\nexpires = true", ":3: register.expires"),
        (ABOUT + "[register]\nheaders = ['x']", ":3: register.headers: each entry must be"),
        (ABOUT + '[register]\nheaders = ["A: b\\nC: d"]', ":3: register.headers"),
        (ABOUT + "[register]\nschemes = 'aka'", ":3: register.schemes: it must be a list"),
        (ABOUT + "[register]\nplain_res = 1", ":3: register.plain_res: it must be true or"),
        (ABOUT + "[register]\nuser_agent = ''", ":3: register.user_agent"),
        (ABOUT + "[transport]\nudp_limit = 100", ":3: transport.udp_limit: it must be"),
        (ABOUT + "[transport]\ntransport = 'sctp'", ":3: transport.transport"),
        (ABOUT + "[security]\nipsec = 'yes'", ":3: security.ipsec"),
        (ABOUT + "[security]\nmechanisms = ['aes']", ":3: security.mechanisms: each entry"),
        (ABOUT + "[services]\nservice_centre = '+49x'", ":3: services.service_centre"),
        (ABOUT + "[services]\npsi = 'http://x'", ":3: services.psi"),
        (ABOUT + "[services]\nsms = 1", ":3: services.sms: there is no such key"),
        (ABOUT + "identity = 1", ":2: identity: it must be a table"),
        ("about = ", "is not TOML"),
    ],
)
def test_faults_are_named_with_their_line(text: str, fault: str) -> None:
    with pytest.raises(ProfileFault) as caught:
        parse(text, file="lab.toml")
    assert fault in str(caught.value)
    assert "lab.toml" in str(caught.value)


def test_all_faults_at_once() -> None:
    text = ABOUT + "[transport]\nudp_limit = 1\n[identity]\nimpu_index = 'x'\n"
    with pytest.raises(ProfileFault) as caught:
        parse(text, file="f")
    assert [line.split(" ")[0] for line in str(caught.value).split("\n")] == [
        "f:3:",
        "f:5:",
    ]


def test_files_that_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="those that ship are carrier"):
        load("nonsense")
    with pytest.raises(ProfileFault, match="No such file"):
        load(str(tmp_path / "none.toml"))
    (tmp_path / "latin.toml").write_bytes(b'about = "\xe4"')
    with pytest.raises(ProfileFault, match="UTF-8"):
        load(str(tmp_path / "latin.toml"))


@settings(deadline=None)
@given(st.text(max_size=80))
def test_garbage(text: str) -> None:
    try:
        parse(text)
    except ProfileFault:
        return


# The command line ---------------------------------------------------------------------


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``register`` would run with, filled in by running it."""
    found: dict[str, Any] = {}

    def note(pin: str | None, verbose: int, **options: Any) -> None:
        found.update(options)
        raise LocalError("far enough")

    monkeypatch.setattr("cli.register.build_agent", note)
    monkeypatch.delenv("SIPUA_PROFILE", raising=False)
    return found


def run(*arguments: str, config: str | None = None, env: dict[str, str] | None = None) -> None:
    before = ["--config", config] if config is not None else ["--config", "/dev/null"]
    CliRunner().invoke(app, [*before, "register", *arguments], env=env)


def lab(tmp_path: Path) -> str:
    path = tmp_path / "lab.toml"
    path.write_text(
        ABOUT + "[register]\nexpires = 111\nalgorithm = 'none'\nheaders = ['X-Lab: 1']\n"
        "[transport]\nudp_limit = 555\n[identity]\nimpu_index = 2\n"
    )
    return str(path)


def test_a_profile_stands_below_everything_else(tmp_path: Path, taken: dict[str, Any]) -> None:
    config = tmp_path / "config.toml"
    config.write_text("expires = 222\n")
    run("--profile", lab(tmp_path), "--impu-index", "3", config=str(config))
    assert (taken["impu_index"], taken["expires"], taken["algorithm"]) == (3, 222, "none")
    assert taken["udp_limit"] == 555
    assert tuple(taken["headers"]) == ("X-Lab: 1",)
    assert "profile" not in taken


def test_a_profile_of_the_environment_and_of_the_configuration_file(
    tmp_path: Path, taken: dict[str, Any]
) -> None:
    run(env={"SIPUA_PROFILE": lab(tmp_path), "SIPUA_EXPIRES": "333"})
    assert (taken["expires"], taken["udp_limit"]) == (333, 555)
    taken.clear()
    config = tmp_path / "config.toml"
    config.write_text(f"profile = '{lab(tmp_path)}'\n")
    run(config=str(config))
    assert (taken["expires"], taken["udp_limit"]) == (111, 555)


def test_without_a_profile_nothing_changes(taken: dict[str, Any]) -> None:
    run()
    assert (taken["expires"], taken["udp_limit"], taken["algorithm"]) == (600000, 1300, "AKAv1-MD5")


def test_shown_and_listed(tmp_path: Path) -> None:
    listed = CliRunner().invoke(profile, ["list"])
    assert [line.split()[0] for line in listed.output.splitlines()] == names()
    shown = CliRunner().invoke(profile, ["show", lab(tmp_path)])
    assert shown.output.splitlines() == [
        "lab: a network",
        "  --impu-index 2",
        "  --algorithm none",
        "  --expires 111",
        "  --header 'X-Lab: 1'",
        "  --udp-limit 555",
    ]
    assert '"options"' in CliRunner().invoke(profile, ["show", "carrier", "--json"]).output
    assert '"about"' in CliRunner().invoke(profile, ["list", "--json"]).output
