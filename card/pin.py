"""PIN verification that cannot lock a card (TS 102 221 §9.5, §11.1.9)."""

from __future__ import annotations

from card.apdu import ALL, VERIFY_PIN, Command, Response, meaning
from card.errors import PinBlocked, PinMalformed, PinRequired, PinWrong, StatusError
from card.exchange import Exchange
from card.fcp import PIN1

SAFE_TRIES = 2  # with fewer left a PIN is sent only when forced
PIN_OCTETS = 8

NOT_ASKED = frozenset((0x6984, 0x9808))  # the PIN is disabled
BLOCKED = frozenset((0x6983, 0x9840))
ACCESS_REFUSED = frozenset((0x6900, 0x6982, 0x6985, 0x9804))  # some cards say 6900 (traps E5)


def tries_left(exchange: Exchange, reference: int = PIN1) -> int | None:
    """How many tries the PIN has left, 0 when blocked; spends none (VERIFY without a PIN).

    None when the card does not ask for it: verified already, or disabled.
    Raises StatusError.
    """
    return tries_in(ask_tries(exchange, VERIFY_PIN, reference), "VERIFY PIN")


def ask_tries(exchange: Exchange, instruction: int, reference: int) -> Response:
    """The answer to a PIN command without a PIN in it, which spends no try."""
    response = exchange.send(Command(0, instruction, 0, reference, le=ALL))
    if response.sw == 0x6700:  # T=1 cards want no Le here
        response = exchange.send(Command(0, instruction, 0, reference))
    return response


def tries_in(response: Response, command: str) -> int | None:
    """The tries that an answer tells, 0 when blocked, None when there is nothing to try.

    Raises StatusError.
    """
    if response.ok or response.sw in NOT_ASKED:
        return None
    if response.sw in BLOCKED:
        return 0
    if response.sw & 0xFFF0 == 0x63C0:
        return response.sw & 0x0F
    raise StatusError(response.sw, meaning(response.sw), command)


def verify(exchange: Exchange, block: bytes, reference: int = PIN1, *, force: bool = False) -> None:
    """Verify the PIN in ``block``, unless the card does not ask for one.

    With fewer than two tries left nothing is sent, unless ``force``. Raises
    PinWrong, PinBlocked, StatusError.
    """
    tries = tries_left(exchange, reference)
    if tries is None:
        return
    check_tries(tries, "PIN", force=force)
    response = exchange.send(Command(0, VERIFY_PIN, 0, reference, block))
    if response.sw not in NOT_ASKED:
        check_outcome(response, "VERIFY PIN", "PIN")


def check_tries(tries: int, name: str, *, force: bool) -> None:
    """Raises PinBlocked when none is left, or one only and not ``force``."""
    if tries == 0:
        remedy = "unblock it with the PUK" if name == "PIN" else "the PIN stays blocked for good"
        raise PinBlocked(f"the {name} is blocked; {remedy}", 0)
    if tries < SAFE_TRIES and not force:
        raise PinBlocked(
            f"only {tries} try is left for the {name}, so it was not sent;"
            " verify it elsewhere first, or force it",
            tries,
        )


def check_outcome(response: Response, command: str, name: str) -> None:
    """Raises PinWrong, PinBlocked or StatusError unless the card took the PIN or PUK."""
    if response.ok:
        return
    if response.sw in BLOCKED or response.sw == 0x63C0:
        raise PinBlocked(f"the card refused the {name} and has blocked it", 0)
    if response.sw & 0xFFF0 == 0x63C0:
        raise PinWrong(response.sw & 0x0F, name)
    raise StatusError(response.sw, meaning(response.sw), command)


def pin_block(pin: str) -> bytes:
    """Eight octets: the digits in ASCII, filled up with FF (§9.5.1). Raises PinMalformed."""
    if not (4 <= len(pin) <= PIN_OCTETS and pin.isascii() and pin.isdecimal()):
        raise PinMalformed("a PIN is 4 to 8 decimal digits; nothing was sent to the card")
    return pin.encode().ljust(PIN_OCTETS, b"\xff")


def pin_required(sw: int, command: str) -> PinRequired:
    """The error for a command that was refused for want of a PIN."""
    if sw in BLOCKED:
        advice = "the PIN is blocked; unblock it with the PUK"
    else:
        advice = "the card wants PIN1; give it, or disable it on the card"
    return PinRequired(f"{command} was answered {sw:04X} ({meaning(sw)}): {advice}", sw)
