"""Registrations as they would stand in a capture, written by hand octet by octet.

Nothing of sipua.explain is used here: digests come from hashlib alone, RES from
the Milenage that the published vectors have proved.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from pathlib import Path
from typing import Any

from card.aka.milenage import Milenage

K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OP = bytes.fromhex("cdc202d5123e20f62b6d676ac72cb318")
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
IMSI = "001010123456789"
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
IMPI = f"{IMSI}@{DOMAIN}"
IMPU = f"sip:{IMPI}"
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
UE, PCSCF = ("192.0.2.1", 5061), ("192.0.2.2", 5060)

KEY_FILE = f"""k = "{K.hex()}"
op = "{OP.hex()}"
imsi = "{IMSI}"
impi = "{IMPI}"
"""

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def hexdigest(name: str, data: bytes) -> str:
    return hashlib.new(HASHES[name], data).hexdigest()


def akav2_password(name: str, res: bytes, ck: bytes, ik: bytes) -> bytes:
    """RFC 4169 §2.1, written down a second time."""
    keyed = hmac.new(res + ik + ck, b"http-digest-akav2-password", HASHES[name]).digest()
    return base64.b64encode(keyed)


def make_autn(
    functions: Any, rand: bytes, sqn: bytes, amf: bytes, mac_amf: bytes | None = None
) -> bytes:
    ak = functions.f2345(rand)[3]
    mac: bytes = functions.f1(rand, sqn, amf if mac_amf is None else mac_amf)
    return bytes(a ^ b for a, b in zip(sqn, ak, strict=True)) + amf + mac


class Answerer:
    """A terminal that answers one challenge; each value can be hashed or sent otherwise."""

    def __init__(self, algorithm: str = "AKAv1-MD5", rand: bytes = RAND, qop: str = "auth") -> None:
        self.algorithm = algorithm
        self.rand = rand
        milenage = Milenage(K, OPC)
        self.res, self.ck, self.ik, _ = milenage.f2345(rand)
        self.autn = make_autn(milenage, rand, bytes.fromhex("000000000020"), b"\x80\x00")
        self.hash = algorithm.split("-", 1)[1].removesuffix("-sess")
        self.session = algorithm.endswith("-sess")
        self.v2 = algorithm.startswith("AKAv2")
        self.opaque: str | None = None
        self.nonce = base64.b64encode(rand + self.autn).decode()
        self.method = "REGISTER"
        self.request_uri = f"sip:{DOMAIN}"
        self.body = b""
        self.sent = {
            "username": IMPI,
            "realm": DOMAIN,
            "nonce": self.nonce,
            "uri": self.request_uri,
            "qop": qop,
            "nc": "00000001",
            "cnonce": "0a4f113b",
        }
        self.auts = b""
        self.counts_anyway = False  # nc and cnonce are sent without qop, too

    @property
    def password(self) -> bytes:
        if self.auts:
            return b""
        if self.v2:
            return akav2_password(self.hash, self.res, self.ck, self.ik)
        return self.res

    def response(self, **other: Any) -> str:
        """The response, where what is hashed may differ from what is sent."""
        got: dict[str, Any] = {
            **self.sent,
            "password": self.password,
            "method": self.method,
            "body": self.body,
            "hash": self.hash,
            "session": self.session,
            "upper": False,
            **other,
        }

        def h(data: str | bytes) -> str:
            octets = data.encode() if isinstance(data, str) else data
            text = hexdigest(got["hash"], octets)
            return text.upper() if got["upper"] else text

        a1 = f"{got['username']}:{got['realm']}:".encode() + got["password"]
        ha1 = h(a1)
        if got["session"]:
            ha1 = h(f"{ha1}:{got['nonce']}:{got['cnonce']}")
        a2 = f"{got['method']}:{got['uri']}"
        if got["qop"].strip('"') == "auth-int":
            a2 += ":" + h(got["body"])
        if got["qop"]:
            middle = f"{got['nonce']}:{got['nc']}:{got['cnonce']}:{got['qop']}"
        else:
            middle = got["nonce"]
        return hexdigest(got["hash"], f"{ha1}:{middle}:{h(a2)}".encode())

    def challenge(self) -> str:
        qop = ', qop="auth,auth-int"' if self.sent["qop"] else ""
        opaque = f', opaque="{self.opaque}"' if self.opaque is not None else ""
        return (
            f'Digest realm="{DOMAIN}", nonce="{self.nonce}", algorithm={self.algorithm}'
            f"{qop}{opaque}"
        )

    def credentials(self, response: str) -> str:
        sent = self.sent
        value = (
            f'Digest username="{sent["username"]}", realm="{sent["realm"]}", '
            f'nonce="{sent["nonce"]}", uri="{sent["uri"]}", response="{response}", '
            f"algorithm={self.algorithm}"
        )
        if self.opaque is not None:
            value += f', opaque="{self.opaque}"'
        if self.auts:
            value += f', auts="{base64.b64encode(self.auts).decode()}"'
        if sent["qop"]:
            value += f", qop={sent['qop']}"
        if sent["qop"] or self.counts_anyway:
            value += f', nc={sent["nc"]}, cnonce="{sent["cnonce"]}"'
        return value


class Talk:
    """One dialog, message by message; ``packets`` are times, directions and octets."""

    def __init__(
        self,
        method: str = "REGISTER",
        uri: str = f"sip:{DOMAIN}",
        call_id: str = "a84b4c76e66710",
        start: float = 1_700_000_000.0,
        impu: str = IMPU,
    ) -> None:
        self.method = method
        self.uri = uri
        self.call_id = call_id
        self.impu = impu
        self.at = start
        self.cseq = 0
        self.packets: list[tuple[float, bool, bytes]] = []

    def request(self, *lines: str, body: bytes = b"") -> None:
        self.cseq += 1
        self._add(True, [f"{self.method} {self.uri} SIP/2.0", *self._common(), *lines], body)

    def response(self, status: int, reason: str, *lines: str) -> None:
        self._add(False, [f"SIP/2.0 {status} {reason}", *self._common(), *lines], b"")

    def text(self) -> bytes:
        return b"".join(data for _, _, data in self.packets)

    def _common(self) -> list[str]:
        return [
            f"Via: SIP/2.0/UDP 192.0.2.1:5061;branch=z9hG4bK{self.call_id[:6]}{self.cseq}",
            f"From: <{self.impu}>;tag=4fa3",
            f"To: <{self.impu}>",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} {self.method}",
            "Contact: <sip:192.0.2.1:5061>",
        ]

    def _add(self, out: bool, lines: list[str], body: bytes) -> None:
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        self.packets.append((self.at, out, head.encode() + body))
        self.at += 0.05


def registration(answerer: Answerer, response: str, status: int = 403) -> Talk:
    """REGISTER, 401, REGISTER with an answer, and the final response."""
    talk = Talk(answerer.method, answerer.request_uri)
    talk.request(body=answerer.body)
    talk.response(401, "Unauthorized", f"WWW-Authenticate: {answerer.challenge()}")
    talk.request(f"Authorization: {answerer.credentials(response)}", body=answerer.body)
    talk.response(status, "OK" if status == 200 else "Forbidden")
    return talk


def write_pcap(path: Path, *talks: Talk, silence: bool = False) -> Path:
    """All packets in the order of their times, as pcap of raw IPv4."""
    packets = sorted((packet for talk in talks for packet in talk.packets), key=lambda p: p[0])
    if silence:  # a packet long afterwards, of somebody else
        later = Talk("OPTIONS", "sip:keepalive", "somebodyelse", packets[-1][0] + 600)
        later.request()
        packets += later.packets
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for at, out, data in packets:
            near, far = (UE, PCSCF) if out else (PCSCF, UE)
            datagram = struct.pack(">HHHH", near[1], far[1], 8 + len(data), 0) + data
            addresses = bytes(int(part) for host in (near, far) for part in host[0].split("."))
            header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0)
            packet = header + addresses + datagram
            seconds = int(at)
            micro = round((at - seconds) * 1e6)
            file.write(struct.pack("<IIII", seconds, micro, len(packet), len(packet)) + packet)
    return path
