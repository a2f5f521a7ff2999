"""A dialog explained: the document that ``--json`` prints and people read as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from card.aka.sequence import IND_BITS
from sipua.auth.redaction import redact
from sipua.explain.card_answers import contradictions
from sipua.explain.credentials import RES, kind_of
from sipua.explain.facts import (
    challenge_facts,
    exchange_facts,
    right_answer,
    seconds,
    secrets,
    without_res,
)
from sipua.explain.finding import NETWORK, TERMINAL, Finding
from sipua.explain.judgement import RIGHT, UNCHECKED, judge
from sipua.explain.opening import Opened, opened_autn, opened_auts
from sipua.explain.resynchronisation import counters, judged
from sipua.explain.rounds import Round, case_of, rounds_of
from sipua.explain.story import is_hexadecimal, succeeded, told_by
from sipua.explain.whose_key import subscriber_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sipua.auth.scheme import AkaChallenge
    from sipua.explain.card_answers import CardAnswers
    from sipua.explain.case import Told
    from sipua.explain.dialogs import Dialog
    from sipua.explain.exchange import Exchange
    from sipua.explain.search import Budget
    from sipua.explain.subscriber import Subscriber

Document = dict[str, Any]


def explain(
    dialog: Dialog,
    subscribers: Sequence[Subscriber],
    cards: CardAnswers,
    budget: Budget,
    show_secrets: bool,
) -> Document:
    """All that can be said of a dialog; secrets are in it only if they were asked for."""
    return _Work(dialog, subscribers, cards, budget, show_secrets).document()


class _Work:
    """What is found out about one dialog."""

    def __init__(
        self,
        dialog: Dialog,
        subscribers: Sequence[Subscriber],
        cards: CardAnswers,
        budget: Budget,
        show_secrets: bool,
    ) -> None:
        self.dialog = dialog
        self.subscribers = subscribers
        self.cards = cards
        self.budget = budget
        self.show_secrets = show_secrets
        self.rounds = rounds_of(dialog)
        self.findings: list[Finding] = []
        self.last_res = UNCHECKED
        self.sqn_ms = -1  # what the last AUTS told
        self.last_success = max(
            (n for n, each in enumerate(dialog.exchanges) if 200 <= each.status < 300), default=-1
        )

    def document(self) -> Document:
        dialog = self.dialog
        first = dialog.exchanges[0]
        challenges = [self.round(each) for each in self.rounds]
        explained = any(finding.wrong for finding in self.findings)
        self.findings += told_by(
            dialog, self.rounds, right=self.last_res == RIGHT, explained=explained
        )
        self.findings = list(dict.fromkeys(self.findings))
        self.findings.sort(key=lambda finding: not finding.wrong)
        return {
            "call_id": dialog.call_id or None,
            "method": first.method or None,
            "uri": first.uri or None,
            "at": seconds(first.at),
            "source": first.source or None,
            "destination": first.destination or None,
            "transport": first.transport or None,
            "wrong": any(finding.wrong for finding in self.findings),
            "summary": self.summary(),
            "exchanges": [exchange_facts(each) for each in dialog.exchanges],
            "omitted_exchanges": dialog.omitted,
            "challenges": challenges,
            "findings": [finding.to_json() for finding in self.findings],
        }

    def summary(self) -> str:
        """One sentence: the first thing that is wrong, else how it ended."""
        if self.findings and self.findings[0].wrong:
            return self.findings[0].what
        if succeeded(self.dialog):
            return "Nothing is wrong: it ended in success."
        if self.last_res == RIGHT:
            return "The answer is right."
        if self.rounds and not any(each.answers for each in self.rounds):
            return "A challenge; nothing is wrong with it as far as can be seen."
        awaited = [each for each in self.dialog.exchanges if each.at > 0 and each.method != "ACK"]
        if awaited and not any(each.status for each in awaited):
            return "No answer to it is in the capture."
        return "Nothing wrong was found."

    def forgiven(self, exchange: Exchange, findings: Iterable[Finding]) -> list[Finding]:
        """What the network took in the end was no fault: it becomes something worth knowing."""
        taken = self.dialog.exchanges.index(exchange) <= self.last_success
        return [finding._replace(wrong=finding.wrong and not taken) for finding in findings]

    def round(self, round_: Round) -> Document:
        """One challenge, opened as far as the key goes, and what was answered to it."""
        challenge = round_.challenge
        subscriber = subscriber_of(round_, self.subscribers)
        autn = None
        if challenge.scheme == "aka" and is_hexadecimal(challenge.nonce):
            self.findings += self.forgiven(round_.exchange, [_nonce_as_hex()])
        elif subscriber is not None:
            autn = opened_autn(subscriber, challenge.rand, challenge.autn, self.budget)
        told_before, self.sqn_ms = self.sqn_ms, -1
        answers = [
            self.answer(round_, exchange, told, subscriber, autn)
            for exchange, told in round_.answers
        ]
        if autn is not None:
            self.findings += self.forgiven(round_.exchange, autn.findings)
            if not any(answer["kind"] == RES for answer in answers):
                self.watch_resynchronisation(autn, told_before)
        return {
            **challenge_facts(round_),
            "card": self.card(round_),
            "autn": autn.facts if autn is not None else None,
            "secrets": secrets(autn, challenge) if autn and self.show_secrets else None,
            "right_answer": right_answer(round_, subscriber, show_secrets=self.show_secrets),
            "answers": answers,
        }

    def card(self, round_: Round) -> Document | None:
        """What the card said to this challenge, where its APDUs were captured."""
        challenge = round_.challenge
        card = self.cards.of(challenge.rand, challenge.autn)
        if card is None:
            return None
        told = {kind_of(told) for _, told in round_.answers}
        auts = {told.auts for _, told in round_.answers if told.auts}
        self.findings += self.forgiven(round_.exchange, contradictions(card, told, auts))
        return card.to_json()

    def answer(
        self,
        round_: Round,
        exchange: Exchange,
        told: Told,
        subscriber: Subscriber | None,
        autn: Opened | None,
    ) -> Document:
        next_nonces = tuple(each.next_nonce for each in self.dialog.exchanges if each.next_nonce)
        case = case_of(round_, exchange, told, self.rounds, subscriber, next_nonces)
        judgement = judge(case, autn, self.budget)
        kind = kind_of(told)
        if kind == RES:
            self.last_res = judgement.checked
        self.findings += self.forgiven(exchange, judgement.findings)
        auts = None
        if told.auts:
            auts = self.auts(round_.challenge, exchange, told, subscriber, autn)
        value = told.value
        if not self.show_secrets:
            value = without_res(redact(value), autn, round_.challenge)
        return {
            "at": seconds(exchange.at),
            "method": exchange.method or None,
            "kind": kind,
            "header": told.header,
            "value": value,
            "checked": judgement.checked,
            "auts": auts,
            "status": exchange.status or None,
        }

    def auts(
        self,
        challenge: AkaChallenge,
        exchange: Exchange,
        told: Told,
        subscriber: Subscriber | None,
        autn: Opened | None,
    ) -> Document:
        """AUTS, opened where there is a key."""
        document: Document = {"octets": told.auts.hex()}
        if subscriber is None or autn is None:
            self.findings += self.forgiven(exchange, [_out_of_step()])
            return document
        opened = opened_auts(subscriber, challenge.rand, challenge.autn, told.auts)
        self.sqn_ms = opened.sqn
        self.findings += self.forgiven(exchange, judged(autn, opened))
        return document | opened.facts | counters(autn, opened)

    def watch_resynchronisation(self, autn: Opened, sqn_ms: int) -> None:
        """After an AUTS that told ``sqn_ms`` the next SEQ must lie beyond its SEQ."""
        if autn.sqn >= 0 and sqn_ms >= 0 and autn.sqn >> IND_BITS <= sqn_ms >> IND_BITS:
            self.findings.append(
                Finding(
                    "auts-ignored",
                    NETWORK,
                    f"After AUTS the network sent SQN {autn.sqn:012x}, whose SEQ is not beyond "
                    f"that of the card's {sqn_ms:012x}.",
                    "The HSS did not take AUTS: it must check MAC-S with AMF 0000 and go on from "
                    "the card's SQN (TS 33.102 §6.3.5).",
                    "See in the HSS log whether AUTS reached it and was found right.",
                )
            )


def _nonce_as_hex() -> Finding:
    return Finding(
        "nonce-as-hex",
        NETWORK,
        "The nonce is written in hexadecimal.",
        "A nonce of Digest AKA is base64 of RAND and AUTN (RFC 3310 §3.2); terminals take these "
        "digits for base64 and find other octets.",
        "Write base64 of the 32 octets.",
    )


def _out_of_step() -> Finding:
    return Finding(
        "sync-failure",
        TERMINAL,
        "The card holds the key, but the SQN in AUTN is not fresh to it: it sent AUTS.",
        "Card and HSS count differently. The key would tell how far they are apart.",
        "The HSS must check MAC-S with AMF 0000, go on from the card's SQN and challenge again.",
    )
