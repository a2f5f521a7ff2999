"""Traces for tests: those of ``fixtures/captures``, and some made of messages by hand."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from pathlib import Path

from sipua.capture.recorder import Recorder
from sipua.report.trace import Trace, read
from sipua.sip.hop import Hop
from sipua.trace.markup import VOID

CAPTURES = Path(__file__).parent.parent.parent / "fixtures" / "captures"
NAMES = tuple(sorted(path.stem for path in CAPTURES.glob("*.pcapng")))

EVIL = "<script>document.title='owned'</script>"
EVIL_ATTRIBUTE = "\"'><img src=http://evil.example/x onerror=\"document.title='owned'\">"
EVIL_STYLE = "</style><style>*{display:none}</style>"
UNSEEN = "\x1b[31m\u202egnp.exe\x00"

HOSTILE_REQUEST = "\r\n".join(
    (
        "INVITE sip:bob@example.com SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1{EVIL}",
        f'From: "{EVIL}{UNSEEN}" <sip:alice@example.com>;tag=1',
        "To: <sip:bob@example.com>",
        f"Call-ID: {EVIL_ATTRIBUTE}",
        "CSeq: 1 INVITE",
        f"Subject: {EVIL_STYLE}",
        f"User-Agent: --><!--{EVIL_ATTRIBUTE}]]>",
        f'Authorization: Digest username="{EVIL}", realm="{EVIL}", nonce="{EVIL}", response="1"',
        "Content-Type: application/sdp",
        "",
        f"v=0\r\ns={EVIL}\r\na=javascript:alert(1)\r\nu={EVIL_ATTRIBUTE}\r\n",
    )
).encode()

HOSTILE_RESPONSE = (
    HOSTILE_REQUEST.replace(
        b"INVITE sip:bob@example.com SIP/2.0", f"SIP/2.0 403 {EVIL_ATTRIBUTE}{EVIL}".encode()
    )
    .replace(b"Subject:", b"Warning: 399 x")
    .replace(b"v=0", b"\xff\xfe\x80v=0")
)
ALICE, BOB = ("192.0.2.1", 5060), ("192.0.2.2", 5060)


class ByHand:
    """A trace written down message by message, one every second."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._now = 1_700_000_000 * 10**9
        self.recorder = Recorder(self._buffer.write, self._time, shows_secrets=True)
        self.hop = Hop("UDP", *BOB, local=ALICE)

    def _time(self) -> int:
        self._now += 10**9
        return self._now

    def sent(self, data: bytes) -> ByHand:
        self.recorder.message("sent", data, self.hop)
        return self

    def received(self, data: bytes) -> ByHand:
        self.recorder.message("received", data, self.hop)
        return self

    def file(self) -> io.BytesIO:
        self.recorder.catch_up()
        return io.BytesIO(self._buffer.getvalue())

    def read(self) -> Trace:
        return read(self.file())


def hostile() -> ByHand:
    """Everything a peer could write that a browser might obey."""
    by_hand = ByHand().sent(HOSTILE_REQUEST).received(HOSTILE_RESPONSE)
    by_hand.recorder.remark(f"{EVIL}{EVIL_ATTRIBUTE}{UNSEEN}")
    by_hand.recorder.ended(f"rejected: {EVIL}")
    return by_hand


def captured(name: str) -> Trace:
    """The trace of this name in ``fixtures/captures``."""
    with (CAPTURES / f"{name}.pcapng").open("rb") as stream:
        return read(stream)


class Page(HTMLParser):
    """A page taken apart as strictly as XML: each tag closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1:] == [tag], (tag, self._open)
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is to be read."""
        return " ".join(" ".join(self.texts).split())

    def values(self, attribute: str) -> list[str]:
        """Every value of this attribute."""
        return [attrs[attribute] or "" for _, attrs in self.tags if attribute in attrs]
