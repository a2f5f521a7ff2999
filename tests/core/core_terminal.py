"""A terminal for the tests of the core: a card's arithmetic, and digest by hashlib alone.

It shares no code with sipua.auth, so that the two check each other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

from card.aka.milenage import Milenage
from card.aka.result import MacFailure
from card.aka.sequence import SequenceArray
from card.aka.vector import make_auts, open_autn
from card.profile import Profile

HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


def parameters(value: str) -> dict[str, str]:
    """The parameters of a challenge or of Authentication-Info."""
    return {
        name: text.strip('"') for name, text in re.findall(r'([\w-]+)=("[^"]*"|[^,\s]+)', value)
    }


class Terminal:
    """One subscriber's terminal and card. ``number`` is the CSeq of the last request."""

    def __init__(self, profile: Profile, call_id: str = "1@terminal") -> None:
        assert profile.isim is not None
        self.impi = profile.isim.impi
        self.impu = profile.isim.impu[0]
        self.domain = profile.isim.domain
        self.functions = Milenage(profile.authentication.k, profile.authentication.opc)
        self.card = SequenceArray()
        self.call_id = call_id
        self.number = 0

    def head(self, method: str = "REGISTER", **changes: str) -> list[tuple[str, str]]:
        """The headers of a request; ``changes`` replaces one by its name, "" leaves it out."""
        self.number += 1
        lines = {
            "Via": f"SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK{self.number};rport",
            "Max_Forwards": "70",
            "From": f"<{self.impu}>;tag=f{self.number}",
            "To": f"<{self.impu}>",
            "Call_ID": self.call_id,
            "CSeq": f"{self.number} {method}",
            "Contact": "<sip:me@127.0.0.1:5070>",
            "Expires": "600000",
        } | changes
        return [(name.replace("_", "-"), value) for name, value in lines.items() if value]

    def first_credentials(self, algorithm: str = "") -> str:
        hint = f", algorithm={algorithm}" if algorithm else ""
        return (
            f'Digest username="{self.impi}", realm="{self.domain}", '
            f'uri="sip:{self.domain}", nonce="", response=""{hint}'
        )

    def answer(
        self,
        challenge: str,
        *,
        qop: str = "auth",
        nc: str = "00000001",
        body: bytes = b"",
        **changes: str,
    ) -> str:
        """The Authorization for a challenge, whatever the card says to it."""
        asked = parameters(challenge)
        octets = base64.b64decode(asked["nonce"])
        rand, autn = octets[:16], octets[16:32]
        version, _, name = asked["algorithm"].partition("-")
        digest = HASHES[name]
        auts = b""
        try:
            sqn = open_autn(self.functions, rand, autn)
        except MacFailure:
            return self.credentials(asked, "", "", **changes)
        if self.card.accept(sqn):
            password, ck, ik, _ = self.functions.f2345(rand)
            if version == "AKAv2":
                keyed = hmac.new(
                    password + ik + ck, b"http-digest-akav2-password", name.replace("-", "")
                )
                password = base64.b64encode(keyed.digest())
        else:
            auts, password = make_auts(self.functions, rand, self.card.sqn_ms), b""
        self.a1 = digest(f"{self.impi}:{self.domain}:".encode() + password)
        a2 = f"REGISTER:sip:{self.domain}" + (f":{digest(body)}" if qop == "auth-int" else "")
        middle = f"{asked['nonce']}:{nc}:cn0nce:{qop}" if qop else asked["nonce"]
        self.middle = middle
        response = digest(f"{self.a1}:{middle}:{digest(a2.encode())}".encode())
        tail = f', qop={qop}, nc={nc}, cnonce="cn0nce"' if qop else ""
        if auts:
            tail += f', auts="{base64.b64encode(auts).decode()}"'
        return self.credentials(asked, response, tail, **changes)

    def rspauth(self) -> str:
        """What the registrar must prove after the last answer."""
        digest = HASHES["MD5"]
        a2 = digest(f":sip:{self.domain}".encode())
        return digest(f"{self.a1}:{self.middle}:{a2}".encode())

    def credentials(
        self, asked: dict[str, str], digest: str, tail: str = "", /, **changes: str
    ) -> str:
        """An Authorization for a challenge with this response, right or wrong."""
        values = {
            "username": self.impi,
            "realm": asked["realm"],
            "nonce": asked["nonce"],
            "uri": f"sip:{self.domain}",
            "response": digest,
        } | changes
        quoted = ", ".join(f'{name}="{value}"' for name, value in values.items())
        return f"Digest {quoted}, algorithm={asked['algorithm']}{tail}"
