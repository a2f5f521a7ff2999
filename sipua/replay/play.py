"""A recording against today's program: each dialog played, and what came out differently."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from card.aka.result import AkaResponse, MacFailure, SynchronisationFailure
from sipua.auth.selection import offered
from sipua.errors import LocalError, ParseError
from sipua.explain.credentials import AUTS, REJECT, RES, kind_of, read_told
from sipua.replay.casting import abilities_in, cast, is_protected, passed_over
from sipua.replay.comparison import CREDENTIALS, differences
from sipua.replay.recording import UNKNOWN_RES
from sipua.replay.stage import Stage
from sipua.sip.message import Request, Response
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sipua.auth.scheme import AkaChallenge, Outcome
    from sipua.explain.subscriber import Subscriber
    from sipua.replay.recording import RecordedDialog, Recording
    from sipua.replay.roles import Role
    from sipua.replay.stage import Key, Said

MAX_TURNS = 200_000
"""Steps of all dialogs of a recording; what would begin after that is not played."""

TOLERANCE = 0.25
"""Seconds that are no difference: a program needs time, a virtual clock does not."""

LOCAL_ENDS = (Verdict.TIMEOUT, Verdict.INTERRUPTED, Verdict.CARD_ERROR, Verdict.CANCELLED)
"""Verdicts that may come of what the network never sees."""


End = tuple[float, Verdict, str]
"""A verdict of a recording: when, which, why."""


class Difference(NamedTuple):
    """``at`` is in seconds since the dialog began; ``what`` names the message."""

    at: float
    what: str
    text: str


class Played(NamedTuple):
    """One dialog. ``same`` counts messages that today's program sends as they were sent;
    ``recorded`` and ``today`` are the verdicts. ``skipped`` says why it was not played,
    ``passed_over`` which parts of it were not."""

    call_id: str
    opening: str
    differences: tuple[Difference, ...] = ()
    same: int = 0
    recorded: tuple[str, ...] = ()
    today: tuple[str, ...] = ()
    skipped: str = ""
    passed_over: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document of ``replay --json``."""
        return {**self._asdict(), "differences": [each._asdict() for each in self.differences]}


def play(recording: Recording, subscribers: Sequence[Subscriber] = ()) -> Iterator[Played]:
    """Each dialog in turn."""
    director = _Director(recording, subscribers)
    for dialog in recording.dialogs:
        opened = f"{dialog.opening.method} {dialog.opening.uri}"
        role = cast(dialog)
        if not isinstance(role, str) and director.turns > MAX_TURNS:
            role = "the dialogs before it were so long that it is not begun"
        if isinstance(role, str):
            yield Played(dialog.call_id, opened, skipped=role)
            continue
        try:
            yield director.play(dialog, role)
        except (ParseError, LocalError) as error:
            yield Played(dialog.call_id, opened, skipped=f"it cannot be played on: {error}")


class _Director:
    """Plays the dialogs of one recording; ``turns`` counts the steps of all."""

    def __init__(self, recording: Recording, subscribers: Sequence[Subscriber]) -> None:
        self.turns = 0
        self._recording = recording
        self._subscribers = subscribers
        self._abilities = abilities_in(recording.dialogs)
        self._alone = sum(not dialog.incoming for dialog in recording.dialogs) == 1

    def play(self, dialog: RecordedDialog, role: Role) -> Played:
        """One dialog. Raises ParseError and LocalError for what cannot be carried on."""
        ends = self._ends(dialog)
        until = max([dialog.ended, *(at for at, _, _ in ends)])
        answers = answers_in(dialog, self._recording, self._subscribers)
        stage = Stage(dialog, role, self._recording.card, answers, until, self._abilities)
        try:
            stage.play()
            if ends and len(role.ends) < len(ends) and ends[-1][1] in LOCAL_ENDS:
                stage.give_up()
        finally:
            self.turns += stage.turns
        known = all(
            not isinstance(each, AkaResponse) or each.res for each in answers.values()
        ) and bool(answers)
        return _told(stage, dialog, role, ends, until, digest_known=known)

    def _ends(self, dialog: RecordedDialog) -> list[End]:
        """The verdicts which the trace has for a dialog."""
        method = dialog.opening.method
        if dialog.incoming:
            return []
        next_one = self._next_of(dialog)
        ends = [each for each in self._recording.verdicts if dialog.began <= each[0] < next_one]
        if method == "INVITE":
            return ends[-1:]
        if method in ("MESSAGE", "OPTIONS"):
            after = [each for each in ends if each[0] >= dialog.ended]
            short = any("short message" in each for each in passed_over(dialog))
            return [] if short else after[:1]
        return ends if self._alone and method == "REGISTER" else []

    def _next_of(self, dialog: RecordedDialog) -> float:
        """When the user agent began the next one alike, as after a 504 that wants everything to
        be done anew: a verdict after that is not about this one."""
        later = [
            each.began
            for each in self._recording.dialogs
            if each.began > dialog.began
            and not each.incoming
            and each.opening.method == dialog.opening.method
        ]
        return min(later, default=inf)


