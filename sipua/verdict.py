"""How an attempt ended: one verdict, with its exit status and a sentence for people."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """The value is the word that JSON and people read."""

    REGISTERED = "registered"
    DEREGISTERED = "deregistered"
    OK = "ok"
    NO_READER = "no-reader"
    NO_CARD = "no-card"
    NO_APPLICATION = "no-application"
    PIN_REQUIRED = "pin-required"
    PIN_WRONG = "pin-wrong"
    PIN_BLOCKED = "pin-blocked"
    CARD_ERROR = "card-error"
    MAC_FAILURE = "mac-failure"
    SYNC_FAILURE = "sync-failure"
    NO_AKA_OFFERED = "no-aka-offered"
    BAD_CHALLENGE = "bad-challenge"
    REJECTED = "rejected"
    WRONG_RESPONSE = "wrong-response"
    CHALLENGE_LOOP = "challenge-loop"
    SECURITY_AGREEMENT = "security-agreement"
    SERVER_ERROR = "server-error"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    DNS_FAILURE = "dns-failure"
    TLS_FAILURE = "tls-failure"
    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no-answer"
    CANCELLED = "cancelled"
    CALL_LOST = "call-lost"
    UNEXPECTED = "unexpected"
    INTERNAL_ERROR = "internal-error"
    INTERRUPTED = "interrupted"

    @property
    def exit_status(self) -> int:
        """Exit status of the process that ends with this verdict."""
        return EXIT_STATUS[self]

    @property
    def sentence(self) -> str:
        """What it means, for a person who knows SIP but not this program."""
        return SENTENCE[self]

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to check next where nothing more is known than the verdict itself."""
        return NEXT_STEPS.get(self, ())


EXIT_STATUS = {
    Verdict.REGISTERED: 0,
    Verdict.DEREGISTERED: 0,
    Verdict.OK: 0,
    Verdict.NO_READER: 10,
    Verdict.NO_CARD: 11,
    Verdict.NO_APPLICATION: 12,
    Verdict.PIN_REQUIRED: 13,
    Verdict.PIN_WRONG: 14,
    Verdict.PIN_BLOCKED: 15,
    Verdict.CARD_ERROR: 16,
    Verdict.MAC_FAILURE: 20,
    Verdict.SYNC_FAILURE: 21,
    Verdict.NO_AKA_OFFERED: 22,
    Verdict.BAD_CHALLENGE: 23,
    Verdict.REJECTED: 30,
    Verdict.WRONG_RESPONSE: 31,
    Verdict.CHALLENGE_LOOP: 32,
    Verdict.SECURITY_AGREEMENT: 33,
    Verdict.SERVER_ERROR: 34,
    Verdict.UNREACHABLE: 40,
    Verdict.TIMEOUT: 41,
    Verdict.DNS_FAILURE: 42,
    Verdict.TLS_FAILURE: 43,
    Verdict.BUSY: 50,
    Verdict.DECLINED: 51,
    Verdict.NO_ANSWER: 52,
    Verdict.CANCELLED: 53,
    Verdict.CALL_LOST: 54,
    Verdict.UNEXPECTED: 55,
    Verdict.INTERNAL_ERROR: 70,
    Verdict.INTERRUPTED: 130,
}

