"""A full run with every output on, all of it searched for K, OPc, RES, CK, IK and the PIN."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from interop.subscription import Subscription, write_profile
from phones.answering import Answering

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from card.apdu import Command
from card.explanation import Key
from card.profile import Profile, load
from cli.app import run
from sipua.agent.identity_module import CardChoice
from sipua.agent.user_agent import UserAgent
from sipua.capture.captured import CapturedApdu
from sipua.capture.reader import apdus
from sipua.pytest_plugin import CoreFactory
from sipua.settings import AgentSettings

PIN, WRONG_PIN = "80426917", "31975208"
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
SCHEMES = ("aka", "umts", "digest-umts", "pgp-umts")
K, OPC = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"


class Run:
    """Commands on one card at one network; ``outputs`` is all that anybody could read of them,
    by where it stood; ``folder`` holds the files they wrote."""

    def __init__(
        self, folder: Path, alice: Subscription, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.alice = alice
        self.texts: dict[str, str] = {}
        self.statuses: list[int] = []
        self._capfd = capfd

    def __call__(self, *argv: str) -> int:
        self._capfd.readouterr()
        status = run(list(argv))
        shown = self._capfd.readouterr()
        name = f"{len(self.texts)}: sipua {' '.join(argv)}"
        self.texts[name] = shown.out + shown.err
        self.statuses.append(status)
        return status

    def at(self, command: str, hop: object, *more: str) -> int:
        """A command that uses the card and the network, traced."""
        trace = self.folder / f"{len(self.texts)}.pcapng"
        return self(
            command, *more, "--card", self.alice.card, "--pcscf", str(hop), "--trace", str(trace)
        )

    @property
    def traces(self) -> list[Path]:
        return sorted(self.folder.glob("*.pcapng"))

    @property
    def outputs(self) -> dict[str, bytes]:
        files = {str(path): path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        return files | {name: text.encode() for name, text in self.texts.items()}


@pytest.fixture
def alice(tmp_path: Path) -> Subscription:
    """A card that wants its PIN, in a folder which nobody searches."""
    folder = tmp_path / "cards"
    folder.mkdir()
    subscription = write_profile(folder, "001010000000021", DOMAIN)
    with subscription.path.open("a") as profile:
        profile.write(f'[pin]\npin1 = "{PIN}"\nenabled = true\npuk1 = "12345678"\n')
    return subscription


@pytest.fixture
def bob(tmp_path: Path) -> Subscription:
    return write_profile(tmp_path / "cards", "001010000000022", DOMAIN)


@pytest.fixture
def sipua(
    tmp_path: Path,
    alice: Subscription,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    folder = tmp_path / "outputs"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SIPUA_PIN", PIN)
    return Run(folder, alice, capfd)


def secrets(profile: Profile, traces: list[Path]) -> dict[str, bytes]:
    """K, OPc and PIN, and RES, CK and IK of each RAND that the card was asked about."""
    key = Key(profile)
    found = {"K": bytes.fromhex(K), "OPc": bytes.fromhex(OPC), "PIN": PIN.encode()}
    found |= {"PIN in BCD": bytes.fromhex(PIN), "the wrong PIN": WRONG_PIN.encode()}
    for trace in traces:
        for apdu in apdus(trace):
            rand = _rand(apdu)
            if rand:
                for name, value in zip(("RES", "CK", "IK"), key.expected(rand), strict=True):
                    found[f"{name} for {rand.hex()}"] = value
    return found


def _rand(apdu: CapturedApdu) -> bytes:
    return apdu.command[6:22] if apdu.command[1] == 0x88 else b""


def spellings(secret: bytes) -> Iterator[tuple[str, bytes]]:
    """Every way in which octets get into a text: as they are, in hexadecimal with and without
    gaps, in base64 at any place in a longer text; and each text's own octets in hexadecimal."""
    digits = [secret.hex(), secret.hex().upper(), secret.hex(" "), secret.hex(" ").upper()]
    if len(secret) > 4:
        yield "raw", secret
    for text in digits:
        if len(secret) > 4 or " " not in text:
            yield "hexadecimal", text.encode()
    yield "octets of hexadecimal", secret.hex().encode().hex(" ").encode()
    yield "octets of hexadecimal", secret.hex().upper().encode().hex(" ").encode()
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + secret).decode().rstrip("=")
        inner = text[(0, 2, 3)[shift] : len(text) - 1]
        if len(inner) >= 8:
            yield "base64", inner.encode()
            yield "base64 for URLs", inner.translate(str.maketrans("+/", "-_")).encode()


