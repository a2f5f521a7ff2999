"""What is told of the terminal goes where it belongs: into REGISTER, INVITE and MESSAGE."""

from __future__ import annotations

import pytest

from agent.hostile_proxy import HostileProxy
from sipua.errors import LocalError
from sipua.pytest_plugin import UserAgentFactory
from sipua.sip.headers import NameAddr
from sipua.sip.message import Request
from sipua.verdict import Verdict

BOB = "sip:bob@ims.example"
IMEI = "90420156025763"
URN = "<urn:gsma:imei:90420156-025763-0>"
WHERE = "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010001"
GRUU = "sip:alice@ims.example;gr=urn:gsma:imei:90420156-025763-0"


def busy(_request: Request, _number: int) -> tuple[int, list[tuple[str, str]]]:
    return 486, []


def test_a_terminal_that_tells_of_itself(sipua_user_agent: UserAgentFactory) -> None:
    with HostileProxy(busy, f';pub-gruu="{GRUU}";temp-gruu="sip:t@ims.example;gr"') as proxy:
        agent = sipua_user_agent(
            pcscf=proxy.place,
            imei=IMEI,
            features=("mmtel", "smsip"),
            gruu=True,
            access_network=WHERE,
            visited_network="ims.example",
        )
        assert agent.call(BOB).verdict is Verdict.BUSY
        assert agent.message(BOB, "x").verdict is Verdict.REJECTED
    (register,) = proxy.registers
    contact = NameAddr.parse(register.headers.get("Contact") or "")
    assert contact.params.get("+sip.instance") == URN
    assert "+g.3gpp.smsip" in str(contact.params)
    assert register.headers.get("Supported") == "path, gruu"
    invite, message = proxy.requests
    for request in (register, invite, message):
        assert request.headers.get("P-Access-Network-Info") == WHERE
        assert request.headers.get("P-Visited-Network-ID") == "ims.example"
    contact = NameAddr.parse(invite.headers.get("Contact") or "")
    assert contact.uri == GRUU
    assert contact.params.get("+sip.instance") == URN


def test_a_terminal_that_tells_nothing(sipua_user_agent: UserAgentFactory) -> None:
    with HostileProxy(busy, ';pub-gruu="no URI"') as proxy:
        assert sipua_user_agent(pcscf=proxy.place).call(BOB).verdict is Verdict.BUSY
    (register,) = proxy.registers
    assert register.headers.get("Supported") == "path"
    for request in (register, *proxy.requests):
        assert "P-Access-Network-Info" not in request.headers
        assert "P-Visited-Network-ID" not in request.headers
        assert "+sip.instance" not in (request.headers.get("Contact") or "")


@pytest.mark.parametrize(
    "settings",
    [
        {"imei": "12"},
        {"features": ("a\r\nVia: b",)},
        {"access_network": "x\r\nVia: b"},
        {"visited_network": "x\r\nVia: b"},
    ],
)
def test_what_cannot_be_meant(
    sipua_user_agent: UserAgentFactory, settings: dict[str, object]
) -> None:
    with HostileProxy(busy) as proxy, pytest.raises(LocalError):
        sipua_user_agent(pcscf=proxy.place, **settings).register()
    assert proxy.registers == []
