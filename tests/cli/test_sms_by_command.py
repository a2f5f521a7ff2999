"""``sipua sms`` as a person or a script runs it: two subscribers of the embedded network."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_calls_by_command import Running

from card.profile import Profile, load
from cli.app import run
from sipua.agent.call_report import CallReport
from sipua.agent.identity_module import CardChoice
from sipua.agent.texts.texter import EVENTS, Texter
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory
from sipua.result import RegistrationResult
from sipua.settings import AgentSettings
from sipua.verdict import Verdict

PATIENCE = 40.0
ALICE, BOB = "+15550100001", "+15550100002"
NOBODY = "+15550109999"

Documents = list[dict[str, Any]]


def card(folder: Path, name: str, number: str, digit: str, smsc: str = "+15550100099") -> Profile:
    """A card of the one that ships, with a number of its own."""
    text = (Path(__file__).parents[2] / "card/emulator/default.toml").read_text()
    text = text.replace("001010123456789", f"00101012345670{digit}")
    text = text.replace("8900101000000000001", f"890010100000000010{digit}")
    centre = f'smsc = "{smsc}"\n' if smsc else ""
    text = text.replace("# [usim]", f'[usim]\nmsisdn = "{number}"\n{centre}')
    path = folder / f"{name}.toml"
    path.write_text(text)
    return load(str(path))


class Scene:
    """Alice, Bob and their network; Bob may be listening, in a thread of his own."""

    def __init__(self, folder: Path, make_core: CoreFactory, **settings: Any) -> None:
        self.alice, self.bob = card(folder, "alice", ALICE, "1"), card(folder, "bob", BOB, "2")
        self.core: CoreServer = make_core(profiles=[self.alice, self.bob], **settings)
        self.reports: list[CallReport] = []
        self.result: RegistrationResult | None = None

    def options(self, profile: Profile, transport: str = "UDP") -> list[str]:
        return ["--card", f"emulated:{profile.path}", "--pcscf", str(self.core.hop(transport))]

    def bob_listens(self, count: int | None = None, transport: str = "UDP") -> Listening:
        return Listening(self, self.bob, count, transport)


class Listening:
    """A subscriber who takes texts in a thread; he is interrupted unless there is a ``count``."""

    def __init__(self, scene: Scene, profile: Profile, count: int | None, transport: str) -> None:
        settings = AgentSettings(pcscf=str(scene.core.hop(transport)))
        self.agent = Texter(CardChoice(f"emulated:{profile.path}"), settings)
        self._scene = scene
        self._count = count
        self._registered = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        with self.agent:
            self._scene.result = self.agent.listen(self._count, self._tell)
        self._registered.set()

    def _tell(self, report: CallReport) -> None:
        self._scene.reports.append(report)
        assert tuple(report.details) == EVENTS[report.event]
        if report.event == "registered":
            self._registered.set()

    def __enter__(self) -> Listening:
        self._thread.start()
        assert self._registered.wait(PATIENCE)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._count is not None:
            self._thread.join(PATIENCE)
        self.agent.interrupt()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.fixture
def scene(tmp_path: Path, sipua_core_factory: CoreFactory) -> Scene:
    return Scene(tmp_path, sipua_core_factory)


@pytest.fixture
def sipua(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Documents]]:
    """Runs a command line with --json; gives its exit status and all documents."""

    def command(*argv: str) -> tuple[int, Documents]:
        status = run([*argv, "--json"])
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        for each in told[:-1]:
            assert tuple(each)[3:] == EVENTS[each["event"]]
        return status, told

    return command


Sipua = Callable[..., tuple[int, Documents]]


def texts(scene: Scene) -> list[str]:
    return [report.details["text"] for report in scene.reports if report.event == "sms"]


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_text_goes_from_one_to_the_other_and_is_reported_on(
    scene: Scene, sipua: Sipua, transport: str
) -> None:
    options = scene.options(scene.alice, transport)
    with scene.bob_listens(1, transport):
        status, told = sipua("sms", "send", BOB, "Grüße €", *options, "--status-report", "30")
    assert status == 0
    end = told[-1]
    assert (end["verdict"], end["parts"], end["submitted"], end["delivered"]) == ("ok", 1, 1, 1)
    assert end["reports"] == ["received by the recipient"]
    assert [step["status"] for step in end["exchange"]][:3] == [401, 200, 202]
    (received,) = [report for report in scene.reports if report.event == "sms"]
    assert received.details["from"] == ALICE
    assert received.details["text"] == "Grüße €"
    assert (received.details["parts"], received.details["missing"]) == (1, 0)
    assert scene.result is not None
    assert scene.result.verdict is Verdict.DEREGISTERED


def test_a_long_text_in_another_script(scene: Scene, sipua: Sipua) -> None:
    text = "Съешь ещё этих мягких французских булок, да выпей чаю. 😀 " * 5
    with scene.bob_listens(1):
        status, told = sipua("sms", "send", BOB, text, *scene.options(scene.alice))
    assert status == 0
    assert told[-1]["parts"] == 5
    assert told[0]["event"] == "submitted"
    assert texts(scene) == [text]


def test_challenged_texts(tmp_path: Path, sipua_core_factory: CoreFactory, sipua: Sipua) -> None:
    """Every MESSAGE of both is challenged by 407, the acknowledgements too."""
    scene = Scene(tmp_path, sipua_core_factory, challenge={"MESSAGE": 407})
    options = scene.options(scene.alice)
    with scene.bob_listens(1):
        status, told = sipua("sms", "send", BOB, "hello", *options, "--status-report", "30")
    assert (status, told[-1]["delivered"]) == (0, 1)
    assert 407 in [step["status"] for step in told[-1]["exchange"]]
    assert texts(scene) == ["hello"]


def test_to_oneself(scene: Scene, sipua: Sipua) -> None:
    status, told = sipua(
        "sms", "send", ALICE, "me", *scene.options(scene.alice), "--status-report", "30"
    )
    assert (status, told[-1]["delivered"]) == (0, 1)
    assert [each["text"] for each in told if each.get("event") == "sms"] == ["me"]


@pytest.mark.parametrize(
    ("number", "cause", "words"),
    [(NOBODY, 1, "unassigned number"), (BOB, 27, "destination out of order")],
)
def test_who_is_not_there(scene: Scene, sipua: Sipua, number: str, cause: int, words: str) -> None:
    status, told = sipua("sms", "send", number, "hello", *scene.options(scene.alice))
    assert (status, told[-1]["verdict"], told[-1]["cause"]) == (30, "rejected", cause)
    assert words in told[-1]["reason"]
    assert told[-1]["submitted"] == 0


def test_flash(scene: Scene, sipua: Sipua) -> None:
    with scene.bob_listens(1):
        sipua("sms", "send", BOB, "now", *scene.options(scene.alice), "--flash")
    assert [each.details["flash"] for each in scene.reports if each.event == "sms"] == [True]


def test_nobody_reports(scene: Scene, sipua: Sipua, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bob's telephone takes the text, and its acknowledgement never leaves."""
    with scene.bob_listens() as bob:
        monkeypatch.setattr("sipua.sms.exchange.ShortMessages._acknowledge", lambda *_: None)
        options = scene.options(scene.alice)
        status, told = sipua("sms", "send", BOB, "hello", *options, "--status-report", "0.5")
        assert bob.agent is not None
    assert (status, told[-1]["verdict"], told[-1]["submitted"]) == (41, "timeout", 1)
    assert "delivery report" in told[-1]["reason"]


