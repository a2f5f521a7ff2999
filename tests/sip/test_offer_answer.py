"""Offers and answers of a phone (RFC 3264), codecs (RFC 4867, 4733) and the table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipua.errors import LocalError, ParseError, PeerError
from sipua.sip import offer_answer, sdp
from sipua.sip.codecs import PHONE_CODECS, Codec, format_events, read_events
from sipua.sip.offer_answer import (
    HOLD,
    TRANSITIONS,
    LocalMedia,
    NoCommonMedia,
    NotNow,
    OfferAnswer,
    Stream,
)

OURS = LocalMedia("192.0.2.1", 4000)
THEIRS = LocalMedia("2001:db8::2", 5000)


def pair() -> tuple[OfferAnswer, OfferAnswer]:
    return OfferAnswer(100), OfferAnswer(200)


def exchange(
    one: OfferAnswer, other: OfferAnswer, ours: LocalMedia = OURS, theirs: LocalMedia = THEIRS
) -> bytes:
    """An offer of ``one`` answered by ``other``; the answer."""
    other.take_offer(one.offer(ours))
    answer = other.answer(theirs)
    one.take_answer(answer)
    return answer


def agreed(side: OfferAnswer) -> Stream:
    assert side.stream is not None
    return side.stream


def offer(*lines: str) -> bytes:
    head = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0"]
    return "\r\n".join([*head, *lines, ""]).encode()


def answered(*lines: str, media: LocalMedia = OURS) -> tuple[sdp.SessionDescription, OfferAnswer]:
    side = OfferAnswer(100)
    side.take_offer(offer(*lines))
    return sdp.parse(side.answer(media)), side


def test_two_phones_agree_on_the_best_codec_and_its_events() -> None:
    one, other = pair()
    exchange(one, other)
    assert [codec.name for codec in agreed(one).codecs] == ["EVS", "telephone-event"]
    assert agreed(one).codecs[1].rate == 16000
    assert agreed(one).address == "2001:db8::2"
    assert agreed(one).port == 5000
    assert agreed(one).local_port == agreed(other).port == 4000
    assert agreed(other).address == "192.0.2.1"
    assert agreed(one).codecs == agreed(other).codecs
    assert agreed(one).sends


def test_the_offer_has_every_codec_with_its_parameters() -> None:
    media = sdp.parse(OfferAnswer(1).offer(OURS)).media[0]
    assert [str(codec.payload_type) for codec in PHONE_CODECS] == media.formats
    maps, parameters = media.rtpmaps(), media.fmtps()
    for codec in PHONE_CODECS:
        number = str(codec.payload_type)
        assert maps[number] == (codec.name, codec.rate, codec.channels)
        assert parameters.get(number, "") == codec.parameters
    assert media.attribute("ptime") == "20"


def test_the_answer_takes_the_offers_payload_types_and_first_codec() -> None:
    answer, side = answered(
        "m=audio 1000 RTP/AVP 111 8 0 110",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:110 telephone-event/8000",
        "a=fmtp:110 0-11,32-36",
    )
    assert answer.media[0].formats == ["8", "110"]
    assert answer.media[0].fmtps() == {"110": "0-11"}
    assert agreed(side).codecs == (
        Codec("PCMA", 8000, 8),
        Codec("telephone-event", 8000, 110, "0-11"),
    )


def test_amr_in_the_other_packing_is_another_format() -> None:
    answer, _ = answered(
        "m=audio 1000 RTP/AVP 104 102",
        "a=rtpmap:104 AMR/8000",
        "a=fmtp:104 octet-align=1;crc=1",
        "a=rtpmap:102 amr/8000/1",
        "a=fmtp:102 Octet-Align=1; mode-set=0,2,4,7; mode-change-capability=2; x=y",
    )
    assert answer.media[0].formats == ["102"]
    assert answer.media[0].fmtps() == {"102": "octet-align=1;mode-set=0,2,4,7"}
    only_efficient = LocalMedia("192.0.2.1", 4000, (Codec("AMR", 8000, 99),))
    with pytest.raises(NoCommonMedia):
        answered(
            "m=audio 1000 RTP/AVP 104",
            "a=rtpmap:104 AMR/8000",
            "a=fmtp:104 octet-align=1",
            media=only_efficient,
        )


def test_other_streams_are_refused_in_their_places() -> None:
    answer, side = answered(
        "m=video 900 RTP/AVP 99",
        "m=audio 0 RTP/AVP 0",
        "m=audio 1000 RTP/SAVP 0",
        "m=audio 1002 RTP/AVP 0",
        "m=audio 1004 RTP/AVP 0",
    )
    assert [media.port for media in answer.media] == [0, 0, 0, 4000, 0]
    assert [media.kind for media in answer.media] == ["video", *["audio"] * 4]
    assert answer.media[0].formats == ["99"]
    assert answer.media[0].lines == []
    assert agreed(side).port == 1002
    again = sdp.parse(side.offer(OURS._replace(direction="sendonly")))  # §8: no line ever goes
    assert [media.port for media in again.media] == [0, 0, 0, 4000, 0]
    assert again.direction(again.media[3]) == "sendonly"


@pytest.mark.parametrize(
    "line",
    [
        "m=video 900 RTP/AVP 99",
        "m=audio 900 RTP/AVP 99",
        "m=audio 900 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000",
        "m=audio 900 RTP/SAVP 0",
        "m=audio 0 RTP/AVP 0",
        "m=audio 900 RTP/AVP PCMU 1000",
    ],
)
def test_an_offer_without_a_voice_for_us_is_refused_with_488(line: str) -> None:
    with pytest.raises(NoCommonMedia) as caught:
        answered(line)
    assert caught.value.status == 488


DIRECTION = ["sendrecv", "sendonly", "recvonly", "inactive"]
SENDS, RECEIVES = {"sendrecv", "sendonly"}, {"sendrecv", "recvonly"}


@pytest.mark.parametrize("ours", DIRECTION)
@pytest.mark.parametrize("theirs", DIRECTION)
def test_both_sides_see_one_direction(ours: str, theirs: str) -> None:
    one, other = pair()
    exchange(one, other, OURS._replace(direction=ours), THEIRS._replace(direction=theirs))
    sends = ours in SENDS and theirs in RECEIVES
    receives = ours in RECEIVES and theirs in SENDS
    assert (agreed(one).direction in SENDS, agreed(one).direction in RECEIVES) == (sends, receives)
    assert (agreed(other).direction in SENDS, agreed(other).direction in RECEIVES) == (
        receives,
        sends,
    )


def test_hold_and_resume() -> None:
    one, other = pair()
    first = exchange(one, other)
    exchange(one, other, OURS._replace(direction=HOLD[OURS.direction]))
    assert (agreed(one).direction, agreed(other).direction) == ("sendonly", "recvonly")
    exchange(other, one, THEIRS._replace(direction="inactive"), OURS)
    assert agreed(one).direction == "inactive"
    last = exchange(one, other)
    assert agreed(one).direction == "sendrecv"
    assert sdp.parse(last).origin.version > sdp.parse(first).origin.version


def test_the_hold_of_rfc_2543_is_understood() -> None:
    body = offer("m=audio 1000 RTP/AVP 0").replace(b"c=IN IP4 192.0.2.9", b"c=IN IP4 0.0.0.0")
    side = OfferAnswer(1)
    side.take_offer(body)
    answer = sdp.parse(side.answer(OURS))
    assert answer.direction(answer.media[0]) == "recvonly"


def test_the_version_rises_by_one_with_each_change_and_not_without() -> None:
    one, other = pair()
    versions = []
    for direction in ("sendrecv", "sendrecv", "sendonly", "sendonly", "sendrecv"):
        body = one.offer(OURS._replace(direction=direction))
        versions.append(sdp.parse(body).origin.version)
        other.take_offer(body)
        one.take_answer(other.answer(THEIRS))
    assert versions == [100, 100, 101, 101, 102]


def test_a_stream_the_peer_refuses_is_no_stream() -> None:
    one, other = pair()
    exchange(one, other)
    exchange(other, one, THEIRS._replace(port=0))
    assert one.stream is None
    assert other.stream is None
    exchange(one, other)
    assert agreed(one).direction == "sendrecv"


def test_a_refused_offer_leaves_all_as_it_was() -> None:
    one, other = pair()
    exchange(one, other)
    before = one.stream, one.local, one.remote
    other.take_offer(one.offer(OURS._replace(port=0)))
    other.refuse()
    one.refuse()
    assert (one.stream, one.local, one.remote) == before
    assert agreed(other).port == 4000
    exchange(other, one)
    first = OfferAnswer(1)
    first.offer(OURS)
    first.refuse()
    assert first.state == "idle"


def test_an_offer_while_another_waits_tells_how_to_refuse_it() -> None:
    one, other = pair()
    body = other.offer(THEIRS)
    one.offer(OURS)
    with pytest.raises(NotNow) as caught:
        one.take_offer(body)
    assert caught.value.status == 491
    third = OfferAnswer(3)
    third.take_offer(body)
    with pytest.raises(NotNow) as caught:
        third.take_offer(body)
    assert caught.value.status == 500


def test_each_fork_has_its_own_answer() -> None:
    one, other = pair()
    body = one.offer(OURS)
    fork = one.fork()
    third = OfferAnswer(300)
    other.take_offer(body)
    third.take_offer(body)
    one.take_answer(other.answer(THEIRS))
    fork.take_answer(third.answer(THEIRS._replace(port=6000)))
    assert (agreed(one).port, agreed(fork).port) == (5000, 6000)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("m=audio 1 RTP/AVP 0", "m=video 1 RTP/AVP 99"),
        ("m=audio 1 RTP/AVP 99",),
        ("m=audio 1 RTP/AVP 102", "a=rtpmap:102 telephone-event/8000"),
        ("m=audio 1 RTP/AVP 0", "a=rtpmap:0 {"),
    ],
)
def test_an_answer_that_does_not_fit_leaves_the_offer_waiting(lines: tuple[str, ...]) -> None:
    side = OfferAnswer(1)
    side.offer(OURS)
    with pytest.raises(ParseError):
        side.take_answer(offer(*lines))
    side.take_answer(offer("m=audio 1 RTP/AVP 0"))
    assert agreed(side).codecs == (Codec("PCMU", 8000, 0),)


def test_a_stream_without_an_address_is_refused() -> None:
    side = OfferAnswer(1)
    side.take_offer(b"v=0\r\no=- 1 1 IN IP4 a\r\nm=audio 1 RTP/AVP 0\r\n")
    with pytest.raises(ParseError):
        side.answer(OURS)


def test_streams_may_not_vanish() -> None:
    side = OfferAnswer(1)
    side.take_offer(offer("m=audio 1 RTP/AVP 0", "m=video 1 RTP/AVP 99"))
    side.answer(OURS)
    with pytest.raises(ParseError):
        side.take_offer(offer("m=audio 1 RTP/AVP 0"))


def scenario() -> None:
    """Takes every row of the table and raises LocalError or AssertionError without one."""
    one, other = pair()
    one.offer(OURS)
    one.refuse()
    other.take_offer(one.offer(OURS))
    other.refuse()
    one.refuse()
    exchange(one, other)
    exchange(one, other)
    exchange(other, one)


@pytest.mark.parametrize("row", sorted(TRANSITIONS))
def test_every_row_is_needed(row: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert TRANSITIONS[row][1].startswith("RFC 3264 §")
    scenario()
    monkeypatch.delitem(TRANSITIONS, row)
    with pytest.raises(LocalError):
        scenario()


@pytest.mark.parametrize("state", ["idle", "offered", "asked", "stable"])
def test_what_has_no_row_is_refused(state: str) -> None:
    for stimulus in (
        offer_answer.SEND_OFFER,
        offer_answer.TAKE_ANSWER,
        offer_answer.SEND_ANSWER,
        offer_answer.REFUSED,
    ):
        side = OfferAnswer(1)
        side.state = state
        if side.allows(stimulus):
            continue
        with pytest.raises(LocalError):
            {
                offer_answer.SEND_OFFER: lambda side=side: side.offer(OURS),
                offer_answer.TAKE_ANSWER: lambda side=side: side.take_answer(offer()),
                offer_answer.SEND_ANSWER: lambda side=side: side.answer(OURS),
                offer_answer.REFUSED: lambda side=side: side.refuse(),
            }[stimulus]()


@given(st.frozensets(st.integers(0, 255)))
def test_event_lists_survive(events: frozenset[int]) -> None:
    assert read_events(format_events(events)) == events


@given(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])))
def test_garbage_in_an_offer_raises_only_the_peers_errors(text: str) -> None:
    for line in (f"m=audio 1 RTP/AVP {text}", f"a=fmtp:97 {text}", f"a=rtpmap:97 {text}"):
        side = OfferAnswer(1)
        try:
            side.take_offer(
                offer("m=audio 1 RTP/AVP 0 97 98", "a=rtpmap:98 telephone-event/8000", line)
            )
            sdp.parse(side.answer(OURS))
        except PeerError:
            continue
