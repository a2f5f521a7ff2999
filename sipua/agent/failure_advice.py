"""What to check next when it was not an answer of the network that ended an attempt.

The most probable cause stands first. What an answer means is for the machines
to say (``sipua.ims.advice`` and its like).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.errors import NoSuchWay, PinBlocked, PinRequired, PinWrong
from card.pin import BLOCKED
from sipua.errors import EngineError, NetworkError
from sipua.sip.endpoint import UDP_LIMIT
from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.sip.hop import Hop

NETWORK = {
    "refused": "Nothing listens there: see that the P-CSCF runs, and at which port and by which "
    "transport; --transport tries another one.",
    "no-route": "This machine has no way to that address: check the address, the interface "
    "(--interface, --bind) and the VPN.",
    "unknown-authority": "Give the authority that signed the P-CSCF's certificate with --ca-file.",
    "other-name": "Name the P-CSCF in --pcscf as its certificate does: the reason tells both "
    "names.",
    "dates": "Check the clock of this machine, and then how long the certificate is valid.",
    "no-tls": "That port does not speak TLS: try --transport tcp, or TLS's own port, 5061.",
    "no-such-name": "The name is not known to DNS: check its spelling and the card's domain, or "
    "give an address: --pcscf udp:ADDRESS:PORT.",
    "nameserver-silent": "The nameserver does not answer: check /etc/resolv.conf and the way to "
    "it, or do without by an address: --pcscf udp:ADDRESS:PORT.",
}
"""By ``NetworkError.cause``."""

WITHOUT_PUK = "No try is left: only the PUK helps: sipua card pin unblock."


def advise(error: Exception, verdict: Verdict) -> tuple[str, ...]:
    """Sentences for an error of network, card or machine that ended an attempt with ``verdict``."""
    if isinstance(error, NetworkError):
        known = NETWORK.get(error.cause)
        return (known,) if known else verdict.next_steps
    if isinstance(error, EngineError):
        return (
            "IPsec needs root, or CAP_NET_ADMIN for the kernel's and CAP_NET_RAW for this "
            "program's own: the reason names what is missing.",
            "--ipsec auto registers without it at a network that does not insist.",
        )
    if isinstance(error, NoSuchWay):
        return ("Install what is missing, or name the card in another way, as the reason says.",)
    if isinstance(error, PinWrong):
        return _of_wrong_pin(error.tries_left)
    if isinstance(error, PinBlocked):
        return _of_blocked_pin(error.tries_left)
    if isinstance(error, PinRequired) and error.sw in BLOCKED:
        return _of_blocked_pin(0)
    return verdict.next_steps


def of_missing_pin(tries: int | None) -> tuple[str, ...]:
    """Sentences for a card that wants PIN1 when none was given; ``tries`` None if unknown."""
    if tries == 0:
        return _of_blocked_pin(0)
    steps = Verdict.PIN_REQUIRED.next_steps
    return steps if tries is None else (*steps, f"{_left(tries)} for it.")


def of_silence(hop: Hop, octets: int, *, heard: bool) -> tuple[str, ...]:
    """Sentences for a request of that many octets to which no final response came.

    ``heard`` says that the same peer had answered before.
    """
    large = (
        f"The request had {octets} octets, and over UDP what is larger than the path takes is "
        "lost without a word: try --transport tcp."
    )
    if hop.transport == "UDP" and octets > UDP_LIMIT:
        return (large, f"If that is silent as well, see that {hop} is the P-CSCF's address.")
    if heard:
        return (
            "The network answered before and then fell silent: look at the registrar's log and "
            "at its way to the HSS, and give it more time with --timeout.",
            "Over UDP the later requests are larger than the first: try --transport tcp.",
        )
    if hop.transport == "UDP":
        return (
            f"Nothing came back from {hop}: check address and port of the P-CSCF, and the "
            "firewalls on the way; --transport tcp tells whether it is UDP alone.",
        )
    return (
        f"{hop} says nothing: see that it is SIP's port and not another service's, and look for "
        "firewalls on the way.",
        "The P-CSCF may take UDP only: try --transport udp.",
    )


def _of_wrong_pin(tries: int) -> tuple[str, ...]:
    if tries == 1:
        return (
            "One try is left, and another wrong PIN blocks the card: none is sent now without "
            "--force-pin.",
        )
    return (f"{_left(tries)}; do not guess: sipua card pin status tells them at any time.",)


def _of_blocked_pin(tries: int) -> tuple[str, ...]:
    if tries:
        return (
            f"{_left(tries)}, which --force-pin spends: only with a PIN that is surely right.",
            "With none left only the PUK helps: sipua card pin unblock.",
        )
    return (WITHOUT_PUK,)


def _left(tries: int) -> str:
    return "One try is left" if tries == 1 else f"{tries} tries are left"