def test_a_card_without_a_service_centre(
    tmp_path: Path,
    sipua_core_factory: CoreFactory,
    sipua: Sipua,
    capsys: pytest.CaptureFixture[str],
) -> None:
    profile = card(tmp_path, "poor", ALICE, "3", smsc="")
    core = sipua_core_factory(profiles=[profile])
    options = ["--card", f"emulated:{profile.path}", "--pcscf", str(core.hop("UDP"))]
    assert run(["sms", "send", ALICE, "x", *options]) == 2
    assert "--service-centre" in capsys.readouterr().err
    for more in (["--service-centre", "+15550100099"], ["--psi", "sip:smsc@example.com"]):
        status, told = sipua("sms", "send", ALICE, "x", *options, *more)
        assert (status, told[-1]["verdict"]) == (0, "ok")


@pytest.mark.parametrize(
    ("more", "target"),
    [
        ([], "sip:centre@example.com"),
        (["--psi", "sip:other@example.com"], "sip:other@example.com"),
        (["--service-centre", "+15550100098"], "tel:+15550100098"),
    ],
)
def test_where_a_text_goes(
    tmp_path: Path,
    sipua_core_factory: CoreFactory,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    target: str,
) -> None:
    """To the URI that the card has in EF_PSISMSC, unless the user gives another."""
    path = Path(card(tmp_path, "alice", ALICE, "4").path)
    text = path.read_text()
    path.write_text(text.replace("\nsmsc =", '\npsismsc = "sip:centre@example.com"\nsmsc ='))
    core = sipua_core_factory(profiles=[load(str(path))])
    options = ["--card", f"emulated:{path}", "--pcscf", str(core.hop("UDP")), *more]
    assert run(["sms", "send", ALICE, "x", "-vv", *options]) == 0
    lines = capsys.readouterr().err.splitlines()
    sent = [line.strip() for line in lines if line.strip().startswith("MESSAGE ")]
    assert sent[0] == f"MESSAGE {target} SIP/2.0"


