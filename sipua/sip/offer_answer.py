"""The offer/answer model (RFC 3264) for one dialog of a phone with one voice stream.

Every other stream that a peer offers is refused with port 0. What may be sent
and taken when stands in TRANSITIONS; what is in it is made here.
"""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import LocalError, ParseError, PeerError
from sipua.sip import sdp
from sipua.sip.codecs import PHONE_CODECS, Codec, chosen, common
from sipua.sip.sdp import Lines, Media, Origin, SessionDescription

PROTOCOL = "RTP/AVP"
PROTOCOLS = frozenset({PROTOCOL, "RTP/AVPF"})
VOICE = "audio"

# States
IDLE = "idle"  # nothing offered yet
OFFERED = "offered"  # ours waits for an answer
ASKED = "asked"  # the peer's waits for ours
STABLE = "stable"

# Stimuli
SEND_OFFER, TAKE_ANSWER = "send offer", "take answer"
TAKE_OFFER, SEND_ANSWER = "take offer", "send answer"
REFUSED = "offer refused"  # by either side: all is as it was before

# (state, stimulus): next state, section. REFUSED goes back to IDLE or STABLE.
BACK = "as before the offer"
TRANSITIONS = {
    (IDLE, SEND_OFFER): (OFFERED, "RFC 3264 §5"),
    (IDLE, TAKE_OFFER): (ASKED, "RFC 3264 §6"),
    (OFFERED, TAKE_ANSWER): (STABLE, "RFC 3264 §7"),
    (OFFERED, REFUSED): (BACK, "RFC 3264 §4"),
    (ASKED, SEND_ANSWER): (STABLE, "RFC 3264 §6"),
    (ASKED, REFUSED): (BACK, "RFC 3264 §4"),
    (STABLE, SEND_OFFER): (OFFERED, "RFC 3264 §8"),
    (STABLE, TAKE_OFFER): (ASKED, "RFC 3264 §8"),
}

HOLD = {"sendrecv": "sendonly", "recvonly": "inactive"}
"""What a stream becomes when we put it on hold (RFC 3264 §8.4); others stay."""

_SENDING = ("sendrecv", "sendonly")
_RECEIVING = ("sendrecv", "recvonly")
_MIRRORED = {"sendonly": "recvonly", "recvonly": "sendonly"}
"""A direction as the other side sees it."""


class NotNow(PeerError):
    """An offer while another one waits: 491 if that is ours, else 500 (RFC 6337 §2.2)."""


