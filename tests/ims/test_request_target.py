"""Whom a request is for, and the way there."""

from __future__ import annotations

import pytest

from sipua.errors import LocalError
from sipua.ims.target import preloaded_route, read_target
from sipua.sip.hop import Hop


@pytest.mark.parametrize(
    ("typed", "uri"),
    [
        ("sip:bob@ims.example", "sip:bob@ims.example"),
        ("SIP:bob@ims.example;user=phone", "sip:bob@ims.example;user=phone"),
        ("sips:bob@ims.example", "sips:bob@ims.example"),
        ("sip:ims.example", "sip:ims.example"),
        ("tel:+1-555-(01)00", "tel:+15550100"),
        ("tel:+15550100;ext=7", "tel:+15550100;ext=7"),
        ("tel:110", "tel:110;phone-context=home.example"),
        ("tel:*21#", "tel:*21#;phone-context=home.example"),
        ("tel:110;phone-context=+49", "tel:110;phone-context=+49"),
    ],
)
def test_targets(typed: str, uri: str) -> None:
    assert read_target(typed, "home.example") == uri


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "bob",
        "bob@ims.example",
        "mailto:bob@ims.example",
        "sip:",
        "sip:bob@ims.example\r\nX: y",
        "sip:bob@ims.example SIP/2.0",
        "sip:bob@ims.example>;tag=1",
        "sip:bob@ims.example?Subject=hi",
        "sip:bob@ims.example;method=INVITE",
        "tel:",
        "tel:+",
        "tel:+15\r\nX: y",
        "tel:+1555;a=b\r\nX: y",
        "tel:+1555>",
        "tel:hello",
    ],
)
def test_no_targets(typed: str) -> None:
    with pytest.raises(LocalError):
        read_target(typed, "home.example")


UDP = Hop("UDP", "192.0.2.1", 5060)
TLS = Hop("TLS", "2001:db8::1", 5061)


@pytest.mark.parametrize(
    ("hop", "service_route", "route"),
    [
        (UDP, (), ("<sip:192.0.2.1:5060;lr>",)),
        (TLS, (), ("<sip:[2001:db8::1]:5061;transport=tls;lr>",)),
        (UDP, ("<sip:orig@scscf;lr>",), ("<sip:192.0.2.1:5060;lr>", "<sip:orig@scscf;lr>")),
        (UDP, ("<sip:orig@192.0.2.1;lr>", "<sip:b;lr>"), ("<sip:orig@192.0.2.1;lr>", "<sip:b;lr>")),
        (UDP, ("nonsense",), ("<sip:192.0.2.1:5060;lr>", "nonsense")),
    ],
)
def test_the_route_leads_by_the_pcscf_once(
    hop: Hop, service_route: tuple[str, ...], route: tuple[str, ...]
) -> None:
    assert preloaded_route(hop, service_route) == route
