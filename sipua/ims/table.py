"""What the tables of the machines have in common: states, inputs, and how challenges go.

Guards stand in the input: what a response means for an attempt (a challenge
never seen, one answered before, one too many …) is decided before a table is
asked, so that each pair of state and input has one row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable


class State:
    """Where an attempt stands."""

    IDLE = "idle"
    TRYING = "trying"  # request sent, nothing answered yet
    ASKING = "asking"  # the card has the challenge
    ANSWERED = "answered"  # request with RES sent
    RESYNCHRONISING = "resynchronising"  # request with AUTS sent
    REFUSING = "refusing"  # request with the empty response sent
    WAITING = "waiting"  # for Retry-After to pass
    REGISTERED = "registered"
    ENDED = "ended"


class Input:
    """What happened."""

    START = "start"
    STOP = "stop"  # de-registration is wanted
    DUE = "due"  # the deadline has passed

    CHALLENGED = "challenged"  # RAND and AUTN that the card has not seen
    CHALLENGED_KNOWN = "challenged-known"  # the card has answered these before
    CHALLENGED_WRONG = "challenged-wrong"  # the very nonce just answered
    CHALLENGED_TOO_OFTEN = "challenged-too-often"
    NO_AKA = "no-aka"
    BAD_CHALLENGE = "bad-challenge"

    CARD_RES = "card-res"
    CARD_AUTS = "card-auts"
    CARD_AUTS_AGAIN = "card-auts-again"
    CARD_MAC_FAILURE = "card-mac-failure"
    CARD_FAILED = "card-failed"

    ACCEPTED = "accepted"
    ACCEPTED_UNBOUND = "accepted-unbound"  # 2xx, but no binding is kept
    ACCEPTED_LEAVING = "accepted-leaving"  # 2xx, and STOP came in between
    REMOVED = "removed"  # 2xx to a de-registration

    TOO_BRIEF = "too-brief"
    REDIRECTED = "redirected"
    BUSY = "busy"  # 5xx with a Retry-After that is short enough
    LOST = "lost"  # a renewal failed while the binding lives
    SECURITY = "security"
    FORBIDDEN = "forbidden"  # 403, where other refusals mean something else
    REFUSED = "refused"  # any other 3xx, 4xx, 6xx
    SERVER_FAILED = "server-failed"
    TIMED_OUT = "timed-out"
    UNREACHABLE = "unreachable"
    DNS_FAILED = "dns-failed"
    TLS_FAILED = "tls-failed"
    CONCLUDED = "concluded"  # whatever comes after the network was refused


class Row:
    """One transition. ``action`` is a method of the machine; ``verdict`` that of its end."""

    __slots__ = ("action", "next_state", "rule", "verdict")

    def __init__(
        self, action: str, next_state: str, rule: str, verdict: Verdict | None = None
    ) -> None:
        self.action = action
        self.next_state = next_state
        self.rule = rule
        self.verdict = verdict


Step = tuple[tuple[str, ...], str, str, str, str]
"""States, input, action, next state ("" to stay), rule."""

End = tuple[tuple[str, ...], str, Verdict, str]
"""States, input, verdict, rule."""

_S, _I, _V = State, Input, Verdict
OPEN = (_S.TRYING, _S.ANSWERED, _S.RESYNCHRONISING)
"""The states in which a response is awaited that may lead on."""

CHALLENGE_STEPS: tuple[Step, ...] = (
    (OPEN, _I.CHALLENGED, "ask_card", _S.ASKING, "RFC 3310 §3.3"),
    (OPEN, _I.CHALLENGED_KNOWN, "answer_again", _S.ANSWERED, "RFC 7616 §3.4"),
    ((_S.ASKING,), _I.CARD_RES, "answer", _S.ANSWERED, "RFC 3310 §3.3"),
    ((_S.ASKING,), _I.CARD_AUTS, "resynchronise", _S.RESYNCHRONISING, "RFC 3310 §3.4"),
    ((_S.ASKING,), _I.CARD_MAC_FAILURE, "refuse", _S.REFUSING, "TS 33.203 §6.1.2.2"),
)

COMMON_ENDS: tuple[End, ...] = (
    (OPEN, _I.NO_AKA, _V.NO_AKA_OFFERED, "RFC 3310 §5.3"),
    (OPEN, _I.BAD_CHALLENGE, _V.BAD_CHALLENGE, "RFC 3310 §3.2"),
    (OPEN, _I.CHALLENGED_TOO_OFTEN, _V.CHALLENGE_LOOP, "TS 24.229 §5.1.1.5.12"),
    ((_S.ANSWERED,), _I.CHALLENGED_WRONG, _V.WRONG_RESPONSE, "RFC 3261 §22.1"),
    ((_S.RESYNCHRONISING,), _I.CHALLENGED_WRONG, _V.SYNC_FAILURE, "RFC 3310 §3.4"),
    ((_S.ASKING,), _I.CARD_AUTS_AGAIN, _V.SYNC_FAILURE, "TS 24.229 §5.1.1.5.3"),
    ((_S.ASKING,), _I.CARD_FAILED, _V.CARD_ERROR, "TS 31.102 §7.1"),
    ((_S.REFUSING,), _I.CONCLUDED, _V.MAC_FAILURE, "TS 24.229 §5.1.1.5.3"),
    ((_S.REFUSING,), _I.DUE, _V.MAC_FAILURE, "TS 24.229 §5.1.1.5.3"),
    ((_S.TRYING,), _I.REFUSED, _V.REJECTED, "RFC 3261 §8.1.3"),
    (OPEN, _I.SECURITY, _V.SECURITY_AGREEMENT, "RFC 3329 §2.3, RFC 3261 §21.4.15"),
    (OPEN, _I.SERVER_FAILED, _V.SERVER_ERROR, "RFC 3261 §21.5"),
    (OPEN, _I.TIMED_OUT, _V.TIMEOUT, "RFC 3261 §8.1.3.1"),
    (OPEN, _I.UNREACHABLE, _V.UNREACHABLE, "RFC 3261 §8.1.3.1"),
    (OPEN, _I.DNS_FAILED, _V.DNS_FAILURE, "RFC 3263 §4.3"),
    (OPEN, _I.TLS_FAILED, _V.TLS_FAILURE, "RFC 3261 §26.3.1"),
)


def rows(steps: Iterable[Step]) -> dict[tuple[str, str], Row]:
    """Steps written out: one row for each of their states."""
    return {
        (state, happened): Row(action, next_state or state, rule)
        for states, happened, action, next_state, rule in steps
        for state in states
    }


def ending_rows(ends: Iterable[End]) -> dict[tuple[str, str], Row]:
    """Ends written out: one row for each of their states."""
    return {
        (state, happened): Row("end", State.ENDED, rule, verdict)
        for states, happened, verdict, rule in ends
        for state in states
    }


def transitions(steps: tuple[Step, ...], ends: tuple[End, ...]) -> dict[tuple[str, str], Row]:
    """The table of a machine: what is common to all, and its own steps and ends."""
    return {**rows((*CHALLENGE_STEPS, *steps)), **ending_rows((*COMMON_ENDS, *ends))}
