"""A network that registers everybody and then begins USSD with him, on one UDP socket."""

from __future__ import annotations

import threading

from phones.network_by_hand import NetworkByHand

from sipua.ims import multipart, ussd_data
from sipua.ims.multipart import Part
from sipua.ims.ussd_data import CONTENT_TYPE, UssdData
from sipua.sip import sdp
from sipua.sip.headers import NameAddr
from sipua.sip.message import Request, Response
from sipua.sip.response import create_response

VOICELESS = (
    b"v=0\r\no=- 2987933615 2987933615 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 AMR/8000\r\n"
)


class UssdServer(NetworkByHand):
    """``begin`` sends the INVITE with ``first``; after each INFO of his the next of ``words`` goes
    out, at last BYE with ``last``, or nothing if it is ``silent``. ``twice`` makes it two dialogues
    at a time."""

    def __init__(
        self,
        first: bytes,
        *words: bytes,
        last: bytes = b"",
        offer: bytes = VOICELESS,
        twice: bool = False,
        silent: bool = False,
    ) -> None:
        super().__init__()
        self.first, self.last, self.offer = first, last, offer
        self.twice, self.silent = twice, silent
        self.words = list(words)
        self.contact = ""
        self.taken: list[Response] = []
        self.heard: list[UssdData] = []
        self.ended, self.refused = threading.Event(), threading.Event()
        self.methods: list[str] = []
        self.byes_from_him = 0
        self._cseq = 1
        self._acknowledged: set[str] = set()

    def begin(self) -> None:
        """Turn to who has registered."""
        for number in range(1 + self.twice):
            self._invite(f"dialogue{number}")

    def take(self, message: Request | Response) -> None:
        if isinstance(message, Request):
            self._heed(message)
        elif message.cseq.method == "INVITE" and message.status >= 200:
            self._acknowledge(message)
            if message.status >= 300:
                self.refused.set()
        elif message.cseq.method == "BYE":
            self.ended.set()

    def _heed(self, request: Request) -> None:
        self.methods.append(request.method)
        response = create_response(request, 200, to_tag="net")
        if request.method == "REGISTER":
            contact = request.headers.get("Contact") or ""
            response.headers.add("Contact", f"{contact};expires=600")
            self.contact = self.contact or contact
        self.say(response)
        if request.method == "INFO":
            self.heard.append(ussd_data.parse(request.body))
            assert request.headers.get("Info-Package") == "g.3gpp.ussd"
            self._go_on(request)
        elif request.method == "BYE":
            self.byes_from_him += 1
            self.ended.set()

    def _invite(self, call_id: str) -> None:
        parts = [Part(sdp.CONTENT_TYPE, self.offer)] if self.offer else []
        parts.append(Part(CONTENT_TYPE, self.first))
        content_type, body = multipart.build(parts, "outer")
        fields = [
            ("Content-Type", content_type),
            ("Contact", f"<sip:ussi@{self.address}>"),
            ("Recv-Info", "g.3gpp.ussd"),
            ("Accept", f"application/sdp, {CONTENT_TYPE}"),
        ]
        self._ask("INVITE", call_id, "", fields, body)

    def _acknowledge(self, response: Response) -> None:
        call_id = response.headers.get("Call-ID") or ""
        tag = NameAddr.parse(response.headers.get("To") or "").tag or ""
        self._ask("ACK", call_id, tag, [], b"", cseq=response.cseq.number)
        if response.status < 300 and call_id not in self._acknowledged:
            self._acknowledged.add(call_id)
            self.taken.append(response)

    def _go_on(self, info: Request) -> None:
        if self.silent:
            return
        if self.heard[-1].error >= 0 and not self.words and not self.last:
            return  # whoever gave up leaves by himself
        call_id = info.headers.get("Call-ID") or ""
        tag = NameAddr.parse(info.headers.get("From") or "").tag or ""
        self._cseq += 1
        method = "INFO" if self.words else "BYE"
        body = self.words.pop(0) if self.words else self.last
        fields = [("Content-Type", CONTENT_TYPE)] if body else []
        fields += [("Info-Package", "g.3gpp.ussd")] if method == "INFO" else []
        self._ask(method, call_id, tag, fields, body, cseq=self._cseq)

    def _ask(
        self,
        method: str,
        call_id: str,
        tag: str,
        fields: list[tuple[str, str]],
        body: bytes,
        cseq: int = 1,
    ) -> None:
        target = NameAddr.parse(self.contact).uri
        headers = [
            ("Via", f"SIP/2.0/UDP {self.address};branch=z9hG4bK{call_id}{method}{cseq}"),
            ("Max-Forwards", "70"),
            ("From", "<sip:ussi@example.com>;tag=net"),
            ("To", f"<sip:user@example.com>{f';tag={tag}' if tag else ''}"),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
            *fields,
        ]
        self.say(Request(method, target, headers, body))
