"""What becomes of an offer of a security agreement that the network refuses, on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from agent.plain_edge import Edge
from sipua.errors import EngineError
from sipua.ipsec.choice import choose_engine
from sipua.ipsec.suite import suites_named
from sipua.pytest_plugin import UserAgentFactory
from sipua.verdict import Verdict

BAD_EXTENSION = (420, ("Unsupported", "sec-agree"))
EXTENSION_REQUIRED = (421, ("Require", "sec-agree"))
AGREEMENT_REQUIRED = (494, ("Security-Server", "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1;spi-s=2"))

MISSES, TOOK_NONE = "misses sec-agree", "offer others with --mechanisms"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def _ipsec_is_possible() -> None:
    try:
        choose_engine("127.0.0.1", suites_named(())).engine.close()
    except EngineError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("mode", "refusal", "hint"),
    [
        ("require", BAD_EXTENSION, "--ipsec auto registers without"),
        ("require", EXTENSION_REQUIRED, MISSES),
        ("require", AGREEMENT_REQUIRED, TOOK_NONE),
        ("auto", EXTENSION_REQUIRED, MISSES),
        ("auto", AGREEMENT_REQUIRED, TOOK_NONE),
    ],
)
def test_it_ends_there(
    sipua_user_agent: UserAgentFactory,
    stack: ExitStack,
    mode: str,
    refusal: tuple[int, tuple[str, str]],
    hint: str,
) -> None:
    """The agreement was offered, and nothing is sent without it: whoever says that one has to be
    is not outwitted by who may have said so in his place (RFC 3329 §2.3.1)."""
    status, header = refusal
    edge = stack.enter_context(Edge(status, header))
    result = sipua_user_agent(pcscf=edge.place, ipsec=mode).register()
    assert result.verdict is Verdict.SECURITY_AGREEMENT, result.reason
    assert [step.status for step in result.exchange] == [status]
    assert header[1] in result.reason
    assert hint in result.hints[0]
    assert len(edge.offers) == 1
    assert edge.offers[0] is not None


def test_a_network_without_agreements_is_asked_once_more_without(
    sipua_user_agent: UserAgentFactory, stack: ExitStack
) -> None:
    """auto: 420 says that the network has none, and the next REGISTER does without."""
    edge = stack.enter_context(Edge(*BAD_EXTENSION))
    result = sipua_user_agent(pcscf=edge.place, ipsec="auto").register()
    assert [step.status for step in result.exchange] == [420, 420]
    assert [offer is not None for offer in edge.offers] == [True, False]
    assert result.verdict is Verdict.REJECTED