class NoCommonMedia(PeerError):
    """Nothing in the offer can be used: 488 (RFC 3261 §13.3.1.3)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 488)


class LocalMedia(NamedTuple):
    """Our side of the stream: where we receive and what. ``port`` 0 is a refused stream;
    ``attributes`` are further ``a=`` values for the stream."""

    address: str
    port: int
    codecs: tuple[Codec, ...] = PHONE_CODECS
    direction: str = "sendrecv"
    attributes: tuple[str, ...] = ()


class Stream(NamedTuple):
    """What was agreed, as seen from here. ``codecs`` carry the payload types to send with."""

    address: str
    port: int
    direction: str
    codecs: tuple[Codec, ...]
    local_port: int

    @property
    def sends(self) -> bool:
        """Whether we may send."""
        return self.direction in _SENDING


class OfferAnswer:
    """The offers and answers of one dialog; ``state`` is one of the table's.

    ``stream`` is what is agreed, None before that and while the stream is
    refused; ``local`` and ``remote`` are both sides of it. ``offered`` is our
    last offer, ``asked`` the peer's, answered or not. ``settled`` tells whether
    anything has ever been agreed.
    """

    __slots__ = (
        "_before",
        "_kinds",
        "_session",
        "_version",
        "_written",
        "asked",
        "local",
        "offered",
        "remote",
        "settled",
        "state",
        "stream",
    )

    def __init__(self, session: int) -> None:
        self.state = IDLE
        self.stream: Stream | None = None
        self.remote: SessionDescription | None = None
        self.local: LocalMedia | None = None
        self.offered: LocalMedia | None = None
        self.asked: SessionDescription | None = None
        self.settled = False
        self._session = session
        self._version = session
        self._written: bytes = b""
        self._kinds: list[Media] = []  # our media lines, as last written
        self._before: list[Media] = []  # and as they were before an offer of ours

    def fork(self) -> OfferAnswer:
        """The same in another dialog of the INVITE: one offer, several answers."""
        other = OfferAnswer(self._session)
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        other._kinds = list(self._kinds)
        return other

    def allows(self, stimulus: str) -> bool:
        """Whether the table has a row for this now."""
        return (self.state, stimulus) in TRANSITIONS

    def _step(self, stimulus: str) -> None:
        row = TRANSITIONS.get((self.state, stimulus))
        if row is None:
            raise LocalError(f"{stimulus} makes no sense while the session is {self.state}")
        before = STABLE if self.settled else IDLE
        self.state = before if row[0] is BACK else row[0]
        if self.state is STABLE:
            self.settled = True

    # Our offers

    def offer(self, media: LocalMedia) -> bytes:
        """An offer of this stream, in the place it had before; raises LocalError."""
        self._step(SEND_OFFER)
        self.offered, self._before = media, self._kinds
        ours = _media_line(media, media.codecs, PROTOCOL, media.direction)
        place = self._voice_place()
        lines = [_refusal(line) for line in self._kinds]
        if place is None:
            lines.append(ours)
        else:
            ours.protocol = self._kinds[place].protocol
            lines[place] = ours
        return self._write(media, lines)

    def take_answer(self, body: bytes) -> None:
        """The peer's answer; raises ParseError, after which the offer still waits."""
        description = sdp.parse(body)
        if (self.state, TAKE_ANSWER) not in TRANSITIONS or self.offered is None:
            raise LocalError(f"no answer is awaited while the session is {self.state}")
        if len(description.media) != len(self._kinds):
            raise ParseError(
                f"an answer of {len(description.media)} streams to an offer of {len(self._kinds)}"
            )
        place = self._voice_place()
        assert place is not None
        theirs = description.media[place]
        stream = None
        if theirs.port and self.offered.port:
            codecs = common(theirs, self.offered.codecs)
            if not [codec for codec in codecs if not codec.is_events]:
                raise ParseError("an answer without any format of the offer")
            direction = _common_direction(_direction(description, theirs), self.offered.direction)
            stream = _stream(description, theirs, direction, codecs, self.offered.port)
        self._step(TAKE_ANSWER)
        self.local, self.remote, self.stream = self.offered, description, stream

    # The peer's offers

    def take_offer(self, body: bytes) -> SessionDescription:
        """The peer's offer, which ``answer`` is then to answer.

        Raises ParseError, and NotNow with the status to refuse it with.
        """
        description = sdp.parse(body)
        if self.state is OFFERED:
            raise NotNow("an offer of ours waits for its answer", 491)
        if self.state is ASKED:
            raise NotNow("the offer before this one waits for its answer", 500)
        if len(description.media) < len(self._kinds):
            raise ParseError("an offer with fewer streams than before")
        self._step(TAKE_OFFER)
        self.asked = description
        return description

    def answer(self, media: LocalMedia) -> bytes:
        """Our answer; raises NoCommonMedia for an offer without a stream for us, unless we want
        none: port 0.

        ParseError when its formats cannot be read. Either leaves the offer waiting.
        """
        if (self.state, SEND_ANSWER) not in TRANSITIONS or self.asked is None:
            raise LocalError(f"there is nothing to answer while the session is {self.state}")
        remote = self.asked
        lines: list[Media] = []
        stream: Stream | None = None
        for theirs in remote.media:
            codecs = _usable(theirs, media) if stream is None else []
            if not codecs:
                lines.append(_refusal(theirs))
                continue
            direction = _common_direction(_direction(remote, theirs), media.direction)
            lines.append(_media_line(media, tuple(codecs), theirs.protocol, direction))
            stream = _stream(remote, theirs, direction, codecs, media.port)
        if stream is None and media.port and (not self.settled or _wants_voice(remote)):
            raise NoCommonMedia("no stream of the offer can be taken here")
        self._step(SEND_ANSWER)
        self.local, self.remote, self.stream = media, remote, stream
        return self._write(media, lines)

    def refuse(self) -> None:
        """The offer that waits, whose ever it is, was refused: all is as before."""
        ours = self.state is OFFERED
        self._step(REFUSED)
        if ours:
            self._kinds = self._before

    # What is written

    def _voice_place(self) -> int | None:
        """Which of our media lines is the stream: the accepted voice, else the first voice."""
        voices = [place for place, line in enumerate(self._kinds) if line.kind == VOICE]
        accepted = [place for place in voices if self._kinds[place].port]
        return next(iter(accepted or voices), None)

    def _write(self, media: LocalMedia, lines: list[Media]) -> bytes:
        """The description, its version raised if anything changed (RFC 3264 §8)."""
        self._kinds = lines
        kind = "IP6" if ":" in media.address else "IP4"

        def written() -> bytes:
            origin = Origin("-", self._session, self._version, kind, media.address)
            head: Lines = [
                ("v", "0"),
                ("o", str(origin)),
                ("s", "-"),
                ("c", f"IN {kind} {media.address}"),
                ("t", "0 0"),
            ]
            return SessionDescription(head, lines).to_bytes()

        body = written()
        if self._written and body != self._written:
            self._version += 1
            body = written()
        self._written = body
        return body


