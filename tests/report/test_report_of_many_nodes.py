"""Reports of captures made inside a network, of changed octets, and of large captures."""

from __future__ import annotations

import io
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from report.traces import CAPTURES, ByHand, Page
from sipua.capture.errors import CaptureError
from sipua.report.page import page, picture, steps
from sipua.report.participants import OTHERS
from sipua.report.trace import MAX_MESSAGES, Trace, read
from sipua.sip.hop import Hop

REQUEST = (
    "REGISTER sip:ims.example SIP/2.0\r\n{vias}From: <sip:a@ims.example>;tag=1\r\n"
    "To: <sip:a@ims.example>\r\nCall-ID: {call}\r\nCSeq: 1 REGISTER\r\n"
    "Contact: <sip:a@192.0.2.1>\r\nContent-Length: 0\r\n\r\n"
)
RESPONSE = (
    "SIP/2.0 {status}\r\n{vias}From: <sip:a@ims.example>;tag=1\r\nTo: <sip:a@ims.example>;tag=2\r\n"
    "Call-ID: {call}\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
)
UE, P_CSCF, S_CSCF = "192.0.2.1", "192.0.2.10", "192.0.2.20"


def chain() -> Trace:
    """One registration, captured on each of its hops; the capture begins in the middle."""
    by_hand = ByHand()
    via = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    vias = f"Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK2\r\n{via}"
    for source, target, text in (
        (P_CSCF, S_CSCF, REQUEST.format(vias=vias, call="0")),
        (UE, P_CSCF, REQUEST.format(vias=via, call="1")),
        (P_CSCF, S_CSCF, REQUEST.format(vias=vias, call="1")),
        (S_CSCF, P_CSCF, RESPONSE.format(vias=vias, call="1", status="403 Forbidden")),
        (P_CSCF, UE, RESPONSE.format(vias=via, call="1", status="403 Forbidden")),
    ):
        hop = Hop("UDP", target, 5060, local=(source, 5060))
        by_hand.recorder.message("sent", text.encode(), hop)
    return by_hand.read()


def test_a_lane_for_each_node() -> None:
    lanes, rungs = steps(chain())
    assert [(lane.name, lane.where) for lane in lanes] == [
        ("UE", "192.0.2.1:5060"),
        (P_CSCF, "registrar or its proxy"),
        (S_CSCF, "registrar or its proxy"),
    ]
    assert [(rung.step.source, rung.step.target) for rung in rungs] == [
        (P_CSCF, S_CSCF),
        ("UE", P_CSCF),
        (P_CSCF, S_CSCF),
        (S_CSCF, P_CSCF),
        (P_CSCF, "UE"),
    ]
    assert "The network refused the REGISTER" in Page(page(chain(), "x")).text


def test_too_many_nodes_share_a_lane() -> None:
    by_hand = ByHand()
    for number in range(20):
        hop = Hop("UDP", f"192.0.2.{100 + number}", 5060, local=(UE, 5060))
        text = REQUEST.format(vias="Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\n", call=number)
        by_hand.recorder.message("sent", text.encode(), hop)
    lanes, _ = steps(by_hand.read())
    assert lanes[-1] == (OTHERS, "14 addresses")
    assert len(lanes) == 8


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_a_capture_holds_the_page_is_whole(data: st.DataObject) -> None:
    """Octets of a call changed and cut: a page that loads nothing, and a picture that is XML."""
    from xml.etree import ElementTree

    octets = bytearray((CAPTURES / "call.pcapng").read_bytes())
    for _ in range(data.draw(st.integers(0, 12))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    try:
        trace = read(io.BytesIO(bytes(octets[: cut if cut % 2 else None])))
    except CaptureError:
        return
    shown = Page(page(trace, "changed"))
    assert not {"script", "img", "link"} & {tag for tag, _ in shown.tags}
    assert ElementTree.fromstring(picture(trace, "changed")) is not None


def test_a_large_capture_is_done_soon() -> None:
    by_hand = ByHand()
    for number in range(3 * MAX_MESSAGES):
        vias = f"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\n"
        by_hand.sent(REQUEST.format(vias=vias, call=number).encode())
    began = time.process_time()
    made = page(by_hand.read(), "large")
    assert time.process_time() - began < 20  # it takes less than two
    assert len(made) < 8_000_000