@pytest.mark.parametrize("number", ["sip:bob@example.com", "bob", "+"])
def test_what_is_no_number_costs_the_card_nothing(
    scene: Scene, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sms", "send", number, "x", *scene.options(scene.alice)]) == 2
    assert "no telephone number" in capsys.readouterr().err
    assert not scene.core.bindings("001010123456701@ims.mnc001.mcc001.3gppnetwork.org")


def test_as_people_read_it(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    alice = scene.options(scene.alice)
    assert run(["sms", "send", ALICE, "one\x1b[2J\ntwo", *alice, "--status-report", "30"]) == 0
    shown = capsys.readouterr().out
    assert "The service centre has it." in shown
    assert "Delivery report: received by the recipient" in shown
    assert "\n  one\\x1b[2J\n  two\n" in shown
    assert "\x1b" not in shown
    assert "The recipient has it." in shown


def test_a_registration_that_fails(scene: Scene, sipua: Sipua) -> None:
    scene.core.stop()
    status, told = sipua("sms", "send", BOB, "x", *scene.options(scene.alice), "--timeout", "1")
    assert status in (40, 41)
    assert (told[-1]["parts"], told[-1]["submitted"]) == (None, 0)


def test_a_text_by_sip_alone_is_told_too(scene: Scene) -> None:
    with scene.bob_listens():
        uri = "sip:001010123456702@ims.mnc001.mcc001.3gppnetwork.org"
        assert run(["message", uri, "plain", *scene.options(scene.alice)]) == 0
    (told,) = [report.details for report in scene.reports if report.event == "message"]
    assert told["text"] == "plain"


def test_dry_runs(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sms", "send", BOB, "x", *scene.options(scene.alice), "--dry-run"]) == 0
    assert run(["sms", "listen", *scene.options(scene.alice), "--dry-run"]) == 0
    assert "AUTHENTICATE" in capsys.readouterr().out


def test_listened_to_by_command(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    def send() -> None:
        deadline = time.monotonic() + PATIENCE
        bob = "001010123456702@ims.mnc001.mcc001.3gppnetwork.org"
        while not scene.core.bindings(bob) and time.monotonic() < deadline:
            time.sleep(0.02)
        settings = AgentSettings(pcscf=str(scene.core.hop("UDP")))
        with Texter(CardChoice(f"emulated:{scene.alice.path}"), settings) as alice:
            alice.send(BOB, "hello")

    thread = threading.Thread(target=send)
    thread.start()
    status = run(["sms", "listen", *scene.options(scene.bob), "--count", "1", "--json"])
    thread.join(PATIENCE)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert status == 0
    assert [each.get("event") for each in told] == ["registered", "sms", None]
    assert told[1]["text"] == "hello"
    assert told[2]["verdict"] == "deregistered"


def test_ctrl_c_deregisters(scene: Scene) -> None:
    running = Running("sms", "listen", *scene.options(scene.bob))
    try:
        running.wait_for("texts are taken")
        bob = "001010123456702@ims.mnc001.mcc001.3gppnetwork.org"
        assert scene.core.bindings(bob)
        running.process.send_signal(signal.SIGINT)
        assert running.ended() == 0
        assert not scene.core.bindings(bob)
    finally:
        running.process.kill()
