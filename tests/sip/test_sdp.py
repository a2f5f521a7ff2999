"""Session descriptions (RFC 4566): round trips, hostile ones, those of the torture messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torture import everything

from sipua.errors import LocalError, ParseError
from sipua.sip import sdp
from sipua.sip.sdp import Media, Origin, RtpMap, SessionDescription

BODY = (
    b"v=0\r\no=bob 280744730 28977631 IN IP4 192.0.2.9\r\ns=-\r\nz=odd line\r\n"
    b"c=IN IP4 192.0.2.1\r\nt=0 0\r\na=sendonly\r\n"
    b"m=audio 22334/2 RTP/AVP 0 97 x\r\na=rtpmap:97 AMR-WB/16000/1\r\n"
    b"a=fmtp:97  mode-set=0,1\r\na=ptime:20\r\ny=another\r\n"
    b"m=video 6024 RTP/AVP 107\r\nc=IN IP6 2001:db8::1\r\na=inactive\r\n"
)


def test_a_description_is_understood_and_written_back() -> None:
    description = sdp.parse(BODY)
    assert description.origin == Origin("bob", 280744730, 28977631, "IP4", "192.0.2.9")
    audio, video = description.media
    assert (audio.kind, audio.port, audio.port_count, audio.protocol, audio.formats) == (
        "audio", 22334, 2, "RTP/AVP", ["0", "97", "x"],
    )  # fmt: skip
    assert audio.rtpmaps() == {"0": RtpMap("PCMU", 8000), "97": RtpMap("AMR-WB", 16000)}
    assert audio.fmtps() == {"97": "mode-set=0,1"}
    assert audio.attribute("ptime") == "20"
    assert audio.attribute("PTIME") is None
    assert video.attribute("inactive") == ""
    assert (description.direction(audio), description.direction(video)) == ("sendonly", "inactive")
    assert description.address(audio) == "192.0.2.1"
    assert description.address(video) == "2001:db8::1"
    assert description.to_bytes() == BODY


def test_line_ends_and_missing_lines_are_tolerated() -> None:
    bare = b"v=0\no=- 1 1 IN IP4 192.0.2.1\nm=audio 1 RTP/AVP 0"
    description = sdp.parse(bare)
    assert description.direction(description.media[0]) == "sendrecv"
    assert description.address(description.media[0]) == ""
    assert sdp.parse(bare + b"\r\n\r\n").to_bytes() == bare.replace(b"\n", b"\r\n") + b"\r\n"


def test_multicast_addresses_lose_their_ttl() -> None:
    body = BODY.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 224.2.36.42/127/3")
    description = sdp.parse(body)
    assert description.address(description.media[0]) == "224.2.36.42"


def test_the_torture_messages_bodies_survive() -> None:
    bodies = set()
    for octets in everything():
        separator = b"\r\n\r\n" if b"\r\n\r\n" in octets else b"\n\n"
        body = octets.partition(separator)[2].strip()
        if body.startswith(b"v=0") and b"testing=" not in body:
            bodies.add(body)
    assert len(bodies) > 10
    for body in bodies:
        lines = body.replace(b"\r\n", b"\n").split(b"\n")
        assert sdp.parse(body).to_bytes() == b"\r\n".join(lines) + b"\r\n"


HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"v=1\r\no=- 1 1 IN IP4 a\r\n",
        b"o=- 1 1 IN IP4 a\r\nv=0\r\n",
        b"v=0\r\n",
        HEAD + b"o=- 1 1 IN IP4 b\r\n",
        b"v=0\r\no=- 1 1 IN IP4\r\n",
        b"v=0\r\no=- x 1 IN IP4 a\r\n",
        b"v=0\r\no=- 1 999999999999999999999 IN IP4 a\r\n",
        b"v=0\r\no=- 1 1 XX IP4 a\r\n",
        HEAD + b"testing=1\r\n",
        HEAD + b"A=1\r\n",
        HEAD + b"a\r\n",
        HEAD + b"\r\ns=-\r\n",
        HEAD + b"s=a\rb\r\n",
        HEAD + b"s=a\0b\r\n",
        HEAD + b"c=IN IP4\r\n",
        HEAD + b"c=XX IP4 192.0.2.1\r\n",
        HEAD + b"m=\r\n",
        HEAD + b"m=audio\r\n",
        HEAD + b"m=audio 1 RTP/AVP\r\n",
        HEAD + b"m=audio -1 RTP/AVP 0\r\n",
        HEAD + b"m=audio 65536 RTP/AVP 0\r\n",
        HEAD + b"m=audio 1/x RTP/AVP 0\r\n",
        HEAD + b"m=audio 1 RTP/{ 0\r\n",
        HEAD + b"m=au{dio 1 RTP/AVP 0\r\n",
        HEAD + b"m=audio 1 RTP/AVP" + b" 0" * 129 + b"\r\n",
        HEAD + b"m=audio 1 RTP/AVP 0\r\n" * 33,
        HEAD + b"a=x\r\n" * 2048,
        HEAD + b"s=" + b"x" * 65536,
    ],
)
def test_what_is_no_description_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        sdp.parse(body)


@pytest.mark.parametrize("rtpmap", ["97", "97 AMR", "97 AMR/x", "97 A{/8000", "97 AMR/8000/1/1"])
def test_a_broken_rtpmap_is_refused_when_looked_at(rtpmap: str) -> None:
    media = Media("audio", 1, "RTP/AVP", ["97"], [("a", f"rtpmap:{rtpmap}")])
    with pytest.raises(ParseError):
        media.rtpmaps()


@pytest.mark.parametrize("value", ["-\r\na=evil", "a\nb", "a\rb", "a\0b"])
def test_a_line_end_in_a_value_is_not_written(value: str) -> None:
    with pytest.raises(LocalError):
        SessionDescription([("v", "0"), ("s", value)], []).to_bytes()


TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20)
WORD = st.text("abcXYZ019-.", min_size=1, max_size=8)
LINE = st.tuples(st.sampled_from("abeikrsuyz"), TEXT)
STREAM = st.builds(
    Media,
    WORD,
    st.integers(0, 65535),
    st.lists(WORD, min_size=1, max_size=3).map("/".join),
    st.lists(WORD, min_size=1, max_size=5),
    st.lists(LINE, max_size=5),
    st.integers(0, 65535),
)


@given(st.lists(LINE, max_size=5), st.lists(STREAM, max_size=4), st.integers(0, 10**20 - 1))
def test_whatever_is_written_is_read_back(
    lines: list[tuple[str, str]], media: list[Media], number: int
) -> None:
    origin = Origin("-", number, number, "IP6", "2001:db8::1")
    description = SessionDescription([("v", "0"), ("o", str(origin)), *lines], media)
    octets = description.to_bytes()
    again = sdp.parse(octets)
    assert again.lines == description.lines
    assert [(str(each), each.lines) for each in again.media] == [
        (str(each), each.lines) for each in media
    ]
    assert again.origin == origin
    assert again.to_bytes() == octets


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: BODY + tail))
def test_garbage_raises_nothing_but_parse_errors(octets: bytes) -> None:
    try:
        description = sdp.parse(octets)
        for media in description.media:
            description.address(media)
            description.direction(media)
            media.fmtps()
            media.rtpmaps()
    except ParseError:
        return
    assert sdp.parse(description.to_bytes()).to_bytes() == description.to_bytes()