SENTENCE = {
    Verdict.REGISTERED: "The registrar accepted the registration.",
    Verdict.DEREGISTERED: "The registrar removed the registration.",
    Verdict.OK: "Done.",
    Verdict.NO_READER: "There is no PC/SC service, or no reader that fits.",
    Verdict.NO_CARD: "The reader holds no card.",
    Verdict.NO_APPLICATION: "The card carries no USIM or ISIM that can be used.",
    Verdict.PIN_REQUIRED: "The card asks for PIN1 and none was given.",
    Verdict.PIN_WRONG: "The card refused the PIN.",
    Verdict.PIN_BLOCKED: "The PIN is blocked, or too few tries are left to risk one.",
    Verdict.CARD_ERROR: "The card answered with something unexpected.",
    Verdict.MAC_FAILURE: "The card refused the network's AUTN: card and network hold other keys.",
    Verdict.SYNC_FAILURE: "Card and network are still out of step after AUTS was sent.",
    Verdict.NO_AKA_OFFERED: "The server asks for a password, not the SIM; nothing was answered.",
    Verdict.BAD_CHALLENGE: "The server's challenge cannot be read.",
    Verdict.REJECTED: "The server refused before any challenge.",
    Verdict.WRONG_RESPONSE: "The server challenged, was answered, and refused the answer.",
    Verdict.CHALLENGE_LOOP: "The server challenges again and again.",
    Verdict.SECURITY_AGREEMENT: "No common security mechanism was found.",
    Verdict.SERVER_ERROR: "The server reports a failure of its own.",
    Verdict.UNREACHABLE: "The network refused the connection or lost it.",
    Verdict.TIMEOUT: "The server did not answer in time.",
    Verdict.DNS_FAILURE: "The server's name has no usable address.",
    Verdict.TLS_FAILURE: "The server could not be trusted, or TLS could not be set up.",
    Verdict.BUSY: "The other side is busy.",
    Verdict.DECLINED: "The other side declined the call.",
    Verdict.NO_ANSWER: "Nobody answered the call.",
    Verdict.CANCELLED: "The call was given up before it was answered.",
    Verdict.CALL_LOST: "The other side vanished in the middle of the call.",
    Verdict.UNEXPECTED: "The call ended in another way than --expect asked for.",
    Verdict.INTERNAL_ERROR: "This program failed; please report it.",
    Verdict.INTERRUPTED: "Interrupted by the user.",
}

NEXT_STEPS = {
    Verdict.NO_READER: (
        "See whether pcscd runs and what it finds: sipua card list.",
        "Without a reader, try an emulated card: --card emulated.",
    ),
    Verdict.NO_CARD: ("Put the card in, contacts down, and look again: sipua card list.",),
    Verdict.NO_APPLICATION: (
        "--application auto takes whichever the card has; see what it holds: sipua card info.",
    ),
    Verdict.PIN_REQUIRED: ("Give PIN1 in a file with --pin-file, or in SIPUA_PIN.",),
    Verdict.PIN_WRONG: ("Do not guess: sipua card pin status tells how many tries are left.",),
    Verdict.PIN_BLOCKED: (
        "With tries left, --force-pin spends one of them.",
        "With none left, only the PUK helps: sipua card pin unblock.",
    ),
    Verdict.CARD_ERROR: ("Follow what the card is asked and answers: -vvv.",),
    Verdict.REJECTED: (
        "See with -vv who refused, and whether Reason or Warning of the answer tell why; the "
        "network's log does.",
    ),
    Verdict.TIMEOUT: (
        "See with -vv, or -vvv for the card, what was asked last and of whom; --timeout gives it "
        "more time.",
    ),
    Verdict.UNREACHABLE: (
        "Check address, port and transport of the P-CSCF, and that it is running.",
    ),
    Verdict.DNS_FAILURE: (
        "Check the name and this machine's resolver, or give an address: --pcscf udp:ADDRESS:PORT.",
    ),
    Verdict.TLS_FAILURE: (
        "Trust the network's authority with --ca-file, and name the P-CSCF as its certificate "
        "does.",
    ),
    Verdict.BUSY: (
        "See with -vv who said so: 486 speaks for one phone, 600 for all that the subscriber has.",
        "A callee that is busy with a call of an earlier test is freed by ending that call.",
    ),
    Verdict.DECLINED: (
        "See with -vv who said so: the callee, or the network on his behalf (barring, a blocked "
        "number); Reason and Warning of the answer can tell.",
    ),
    Verdict.NO_ANSWER: (
        "See whether it rang (180): if it did not, the callee's phone is not registered or not "
        "reached.",
        "If it did, give it more time with --ring-timeout; many networks end it by 408 or 480 "
        "themselves.",
    ),
    Verdict.CANCELLED: (
        "It was ended from this side by --cancel-after: see whether it rang (180), and how long "
        "after calling.",
    ),
    Verdict.CALL_LOST: (
        "See with -vv what was asked last: an answer 481 comes from somebody who has forgotten "
        "the call, none at all from somebody who is gone.",
        "A connection or NAT binding that was closed in the middle does that: compare the time "
        "talked with its timeouts.",
    ),
    Verdict.UNEXPECTED: (
        "The reason tells which status came; without --expect the verdict is what that means, "
        "with its own advice.",
    ),
    Verdict.INTERNAL_ERROR: ("Report it with what -vv prints; secrets are masked there.",),
}
