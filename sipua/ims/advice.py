"""What to check next, for each way in which a registration can end.

Written for somebody who can look at the card, the network's subscriber data
and the registrar's log. The most probable cause stands first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.verdict import Verdict

if TYPE_CHECKING:
    from sipua.ims.register_request import RegistrationSettings


def advise(
    verdict: Verdict,
    settings: RegistrationSettings,
    status: int = 0,
    algorithm: str = "",
    retry_after: float = 0.0,
) -> tuple[str, ...]:
    """Sentences for the verdict, none for one that needs no advice.

    ``status`` is that of the last response, 0 for none; ``algorithm`` that of
    the last challenge answered; ``retry_after`` the seconds that a server which
    failed wants to be left alone.
    """
    if verdict is Verdict.NO_AKA_OFFERED:
        return _no_aka(settings)
    if verdict is Verdict.WRONG_RESPONSE:
        return _wrong_response(settings, algorithm)
    if verdict is Verdict.REJECTED:
        return _rejected(settings, status)
    if verdict is Verdict.SECURITY_AGREEMENT:
        return _no_agreement(settings, status)
    if verdict is Verdict.SERVER_ERROR and retry_after:
        return (_patience(retry_after), *ALWAYS[verdict])
    if verdict is Verdict.TIMEOUT and status:
        return (
            "The registrar is there, but something behind it was silent: look at its log and at "
            "its way to the S-CSCF and the HSS.",
        )
    return ALWAYS.get(verdict, verdict.next_steps)


def _no_aka(settings: RegistrationSettings) -> tuple[str, ...]:
    if settings.algorithm:
        hints = [
            f"The first REGISTER named {settings.algorithm}, and a password was asked for all the "
            f"same: check that {settings.impi} is provisioned for AKA in the HSS (scheme "
            "Digest-AKAv1-MD5), not for a password.",
        ]
    else:
        hints = [
            "No algorithm was named in the first REGISTER; some registrars offer AKA only "
            "when asked: try --algorithm AKAv1-MD5.",
            f"Check that {settings.impi} is provisioned for AKA in the HSS (scheme "
            "Digest-AKAv1-MD5), not for a password.",
        ]
    if settings.schemes:
        hints.append(f"Only {', '.join(settings.schemes)} may be answered: try without --scheme.")
    return tuple(hints)


def _wrong_response(settings: RegistrationSettings, algorithm: str) -> tuple[str, ...]:
    hints = [
        f"The card accepted AUTN, so both sides hold the same key: compare the IMPI "
        f"{settings.impi} and the IMPU {settings.impu} with the HSS, and see that they belong "
        "together there.",
        "Look into the registrar's log: it may refuse a right answer for other reasons, such "
        "as roaming, barring, or a vector that it has lost.",
        "See that the HSS takes RES in the length that the card gives it (4 to 16 octets).",
    ]
    if algorithm.startswith("AKAv2"):
        other = "without" if settings.plain_res else "with"
        hints.insert(
            0,
            f"Some servers mean RES itself by {algorithm}, not what RFC 4169 derives from it: "
            f"try it {other} --plain-res.",
        )
    return tuple(hints)


def _rejected(settings: RegistrationSettings, status: int) -> tuple[str, ...]:
    identity = (
        f"Compare IMPI {settings.impi}, IMPU {settings.impu} and domain {settings.domain} with "
        "the HSS."
    )
    if status == 403:
        return (
            identity,
            "Some networks refuse a first REGISTER for its headers: look at "
            "P-Access-Network-Info, Contact parameters and User-Agent.",
        )
    if status in (404, 410, 604):
        return (identity, "See that the registrar serves this domain.")
    if status == 423:
        return ("Ask for a longer registration with --expires.",)
    if status in (305, 380) or 300 <= status < 400:
        return ("The network names another way in: give its address as --pcscf.",)
    if status == 406 and settings.ipsec == "require":
        return (
            "Some networks which do not want security agreements say so by 406, and --ipsec "
            "require insists on one: --ipsec auto registers without.",
        )
    if status == 421:
        return (
            "The network insists on an extension that is not offered here; the reason names it.",
            "See whether the P-CSCF can be told to do without.",
        )
    if status in (400, 406, 416, 420):
        return (
            "The registrar does not like the request itself: look at its Unsupported and "
            "Warning headers, and at headers added by hand.",
        )
    return (identity,)


def _no_agreement(settings: RegistrationSettings, status: int) -> tuple[str, ...]:
    if settings.ipsec == "off":
        return ALWAYS[Verdict.SECURITY_AGREEMENT]
    if not status:
        return (
            "See with -vv whether the 401 has a Security-Server with a mechanism of ours: without "
            "one nothing can be agreed on.",
            "--ipsec auto registers unprotected at a network that makes no agreement.",
        )
    if status == 420:
        return (
            "The network does not know security agreements, and --ipsec require insists on one: "
            "--ipsec auto registers without.",
            "See whether there is another P-CSCF, or another port of it, that protects.",
        )
    if status == 421:
        return (
            "The network misses sec-agree: if the REGISTER has it in Require (-vv), something on "
            "its way takes that out, and Security-Client perhaps with it.",
            "See whether the P-CSCF takes the first REGISTER at this port, or has another for it.",
        )
    return (
        "The network insists on a security agreement and took none that was offered: compare "
        "Security-Client with its Security-Server (-vv), and offer others with --mechanisms.",
        "See whether the P-CSCF takes the first REGISTER at this port, or has another for it.",
    )


def _patience(seconds: float) -> str:
    return (
        f"The server wants to be left alone for {seconds:g} s: try again after that, or have it "
        f"waited for by --timeout {2 * seconds:g}."
    )


ALWAYS: dict[Verdict, tuple[str, ...]] = {
    Verdict.MAC_FAILURE: (
        "Compare K and OPc of the card with those in the HSS; an OP typed where OPc is wanted "
        "is the usual cause.",
        "See that the IMPI belongs to this card: the vector may be another subscriber's.",
    ),
    Verdict.SYNC_FAILURE: (
        "See in the HSS log whether it took AUTS: it must check MAC-S with AMF 0000 and go on "
        "from the card's SQN.",
        "Two networks which share the key but not the SQN (EPC and IMS) push each other out "
        "of step.",
    ),
    Verdict.BAD_CHALLENGE: (
        "A nonce of Digest AKA is the base64 text of RAND and AUTN, 32 octets: look at the "
        "WWW-Authenticate of the trace.",
    ),
    Verdict.CHALLENGE_LOOP: (
        "The registrar seems to forget its challenges: see that all requests of one "
        "registration reach the same S-CSCF, and look at its log.",
    ),
    Verdict.SECURITY_AGREEMENT: (
        "The network wants a security agreement (IPsec, RFC 3329) and none was offered: --ipsec "
        "auto asks for one, and --mechanisms says with which algorithms.",
        "See whether the P-CSCF can be told to do without, or has another port for that.",
    ),
    Verdict.SERVER_ERROR: (
        "Try again later; if it stays, look at the registrar's log and at its way to the HSS.",
    ),
}
