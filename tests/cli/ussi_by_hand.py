"""A network that registers everybody and answers USSD as the test wants, on one UDP socket."""

from __future__ import annotations

from phones.network_by_hand import NetworkByHand

from sipua.ims import multipart, ussd_data
from sipua.ims.ussd_data import CONTENT_TYPE, UssdData
from sipua.sip import sdp
from sipua.sip.message import Request, Response
from sipua.sip.response import create_response

Word = tuple[str, bytes]
"""INFO or BYE, and the body it carries."""


class Ussi(NetworkByHand):
    """Says the words of ``script``: the first after ACK, each other after an INFO was answered
    and, unless it was news, an INFO of the user's came. Without words it keeps silent."""

    def __init__(self, *script: Word, refusal: int = 0) -> None:
        super().__init__()
        self.script = list(script)
        self.refusal = refusal
        self.asked = UssdData()
        self.heard: list[UssdData] = []
        self.byes = 0
        self._invite: Request | None = None
        self._number = 0
        self._last = b""

    def take(self, message: Request | Response) -> None:
        if isinstance(message, Request):
            self._heed(message)
        elif message.cseq.method == "INFO" and self._is_news:
            self._say()

    @property
    def _is_news(self) -> bool:
        return self._last.endswith(b"Notify/></anyExt></ussd-data>")

    def _heed(self, request: Request) -> None:
        if request.method == "ACK":
            if not self.refusal:
                self._say()
            return
        response = create_response(request, 200, to_tag="ussi")
        if request.method == "REGISTER":
            contact = request.headers.get("Contact") or ""
            response.headers.add("Contact", f"{contact};expires=600")
        elif request.method == "INVITE":
            response = self._answer(request)
        elif request.method == "BYE":
            self.byes += 1
        self.say(response)
        if request.method == "INFO":
            self.heard.append(ussd_data.parse(request.body))
            if not self._is_news:
                self._say()

    def _answer(self, invite: Request) -> Response:
        if self.refusal:
            return create_response(invite, self.refusal, to_tag="ussi")
        self._invite = invite
        content_type = invite.headers.get("Content-Type") or ""
        bodies = {part.media_type: part.body for part in multipart.split(content_type, invite.body)}
        self.asked = ussd_data.parse(bodies[CONTENT_TYPE])
        response = create_response(invite, 200, to_tag="ussi")
        response.headers.add("Contact", f"<sip:ussi@{self.address}>")
        response.headers.add("Content-Type", sdp.CONTENT_TYPE)
        lines = bodies[sdp.CONTENT_TYPE].decode().splitlines(keepends=True)
        response.body = "".join(line for line in lines if not line.startswith("a=")).encode()
        return response

    def _say(self) -> None:
        if not self.script or self._invite is None:
            return
        method, self._last = self.script.pop(0)
        self._number += 1
        asked = self._invite.headers
        headers = [
            ("Via", f"SIP/2.0/UDP {self.address};branch=z9hG4bKu{self._number}"),
            ("Max-Forwards", "70"),
            ("From", f"{asked.get('To')};tag=ussi"),
            ("To", asked.get("From") or ""),
            ("Call-ID", asked.get("Call-ID") or ""),
            ("CSeq", f"{self._number} {method}"),
            *([("Info-Package", "g.3gpp.ussd")] if method == "INFO" else []),
            *([("Content-Type", CONTENT_TYPE)] if self._last else []),
        ]
        contact = (asked.get("Contact") or "").partition(">")[0].lstrip("<")
        self.say(Request(method, contact, headers, self._last))
