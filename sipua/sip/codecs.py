"""The codecs of a phone, and which of an offer's formats are the same as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sipua.sip.sdp import Media, RtpMap

EVENTS = "telephone-event"

# Format parameters that change what is in the packets; absent counts as "0"
_FRAMING = ("octet-align", "crc", "robust-sorting", "interleaving")  # RFC 4867 §8.3.1
_FRAMED = frozenset({"amr", "amr-wb"})
_ANSWERED = ("octet-align", "mode-set", "mode-change-period", "mode-change-neighbor")


class Codec(NamedTuple):
    """A format with its payload type and ``fmtp`` parameters."""

    name: str
    rate: int
    payload_type: int
    parameters: str = ""
    channels: int = 1

    @property
    def is_events(self) -> bool:
        """Whether it carries DTMF instead of voice (RFC 4733)."""
        return self.name.lower() == EVENTS

    @property
    def attributes(self) -> list[tuple[str, str]]:
        """Its lines in a session description."""
        number = self.payload_type
        channels = f"/{self.channels}" if self.channels != 1 else ""
        lines = [("a", f"rtpmap:{number} {self.name}/{self.rate}{channels}")]
        if self.parameters:
            lines.append(("a", f"fmtp:{number} {self.parameters}"))
        return lines


# In the order of preference of GSMA IR.92 §3.2, the fixed network's behind them
PHONE_CODECS = (
    Codec("EVS", 16000, 96, "br=5.9-24.4;bw=nb-swb;max-red=0"),
    Codec("AMR-WB", 16000, 97, "mode-change-capability=2;max-red=0"),
    Codec("AMR-WB", 16000, 98, "octet-align=1;mode-change-capability=2;max-red=0"),
    Codec("AMR", 8000, 99, "mode-change-capability=2;max-red=0"),
    Codec("AMR", 8000, 100, "octet-align=1;mode-change-capability=2;max-red=0"),
    Codec("PCMA", 8000, 8),
    Codec("PCMU", 8000, 0),
    Codec(EVENTS, 16000, 101, "0-15"),
    Codec(EVENTS, 8000, 102, "0-15"),
)


def common(media: Media, ours: tuple[Codec, ...]) -> list[Codec]:
    """The formats of an offer that we have, as they go into the answer.

    In the offer's order and with its payload types (RFC 3264 §6.1). Raises
    ParseError for an rtpmap that cannot be read.
    """
    maps, parameters = media.rtpmaps(), media.fmtps()
    found: list[Codec] = []
    for number in dict.fromkeys(media.formats):
        encoding = maps.get(number)
        if encoding is None or not number.isdecimal() or len(number) > 3 or int(number) > 127:
            continue
        offered = parameters.get(number, "")
        for codec in ours:
            if _same(codec, encoding, offered):
                answered = _answered(codec, offered)
                found.append(codec._replace(payload_type=int(number), parameters=answered))
                break
    return found


def chosen(codecs: list[Codec]) -> list[Codec]:
    """The first voice codec, and the events with the same clock rate (RFC 4733 §2.1).

    Empty when there is no voice codec.
    """
    voice = next((codec for codec in codecs if not codec.is_events), None)
    if voice is None:
        return []
    events = [codec for codec in codecs if codec.is_events]
    events = [codec for codec in events if codec.rate == voice.rate] or events
    return [voice, *events[:1]]


def _same(codec: Codec, encoding: RtpMap, offered: str) -> bool:
    name = codec.name.lower()
    if (name, codec.rate, codec.channels) != (
        encoding.name.lower(),
        encoding.rate,
        encoding.channels,
    ):
        return False
    if name not in _FRAMED:
        return True
    ours, theirs = read_parameters(codec.parameters), read_parameters(offered)
    return all(ours.get(key, "0") == theirs.get(key, "0") for key in _FRAMING)


def _answered(codec: Codec, offered: str) -> str:
    """Our parameters for a format of the offer."""
    if codec.is_events:
        return format_events(read_events(codec.parameters) & read_events(offered or "0-15"))
    if codec.name.lower() in _FRAMED:
        theirs = read_parameters(offered)
        return ";".join([f"{key}={theirs[key]}" for key in _ANSWERED if key in theirs])
    # TS 26.445 annex A.3.3: an answer keeps to what was offered
    return offered if codec.name == "EVS" else codec.parameters


def read_parameters(text: str) -> dict[str, str]:
    """``name=value`` pairs parted by semicolons, names in lower case."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def read_events(text: str) -> frozenset[int]:
    """The events of ``0-15,66`` (RFC 4733 §2.4.1); what is no event is passed over."""
    events: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and len(first) <= 3 and len(last) <= 3):
            continue
        if dash and not last.isdecimal():
            continue
        events.update(range(int(first), min(int(last) if dash else int(first), 255) + 1))
    return frozenset(events)


def format_events(events: frozenset[int]) -> str:
    """As ``read_events`` reads them, runs joined."""
    runs: list[list[int]] = []
    for event in sorted(events):
        if runs and event == runs[-1][1] + 1:
            runs[-1][1] = event
        else:
            runs.append([event, event])
    return ",".join([str(first) if first == last else f"{first}-{last}" for first, last in runs])
