"""The ladder as SVG: XML, told to who cannot see it, and laid out so that no text is cut."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.trace.picture import BOX_WIDTH, NOTES, SIZE, SMALL, SPAN, Lane, Rung, inline, standalone
from sipua.trace.step import CARD, UE, Step
from sipua.trace.text_width import fitted, width, wrapped

NODE = "192.0.2.1:5060"
LANES = (Lane(CARD), Lane(UE, "198.51.100.7"), Lane(NODE, "registrar"))
RUNGS = (
    Rung(Step(UE, NODE, "REGISTER", "names the subscriber"), 0.0, "#m1"),
    Rung(
        Step(NODE, UE, "407 Proxy Authentication Required", "RAND", "MAC right"), 0.25, "", "good"
    ),
    Rung(Step(UE, UE, "", "waits 3 s"), 3.0),
)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(rungs: tuple[Rung, ...] = RUNGS) -> ElementTree.Element:
    return ElementTree.fromstring(standalone("A registration", LANES, rungs))


def test_title_and_description_tell_all_of_it() -> None:
    root = drawn()
    assert root.attrib["role"] == "img"
    assert root.findtext(f"{SVG}title") == "A registration"
    told = root.findtext(f"{SVG}desc")
    assert told == (
        "Participants: card, UE (198.51.100.7), 192.0.2.1:5060 (registrar). "
        "UE to 192.0.2.1:5060, REGISTER: names the subscriber. "
        "192.0.2.1:5060 to UE, 407 Proxy Authentication Required: RAND; MAC right. "
        "UE, : waits 3 s."
    )


def test_a_long_label_goes_on_below_itself() -> None:
    labels = [each.text for each in drawn().iter(f"{SVG}text") if "label" in each.attrib["class"]]
    assert labels == ["REGISTER", "407 Proxy", "Authentication", "Required"]


def test_light_dark_and_paper() -> None:
    style = drawn().findtext(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme:dark" in style
    assert "@media print" in style
    assert "url(" not in style


def test_in_a_page_the_steps_are_links_and_the_style_is_the_page_s() -> None:
    root = ElementTree.fromstring(inline("x", LANES, RUNGS))
    assert [each.attrib["href"] for each in root.iter(f"{SVG}a")] == ["#m1"]
    assert root.find(f"{SVG}style") is None
    assert root.attrib["role"] == "group"


@given(st.text(max_size=80), st.text(max_size=200), st.text(max_size=40))
def test_whatever_is_said_it_stays_xml_and_within_its_column(
    label: str, note: str, where: str
) -> None:
    rung = Rung(Step(UE, NODE, label, note, note), 0.0)
    lanes = (*LANES[:2], Lane(NODE, where))
    root = ElementTree.fromstring(standalone(label, lanes, (rung,)))
    for text in root.iter(f"{SVG}text"):
        words, kind = text.text or "", text.attrib["class"]
        size, most = {
            "note": (SIZE, NOTES),
            "proof": (SIZE * 1.08, NOTES),
            "name label": (SIZE * 1.08, SPAN),
            "name": (SIZE * 1.08, BOX_WIDTH),
        }.get(kind, (SMALL, BOX_WIDTH))
        assert width(words, size) <= most or len(words) == 1


@pytest.mark.parametrize("space", [1.0, 30.0, 100.0, 1000.0])
def test_wrapping_loses_nothing(space: float) -> None:
    text = "WWW-Authenticate: Digest realm=ims.mnc001.mcc001.3gppnetwork.org and more"
    lines = wrapped(text, 13, space)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width(line, 13) <= space or len(line) == 1 for line in lines)
    assert wrapped("", 13, space) == []


def test_fitting_says_that_there_is_more() -> None:
    assert fitted("short", 13, 100) == "short"
    assert fitted("x" * 100, 13, 100).endswith("x…")
