"""A bare socket that speaks as a terminal to a running core."""

from __future__ import annotations

import socket
import ssl
from types import TracebackType

from core_terminal import Terminal

from card.profile import Profile
from sipua.sip.hop import Hop
from sipua.sip.message import Response, parse

PATIENCE = 5.0  # seconds until a test that waits for an answer gives up


class Client:
    """One socket to one hop; a ``context`` turns the stream into TLS."""

    def __init__(self, hop: Hop, profile: Profile, context: ssl.SSLContext | None = None) -> None:
        self.transport = hop.transport
        self.terminal = Terminal(profile)
        kind = socket.SOCK_DGRAM if hop.transport == "UDP" else socket.SOCK_STREAM
        family = socket.AF_INET6 if ":" in hop.address else socket.AF_INET
        self.socket = socket.socket(family, kind)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((hop.address, hop.port))
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=hop.address)
        self.branch = 0
        self._stream = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def register(self, authorization: str = "", method: str = "REGISTER", **changes: str) -> bytes:
        """The octets of a REGISTER in a new transaction."""
        self.branch += 1
        host, port = self.socket.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        via = f"SIP/2.0/{self.transport} {host}:{port};branch=z9hG4bK-{port}-{self.branch};rport"
        head = {"Via": via} | changes
        lines = [
            f"{method} sip:{self.terminal.domain} SIP/2.0",
            *(f"{name}: {value}" for name, value in self.terminal.head(method, **head)),
        ]
        if authorization:
            lines.append(f"Authorization: {authorization}")
        return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()

    def receive(self) -> Response:
        """The next response; raises TimeoutError or ConnectionError when none comes."""
        if self.transport == "UDP":
            data = self.socket.recv(65535)
        else:
            while b"\r\n\r\n" not in self._stream:
                more = self.socket.recv(65535)
                if not more:
                    raise ConnectionError("closed")
                self._stream += more
            head, _, self._stream = self._stream.partition(b"\r\n\r\n")
            data = head + b"\r\n\r\n"
        message = parse(data)
        assert isinstance(message, Response)
        return message

    def ask(self, authorization: str = "", method: str = "REGISTER", **changes: str) -> Response:
        """Send a request and wait for its answer."""
        self.socket.sendall(self.register(authorization, method, **changes))
        return self.receive()

    def answer(self, challenge: Response, **changes: str) -> Response:
        """Answer a 401 and wait for what comes of it."""
        assert challenge.status == 401, challenge.start_line
        asked = challenge.headers.get("WWW-Authenticate") or ""
        return self.ask(self.terminal.answer(asked), **changes)

    def silent(self, seconds: float) -> bool:
        """Whether nothing arrives for so long."""
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(65535)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)