def found_in(outputs: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
    """Where a secret stands, and how it is spelled."""
    return [
        f"{name} as {spelled} in {where}"
        for name, secret in wanted.items()
        for spelled, octets in spellings(secret)
        for where, output in outputs.items()
        if octets in output
    ]


def agent(subscription: Subscription, hop: object) -> UserAgent:
    return UserAgent(CardChoice(subscription.card), AgentSettings(pcscf=str(hop)))


def everything(sipua: Run, alice: Subscription, bob: Subscription, network: CoreFactory) -> Profile:
    """Register out of step, message, call, be refused; every log; every reader of the traces."""
    profile = load(str(alice.path))
    profiles = [profile, load(str(bob.path))]
    core = network(profiles=profiles, faults=["sqn-behind"], challenge={"*": 407})
    hop = core.hop("UDP")
    (sipua.folder / "pin.txt").write_text(WRONG_PIN)  # first, while three tries are left
    assert sipua.at("register", hop, "--pin-file", "pin.txt", "-vvv") == 14
    (sipua.folder / "pin.txt").unlink()
    for level in ("-v", "-vv", "-vvv"):
        assert sipua.at("register", hop, level) == 0
        assert sipua.at("register", hop, level, "--json") == 0
    with Answering(agent(bob, hop)):
        assert sipua.at("message", hop, bob.impu, "hello", "-vvv", "--json") in (0, 30)
        assert sipua.at("call", hop, bob.impu, "--duration", "0", "-vvv", "--json") == 0
    assert sipua.at("register", hop, "--deregister", "-vvv") == 0
    assert sipua.at("register", hop, "--dry-run") == 13  # nothing is changed, no PIN is sent
    for scheme in SCHEMES[1:]:
        other = network(profiles=profiles, scheme=scheme)
        assert sipua.at("register", other.hop("UDP"), "-vvv", "--json") == 0
    wrong = network(profiles=profiles, faults=["wrong-mac"])
    assert sipua.at("register", wrong.hop("UDP"), "-vvv") == 20
    assert sipua("card", "info", "--card", alice.card, "-vvv") == 0
    assert sipua("card", "pin", "status", "--card", alice.card) == 0
    for trace in sipua.traces:
        read_by_all(sipua, trace, str(alice.path))
    return profile


def read_by_all(sipua: Run, trace: Path, profile: str) -> None:
    """Whatever of ours reads traces, with and without the key."""
    path = str(trace)
    for key in ((), ("--profile", profile)):
        assert sipua("explain", path, *key) in (0, 60)
        assert sipua("explain", path, *key, "--json") in (0, 60)
        assert sipua("replay", path, *key, "--json") in (0, 60)
        assert sipua("report", path, *key, "--force") == 0
    assert sipua("report", path, "--text") == 0
    assert sipua("report", path, "-o", f"{path}.svg") == 0


def test_a_full_run_shows_no_secret(
    sipua: Run, alice: Subscription, bob: Subscription, sipua_core_factory: CoreFactory
) -> None:
    profile = everything(sipua, alice, bob, sipua_core_factory)
    wanted = secrets(profile, sipua.traces)
    assert len(wanted) > 3 * 10  # ten runs of AKA at least
    assert len(sipua.outputs) > 100
    assert found_in(sipua.outputs, wanted) == []


def test_what_was_asked_for_with_secrets_is_found(
    sipua: Run, alice: Subscription, sipua_core_factory: CoreFactory
) -> None:
    """The search itself: it finds what the named options show."""
    profile = load(str(alice.path))
    core = sipua_core_factory(profiles=[profile])
    assert sipua.at("register", core.hop("UDP"), "--trace-secrets") == 0
    (trace,) = sipua.traces
    wanted = secrets(profile, sipua.traces)
    found = {each.split()[0] for each in found_in(sipua.outputs, wanted)}
    assert found == {"PIN", "RES", "CK", "IK"}
    read_by_all(sipua, trace, str(alice.path))
    hidden = {n: o for n, o in sipua.outputs.items() if not n.endswith(".pcapng")}
    assert found_in(hidden, wanted) == []  # what reads it does not pass it on
    assert sipua("report", str(trace), "--show-secrets", "--force") == 0
    assert sipua("explain", str(trace), "--show-secrets", "--profile", str(alice.path)) == 0
    shown = {n: o for n, o in sipua.outputs.items() if not n.endswith(".pcapng")}
    assert {each.split()[0] for each in found_in(shown, wanted)} == {"PIN", "RES", "CK", "IK"}


def failures(tmp_path: Path) -> Iterator[Callable[[], object]]:
    """What goes wrong with secrets at hand."""
    good = f'iccid = "8900"\nimsi = "001010000000021"\n[authentication]\nk = "{K}"\nopc = "{OPC}"\n'
    broken = (
        good.replace(K, K + "00"),
        good.replace(K, f"zz{K[2:]}"),
        good.replace(f'"{OPC}"', f"{OPC}"),
        good.replace("opc", "opx"),
        f'{good}[pin]\npin1 = "{PIN}9"\n',
        f"{good}[pin]\npin1 = {PIN}\n",
    )
    for number, text in enumerate(broken):
        path = tmp_path / f"broken{number}.toml"
        path.write_text(text)
        yield lambda path=str(path): load(path)  # type: ignore[misc]
        yield lambda path=str(path): run(  # type: ignore[misc]
            ["register", "--card", f"emulated:{path}"]
        )


def test_exceptions_show_no_secret(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    texts: dict[str, bytes] = {}
    for number, fail in enumerate(failures(tmp_path)):
        try:
            fail()
        except Exception as error:
            lines = traceback.format_exception_only(error)
            texts[str(number)] = f"{error} {error!r} {lines} {error.__cause__!r}".encode()
    shown = capfd.readouterr()
    texts["printed"] = (shown.out + shown.err).encode()
    assert len(texts) >= 6
    wanted = {"K": bytes.fromhex(K), "OPc": bytes.fromhex(OPC), "PIN": PIN.encode()}
    assert found_in(texts, wanted) == []


def test_no_repr_shows_a_secret(alice: Subscription) -> None:
    profile = load(str(alice.path))
    key = Key(profile)
    rand = bytes(16)
    res, ck, ik = key.expected(rand)
    verify = Command(0, 0x20, 0, 1, PIN.encode())
    choice = CardChoice(alice.card, pin=PIN)
    things = (
        *(profile, profile.authentication, profile.pin, key, verify, choice),
        *(AkaResponse(res, ck, ik), MacFailure(), SynchronisationFailure(bytes(14))),
        CapturedApdu(0.0, verify.to_bytes(), b"\x90\x00"),
    )
    shown = {type(each).__name__: f"{each!r} {each}".encode() for each in things}
    wanted = {"K": bytes.fromhex(K), "OPc": bytes.fromhex(OPC), "PIN": PIN.encode()}
    assert found_in(shown, wanted | {"RES": res, "CK": ck, "IK": ik}) == []


def test_the_search_finds_every_spelling() -> None:
    secret = bytes.fromhex(K)
    for shown in (
        secret,
        K.encode(),
        K.upper().encode(),
        base64.b64encode(secret),
        base64.b64encode(b"x" + secret + b"yz"),
        base64.urlsafe_b64encode(b"xx" + secret),
        secret.hex(" ").encode(),
        K.encode().hex(" ").encode(),
    ):
        assert found_in({"x": b"..." + shown + b"..."}, {"K": secret})
