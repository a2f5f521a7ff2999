"""The 504 that asks for a new initial registration: whose it must be, and what it must say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.core.restoration import BODY
from sipua.ims.register_response import Binding
from sipua.ims.restoration import CONTENT_TYPE, MAX_REASON, demand_in
from sipua.sip.message import Response

ROUTE = "<sip:orig@scscf.example.org:6060;lr>"
PATH = "<sip:term@pcscf.example.org;lr>"
BINDING = Binding(600, (ROUTE,), (PATH,), (), listed=True)


def written(
    kind: str = "restoration",
    action: str = "initial-registration",
    reason: str = "<reason>restarted</reason>",
    attributes: str = ' version="1"',
) -> bytes:
    return (
        f"<ims-3gpp{attributes}><alternative-service><type>{kind}</type>{reason}"
        f"<action>{action}</action></alternative-service></ims-3gpp>"
    ).encode()


def response(
    body: bytes = BODY,
    status: int = 504,
    asserted: str = ROUTE,
    content_type: str = CONTENT_TYPE,
) -> Response:
    headers = [("Content-Type", content_type), ("P-Asserted-Identity", asserted)]
    return Response(status, "Server Time-out", [each for each in headers if each[1]], body)


@pytest.mark.parametrize(
    "answer",
    [
        response(),
        response(written()),
        response(written(reason="")),
        response(written("<restoration/>", "<initial-registration/>")),
        response(written(" restoration\n")),
        response(written(attributes=' version="2" xmlns="urn:example"')),
        response(asserted=PATH),
        response(asserted="<tel:+15551234>, <sip:term@PCSCF.example.org;lr>"),
        response(content_type="Application/3GPP-ims+xml;charset=utf-8"),
    ],
)
def test_it_is_understood(answer: Response) -> None:
    assert demand_in(answer, BINDING) is not None


@pytest.mark.parametrize(
    "answer",
    [
        response(status=503),
        response(status=500),
        response(b""),
        response(BODY[:-30]),
        response(BODY + b" " * 0x10000),
        response(b'<!DOCTYPE a [<!ENTITY b "restoration">]>' + written("&b;")),
        response(b"<a>" * 10_000),
        response(written("emergency")),
        response(written("restoration restoration")),
        response(written("<restoration/><restoration/>")),
        response(written("<a>restoration</a>")),
        response(written("restoration<emergency/>x")),
        response(written(action="emergency-registration")),
        response(written(attributes="")),
        response(b'<ims-3gpp version="1"/>'),
        response(b'<other version="1">' + written() + b"</other>"),
        response(written().decode().encode("utf-16")),
        response(content_type=""),
        response(content_type="application/xml"),
        response(content_type="multipart/mixed;boundary=x"),
        response(asserted=""),
        response(asserted="<sip:callee@example.org>"),
        response(asserted="<sip:orig@scscf.example.org;lr>"),
        response(asserted='"<sip:orig@scscf.example.org:6060;lr>'),
        response(asserted="<tel:+15551234>"),
    ],
)
def test_everything_else_is_a_504_like_any_other(answer: Response) -> None:
    assert demand_in(answer, BINDING) is None


def test_without_a_route_nobody_can_be_told_from_our_network() -> None:
    assert demand_in(response(), Binding(600, (), (), (), listed=True)) is None
    broken = Binding(600, ('"<',), (), (), listed=True)
    assert demand_in(response(), broken) is None


def test_the_reason_is_fit_to_be_shown() -> None:
    text = "lost\n by \u202e<![CDATA[\x7f]]>" + "x" * 500
    demand = demand_in(response(written(reason=f"<reason>{text}</reason>")), BINDING)
    assert demand is not None
    assert demand.reason.startswith("lost by ??x")
    assert len(demand.reason) == MAX_REASON


@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 300))
def test_garbage_is_no_demand_and_no_error(noise: bytes, start: int, length: int) -> None:
    damaged = BODY[:start] + noise + BODY[start + length :]
    demand = demand_in(response(damaged), BINDING)
    assert demand is None or (b"restoration" in damaged and b"initial-registration" in damaged)
