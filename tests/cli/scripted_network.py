"""A network that says what a test wants it to: one UDP socket, an answer a request."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType

from card.aka.milenage import Milenage
from card.aka.vector import make_vector
from card.profile import Profile
from sipua.sip.hop import Hop
from sipua.sip.message import Request, Response, parse
from sipua.sip.response import create_response

Script = Callable[[Request], Response | None]
"""The answer to a request, None for none."""

RAND = bytes(range(16))
AMF = b"\x80\x00"


class ScriptedNetwork:
    """Serves in a thread while it is a context."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def hop(self) -> Hop:
        return Hop("UDP", "127.0.0.1", self._udp.getsockname()[1])

    def _serve(self) -> None:
        while True:
            data, source = self._udp.recvfrom(65535)
            if not data:
                return
            request = parse(data)
            if not isinstance(request, Request) or request.method == "ACK":
                continue
            answer = self._script(request)
            if answer is not None:
                self._udp.sendto(answer.to_bytes(), source)

    def __enter__(self) -> ScriptedNetwork:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._udp.sendto(b"", self._udp.getsockname())
        self._thread.join(20)
        self._udp.close()


def says(request: Request, status: int, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """An answer with these header fields."""
    response = create_response(request, status, to_tag="network")
    for name, value in headers:
        response.headers.add(name, value)
    return response


def registers(request: Request, *, listed: bool = True) -> Response:
    """200 to a REGISTER, which lists its Contact unless it is not ``listed``."""
    contact = request.headers.get("Contact") or ""
    here = [("Contact", contact)] if listed else []
    return says(request, 200, [*here, ("Expires", request.headers.get("Expires") or "600")])


def challenge(profile: Profile, sqn: int, algorithm: str = "AKAv1-MD5") -> str:
    """A right challenge to the subscriber: the value of WWW- or Proxy-Authenticate."""
    known = profile.authentication
    vector = make_vector(Milenage(known.k, known.opc), RAND, sqn, AMF)
    nonce = base64.b64encode(vector.rand + vector.autn).decode()
    return f'Digest realm="network", nonce="{nonce}", algorithm={algorithm}, qop="auth"'


def has_answered(request: Request) -> bool:
    """Whether it carries credentials made of RES."""
    values = [
        *request.headers.all("Authorization"),
        *request.headers.all("Proxy-Authorization"),
    ]
    return any('response="' in value and 'response=""' not in value for value in values)
