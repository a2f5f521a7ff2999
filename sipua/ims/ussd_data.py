"""ussd-data documents, which carry USSD in SIP (TS 24.390 §5.1.3)."""

from __future__ import annotations

from typing import NamedTuple

from sipua.errors import LocalError, ParseError
from sipua.ims import xml_document
from sipua.ims.xml_document import quoted
from sipua.sip.grammar import parse_number

CONTENT_TYPE = "application/vnd.3gpp.ussd+xml"
INFO_PACKAGE = "g.3gpp.ussd"

MAX_CHARACTERS = 182
"""Of a USSD string in the GSM 7-bit alphabet (TS 23.038 §6.1.2.3); what a network sends may
be longer."""

REQUEST = "UnstructuredSS-Request"
NOTIFY = "UnstructuredSS-Notify"
"""What a network starts: a question, or news that want no answer but a confirmation."""

MAX_ERROR = 65535


class UssdData(NamedTuple):
    """``text`` is the USSD string; ``operation`` REQUEST, NOTIFY or empty for what we began or
    its answer. ``error`` is the error-code, -1 for none."""

    text: str = ""
    language: str = ""
    operation: str = ""
    error: int = -1
    alerting_pattern: str = ""

    def to_bytes(self) -> bytes:
        """The document; raises LocalError for a text too long."""
        if len(self.text) > MAX_CHARACTERS:
            raise LocalError(
                f"{len(self.text)} characters are more than the {MAX_CHARACTERS} of a USSD string"
            )
        elements = []
        if self.language:
            elements.append(f"<language>{quoted(self.language)}</language>")
        if self.text:
            elements.append(f"<ussd-string>{quoted(self.text)}</ussd-string>")
        if self.error >= 0:
            elements.append(f"<error-code>{self.error}</error-code>")
        if self.operation:
            elements.append(f"<anyExt><{self.operation}/></anyExt>")
        body = "".join(elements)
        document = f'<?xml version="1.0" encoding="UTF-8"?>\r\n<ussd-data>{body}</ussd-data>'
        return document.encode()


def parse(data: bytes) -> UssdData:
    """Read a document; raises ParseError.

    Networks put it into namespaces, or what belongs into anyExt beside it: names
    count, wherever they stand.
    """
    root = xml_document.parse(data)
    if root.name != "ussd-data":
        raise ParseError(f"the XML document is a {root.name[:40]}, not ussd-data")
    found: dict[str, str] = {}
    waiting = [root]
    while waiting:
        element = waiting.pop()
        for child in element.children:
            found.setdefault(child.name, child.text)
            waiting.append(child)
    operation = next((name for name in (REQUEST, NOTIFY) if name in found), "")
    error = found.get("error-code", "").strip()
    return UssdData(
        found.get("ussd-string", "").strip(),
        found.get("language", "").strip(),
        operation,
        parse_number(error, MAX_ERROR, "error-code") if error else -1,
        found.get("alertingPattern", "").strip(),
    )
