"""A report as Chromium shows it: light and dark, asking nobody, nothing cut, all of it printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from report.browser import Browser
from report.traces import captured, hostile
from sipua.report.page import page

SCREENSHOTS = Path(__file__).parent.parent.parent / "build" / "screenshots"
PAPER, NIGHT = (255, 255, 255), (16, 21, 27)

TOO_WIDE = """
const svg = document.querySelector('svg.ladder'), whole = svg.viewBox.baseVal;
const boxes = [...svg.querySelectorAll('text')].map(each => [each.textContent, each.getBBox()]);
const labels = [...svg.querySelectorAll('text.label')].map(each => each.getBBox().width);
return {
    count: boxes.length,
    outside: boxes.filter(([_, box]) => box.x < 0 || box.x + box.width > whole.width
        || box.y < 0 || box.y + box.height > whole.height).map(([text]) => text),
    widest: Math.max(...labels),
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
};
"""


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(page(captured("resynchronisation"), "resynchronisation.pcapng"))
    return path


@pytest.mark.interop
def test_screenshots_in_light_and_dark(browser: Browser, report: Path) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    light = browser.picture(report, SCREENSHOTS / "report-light.png")
    dark = browser.picture(report, SCREENSHOTS / "report-dark.png", dark=True)
    assert (light.width, light.height) == (dark.width, dark.height) == (1200, 1500)
    assert (light.corner, dark.corner) == (PAPER, NIGHT)
    assert min(light.rows, dark.rows) > 300  # a blank page has one kind of row


@pytest.mark.interop
def test_no_text_is_cut_and_nothing_runs_off_the_page(
    browser: Browser, report: Path, tmp_path: Path
) -> None:
    report.write_text(report.read_text().replace("<details>", "<details open>"))
    for width in (1200, 500):
        measured = browser.measured(report, TOO_WIDE, tmp_path, width)
        assert measured["count"] > 40
        assert measured["outside"] == []
        assert measured["widest"] <= 186  # between two lanes, the arrow's head apart
        assert measured["sideways"] == 0


@pytest.mark.interop
def test_a_hostile_trace_asks_nobody_and_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    html = page(hostile().read(), "hostile.pcapng")
    path.write_text(html)
    assert browser.requests(path) == set()
    # Even without the page's policy; what would be asked for then is seen here.
    bare = tmp_path / "bare.html"
    bare.write_text(html.replace("http-equiv", "data-was"))
    assert browser.requests(bare) == set()
    loading = tmp_path / "loading.html"
    loading.write_text("<img src=http://evil.example/x>")
    assert "http://evil.example/x" in browser.requests(loading)
    shown = browser.document(bare)
    assert "<title>rejected · hostile.pcapng</title>" in shown
    assert "<script" not in shown


@pytest.mark.interop
def test_what_is_folded_on_the_screen_is_printed(browser: Browser, report: Path) -> None:
    whole = browser.pages(report)
    folded = report.with_name("folded.html")
    folded.write_text(report.read_text().replace("details::details-content", "details::no-such"))
    assert whole >= browser.pages(folded) + 3
