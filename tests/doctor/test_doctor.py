"""The examination: each thing that can be wrong is made wrong, and found."""

from __future__ import annotations

import json
import time
from importlib import metadata
from pathlib import Path

import pytest
from net.certificates import Authority

from card.errors import NoReader
from card.profile import Profile
from cli.app import run
from sipua.agent.identity_module import CardChoice
from sipua.core.server import CoreServer
from sipua.doctor import readers, software
from sipua.doctor.examination import examine
from sipua.doctor.finding import FAILED, NOT_TRIED, OK, WARNING, Finding
from sipua.errors import LocalError
from sipua.pytest_plugin import CoreFactory
from sipua.settings import AgentSettings


def examined(profile: Profile, pin: str | None = None, **settings: object) -> dict[str, Finding]:
    """The findings by subject."""
    register = bool(settings.pop("register", False))
    choice = CardChoice(f"emulated:{profile.path}", pin=pin)
    wanted = AgentSettings(**settings)  # type: ignore[arg-type]
    return {each.subject: each for each in examine(choice, wanted, register=register)}


def states(found: dict[str, Finding], state: str) -> set[str]:
    return {subject for subject, finding in found.items() if finding.state == state}


def test_all_is_well(sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    hop = sipua_core.hop("UDP")
    found = examined(sipua_card_profile, pcscf=str(hop), register=True)
    assert states(found, FAILED) == set()
    assert found["REGISTER"].told == "registered: The registrar accepted the registration."
    assert found[f"OPTIONS by {hop}"].told.startswith("200 OK in ")
    assert found[f"route to {hop}"].told == "from 127.0.0.1"
    assert found["path MTU"].state == OK
    assert found["IMPI and IMSI"].state == OK
    assert found["applications"].told == "USIM and ISIM"


def test_nothing_is_asked_of_the_card_that_costs_something(
    sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    found = examined(sipua_card_profile, pcscf=str(sipua_core.hop("UDP")))
    assert found["REGISTER"].state == NOT_TRIED
    assert sipua_card_profile.isim is not None
    assert sipua_core.bindings(sipua_card_profile.isim.impi) == []
    state = list(Path(sipua_card_profile.path).parent.glob("*state*"))
    assert all("authentications" not in each.read_text() for each in state)


def test_software(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(name: str) -> str:
        if name in {"rich", "pyscard"}:
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(metadata, "version", lacks)
    monkeypatch.setattr("sys.version_info", (3, 10, 0))
    found = {each.subject: each for each in software.examine(now=0)}
    assert states(found, FAILED) == {"Python", "rich", "clock"}
    assert states(found, WARNING) == {"pyscard"}
    assert "sipua-usim[pcsc]" in found["pyscard"].remedy
    assert "1970" in found["clock"].told
    assert {each.subject: each for each in software.examine()}["clock"].state == OK


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        ("there is no PC/SC service: is pcscd running?", "systemctl start pcscd"),
        ("this user may not use the PC/SC service (polkit refuses)", "polkit"),
        ("stopped: and of the same version as libpcsclite", "one version"),
        ("pyscard is not installed", "sipua-usim[pcsc]"),
    ],
)
def test_no_service(monkeypatch: pytest.MonkeyPatch, told: str, remedy: str) -> None:
    def fail() -> list[object]:
        raise NoReader(told)

    monkeypatch.setattr(readers, "list_readers", fail)
    (finding,) = readers.examine()
    assert (finding.state, finding.told) == (FAILED, told)
    assert remedy in finding.remedy


def locked(profile: Profile) -> Profile:
    path = Path(profile.path)
    path.write_text(path.read_text().replace("enabled = false", "enabled = true"))
    return profile


def test_a_locked_card(sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    locked(sipua_card_profile)
    pcscf = str(sipua_core.hop("UDP"))
    found = examined(sipua_card_profile, pcscf=pcscf)
    assert found["PIN1"].told == "asked for, 3 tries left"
    assert "--pin-file" in found["PIN1"].remedy
    assert found["IMPI"].state == FAILED
    assert found["REGISTER"].told == "there is no identity"
    found = examined(sipua_card_profile, pin="1234", pcscf=pcscf)
    assert (found["PIN1"].state, found["IMPI"].state) == (OK, OK)
    found = examined(sipua_card_profile, pin="9999", pcscf=pcscf)
    assert found["card"].state == FAILED
    assert "PIN" in found["card"].told


def test_an_isim_of_another_imsi(sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    path = Path(sipua_card_profile.path)
    path.write_text(path.read_text().replace('impi = "001010123456789', 'impi = "001010999999999'))
    found = examined(sipua_card_profile, pcscf=str(sipua_core.hop("UDP")))
    assert found["IMPI and IMSI"].state == WARNING
    assert "001010999999999" in found["IMPI and IMSI"].told


def test_a_card_without_isim(sipua_core: CoreServer, sipua_card_profile: Profile) -> None:
    path = Path(sipua_card_profile.path)
    text = path.read_text()
    isim, pin = text.index("[isim]"), text.index("[pin]")
    path.write_text(text[:isim] + text[pin:])
    found = examined(sipua_card_profile, pcscf=str(sipua_core.hop("UDP")))
    assert "from the IMSI" in found["IMPI"].told
    assert found["applications"].told == "USIM"


def test_names_that_lead_nowhere(sipua_card_profile: Profile) -> None:
    found = examined(sipua_card_profile, nameserver=("127.0.0.1", 9))
    name = "pcscf.ims.mnc001.mcc001.3gppnetwork.org"
    assert found[name].state == FAILED
    assert "resolver" in found[name].remedy
    assert "--pcscf" in found[name].remedy


def test_nobody_listens(sipua_card_profile: Profile) -> None:
    found = examined(sipua_card_profile, pcscf="udp:127.0.0.1:9")
    assert found["OPTIONS by udp:127.0.0.1:9"].state == FAILED
    assert found["OPTIONS by tcp:127.0.0.1:9"].state == WARNING
    assert found["P-CSCF"].told == "none answers"


def test_a_silent_network(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipua.doctor.way.PATIENCE", 0.3)
    core = sipua_core_factory(faults=["silence"])
    hop = core.hop("UDP")
    found = examined(sipua_card_profile, pcscf=str(hop))
    assert found[f"OPTIONS by {hop}"].told == "no answer within 0.3 s"
    assert found[f"OPTIONS by {hop}"].state == WARNING
    assert "firewall" in found[f"OPTIONS by {hop}"].remedy


def test_a_registration_that_fails(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile
) -> None:
    core = sipua_core_factory(faults=["wrong-mac"])
    found = examined(sipua_card_profile, pcscf=str(core.hop("UDP")), register=True)
    assert found["REGISTER"].state == FAILED
    assert found["REGISTER"].told.startswith("mac-failure: ")
    assert "OPc" in found["REGISTER"].remedy


def test_a_small_path_mtu(
    sipua_core: CoreServer, sipua_card_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipua.doctor.way.path_mtu", lambda hop: 1280)
    found = examined(sipua_card_profile, pcscf=str(sipua_core.hop("UDP")))
    assert (found["path MTU"].state, found["path MTU"].told) == (WARNING, "1280 octets")


def test_clocks_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    from sipua.doctor.way import _skew

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 4000)
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))
    assert _skew(date).state == WARNING
    assert "behind ours" in _skew(date).told
    monkeypatch.setattr(time, "time", lambda: now)
    assert _skew(date).state == OK
    assert _skew("never").state == WARNING


def test_a_pcscf_that_cannot_be_meant(sipua_card_profile: Profile) -> None:
    with pytest.raises(LocalError):
        examined(sipua_card_profile, pcscf="udp:a b:5060")


def test_tls_that_is_not_trusted(
    sipua_core_factory: CoreFactory, sipua_card_profile: Profile, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    core = sipua_core_factory(listen=["TLS"], tls=authority.issue(["127.0.0.1"]))
    hop = core.hop("TLS")
    found = examined(sipua_card_profile, pcscf=str(hop))
    assert found[f"OPTIONS by {hop}"].state == FAILED
    assert "certificate" in found[f"OPTIONS by {hop}"].told
    found = examined(sipua_card_profile, pcscf=str(hop), ca_file=str(authority.file))
    assert found[f"OPTIONS by {hop}"].state == OK


# The command --------------------------------------------------------------------------


def test_the_command(
    sipua_core: CoreServer, sipua_card_profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["doctor", "--card", f"emulated:{sipua_card_profile.path}"]
    assert run([*argv, "--pcscf", str(sipua_core.hop("UDP"))]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("software\n  ok        Python: ")
    assert shown.endswith("\nNothing failed.\n")
    assert "sipua doctor --register makes it." in shown
    assert run([*argv, "--pcscf", "udp:127.0.0.1:9", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["failed"] == 2
    assert {"area", "subject", "state", "told", "remedy"} == set(document["findings"][0])
