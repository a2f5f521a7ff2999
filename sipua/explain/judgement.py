"""Whether an answer is right, and what reproduces it where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.result import AkaResponse
from sipua.explain.credentials import AUTS, REJECT, RES, kind_of
from sipua.explain.field_checks import checked
from sipua.explain.finding import NETWORK, PROFILE, TERMINAL, Finding
from sipua.explain.search import NotSearched, is_right, mistakes_in

if TYPE_CHECKING:
    from sipua.explain.case import Case
    from sipua.explain.opening import Opened
    from sipua.explain.search import Budget

RIGHT, WRONG, UNCHECKED = "right", "wrong", "not checked"
NO_KEY = AkaResponse(b"", b"", b"")


class Judgement:
    """``checked`` is right, wrong or not checked; ``findings`` say why."""

    __slots__ = ("checked", "findings")

    def __init__(self) -> None:
        self.checked = UNCHECKED
        self.findings: list[Finding] = []


def judge(case: Case, autn: Opened | None, budget: Budget) -> Judgement:
    """Judge one answer; ``autn`` is what the key says of the challenge, None without a key."""
    judgement = Judgement()
    judgement.findings = checked(case)
    kind = kind_of(case.told)
    if case.told.masked:
        return judgement
    if kind == AUTS and case.challenge.scheme == "aka":
        _judge_auts_digest(case, autn, judgement, budget)
    elif kind == RES and autn is not None:
        _judge_res(case, autn, judgement, budget)
    elif kind == REJECT:
        judgement.findings.append(_refused(autn))
    return judgement


def _judge_auts_digest(
    case: Case, autn: Opened | None, judgement: Judgement, budget: Budget
) -> None:
    """The digest beside AUTS needs no key (RFC 3310 §3.4)."""
    if not case.told.auts or not case.told.response:
        return
    if is_right(case, NO_KEY):
        judgement.checked = RIGHT
        return
    judgement.checked = WRONG
    _reproduce(case, NO_KEY if autn is None else _answer(autn, case), judgement, budget)


def _judge_res(case: Case, autn: Opened, judgement: Judgement, budget: Budget) -> None:
    assert case.subscriber is not None
    due = _answer(autn, case)
    if is_right(case, due):
        judgement.checked = RIGHT
        if autn.wrong_key is not None:
            _blame_profile(autn)
        elif autn.mac != RIGHT:
            judgement.findings.append(_mac_not_checked())
        return
    judgement.checked = WRONG
    if autn.wrong_key is not None:
        res, ck, ik, _ = case.subscriber.functions.f2345(case.challenge.rand)
        if is_right(case, AkaResponse(res, ck, ik)):
            judgement.findings.append(_mac_not_checked())
            return
    _reproduce(case, due, judgement, budget)


def _mac_not_checked() -> Finding:
    return Finding(
        "mac-not-checked",
        TERMINAL,
        "The terminal answered with RES although the MAC in AUTN is wrong.",
        "A USIM refuses such a challenge (TS 33.102 §6.3.3): this answer was computed without "
        "checking it.",
        "Check the MAC before RES is given away; then repair the network's key.",
    )


def _reproduce(case: Case, aka: AkaResponse, judgement: Judgement, budget: Budget) -> None:
    try:
        made = mistakes_in(case, aka, budget)
    except NotSearched:
        judgement.findings.append(
            Finding(
                "response-not-searched",
                TERMINAL,
                "The response does not follow from this key.",
                "So many others were searched for their mistakes that this one was not.",
                "Have it explained by itself: filter the capture down to this Call-ID.",
            )
        )
        return
    if made:
        # what was reproduced explains a length that is not the hash's, too
        seen = [each for each in judgement.findings if each.code != "response-length"]
        judgement.findings = [
            Finding(mistake.code, TERMINAL, mistake.what.format(how), mistake.why, mistake.todo)
            for mistake, how in made
        ] + seen
    elif not any(each.code == "response-length" for each in judgement.findings):
        judgement.findings.append(
            Finding(
                "response-unexplained",
                TERMINAL,
                "The response does not follow from this key, and no known mistake gives it.",
                "Another key, values that changed on the way, or a mistake that is not looked for.",
                "Compare the terminal's inputs with the formula of the right answer, one by one.",
            )
        )


def _blame_profile(autn: Opened) -> None:
    """Network and terminal agree on the other key: then it is the profile that has it wrong."""
    assert autn.wrong_key is not None
    autn.findings = [
        Finding(
            f"profile-{autn.wrong_key.code}",
            PROFILE,
            "Network and terminal hold the same key; it is the profile given here that differs.",
            f"Seen from the profile, the other two {_plural(autn.wrong_key.what)}.",
            "Correct the profile.",
        )
    ]


def _plural(what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{ {'has': 'have', 'computes': 'compute'}.get(first, first) } {rest}".replace(
        ": {}", ""
    )


def _refused(autn: Opened | None) -> Finding:
    if autn is not None and autn.mac == RIGHT:
        return Finding(
            "refused-right-mac",
            TERMINAL,
            "The terminal refused AUTN, whose MAC is right for the key of the profile.",
            "The card holds another key than the profile, or the challenge did not reach it as it "
            "was sent.",
            "Try the card itself: sipua card authenticate --rand … --autn … --profile FILE.",
        )
    return Finding(
        "mac-failure",
        NETWORK,
        "The terminal refused AUTN: its card found the MAC wrong.",
        "An empty response without AUTS tells the network so (TS 33.203 §6.1.2.2). Card and HSS "
        "hold other keys.",
        "Compare K and OPc of the card with those in the HSS; an OP typed where OPc is wanted is "
        "the usual cause. See that the IMPI belongs to this card.",
    )


def _answer(autn: Opened, case: Case) -> AkaResponse:
    res, ck, ik, _ = autn.functions.f2345(case.challenge.rand)
    return AkaResponse(res, ck, ik)
