"""Emergency registrations: what they are, and where they are never sent."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Callable

import pytest

from card.profile import Profile
from cli.app import run
from sipua.core.server import CoreServer
from sipua.errors import LocalError
from sipua.ims.emergency import check_network
from sipua.pytest_plugin import UserAgentFactory
from sipua.sip.hop import Hop
from sipua.verdict import Verdict

ELSEWHERE = "192.0.2.10"


def test_at_a_network_of_this_machine(
    sipua_user_agent: UserAgentFactory, sipua_core: CoreServer, sipua_card_profile: Profile
) -> None:
    agent = sipua_user_agent(pcscf=str(sipua_core.hop("UDP")), emergency=True)
    result = agent.register()
    assert result.verdict is Verdict.REGISTERED
    assert result.impi
    assert result.contact
    (binding,) = sipua_core.bindings(result.impi)
    assert binding.uri == result.contact
    assert result.contact.endswith(";sos")
    with pytest.raises(LocalError, match="expires"):
        agent.deregister()
    agent.interrupt()
    assert agent.stay().verdict is Verdict.INTERRUPTED
    assert sipua_core.bindings(result.impi) == [binding]


def test_nobody_else_reaches_it(sipua_user_agent: UserAgentFactory, sipua_core: CoreServer) -> None:
    """The core leads no ordinary request to it (TS 24.229 §5.4.3.3)."""
    agent = sipua_user_agent(pcscf=str(sipua_core.hop("UDP")), emergency=True)
    impu = agent.register().impu
    assert impu
    result = agent.options(impu)
    assert result.exchange[-1].status == 480


def test_it_is_not_subscribed_to(
    sipua_user_agent: UserAgentFactory, sipua_core: CoreServer
) -> None:
    hop = str(sipua_core.hop("UDP"))
    agent = sipua_user_agent(pcscf=hop, emergency=True, reg_event=True)
    assert agent.register().verdict is Verdict.REGISTERED
    with pytest.raises(LocalError, match="subscribed"):
        agent.stay()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done with sockets, each time in vain."""
    seen: list[str] = []

    def watching(name: str) -> Callable[..., None]:
        def refuse(*_: object) -> None:
            seen.append(name)
            raise OSError(errno.ENETUNREACH, "no network")

        return refuse

    names = ("connect", "connect_ex", "send", "sendall", "sendto", "sendmsg")
    watched = type("Watched", (socket.socket,), {name: watching(name) for name in names})
    monkeypatch.setattr(socket, "socket", watched)
    return seen


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_nothing_is_sent_elsewhere(
    sipua_user_agent: UserAgentFactory, sent: list[str], transport: str
) -> None:
    pcscf = f"{transport}:{ELSEWHERE}"
    agent = sipua_user_agent(pcscf=pcscf, emergency=True)
    for way in (agent.register, agent.start):
        with pytest.raises(LocalError, match="--test-network"):
            way()
    assert not sent
    agent.close()
    asked = sipua_user_agent(pcscf=pcscf, emergency=True, test_network=True)
    assert asked.register().verdict is Verdict.UNREACHABLE
    assert sent


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
def test_this_machine(address: str) -> None:
    check_network(Hop("UDP", address, 5060), test_network=False)


@pytest.mark.parametrize(
    "address", [ELSEWHERE, "10.0.0.1", "0.0.0.0", "::", "2001:db8::1", "fe80::1%lo", "128.0.0.1"]
)
def test_other_machines(address: str) -> None:
    hop = Hop("UDP", address, 5060)
    with pytest.raises(LocalError, match="test network"):
        check_network(hop, test_network=False)
    check_network(hop, test_network=True)


def test_by_command(
    sipua_card_profile: Profile, sipua_core: CoreServer, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["register", "--card", f"emulated:{sipua_card_profile.path}", "--json"]
    here = ["--pcscf", str(sipua_core.hop("UDP"))]
    assert run([*command, *here, "--emergency"]) == 0
    assert json.loads(capsys.readouterr().out)["contact"].endswith(";sos")
    assert run([*command, "--pcscf", f"udp:{ELSEWHERE}", "--emergency"]) == 2
    assert "--test-network" in capsys.readouterr().err
    assert run([*command, *here, "--test-network"]) == 2
    assert run([*command, *here, "--emergency", "--deregister"]) == 2
