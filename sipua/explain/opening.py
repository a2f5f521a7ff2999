"""AUTN and AUTS opened by whoever has the key, and why they do not open."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from card.aka.result import MacFailure
from card.aka.sequence import IND_BITS
from card.aka.vector import open_autn, open_auts
from sipua.explain.finding import NETWORK, TERMINAL, Finding
from sipua.explain.mistakes.autn import AUTN_MISTAKES
from sipua.explain.mistakes.auts import AUTS_MISTAKES
from sipua.explain.mistakes.keys import WRONG_KEYS
from sipua.explain.search import RESERVE

if TYPE_CHECKING:
    from card.aka.functions import AkaFunctions
    from sipua.explain.mistakes.keys import WrongKey
    from sipua.explain.search import Budget
    from sipua.explain.subscriber import Subscriber

Facts = dict[str, Any]


class Opened:
    """An AUTN or AUTS. ``sqn`` is -1 while its MAC is not right in any known way.

    ``functions`` are those which made it: the subscriber's, or those of
    ``wrong_key``. ``findings`` say what is wrong with it.
    """

    __slots__ = ("findings", "functions", "mac", "sqn", "wrong_key")

    def __init__(self, functions: AkaFunctions) -> None:
        self.functions = functions
        self.mac = "wrong"
        self.sqn = -1
        self.wrong_key: WrongKey | None = None
        self.findings: list[Finding] = []

    @property
    def facts(self) -> Facts:
        """SQN, SEQ, IND and whether the MAC is right, for a table."""
        if self.sqn < 0:
            return {"mac": self.mac, "sqn": None, "seq": None, "ind": None}
        return {
            "mac": self.mac,
            "sqn": f"{self.sqn:012x}",
            "seq": self.sqn >> IND_BITS,
            "ind": self.sqn & ((1 << IND_BITS) - 1),
        }


def opened_autn(subscriber: Subscriber, rand: bytes, autn: bytes, budget: Budget) -> Opened:
    """SQN out of AUTN; where the MAC is wrong, what reproduces it."""
    opened = Opened(subscriber.functions)
    try:
        opened.sqn = open_autn(subscriber.functions, rand, autn)
    except MacFailure:
        _explain_autn(opened, subscriber, rand, autn, budget)
    else:
        opened.mac = "right"
    return opened


def _explain_autn(
    opened: Opened, subscriber: Subscriber, rand: bytes, autn: bytes, budget: Budget
) -> None:
    for wrong in WRONG_KEYS:
        for functions, how in wrong.functions(subscriber):
            try:
                opened.sqn = open_autn(functions, rand, autn)
            except MacFailure:
                continue
            opened.functions = functions
            opened.wrong_key = wrong
            opened.findings.append(_other_key(wrong, how))
            return
    for mistake in AUTN_MISTAKES:
        if not budget.spend(mistake.tries, RESERVE if mistake.tries > 1 else 0):
            continue
        for sqn, due, came, how in mistake.attempt(subscriber.functions, rand, autn):
            if compare_digest(due, came):
                opened.sqn = int.from_bytes(sqn, "big")
                opened.findings.append(
                    Finding(
                        mistake.code, NETWORK, mistake.what.format(how), mistake.why, mistake.todo
                    )
                )
                return
    opened.findings.append(
        Finding(
            "mac-wrong",
            NETWORK,
            "The MAC in AUTN was not made with the key of the profile.",
            "No way to mix up or turn round K, OP and OPc gives it either: another key altogether, "
            "or the vector of another subscriber.",
            "Compare K and OPc in the HSS with the profile, and see that the IMPI belongs to it.",
        )
    )


def _other_key(wrong: WrongKey, how: str) -> Finding:
    return Finding(
        f"network-{wrong.code}",
        NETWORK,
        f"The network {wrong.what.format(how)}.",
        "That key gives the MAC in AUTN, the profile's own does not; a card with the profile's key "
        "refuses it. If the card takes it, the same mistake is in the profile given here.",
        wrong.todo,
    )


def opened_auts(subscriber: Subscriber, rand: bytes, autn: bytes, auts: bytes) -> Opened:
    """SQN_MS out of AUTS; where MAC-S is wrong, what reproduces it."""
    opened = Opened(subscriber.functions)
    try:
        opened.sqn = open_auts(subscriber.functions, rand, auts)
    except MacFailure:
        _explain_auts(opened, subscriber, rand, autn, auts)
    else:
        opened.mac = "right"
    return opened


def _explain_auts(
    opened: Opened, subscriber: Subscriber, rand: bytes, autn: bytes, auts: bytes
) -> None:
    for wrong in WRONG_KEYS:
        for functions, how in wrong.functions(subscriber):
            try:
                opened.sqn = open_auts(functions, rand, auts)
            except MacFailure:
                continue
            opened.functions = functions
            opened.wrong_key = wrong
            opened.findings.append(
                Finding(
                    f"card-{wrong.code}",
                    TERMINAL,
                    f"Who made AUTS {wrong.what.format(how)}.",
                    "That key gives its MAC-S, the profile's own does not.",
                    wrong.todo,
                )
            )
            return
    for mistake in AUTS_MISTAKES:
        for sqn, mac in mistake.attempt(subscriber.functions, rand, autn, auts):
            if compare_digest(mac, auts[6:]):
                opened.sqn = int.from_bytes(sqn, "big")
                opened.findings.append(
                    Finding(mistake.code, TERMINAL, mistake.what, mistake.why, mistake.todo)
                )
                return
    opened.findings.append(
        Finding(
            "auts-mac-wrong",
            TERMINAL,
            "MAC-S in AUTS was not made with the key of the profile for this RAND.",
            "The HSS refuses such an AUTS and does not resynchronise.",
            "See that AUTS answers this very challenge, and that the profile is this card's.",
        )
    )
