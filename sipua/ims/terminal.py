"""What a terminal tells the network of itself: its identity, what it can do, where it is."""

from __future__ import annotations

from sipua.errors import LocalError
from sipua.sip.grammar import DIGITS, is_token, made_of

IMEI, IMEISV = (14, 15), 16
"""Digits: without or with check digit (TS 23.003 §6.2.1), and with software version."""

FEATURES = {
    "mmtel": '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"',
    "smsip": "+g.3gpp.smsip",
    "audio": "audio",
    "video": "video",
}
"""Short names of feature tags (TS 24.229 §7.9, TS 24.341 §5.3.2.2, RFC 3840)."""

ACCESS_NETWORK = "P-Access-Network-Info"
VISITED_NETWORK = "P-Visited-Network-ID"


def instance(imei: str) -> str:
    """The URN of an IMEI (RFC 7254 §3): the check digit is not sent, a zero stands for it.

    Raises LocalError for what is no IMEI.
    """
    digits = imei.replace("-", "").replace(" ", "")
    if not made_of(digits, DIGITS) or len(digits) not in (*IMEI, IMEISV):
        raise LocalError(f"{imei[:40]!r} is no IMEI: 14 or 15 digits, or 16 with software version")
    version = f";svn={digits[14:]}" if len(digits) == IMEISV else ""
    return f"urn:gsma:imei:{digits[:8]}-{digits[8:14]}-0{version}"


def contact_params(imei: str, features: tuple[str, ...]) -> str:
    """What follows our Contact: ``+sip.instance`` (RFC 5626 §4.1) and feature tags.

    ``features`` are names of FEATURES, or parameters as they go into the header.
    Raises LocalError for what could be read as something else.
    """
    params = [f'+sip.instance="<{instance(imei)}>"'] if imei else []
    for feature in features:
        param = FEATURES.get(feature, feature)
        name, equals, value = param.partition("=")
        quoted = len(value) >= 2 and value[0] == value[-1] == '"' and '"' not in value[1:-1]
        fits = (quoted and value.isprintable() and "\\" not in value) or is_token(value)
        if not is_token(name) or (equals and not fits):
            raise LocalError(
                f'{feature[:60]!r} is no feature tag: {", ".join(FEATURES)}, NAME, or NAME="VALUE"'
            )
        params.append(param)
    return ";".join(params)


def whereabouts(access_network: str, visited_network: str) -> tuple[tuple[str, str], ...]:
    """Header fields that tell where we are, when and only when we were told (RFC 7315).

    Some networks refuse a first REGISTER with P-Access-Network-Info, others one without.
    """
    named = ((ACCESS_NETWORK, access_network), (VISITED_NETWORK, visited_network))
    return tuple((name, value) for name, value in named if value)
