"""What the card itself answered, where a capture holds its APDUs, too (TS 31.102 §7.1.2)."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from sipua.auth.nonce import AUTN_SIZE, AUTS_SIZE, RAND_SIZE
from sipua.explain.credentials import AUTS, REJECT, RES
from sipua.explain.finding import TERMINAL, Finding

if TYPE_CHECKING:
    from sipua.capture.captured import CapturedApdu

AUTHENTICATE, GET_RESPONSE = 0x88, 0xC0
SUCCESS, SYNCHRONISATION_FAILURE = 0xDB, 0xDC
MAC_FAILURE = b"\x98\x62"
MAX_REMEMBERED = 4096


class CardAnswer(NamedTuple):
    """``kind`` is RES, AUTS or reject, or the status word that came instead of an answer."""

    at: float
    kind: str
    auts: bytes = b""

    def to_json(self) -> dict[str, Any]:
        """For the document of a challenge."""
        return {"at": round(self.at, 6), "answer": self.kind, "auts": self.auts.hex() or None}


class CardAnswers:
    """The answers to AUTHENTICATE, by RAND and AUTN; the newest of many."""

    def __init__(self) -> None:
        self._answers: OrderedDict[bytes, CardAnswer] = OrderedDict()
        self._asked = b""

    def take(self, apdu: CapturedApdu) -> None:
        """One command and its answer; of a long answer GET RESPONSE brings the rest."""
        command, answer = apdu.command, apdu.answer
        if len(command) < 4 or len(answer) < 2:
            return
        if command[1] == AUTHENTICATE:
            self._asked = _vector(command[5:])
        elif command[1] != GET_RESPONSE:
            self._asked = b""
        if not self._asked or answer[-2] in (0x61, 0x6C) or answer[-2:-1] == b"\x9f":
            return
        self._answers[self._asked] = _read(apdu.at, answer)
        self._answers.move_to_end(self._asked)
        if len(self._answers) > MAX_REMEMBERED:
            self._answers.popitem(last=False)
        self._asked = b""

    def of(self, rand: bytes, autn: bytes) -> CardAnswer | None:
        """What the card said to this vector; None where no capture shows it."""
        return self._answers.get(rand + autn)


def contradictions(card: CardAnswer, told: set[str], auts: set[bytes]) -> list[Finding]:
    """Where the terminal told the network something else than the card had said.

    ``told`` are the kinds of what it told about this challenge, ``auts`` those it sent.
    """
    if card.kind in (RES, AUTS, REJECT) and told and card.kind not in told:
        said = " and ".join(sorted(told))
        return [
            Finding(
                "not-what-the-card-said",
                TERMINAL,
                f"The card answered with {_WORDS[card.kind]}; the terminal told the network: "
                f"{said}.",
                "What the card says decides what is sent (TS 24.229 §5.1.1.5).",
                "Look at how the terminal reads the card's answer: DB is RES, DC is AUTS, status "
                "word 9862 is a wrong MAC.",
            )
        ]
    if card.auts and auts and card.auts not in auts:
        return [
            Finding(
                "not-what-the-card-said",
                TERMINAL,
                "The AUTS that was sent is not the one that the card gave.",
                "Only the card's own AUTS carries a MAC-S that the HSS takes.",
                "Send the 14 octets after DC 0E as they are, in base64.",
            )
        ]
    if card.kind == REJECT and not told:
        return [
            Finding(
                "card-found-mac-wrong",
                TERMINAL,
                "The card found the MAC in AUTN wrong (9862), and the network was not told.",
                "Card and HSS hold other keys; a terminal says so with an empty response "
                "(TS 33.203 §6.1.2.2).",
                "Compare K and OPc of the card with those in the HSS.",
            )
        ]
    if card.kind not in (RES, AUTS, REJECT):
        return [
            Finding(
                "card-status",
                TERMINAL,
                f"The card did not run AUTHENTICATE: status word {card.kind}.",
                "6982 or 6985 asks for the PIN first; 6A.. and 6D00 mean another application.",
                "Look at the card: sipua card info.",
            )
        ]
    return []


_WORDS = {RES: "RES", AUTS: "AUTS", REJECT: "status word 9862 (the MAC is wrong)"}


def _vector(data: bytes) -> bytes:
    """RAND and AUTN out of the data of AUTHENTICATE in the 3G context; b"" for any other."""
    if len(data) < 2 + RAND_SIZE + AUTN_SIZE or data[0] != RAND_SIZE:
        return b""
    if data[1 + RAND_SIZE] != AUTN_SIZE:
        return b""
    return data[1 : 1 + RAND_SIZE] + data[2 + RAND_SIZE : 2 + RAND_SIZE + AUTN_SIZE]


def _read(at: float, answer: bytes) -> CardAnswer:
    if answer[-2:] == MAC_FAILURE:
        return CardAnswer(at, REJECT)
    if len(answer) > 2 and answer[0] == SUCCESS:
        return CardAnswer(at, RES)
    if len(answer) > 2 + AUTS_SIZE and answer[:2] == bytes((SYNCHRONISATION_FAILURE, AUTS_SIZE)):
        return CardAnswer(at, AUTS, answer[2 : 2 + AUTS_SIZE])
    return CardAnswer(at, answer[-2:].hex().upper())