def _told(
    stage: Stage,
    dialog: RecordedDialog,
    role: Role,
    ends: list[End],
    until: float,
    *,
    digest_known: bool,
) -> Played:
    expected = [verdict.value for _, verdict, _ in ends]
    today = [verdict.value for _, verdict in role.ends]
    protected = is_protected(dialog)
    found = list(
        _compared(stage, dialog.began, until, digest_known=digest_known, protected=protected)
    )
    if expected and expected != today:
        text = f"recorded {', '.join(expected)}, today {', '.join(today) or 'none'}"
        found.append(Difference(until - dialog.began, "verdict", text))
    different = {each.what for each in found}
    same = sum(str(key) not in different for key in stage.then)
    opened = f"{dialog.opening.method} {dialog.opening.uri}"
    left = [*passed_over(dialog)]
    if stage.unanswered:
        many = "message" if stage.unanswered == 1 else "messages"
        left.append(f"{stage.unanswered} {many} of the peer's: nothing asks for them today")
    return Played(
        dialog.call_id,
        opened,
        tuple(found),
        same,
        tuple(expected),
        tuple(today),
        passed_over=tuple(left),
    )


def _compared(
    stage: Stage, began: float, until: float, *, digest_known: bool, protected: bool
) -> Iterator[Difference]:
    first = _first_cseq(stage.then.values()), _first_cseq(stage.now.values())
    apart = {key for key in (*stage.then, *stage.now) if _is_apart(stage, key)}
    for key, then in stage.then.items():
        if key.copy and key._replace(copy=0) in apart:
            continue
        now = stage.now.get(key)
        if now is None:
            yield Difference(then.at - began, str(key), "was sent; today's program does not")
            continue
        late = now.at - then.at
        if abs(late) > TOLERANCE:
            word = "later" if late > 0 else "earlier"
            yield Difference(then.at - began, str(key), f"is sent {abs(late):.3f} s {word} today")
        if not key.copy:
            for text in differences(
                then.message, now.message, first, digest_known=digest_known, protected=protected
            ):
                yield Difference(then.at - began, str(key), text)
    for key, now in stage.now.items():
        if key in stage.then or (key.copy and key._replace(copy=0) in apart):
            continue
        if now.at < until - TOLERANCE:
            yield Difference(now.at - began, str(key), "is sent today; the recording has none")


def _is_apart(stage: Stage, key: Key) -> bool:
    """Whether a message was sent by one side only, or at another time: its copies tell nothing."""
    then, now = stage.then.get(key), stage.now.get(key)
    return then is None or now is None or abs(then.at - now.at) > TOLERANCE


def _first_cseq(said: Iterable[Said]) -> int:
    for each in said:
        if isinstance(each.message, Request):
            try:
                return each.message.cseq.number
            except ParseError:
                continue
    return 0


# What the card said ------------------------------------------------------------------------


def answers_in(
    dialog: RecordedDialog, recording: Recording, subscribers: Sequence[Subscriber]
) -> dict[tuple[bytes, bytes], Outcome]:
    """The card's answer to each vector of the dialog that was answered: out of its APDUs, else out
    of what was told to the network; RES out of a key that is known, where it is hidden."""
    answers: dict[tuple[bytes, bytes], Outcome] = {
        (said.rand, said.autn): said.outcome for said in recording.card
    }
    challenges: list[AkaChallenge] = []
    for recorded in dialog.messages:
        message = recorded.message
        if isinstance(message, Response) and not recorded.sent:
            if message.status in (401, 407):
                challenges += [
                    offer.challenge for offer in offered(message) if offer.challenge is not None
                ]
        elif isinstance(message, Request) and recorded.sent:
            for challenge, outcome in _answers_told(message, challenges):
                answers.setdefault((challenge.rand, challenge.autn), outcome)
    wanted = {(each.rand, each.autn) for each in challenges}
    for vector in wanted & set(answers):
        if answers[vector] == UNKNOWN_RES:
            answers[vector] = _computed(vector[0], dialog, subscribers)
    return {vector: answers[vector] for vector in wanted & set(answers)}


def _answers_told(
    request: Request, challenges: list[AkaChallenge]
) -> Iterator[tuple[AkaChallenge, Outcome]]:
    """What credentials tell of the card's answer to a challenge."""
    for header in CREDENTIALS.values():
        for value in request.headers.all(header):
            told = read_told(header, value)
            kind = kind_of(told)
            outcome: Outcome | None = None
            if kind == RES:
                outcome = UNKNOWN_RES
            elif kind == REJECT:
                outcome = MacFailure()
            elif kind == AUTS and told.auts:
                outcome = SynchronisationFailure(told.auts)
            for challenge in reversed(challenges):
                same = told.get("nonce") == challenge.nonce or challenge.scheme == "umts"
                if same and outcome is not None:
                    yield challenge, outcome
                    break


def _computed(
    rand: bytes, dialog: RecordedDialog, subscribers: Sequence[Subscriber]
) -> AkaResponse:
    from sipua.replay.given import username_of

    name = username_of(dialog)
    for subscriber in subscribers:
        if subscriber.is_named([name]) or not subscriber.names:
            res, ck, ik, _ = subscriber.functions.f2345(rand)
            return AkaResponse(res, ck, ik)
    return UNKNOWN_RES
