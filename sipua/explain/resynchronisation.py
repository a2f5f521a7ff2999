"""What an AUTS tells of the two counters, and what the HSS must do (TS 33.102 §6.3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from card.aka.sequence import DELTA, IND_BITS, next_sqn, resync
from card.explanation import distance_sentence
from sipua.explain.finding import NETWORK, TERMINAL, Finding

if TYPE_CHECKING:
    from sipua.explain.opening import Opened

Facts = dict[str, Any]


def counters(autn: Opened, auts: Opened) -> Facts:
    """The card's SQN, how far the network's lies ahead in SEQ, and the next SQN that is taken.

    What cannot be known is None.
    """
    facts: Facts = {"distance": None, "hss_must_go_on_from": None, "next_sqn": None}
    if auts.sqn < 0:
        return facts
    after = auts.sqn
    if autn.sqn >= 0:
        facts["distance"] = (autn.sqn >> IND_BITS) - (auts.sqn >> IND_BITS)
        after = resync(autn.sqn, auts.sqn)
    facts["hss_must_go_on_from"] = f"{after:012x}"
    facts["next_sqn"] = f"{next_sqn(after):012x}"
    return facts


def judged(autn: Opened, auts: Opened) -> list[Finding]:
    """Why the card sent AUTS, as far as both sequence numbers tell."""
    if autn.sqn < 0 or auts.sqn < 0:
        return list(auts.findings)
    distance = (autn.sqn >> IND_BITS) - (auts.sqn >> IND_BITS)
    todo = (
        f"The HSS must check MAC-S with AMF 0000, go on from SQN "
        f"{resync(autn.sqn, auts.sqn):012x} and challenge again."
    )
    if autn.sqn == auts.sqn:
        finding = Finding(
            "autn-given-twice",
            TERMINAL,
            "The card had taken this very SQN already.",
            "Either the terminal gave one AUTN to the card twice, after a retransmission for "
            "instance, or the network used one SQN twice.",
            f"Ask the card once for each nonce and keep its answer. {todo}",
        )
    else:
        code = "sqn-too-far-ahead" if distance > DELTA else "sqn-not-fresh"
        finding = Finding(
            code,
            NETWORK,
            f"The card refused the SQN in AUTN: {distance_sentence(distance)} (in SEQ).",
            "Two networks that share a key but not a counter, or an HSS restored from a backup, "
            "get out of step like this.",
            todo,
        )
    return [*auts.findings, finding]
