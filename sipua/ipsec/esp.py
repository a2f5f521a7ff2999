"""The Encapsulating Security Payload in transport mode (RFC 4303), one packet at a time."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING

from sipua.ipsec.errors import Altered, EspError, SequenceExhausted, Truncated
from sipua.ipsec.replay import ReplayWindow
from sipua.ipsec.suite import NULL

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm

    from sipua.ipsec.association import SecurityAssociation

PROTOCOL = 50  # IP protocol number of ESP
HEADER_SIZE = 8  # SPI and sequence number
TRAILER_SIZE = 2  # pad length and next header
LAST_SEQUENCE = 2**32 - 1

_HASHES = {"hmac-sha-1-96": "sha1", "hmac-md5-96": "md5"}

RandomBytes = Callable[[int], bytes]


class Sealer:
    """Makes the ESP packets of one outbound association; ``sequence`` is the last one used."""

    __slots__ = ("_protection", "_spi", "_suite", "sequence")

    def __init__(self, association: SecurityAssociation, random_bytes: RandomBytes) -> None:
        self._suite = association.suite
        self._spi = association.spi.to_bytes(4, "big")
        self._protection = _protection(association, random_bytes)
        self.sequence = 0

    def seal(self, payload: bytes, next_header: int) -> bytes:
        """Protect a transport header with its data; the result goes behind an IP header.

        Raises SequenceExhausted.
        """
        if self.sequence == LAST_SEQUENCE:
            raise SequenceExhausted("this association has sent all the packets it may")
        self.sequence += 1
        missing = -(len(payload) + TRAILER_SIZE) % self._suite.block
        text = payload + _PADDING[:missing] + bytes((missing, next_header))
        return self._protection.protect(self._spi + self.sequence.to_bytes(4, "big"), text)


class Opener:
    """Opens the ESP packets of one inbound association."""

    __slots__ = ("_least", "_protection", "_suite", "window")

    def __init__(self, association: SecurityAssociation) -> None:
        suite = self._suite = association.suite
        self._protection = _protection(association, None)
        self._least = HEADER_SIZE + suite.iv + suite.icv + TRAILER_SIZE
        self.window = ReplayWindow()

    def open(self, packet: bytes) -> tuple[int, bytes, bool]:
        """Next header, payload, and whether the packet was overtaken by a newer one.

        ``packet`` is what follows the IP header. Raises Truncated, Replayed,
        Late, Altered, or EspError when its padding is wrong.
        """
        suite = self._suite
        if len(packet) < self._least:
            raise Truncated(f"an ESP packet of {len(packet)} octets, {self._least} at least")
        sequence = int.from_bytes(packet[4:8], "big")
        self.window.check(sequence)
        if (len(packet) - HEADER_SIZE - suite.iv - suite.icv) % suite.block:
            raise Truncated("an ESP packet that does not end at a block of its cipher")
        text = self._protection.unprotect(packet)
        reordered = self.window.accept(sequence)
        padding, next_header = text[-2], text[-1]
        end = len(text) - TRAILER_SIZE - padding
        if end < 0 or text[end:-TRAILER_SIZE] != _PADDING[:padding]:
            raise EspError("the padding of an ESP packet is not 1, 2, 3 … (RFC 4303 §2.4)")
        return next_header, text[:end], reordered


_PADDING = bytes(range(1, 256))


class _Separate:
    """A block cipher or none, and an HMAC over everything before the ICV."""

    __slots__ = ("_cipher", "_hash", "_icv", "_iv_size", "_key", "_random_bytes")

    def __init__(self, association: SecurityAssociation, random_bytes: RandomBytes | None) -> None:
        suite, keys = association.suite, association.keys
        self._hash = _HASHES[suite.alg]
        self._key = keys.authentication
        self._icv = suite.icv
        self._iv_size = suite.iv
        self._random_bytes = random_bytes
        self._cipher = _block_cipher(suite.ealg, keys.encryption) if suite.ealg != NULL else None

    def protect(self, header: bytes, text: bytes) -> bytes:
        if self._cipher is not None:
            from cryptography.hazmat.primitives.ciphers import Cipher, modes

            assert self._random_bytes is not None
            iv = self._random_bytes(self._iv_size)
            encryptor = Cipher(self._cipher, modes.CBC(iv)).encryptor()
            text = iv + encryptor.update(text) + encryptor.finalize()
        sealed = header + text
        return sealed + hmac.digest(self._key, sealed, self._hash)[: self._icv]

    def unprotect(self, packet: bytes) -> bytes:
        sealed, icv = packet[: -self._icv], packet[-self._icv :]
        if not hmac.compare_digest(hmac.digest(self._key, sealed, self._hash)[: self._icv], icv):
            raise Altered("the ICV of an ESP packet is wrong")
        if self._cipher is None:
            return sealed[HEADER_SIZE:]
        from cryptography.hazmat.primitives.ciphers import Cipher, modes

        start = HEADER_SIZE + self._iv_size
        decryptor = Cipher(self._cipher, modes.CBC(sealed[HEADER_SIZE:start])).decryptor()
        return decryptor.update(sealed[start:]) + decryptor.finalize()


class _Combined:
    """AES-GCM (RFC 4106), or AES-GMAC which authenticates and does not encrypt (RFC 4543).

    All associations of an agreement share one key and salt, so the IV must not
    repeat among them: it is the SPI, which differs, and the sequence number.
    """

    __slots__ = ("_aead", "_encrypts", "_salt")

    def __init__(self, association: SecurityAssociation) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        keys = association.keys
        self._encrypts = association.suite.ealg != NULL
        self._aead = AESGCM(keys.encryption if self._encrypts else keys.authentication)
        self._salt = keys.salt

    def protect(self, header: bytes, text: bytes) -> bytes:
        iv = header
        if self._encrypts:
            return header + iv + self._aead.encrypt(self._salt + iv, text, header)
        sealed = header + iv + text
        return sealed + self._aead.encrypt(self._salt + iv, b"", sealed)

    def unprotect(self, packet: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        header, iv, rest = packet[:8], packet[8:16], packet[16:]
        try:
            if self._encrypts:
                return self._aead.decrypt(self._salt + iv, rest, header)
            self._aead.decrypt(self._salt + iv, rest[-16:], packet[:-16])
        except InvalidTag:
            raise Altered("the ICV of an ESP packet is wrong") from None
        return rest[:-16]


def _protection(
    association: SecurityAssociation, random_bytes: RandomBytes | None
) -> _Separate | _Combined:
    if association.suite.salt:
        return _Combined(association)
    return _Separate(association, random_bytes)


def _block_cipher(ealg: str, key: bytes) -> BlockCipherAlgorithm:
    if ealg == "aes-cbc":
        from cryptography.hazmat.primitives.ciphers.algorithms import AES

        return AES(key)
    try:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    except ImportError:  # before cryptography 43
        from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES
    return TripleDES(key)