def _media_line(
    media: LocalMedia, codecs: tuple[Codec, ...], protocol: str, direction: str
) -> Media:
    lines: Lines = [line for codec in codecs for line in codec.attributes]
    lines += [("a", "ptime:20"), ("a", "maxptime:240"), ("a", direction)]
    lines += [("a", value) for value in media.attributes]
    return Media(VOICE, media.port, protocol, [str(codec.payload_type) for codec in codecs], lines)


def _refusal(theirs: Media) -> Media:
    """The same stream with port 0 and nothing below (RFC 3264 §6)."""
    return Media(theirs.kind, 0, theirs.protocol, theirs.formats[:1])


def _wants_voice(offer: SessionDescription) -> bool:
    return any(theirs.kind == VOICE and theirs.port for theirs in offer.media)


def _usable(theirs: Media, media: LocalMedia) -> list[Codec]:
    if theirs.kind != VOICE or not theirs.port or not media.port:
        return []
    if theirs.protocol not in PROTOCOLS:
        return []
    return chosen(common(theirs, media.codecs))


def _direction(description: SessionDescription, media: Media) -> str:
    """The peer's direction; an address of zeros is the hold of RFC 2543."""
    direction = description.direction(media)
    if description.address(media) in ("0.0.0.0", "::"):  # noqa: S104
        return HOLD.get(direction, direction)
    return direction


def _common_direction(theirs: str, wanted: str) -> str:
    """What both sides allow, seen from here (RFC 3264 §6.1)."""
    possible = _MIRRORED.get(theirs, theirs)
    sends = possible in _SENDING and wanted in _SENDING
    receives = possible in _RECEIVING and wanted in _RECEIVING
    if sends:
        return "sendrecv" if receives else "sendonly"
    return "recvonly" if receives else "inactive"


def _stream(
    description: SessionDescription,
    theirs: Media,
    direction: str,
    codecs: list[Codec],
    local_port: int,
) -> Stream:
    address = description.address(theirs)
    if not address:
        raise ParseError("a stream without an address")
    return Stream(address, theirs.port, direction, tuple(codecs), local_port)
