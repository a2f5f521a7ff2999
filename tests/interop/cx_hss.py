"""An HSS with the Cx commands that an S-CSCF asks for (TS 29.228, TS 29.229).

A stub for the tests: vectors and user data for subscribers given as plain
data, over one TCP port on loopback. The codec is python-diameter's; the AKA
arithmetic is the project's and is pinned elsewhere by published vectors.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Iterable
from typing import Any, NamedTuple

from diameter.message import Avp, Message, MessageHeader
from diameter.message import constants as dia

from card.aka.milenage import Milenage
from card.aka.result import MacFailure
from card.aka.sequence import next_sqn, resync
from card.aka.vector import make_vector, open_auts

CX_APPLICATION = 16777216
DIAMETER_SUCCESS = 2001
DIAMETER_ERROR_USER_UNKNOWN = 5001  # Experimental-Result, TS 29.229 §6.2.2.1
NO_STATE_MAINTAINED = 1
TGPP = dia.VENDOR_TGPP
HEADER_OCTETS = 20
RAND_OCTETS, AUTS_OCTETS = 16, 14

CAPABILITIES_EXCHANGE = 257
DEVICE_WATCHDOG = 280
DISCONNECT_PEER = 282
SERVER_ASSIGNMENT = 301
MULTIMEDIA_AUTH = 303


class Subscriber(NamedTuple):
    """One subscriber as the HSS knows it; ``sqn`` is the last one it used.

    ``xres_mask`` is XORed into XRES, for an HSS that expects another answer
    than any card with the right key gives. ``res_without_nul`` picks a RAND
    whose RES holds no octet 00, for user agents that take RES for a C string.
    """

    impi: str
    impus: tuple[str, ...]
    k: bytes
    opc: bytes
    sqn: int = 0
    amf: bytes = b"\x80\x00"
    xres_mask: int = 0
    res_without_nul: bool = False

    def __repr__(self) -> str:
        return f"Subscriber({self.impi!r}, k=<secret>, opc=<secret>, sqn={self.sqn})"


class Seen(NamedTuple):
    """One request as it came in: MAR, SAR …; ``detail`` says which sort."""

    command: str
    impi: str = ""
    detail: str = ""


class CxHss:
    """Answers on ``port`` from ``start`` to ``stop``; ``seen`` grows with each request."""

    def __init__(self, subscribers: Iterable[Subscriber] = (), realm: str = "localhost") -> None:
        self.realm = realm
        self.seen: list[Seen] = []
        self._lock = threading.Lock()
        self._subscribers = {subscriber.impi: subscriber for subscriber in subscribers}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._spawn(self._accept)

    def stop(self) -> None:
        """Close every socket and wait for the threads that served them."""
        with self._lock:
            sockets = [self._listener, *self._connections]
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def put(self, subscriber: Subscriber) -> None:
        """Add a subscriber, or replace the one with this IMPI."""
        with self._lock:
            self._subscribers[subscriber.impi] = subscriber

    def sqn(self, impi: str) -> int:
        """The SQN last used for a subscriber."""
        with self._lock:
            return self._subscribers[impi].sqn

    def requests(self, command: str, impi: str) -> list[Seen]:
        """What was asked about one subscriber, in order."""
        return [seen for seen in list(self.seen) if (seen.command, seen.impi) == (command, impi)]

    def connected(self) -> bool:
        """Whether an S-CSCF has exchanged capabilities."""
        return any(seen.command == "CER" for seen in list(self.seen))

    def _spawn(self, target: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # stopped
            with self._lock:
                self._connections.append(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while head := connection.recv(4, socket.MSG_WAITALL):
                length = int.from_bytes(head[1:4], "big")
                rest = connection.recv(length - 4, socket.MSG_WAITALL)
                request = Message.from_bytes(head + rest, plain_msg=True)
                if request.header.is_request:
                    connection.sendall(self._answer(request))

    def _answer(self, request: Message) -> bytes:
        origin = [
            Avp.new(dia.AVP_ORIGIN_HOST, value=b"localhost"),
            Avp.new(dia.AVP_ORIGIN_REALM, value=self.realm.encode()),
        ]
        command = request.header.command_code
        if command == CAPABILITIES_EXCHANGE:
            self.seen.append(Seen("CER"))
            body = [*_success(), *origin, *_capabilities()]
        elif command in (DEVICE_WATCHDOG, DISCONNECT_PEER):
            body = [*_success(), *origin]
        else:
            body = [*_session(request), *origin, *self._cx(command, request)]
        header = MessageHeader(
            command_code=command,
            application_id=request.header.application_id,
            hop_by_hop_identifier=request.header.hop_by_hop_identifier,
            end_to_end_identifier=request.header.end_to_end_identifier,
        )
        header.is_proxyable = request.header.is_proxyable
        answer: bytes = Message(header, body).as_bytes()
        return answer

    def _cx(self, command: int, request: Message) -> list[Avp]:
        impi = _text(request, dia.AVP_USER_NAME)
        impu = _text(request, dia.AVP_TGPP_PUBLIC_IDENTITY, TGPP)
        # Kamailio 5.6 wants both identities back, in errors too.
        names = [Avp.new(dia.AVP_USER_NAME, value=impi)]
        if impu:
            names.append(Avp.new(dia.AVP_TGPP_PUBLIC_IDENTITY, TGPP, impu))
        with self._lock:
            subscriber = self._subscribers.get(impi)
            if subscriber is None:
                self.seen.append(Seen("unknown", impi))
                return [_experimental(DIAMETER_ERROR_USER_UNKNOWN), *names]
            if command == MULTIMEDIA_AUTH:
                return [*_success(), *names, *self._vector(request, subscriber)]
            if command == SERVER_ASSIGNMENT:
                return [*_success(), *names, *self._assignment(request, subscriber)]
        raise ValueError(f"the stub has no answer to Diameter command {command}")

    def _vector(self, request: Message, subscriber: Subscriber) -> list[Avp]:
        """Multimedia-Auth: one vector, after a resynchronisation where AUTS came along."""
        functions = Milenage(subscriber.k, subscriber.opc)
        scheme = _in_auth_item(request, dia.AVP_TGPP_3GPP_SIP_AUTHENTICATION_SCHEME)
        asked = _in_auth_item(request, dia.AVP_TGPP_3GPP_SIP_AUTHORIZATION)
        if asked:
            rand, auts = asked[:RAND_OCTETS], asked[RAND_OCTETS:]
            try:
                sqn_ms = open_auts(functions, rand, auts[:AUTS_OCTETS])
            except MacFailure:
                self.seen.append(Seen("resync", subscriber.impi, "MAC-S wrong"))
            else:
                self.seen.append(Seen("resync", subscriber.impi, "MAC-S right"))
                subscriber = subscriber._replace(sqn=resync(subscriber.sqn, sqn_ms))
        self.seen.append(Seen("MAR", subscriber.impi, scheme.decode()))
        subscriber = subscriber._replace(sqn=next_sqn(subscriber.sqn))
        self._subscribers[subscriber.impi] = subscriber
        rand = secrets.token_bytes(RAND_OCTETS)
        while subscriber.res_without_nul and 0 in functions.f2(rand):
            rand = secrets.token_bytes(RAND_OCTETS)
        vector = make_vector(functions, rand, subscriber.sqn, subscriber.amf)
        xres = bytes(octet ^ subscriber.xres_mask for octet in vector.xres)
        item = [
            Avp.new(dia.AVP_TGPP_3GPP_SIP_ITEM_NUMBER, TGPP, 1),
            Avp.new(dia.AVP_TGPP_3GPP_SIP_AUTHENTICATION_SCHEME, TGPP, "Digest-AKAv1-MD5"),
            Avp.new(dia.AVP_TGPP_3GPP_SIP_AUTHENTICATE, TGPP, vector.rand + vector.autn),
            Avp.new(dia.AVP_TGPP_3GPP_SIP_AUTHORIZATION, TGPP, xres),
            Avp.new(dia.AVP_TGPP_CONFIDENTIALITY_KEY, TGPP, vector.ck),
            Avp.new(dia.AVP_TGPP_INTEGRITY_KEY, TGPP, vector.ik),
        ]
        return [
            Avp.new(dia.AVP_TGPP_3GPP_SIP_NUMBER_AUTH_ITEMS, TGPP, 1),
            Avp.new(dia.AVP_TGPP_3GPP_SIP_AUTH_DATA_ITEM, TGPP, item),
        ]

    def _assignment(self, request: Message, subscriber: Subscriber) -> list[Avp]:
        """Server-Assignment: the user profile, whatever the sort of assignment."""
        sort = _first(request, (dia.AVP_TGPP_SERVER_ASSIGNMENT_TYPE, TGPP))
        self.seen.append(Seen("SAR", subscriber.impi, str(sort)))
        return [Avp.new(dia.AVP_TGPP_CX_USER_DATA, TGPP, _user_data(subscriber))]


def _user_data(subscriber: Subscriber) -> bytes:
    """The user profile of TS 29.228 Annex E: every IMPU in one implicit set, no filters."""
    identities = "".join(
        "<PublicIdentity><BarringIndication>0</BarringIndication>"
        f"<Identity>{impu}</Identity></PublicIdentity>"
        for impu in subscriber.impus
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><IMSSubscription>'
        f"<PrivateID>{subscriber.impi}</PrivateID>"
        f"<ServiceProfile>{identities}</ServiceProfile></IMSSubscription>"
    ).encode()


def _success() -> list[Avp]:
    return [Avp.new(dia.AVP_RESULT_CODE, value=DIAMETER_SUCCESS)]


def _experimental(code: int) -> Avp:
    return Avp.new(
        dia.AVP_EXPERIMENTAL_RESULT,
        value=[
            Avp.new(dia.AVP_VENDOR_ID, value=TGPP),
            Avp.new(dia.AVP_EXPERIMENTAL_RESULT_CODE, value=code),
        ],
    )


def _cx_application() -> Avp:
    return Avp.new(
        dia.AVP_VENDOR_SPECIFIC_APPLICATION_ID,
        value=[
            Avp.new(dia.AVP_VENDOR_ID, value=TGPP),
            Avp.new(dia.AVP_AUTH_APPLICATION_ID, value=CX_APPLICATION),
        ],
    )


def _capabilities() -> list[Avp]:
    return [
        Avp.new(dia.AVP_HOST_IP_ADDRESS, value="127.0.0.1"),
        Avp.new(dia.AVP_VENDOR_ID, value=TGPP),
        Avp.new(dia.AVP_PRODUCT_NAME, value="cx_hss"),
        Avp.new(dia.AVP_SUPPORTED_VENDOR_ID, value=TGPP),
        _cx_application(),
    ]


def _session(request: Message) -> list[Avp]:
    session = _text(request, dia.AVP_SESSION_ID)
    return [
        Avp.new(dia.AVP_SESSION_ID, value=session),
        _cx_application(),
        Avp.new(dia.AVP_AUTH_SESSION_STATE, value=NO_STATE_MAINTAINED),
    ]


def _first(request: Message, *path: tuple[int, int]) -> Any:
    found = request.find_avps(*path)
    return found[0].value if found else None


def _text(request: Message, code: int, vendor: int = 0) -> str:
    return str(_first(request, (code, vendor)) or "")


def _in_auth_item(request: Message, code: int) -> bytes:
    """One member of the request's SIP-Auth-Data-Item, empty where it is absent."""
    value = _first(request, (dia.AVP_TGPP_3GPP_SIP_AUTH_DATA_ITEM, TGPP), (code, TGPP)) or b""
    return value.encode() if isinstance(value, str) else bytes(value)
