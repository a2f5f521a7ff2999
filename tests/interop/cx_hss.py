"""An HSS with the Cx commands that I-CSCF and S-CSCF ask for (TS 29.228, TS 29.229).

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
from interop.cx_avps import (
    CX_APPLICATION,
    TGPP,
    capabilities,
    deregistration_reason,
    experimental,
    first,
    in_auth_item,
    new_session,
    server_name,
    session,
    success,
    text,
    user_data,
)

# Experimental-Result-Code, TS 29.229 §6.2
FIRST_REGISTRATION, SUBSEQUENT_REGISTRATION = 2001, 2002
USER_UNKNOWN, IDENTITY_NOT_REGISTERED = 5001, 5003

RAND_OCTETS, AUTS_OCTETS = 16, 14

CAPABILITIES_EXCHANGE = 257
DEVICE_WATCHDOG = 280
DISCONNECT_PEER = 282
USER_AUTHORIZATION = 300
SERVER_ASSIGNMENT = 301
LOCATION_INFO = 302
MULTIMEDIA_AUTH = 303
REGISTRATION_TERMINATION = 304

DEREGISTRATIONS = (4, 5, 6, 7, 8)  # of Server-Assignment-Type, TS 29.229 §6.3.15


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
    """One request as it came in: UAR, LIR, MAR, SAR; ``detail`` says which sort or for whom.

    Of a CER ``detail`` is the Origin-Host."""

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
        self._serving: dict[str, str] = {}  # S-CSCF, by IMPI, while registered
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._peers: dict[str, socket.socket] = {}  # by Origin-Host
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

    def connected(self, peers: int = 1) -> bool:
        """Whether so many CSCFs have exchanged capabilities."""
        return len({seen.detail for seen in list(self.seen) if seen.command == "CER"}) >= peers

    def serving(self, impi: str) -> str:
        """The S-CSCF where this subscriber is registered; empty for none."""
        with self._lock:
            return self._serving.get(impi, "")

    def terminate(self, impi: str, peer: str, reason: int) -> None:
        """Have the S-CSCF ``peer`` end a registration (RTR); ``reason`` as of TS 29.229 §6.3.17."""
        with self._lock:
            subscriber = self._subscribers[impi]
            connection = self._peers[peer]
            self._serving.pop(impi, None)
        realm = self.realm.encode()
        body = [
            *new_session("localhost;1;" + secrets.token_hex(8)),
            Avp.new(dia.AVP_ORIGIN_HOST, value=b"localhost"),
            Avp.new(dia.AVP_ORIGIN_REALM, value=realm),
            Avp.new(dia.AVP_DESTINATION_HOST, value=peer.encode()),
            Avp.new(dia.AVP_DESTINATION_REALM, value=realm),
            Avp.new(dia.AVP_USER_NAME, value=impi),
            *[Avp.new(dia.AVP_TGPP_PUBLIC_IDENTITY, TGPP, impu) for impu in subscriber.impus],
            deregistration_reason(reason),
        ]
        header = MessageHeader(
            command_code=REGISTRATION_TERMINATION,
            application_id=CX_APPLICATION,
            hop_by_hop_identifier=secrets.randbits(32),
            end_to_end_identifier=secrets.randbits(32),
        )
        header.is_request = header.is_proxyable = True
        connection.sendall(Message(header, body).as_bytes())

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
                if request.header.command_code == CAPABILITIES_EXCHANGE:
                    self._peers[text(request, dia.AVP_ORIGIN_HOST)] = connection
                if not request.header.is_request:
                    code = str(first(request, (dia.AVP_RESULT_CODE, 0)))
                    self.seen.append(Seen("RTA", detail=code))
                else:
                    connection.sendall(self._answer(request))

    def _answer(self, request: Message) -> bytes:
        origin = [
            Avp.new(dia.AVP_ORIGIN_HOST, value=b"localhost"),
            Avp.new(dia.AVP_ORIGIN_REALM, value=self.realm.encode()),
        ]
        command = request.header.command_code
        if command == CAPABILITIES_EXCHANGE:
            self.seen.append(Seen("CER", detail=text(request, dia.AVP_ORIGIN_HOST)))
            body = [*success(), *origin, *capabilities()]
        elif command in (DEVICE_WATCHDOG, DISCONNECT_PEER):
            body = [*success(), *origin]
        else:
            body = [*session(request), *origin, *self._cx(command, request)]
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
        impi = text(request, dia.AVP_USER_NAME)
        impu = text(request, dia.AVP_TGPP_PUBLIC_IDENTITY, TGPP)
        # Kamailio 5.6 wants both identities back, in errors too.
        names = [Avp.new(dia.AVP_USER_NAME, value=impi)] if impi else []
        if impu:
            names.append(Avp.new(dia.AVP_TGPP_PUBLIC_IDENTITY, TGPP, impu))
        with self._lock:
            subscriber = self._find(impi, impu)
            if subscriber is None:
                self.seen.append(Seen("unknown", impi or impu))
                return [experimental(USER_UNKNOWN), *names]
            if command == USER_AUTHORIZATION:
                return [*self._authorization(request, subscriber), *names]
            if command == LOCATION_INFO:
                return [*self._location(impu, subscriber), *names]
            if command == MULTIMEDIA_AUTH:
                return [*success(), *names, *self._vector(request, subscriber)]
            if command == SERVER_ASSIGNMENT:
                return [*success(), *names, *self._assignment(request, subscriber)]
        raise ValueError(f"the stub has no answer to Diameter command {command}")

    def _find(self, impi: str, impu: str) -> Subscriber | None:
        if impi:
            return self._subscribers.get(impi)
        return next((each for each in self._subscribers.values() if impu in each.impus), None)

    def _authorization(self, request: Message, subscriber: Subscriber) -> list[Avp]:
        """User-Authorization: which S-CSCF a REGISTER goes to; the I-CSCF selects the first."""
        visited = text(request, dia.AVP_TGPP_VISITED_NETWORK_IDENTIFIER, TGPP)
        self.seen.append(Seen("UAR", subscriber.impi, visited))
        server = self._serving.get(subscriber.impi)
        if server is None:
            return [experimental(FIRST_REGISTRATION)]
        return [experimental(SUBSEQUENT_REGISTRATION), server_name(server)]

    def _location(self, impu: str, subscriber: Subscriber) -> list[Avp]:
        """Location-Info: which S-CSCF serves a public identity that somebody wants to reach."""
        self.seen.append(Seen("LIR", subscriber.impi, impu))
        server = self._serving.get(subscriber.impi)
        if server is None:
            return [experimental(IDENTITY_NOT_REGISTERED)]
        return [*success(), server_name(server)]

    def _vector(self, request: Message, subscriber: Subscriber) -> list[Avp]:
        """Multimedia-Auth: one vector, after a resynchronisation where AUTS came along."""
        functions = Milenage(subscriber.k, subscriber.opc)
        scheme = in_auth_item(request, dia.AVP_TGPP_3GPP_SIP_AUTHENTICATION_SCHEME)
        asked = in_auth_item(request, dia.AVP_TGPP_3GPP_SIP_AUTHORIZATION)
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
        sort = first(request, (dia.AVP_TGPP_SERVER_ASSIGNMENT_TYPE, TGPP))
        self.seen.append(Seen("SAR", subscriber.impi, str(sort)))
        if sort in DEREGISTRATIONS:
            self._serving.pop(subscriber.impi, None)
        else:
            self._serving[subscriber.impi] = text(request, dia.AVP_TGPP_SERVER_NAME, TGPP)
        profile = user_data(subscriber.impi, subscriber.impus)
        return [Avp.new(dia.AVP_TGPP_CX_USER_DATA, TGPP, profile)]
