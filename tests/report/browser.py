"""Chromium without a window, as the judge of pages."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from interop.program import required

QUIET = (
    "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
    "--disable-extensions", "--disable-dev-shm-usage", "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
ITS_OWN = (
    "chrome",
    "data:",
    "file:",
    "https://",
    "http://clients2.google.com/",
    "http://update.googleapis",
)
"""What it asks for by itself, and in vain. Pages here name http: only."""

PATIENCE = 60


class Png(NamedTuple):
    """``corner`` is the colour of the first pixel, ``rows`` how many kinds of row there are."""

    width: int
    height: int
    corner: tuple[int, int, int]
    rows: int


class Browser:
    """Chromium with a profile of its own in ``folder``. Skips the test where there is none."""

    def __init__(self, folder: Path) -> None:
        self._program = required("chromium", "chromium")
        self._folder = folder

    def picture(self, page: Path, to: Path, *, dark: bool = False) -> Png:
        """A screenshot of the page's upper part."""
        scheme = ("--force-dark-mode",) if dark else ()
        self._run(f"--screenshot={to}", "--window-size=1200,1500", *scheme, page.as_uri())
        return png(to.read_bytes())

    def requests(self, page: Path) -> set[str]:
        """Every address that was asked for on behalf of the page, itself apart."""
        log = self._folder / "net.json"
        self._run(f"--log-net-log={log}", f"--screenshot={self._folder / 'net.png'}", page.as_uri())
        text = log.read_text()
        urls = {json.loads(f'"{url}"') for url in re.findall(r'"url":"((?:[^"\\]|\\.)*)"', text)}
        return {url for url in urls if not url.startswith(ITS_OWN)}

    def document(self, page: Path, width: int = 1200) -> str:
        """The page after it was shown, scripts run."""
        return self._run("--dump-dom", f"--window-size={width},900", page.as_uri())

    def measured(self, page: Path, script: str, folder: Path, width: int = 1200) -> Any:
        """What a script returns that is added to a copy of the page, whose own policy is lifted."""
        html = page.read_text()
        lifted = html.replace("default-src &#x27;none&#x27;;", "")
        assert lifted != html
        added = f"<script>document.title=JSON.stringify((()=>{{{script}}})())</script></body>"
        copy = folder / "measured.html"
        copy.write_text(lifted.replace("</body>", added))
        title = re.search(r"<title>(.*?)</title>", self.document(copy, width), re.DOTALL)
        assert title is not None
        return json.loads(title[1].replace("&amp;", "&").replace("&lt;", "<"))

    def pages(self, page: Path) -> int:
        """How many sheets it prints on."""
        target = self._folder / "printed.pdf"
        self._run(f"--print-to-pdf={target}", page.as_uri())
        return len(re.findall(rb"/Type\s*/Page\b", target.read_bytes()))

    def _run(self, *argv: str) -> str:
        as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
        done = subprocess.run(
            [self._program, *QUIET, *as_root, f"--user-data-dir={self._folder / 'profile'}", *argv],
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout.decode()


def png(data: bytes) -> Png:
    """Read a PNG as far as is needed here (8 bits a channel, RGB or RGBA)."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (depth, colour) in ((8, 2), (8, 6))
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(packed)
    stride = 1 + width * (3 if colour == 2 else 4)
    rows = {raw[start : start + stride] for start in range(0, len(raw), stride)}
    # No filter changes the very first pixel: what it would look back at is 0.
    return Png(width, height, (raw[1], raw[2], raw[3]), len(rows))
