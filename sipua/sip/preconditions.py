"""Preconditions of a session (RFC 3312, RFC 4032): nobody rings before there is a bearer.

Quality of service with segmented status, as TS 24.229 uses it: ``local`` is our
access, ``remote`` the peer's. What they are is told apart from how they are met,
which whoever has the bearer tells with ``reserve``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.errors import ParseError, PeerError

if TYPE_CHECKING:
    from sipua.sip.sdp import Media

QOS = "qos"
LOCAL, REMOTE = "local", "remote"
STRENGTHS = ("none", "optional", "mandatory")  # rising (RFC 3312 §5.2)
MANDATORY = STRENGTHS.index("mandatory")
FAILED = frozenset({"failure", "unknown"})  # RFC 3312 §8, §9

Row = tuple[str, str]
"""Segment and direction: a row of the status table (RFC 3312 §4)."""

_DIRECTIONS = {
    "none": (),
    "send": ("send",),
    "recv": ("recv",),
    "sendrecv": ("send", "recv"),
}
_BOTH = _DIRECTIONS["sendrecv"]
_SEGMENTS = (LOCAL, REMOTE)
_SEEN_FROM_HERE = {LOCAL: REMOTE, REMOTE: LOCAL, "send": "recv", "recv": "send"}  # table 4


class PreconditionFailure(PeerError):
    """Preconditions that cannot be met: 580 (RFC 3312 §8)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 580)


class Preconditions:
    """The status table of one stream.

    ``current`` holds the rows that are met, ``desired`` the strength of each row,
    ``confirm`` the rows the peer wants to hear of, ``told`` those it has heard of.
    ``used`` tells whether both sides know of preconditions.
    """

    __slots__ = ("confirm", "current", "desired", "told", "used")

    def __init__(self) -> None:
        self.used = False
        self.current: set[Row] = set()
        self.confirm: set[Row] = set()
        self.told: set[Row] = set()
        self.desired: dict[Row, int] = {
            (segment, direction): STRENGTHS.index("none" if segment == REMOTE else "mandatory")
            for segment in _SEGMENTS
            for direction in _BOTH
        }

    def copy(self) -> Preconditions:
        """The same for another dialog of the INVITE."""
        other = Preconditions()
        other.used = self.used
        other.current, other.confirm = set(self.current), set(self.confirm)
        other.desired, other.told = dict(self.desired), set(self.told)
        return other

    def reserve(self) -> None:
        """Our access has its bearer."""
        self.current |= {(LOCAL, direction) for direction in _BOTH}

    @property
    def owes_confirmation(self) -> bool:
        """Whether the peer is to be told by an offer that our side is ready (§7)."""
        return self.confirm <= self.current and not self.confirm <= self.told

    @property
    def met(self) -> bool:
        """Whether all mandatory rows are met, so that the callee may be alerted (§6)."""
        return not self.used or all(
            row in self.current for row, strength in self.desired.items() if strength == MANDATORY
        )

    def take(self, media: Media) -> None:
        """What the peer says of its stream, in an offer or an answer (§5.2, table 3).

        Raises PreconditionFailure for what cannot be met here, and ParseError.
        """
        if not media.port:
            return  # §8.1
        rows = [("curr", value.split()) for value in media.attributes("curr")]
        rows += [("des", value.split()) for value in media.attributes("des")]
        rows += [("conf", value.split()) for value in media.attributes("conf")]
        self.used = bool(rows)
        if not rows:
            return
        told: set[Row] = set()
        confirm: set[Row] = set()
        desired = dict(self.desired)
        for name, words in rows:
            strength = words.pop(1) if name == "des" and len(words) == 4 else "none"
            if len(words) != 3 or words[2] not in _DIRECTIONS:
                raise ParseError(f"not a precondition: {name}:{' '.join(words)[:60]}")
            kind, segment, directions = words
            if strength in FAILED:
                raise PreconditionFailure("the peer's preconditions have failed")
            if strength not in STRENGTHS:
                raise ParseError(f"not the strength of a precondition: {strength[:40]!r}")
            if kind != QOS or segment not in _SEEN_FROM_HERE:
                if strength == "mandatory" and segment != LOCAL:
                    raise PreconditionFailure(f"a precondition {kind} {segment} is not known here")
                continue
            for direction in _DIRECTIONS[directions]:
                row = _SEEN_FROM_HERE[segment], _SEEN_FROM_HERE[direction]
                if name == "curr":
                    told.add(row)
                elif name == "conf":
                    confirm.add(row)
                else:
                    desired[row] = max(desired[row], STRENGTHS.index(strength))
        ours = {row for row in self.current if row[0] == LOCAL}  # we know better (table 3)
        self.current = ours | {row for row in told if row[0] == REMOTE}
        self.desired = desired
        self.confirm = {row for row in confirm if row[0] == LOCAL}

    def attributes(self) -> tuple[str, ...]:
        """The ``a=`` values for our offer or answer (§5.1.1), with a request for confirmation
        of what only the peer can meet (§7). What they say counts as told."""
        self.told = {row for row in self.current if row[0] == LOCAL}
        lines = [
            f"curr:{QOS} {segment} {_directions(self.current, segment)}" for segment in _SEGMENTS
        ]
        for segment in _SEGMENTS:
            send, receive = (self.desired[segment, direction] for direction in _BOTH)
            if send == receive:
                lines.append(f"des:{QOS} {STRENGTHS[send]} {segment} sendrecv")
            else:
                lines.append(f"des:{QOS} {STRENGTHS[send]} {segment} send")
                lines.append(f"des:{QOS} {STRENGTHS[receive]} {segment} recv")
        unmet = {
            row
            for row, strength in self.desired.items()
            if row[0] == REMOTE and strength == MANDATORY and row not in self.current
        }
        if self.used and unmet:
            lines.append(f"conf:{QOS} {REMOTE} {_directions(unmet, REMOTE)}")
        return tuple(lines)


def _directions(rows: set[Row], segment: str) -> str:
    met = tuple(direction for direction in _BOTH if (segment, direction) in rows)
    return next(name for name, directions in _DIRECTIONS.items() if directions == met)
