"""The parts that the answers of a Cx stub are made of, and how its requests are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diameter.message import Avp, Message
from diameter.message import constants as dia

CX_APPLICATION = 16777216
DIAMETER_SUCCESS = 2001
NO_STATE_MAINTAINED = 1
TGPP = dia.VENDOR_TGPP


def user_data(impi: str, impus: Sequence[str]) -> bytes:
    """The user profile of TS 29.228 Annex E: every IMPU in one implicit set, no filters."""
    identities = "".join(
        "<PublicIdentity><BarringIndication>0</BarringIndication>"
        f"<Identity>{impu}</Identity></PublicIdentity>"
        for impu in impus
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><IMSSubscription>'
        f"<PrivateID>{impi}</PrivateID>"
        f"<ServiceProfile>{identities}</ServiceProfile></IMSSubscription>"
    ).encode()


def success() -> list[Avp]:
    return [Avp.new(dia.AVP_RESULT_CODE, value=DIAMETER_SUCCESS)]


def experimental(code: int) -> Avp:
    return Avp.new(
        dia.AVP_EXPERIMENTAL_RESULT,
        value=[
            Avp.new(dia.AVP_VENDOR_ID, value=TGPP),
            Avp.new(dia.AVP_EXPERIMENTAL_RESULT_CODE, value=code),
        ],
    )


def server_name(uri: str) -> Avp:
    return Avp.new(dia.AVP_TGPP_SERVER_NAME, TGPP, uri)


def cx_application() -> Avp:
    return Avp.new(
        dia.AVP_VENDOR_SPECIFIC_APPLICATION_ID,
        value=[
            Avp.new(dia.AVP_VENDOR_ID, value=TGPP),
            Avp.new(dia.AVP_AUTH_APPLICATION_ID, value=CX_APPLICATION),
        ],
    )


def capabilities() -> list[Avp]:
    return [
        Avp.new(dia.AVP_HOST_IP_ADDRESS, value="127.0.0.1"),
        Avp.new(dia.AVP_VENDOR_ID, value=TGPP),
        Avp.new(dia.AVP_PRODUCT_NAME, value="cx_hss"),
        Avp.new(dia.AVP_SUPPORTED_VENDOR_ID, value=TGPP),
        cx_application(),
    ]


def session(request: Message) -> list[Avp]:
    return new_session(text(request, dia.AVP_SESSION_ID))


def new_session(session_id: str) -> list[Avp]:
    return [
        Avp.new(dia.AVP_SESSION_ID, value=session_id),
        cx_application(),
        Avp.new(dia.AVP_AUTH_SESSION_STATE, value=NO_STATE_MAINTAINED),
    ]


def deregistration_reason(code: int) -> Avp:
    reason = Avp.new(dia.AVP_TGPP_REASON_CODE, TGPP, code)
    return Avp.new(dia.AVP_TGPP_DEREGISTRATION_REASON, TGPP, [reason])


def first(request: Message, *path: tuple[int, int]) -> Any:
    found = request.find_avps(*path)
    return found[0].value if found else None


def text(request: Message, code: int, vendor: int = 0) -> str:
    value = first(request, (code, vendor)) or ""
    return value.decode() if isinstance(value, bytes) else str(value)


def in_auth_item(request: Message, code: int) -> bytes:
    """One member of the request's SIP-Auth-Data-Item, empty where it is absent."""
    value = first(request, (dia.AVP_TGPP_3GPP_SIP_AUTH_DATA_ITEM, TGPP), (code, TGPP)) or b""
    return value.encode() if isinstance(value, str) else bytes(value)
