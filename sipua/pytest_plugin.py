"""Fixtures for the tests of anything that registers with a SIM.

They come with the distribution: ``pip install sipua-usim`` and name one in a
test, nothing needs to be imported. ::

    def test_my_client_registers(sipua_core, sipua_card_profile):
        hop = sipua_core.hop("UDP")
        my_client.register(hop.address, hop.port, key=sipua_card_profile.authentication.k)
        assert sipua_core.bindings(sipua_card_profile.isim.impi)

    def test_my_registrar_accepts(sipua_user_agent):
        agent = sipua_user_agent(pcscf="udp:127.0.0.1:5060")
        assert agent.register().verdict.value == "registered"

All of it is on loopback and in temporary folders; every test has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from card.link import CardLink
    from card.profile import Profile
    from sipua.agent.user_agent import UserAgent
    from sipua.core.server import CoreServer


class CoreFactory(Protocol):
    """What ``sipua_core_factory`` is."""

    def __call__(
        self,
        *,
        faults: Iterable[str] = (),
        algorithm: str | None = None,
        listen: Iterable[str] = ("UDP", "TCP"),
        profiles: Iterable[Profile] | None = None,
        **settings: Any,
    ) -> CoreServer:
        """A running network. ``listen`` names transports, each gets a free loopback port.

        ``faults`` are texts as in ``sipua core --fault``; ``profiles`` are its
        subscribers, that of ``sipua_card_profile`` if left out; ``settings`` go
        to ``sipua.core.server.CoreServer`` as they are.
        """
        ...


class UserAgentFactory(Protocol):
    """What ``sipua_user_agent`` is."""

    def __call__(self, **settings: Any) -> UserAgent:
        """A user agent with the card of ``sipua_card_profile``.

        ``settings`` are fields of ``sipua.settings.AgentSettings``.
        """
        ...


@pytest.fixture
def sipua_card_profile(tmp_path: Path) -> Profile:
    """The card of this test: USIM and ISIM with published test keys, nothing used yet.

    ``profile.path`` is its TOML file, so ``f"emulated:{profile.path}"`` is the
    card for ``sipua register --card``. Override the fixture to have another
    card, and all the other fixtures use that.
    """
    from importlib.resources import files

    from card.profile import load

    folder = tmp_path / "sipua-card"
    folder.mkdir()
    path = folder / "card.toml"
    path.write_text((files("card.emulator") / "default.toml").read_text())
    return load(str(path))


@pytest.fixture
def sipua_card(sipua_card_profile: Profile) -> Iterator[CardLink]:
    """The card itself: ``transmit(bytes) -> bytes`` takes and gives APDUs.

    It holds the card's state file, as a card is in one reader at a time:
    a test that uses it cannot have the same card in a user agent.
    """
    from card.readers.locate import open_card

    link = open_card(f"emulated:{sipua_card_profile.path}")
    yield link
    link.close()


@pytest.fixture
def sipua_core_factory(sipua_card_profile: Profile) -> Iterator[CoreFactory]:
    """Makes networks, as many as the test wants; each is stopped when the test ends."""
    from contextlib import ExitStack

    from sipua.core.server import CoreServer

    running = ExitStack()

    def make(
        *,
        faults: Iterable[str] = (),
        algorithm: str | None = None,
        listen: Iterable[str] = ("UDP", "TCP"),
        profiles: Iterable[Profile] | None = None,
        **settings: Any,
    ) -> CoreServer:
        core = CoreServer(
            [sipua_card_profile] if profiles is None else profiles,
            [(transport, "127.0.0.1", 0) for transport in listen],
            faults=faults,
            algorithm=algorithm,
            **settings,
        )
        return running.enter_context(core)

    with running:
        yield make


@pytest.fixture
def sipua_core(sipua_core_factory: CoreFactory) -> CoreServer:
    """A network without faults for ``sipua_card_profile``, over UDP and TCP.

    ``core.hop("UDP")`` tells address and port, ``core.bindings(impi)`` who is
    registered, and ``core.faults.add("503=7")`` makes it misbehave from now on.
    ``core.deregister(impi)`` and ``core.shorten(impi, seconds)`` end registrations as
    networks do.
    """
    return sipua_core_factory()


@pytest.fixture
def sipua_user_agent(sipua_card_profile: Profile) -> Iterator[UserAgentFactory]:
    """Makes user agents that have this test's card; each is closed when the test ends.

    One at a time: the card is in one reader.
    """
    from contextlib import ExitStack

    from sipua.agent.identity_module import CardChoice
    from sipua.agent.user_agent import UserAgent
    from sipua.settings import AgentSettings

    made = ExitStack()

    def make(**settings: Any) -> UserAgent:
        choice = CardChoice(f"emulated:{sipua_card_profile.path}")
        return made.enter_context(UserAgent(choice, AgentSettings(**settings)))

    with made:
        yield make


@pytest.fixture
def sipua_registered(sipua_user_agent: UserAgentFactory, sipua_core: CoreServer) -> UserAgent:
    """A user agent that is registered at ``sipua_core`` over UDP.

    It stays so until the test calls ``deregister()`` or stops the core.
    """
    hop = sipua_core.hop("UDP")
    agent = sipua_user_agent(pcscf=str(hop))
    result = agent.register()
    assert result.exit_status == 0, f"{result.verdict.value}: {result.reason}"
    return agent
