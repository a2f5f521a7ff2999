"""A network that says what a test wants it to: one UDP socket, an answer a request."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

from phones.network_by_hand import NetworkByHand

from card.aka.milenage import Milenage
from card.aka.vector import make_vector
from card.profile import Profile
from sipua.sip.message import Request, Response
from sipua.sip.response import create_response

Script = Callable[[Request], Response | None]
"""The answer to a request, None for none."""

RAND = bytes(range(16))
AMF = b"\x80\x00"


class ScriptedNetwork(NetworkByHand):
    """Answers each request, ACK excepted, as the script says."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script

    def take(self, message: Request | Response) -> None:
        if isinstance(message, Request) and message.method != "ACK":
            answer = self._script(message)
            if answer is not None:
                self.say(answer)


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
