"""How a dialog went as a whole: refused unasked, refused after a right answer, never answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.explain.credentials import AUTS, RES, kind_of
from sipua.explain.finding import NETWORK, POLICY, TERMINAL, Finding
from sipua.sip.grammar import HEX_DIGITS, made_of
from sipua.sip.status import REASON_PHRASES

if TYPE_CHECKING:
    from sipua.explain.dialogs import Dialog
    from sipua.explain.exchange import Exchange
    from sipua.explain.rounds import Round

LOOP = 3
"""Challenges without success in between that make a loop."""

AUTHENTICATION = (401, 407)
SECURITY = (421, 494)


def succeeded(dialog: Dialog) -> bool:
    """Whether the last request that got a final answer got a 2xx."""
    answered = [each for each in dialog.exchanges if each.status]
    return bool(answered) and 200 <= answered[-1].status < 300


def told_by(dialog: Dialog, rounds: list[Round], *, right: bool, explained: bool) -> list[Finding]:
    """What the course of the dialog tells.

    ``right``: its last RES was found right. ``explained``: it is known already
    why the network refuses it.
    """
    findings: list[Finding] = []
    findings += _bad_challenges(dialog)
    findings += [finding for each in dialog.exchanges for finding in _unreadable(each)]
    if any(each.keys_shown for each in dialog.exchanges):
        findings.append(_keys_shown())
    if succeeded(dialog):
        return findings
    answered = [each for each in dialog.exchanges if each.status]
    refused = answered[-1] if answered else None
    if refused is not None and refused.status >= 300 and refused.status not in AUTHENTICATION:
        unexplained = not (explained and rounds and refused.status < 500)
        if unexplained and _is_about_access(refused):
            findings.append(_refused(refused, challenged=bool(rounds), right=right))
    elif refused is not None and refused.status in AUTHENTICATION:
        findings += _challenged_again(dialog, rounds, refused)
    return findings + _unanswered(dialog)


def _unanswered(dialog: Dialog) -> list[Finding]:
    """The last request got no answer at all, although the capture went on for long enough."""
    requests = [each for each in dialog.exchanges if each.request_known and each.method != "ACK"]
    if not dialog.went_silent or not requests:
        return []
    last = requests[-1]
    one_way = len(requests) > 1 and not any(each.status for each in requests)
    if last.status or last.is_ringing or one_way:
        return []
    times = f", though it was sent {last.copies} times" if last.copies > 1 else ""
    return [
        Finding(
            "no-response",
            NETWORK,
            f"Nobody answered the {last.method}{times}.",
            "The request was lost, or its answer was; over UDP one that is too large is lost "
            "without a word.",
            "Check address, port and transport, and the firewalls on the way; try TCP.",
        )
    ]


def _is_about_access(exchange: Exchange) -> bool:
    """Whether a refusal may be for who asks; a call that is busy or unanswered is none."""
    return (
        exchange.method == "REGISTER"
        or exchange.status in (403, *SECURITY)
        or 500 <= exchange.status < 600
    )


def _bad_challenges(dialog: Dialog) -> list[Finding]:
    findings = []
    for exchange in dialog.exchanges:
        if not exchange.asked:
            continue
        usable = [offer for offer in exchange.asked if offer.challenge is not None]
        broken = [offer for offer in exchange.asked if offer.malformed]
        for offer in broken:
            findings.append(
                Finding(
                    "bad-challenge",
                    NETWORK,
                    f"The challenge cannot be read: {offer.what}: {offer.problem}.",
                    "A nonce of Digest AKA is base64 of RAND and AUTN, 32 octets, and data of the "
                    "server's own (RFC 3310 §3.2).",
                    "Look at how the registrar builds its nonce.",
                )
            )
        if not usable and not broken:
            findings.append(_no_aka(dialog, exchange))
    return list(dict.fromkeys(findings))


def _no_aka(dialog: Dialog, exchange: Exchange) -> Finding:
    first = dialog.exchanges[0]
    why = "The subscriber is provisioned for a password, or the registrar chose MD5 by itself."
    todo = "Provision the subscriber for AKA in the HSS (Digest-AKAv1-MD5)."
    if first.request_known and not first.initial_algorithm:
        why += " The first request named no algorithm; some registrars offer AKA only when asked."
        todo = f"Name the algorithm in the first REGISTER (--algorithm AKAv1-MD5). {todo}"
    return Finding(
        "no-aka-offered",
        NETWORK,
        f"The server asks for a password, not for the SIM: "
        f"{', '.join(offer.what for offer in exchange.asked)}.",
        why,
        todo,
        wrong=not succeeded(dialog),
    )


def _keys_shown() -> Finding:
    return Finding(
        "keys-shown",
        NETWORK,
        "The challenge shows CK and IK to the terminal and to whoever listens.",
        "They are meant for the P-CSCF, which takes them out (TS 24.229 §5.2.2).",
        "Have the P-CSCF remove ck and ik; without a P-CSCF this is to be expected.",
        wrong=False,
    )


def _refused(exchange: Exchange, *, challenged: bool, right: bool) -> Finding:
    status = f"{exchange.status} {exchange.reason or REASON_PHRASES.get(exchange.status, '')}"
    said = "".join(f" It says {name}: {value}." for name, value in exchange.telling)
    status = status.strip()
    if exchange.status in SECURITY:
        return Finding(
            "security-agreement",
            POLICY,
            f"The network demands a security agreement ({status}).{said}",
            "IPsec between terminal and P-CSCF is negotiated with Security-Client, -Server and "
            "-Verify (RFC 3329, TS 33.203).",
            "Offer sec-agree, repeat the whole Security-Server list in Security-Verify, or have "
            "the P-CSCF do without.",
        )
    if exchange.status >= 500 and exchange.status < 600:
        return Finding(
            "server-error",
            NETWORK,
            f"The server failed ({status}).{said}",
            "Nothing the terminal sent is to blame for a 5xx.",
            "Look at the registrar's log and at its way to the HSS.",
        )
    if not challenged:
        return Finding(
            "rejected-before-challenge",
            POLICY,
            f"The network refused the {exchange.method} before it asked for anything ({status})."
            f"{said}",
            "The key plays no part in this: the identity, the domain, a header or the transport "
            "is not to its liking.",
            "Compare IMPI, IMPU and Request-URI with the HSS; look at P-Access-Network-Info, "
            "Contact parameters, Require and User-Agent.",
        )
    if right:
        return Finding(
            "right-answer-refused",
            POLICY,
            f"The answer is right and was refused all the same ({status}).{said}",
            "Both sides hold the same key. What remains: IMPI and IMPU do not belong together, "
            "roaming or barring, a vector that the registrar lost.",
            "Look into the registrar's log, and at the subscription in the HSS.",
        )
    return Finding(
        "refused",
        POLICY,
        f"The network refused the answer ({status}).{said}",
        "",
        "Give the subscriber's key with --profile to have the answer checked.",
    )


def _challenged_again(dialog: Dialog, rounds: list[Round], last: Exchange) -> list[Finding]:
    findings = []
    nonces = [each.challenge.nonce for each in rounds if each.seen]
    answers = [told for each in rounds for _, told in each.answers]
    if any(kind_of(told) == RES for told in answers) and len(nonces) > len(set(nonces)):
        findings.append(
            Finding(
                "same-challenge-again",
                NETWORK,
                "The network sent the same nonce again after it was answered.",
                "It does not accept the answer, or does not see it.",
                "See that the answer reaches the server that asked.",
            )
        )
    elif len(nonces) >= LOOP and answers:
        auts = sum(kind_of(told) == AUTS for told in answers)
        findings.append(
            Finding(
                "challenge-loop",
                NETWORK,
                f"The network challenged {len(nonces)} times and never let it end.",
                f"{auts} of the answers held AUTS: it does not take the card's SQN."
                if auts > 1
                else "It forgets its challenges, or finds every answer wrong.",
                "See that all requests of one registration reach the same S-CSCF, and look at its "
                "log.",
            )
        )
    if last.secured:
        findings.append(_answer_in_ipsec())
        return findings
    later = [each for each in dialog.exchanges if each.cseq > last.cseq]
    if dialog.went_silent and nonces and not last.told and not later:
        findings.append(
            Finding(
                "unanswered-challenge",
                TERMINAL,
                "The terminal did not answer the challenge.",
                "Its card may have refused AUTN, or cannot be reached; a terminal should tell the "
                "network so (TS 33.203 §6.1.2.2).",
                "Look at the terminal's log and its card.",
            )
        )
    return findings


def _answer_in_ipsec() -> Finding:
    return Finding(
        "answer-in-ipsec",
        TERMINAL,
        "The answer goes through IPsec, where this capture does not see it.",
        "The challenge came with Security-Server: what follows is protected by ESP (TS 33.203 §7).",
        "Capture inside of the IPsec tunnel, or at the P-CSCF behind it.",
        wrong=False,
    )


def _unreadable(exchange: Exchange) -> list[Finding]:
    return [
        Finding(
            "credentials-unreadable",
            TERMINAL,
            f"The {told.header} cannot be read: {told.problem}.",
            "Credentials are a scheme and parameters, name=value, with commas between "
            "(RFC 3261 §25.1).",
            "Look at quotes and commas.",
        )
        for told in exchange.told
        if told.problem and not told.params
    ]


def is_hexadecimal(nonce: str) -> bool:
    """Whether somebody wrote RAND and AUTN as digits where base64 is due."""
    return len(nonce) == 64 and made_of(nonce, HEX_DIGITS)
