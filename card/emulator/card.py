"""A UICC in software: commands in, answers out, as over T=0.

The commands and their answers follow TS 102 221; the file system comes from
``content``, what outlasts the power from ``state``. As on a card with T=0,
data that answers data waits for GET RESPONSE (61xx), and a wrong Le is told
the right one (6Cxx).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.algorithm import functions_of
from card.coding import USIM_AID
from card.emulator import authenticate, pin
from card.emulator.content import build
from card.emulator.filesystem import CURRENT_ADF, MF, Df, Ef, LinearFixedEf, TransparentEf, fcp
from card.emulator.refused import OK, Refused
from card.emulator.state import CardState

if TYPE_CHECKING:
    from collections.abc import Callable

    from card.emulator.filesystem import File
    from card.profile import Profile
    from card.statefile import StateFile

ATR = bytes.fromhex("3B9D96801FC78031E073FE2100555349505541A5")
"""T=0; TA1 96; T=15 with TA3 C7 (clock stop, classes A to C); selection by AID, path,
FID and SFI, no logical channels; issuer's data "SIPUA" (ISO/IEC 7816-3 §8, 7816-4 §12)."""

_FCP = 0x04  # P2 of SELECT, TS 102 221 §11.1.1.2
_NO_DATA = (0x0C, 0x00)


class EmulatedCard:
    """One card, powered. ``state`` keeps what outlasts it; without one it is in memory only.

    Raises StateError when the state file cannot be used.
    """

    def __init__(self, profile: Profile, state: StateFile | None = None) -> None:
        self.state = CardState(profile, state)
        self.functions = functions_of(profile.authentication)
        self.services = profile.usim.services
        self._files = build(profile)
        self.reset()

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return ATR

    def reset(self) -> None:
        """Reset or power-up: the MF is current, PIN1 is unverified, nothing waits."""
        self.df = self._files.mf
        self.ef: Ef | None = None
        self.adf: Df | None = None
        self.pin1_verified = False
        self._held = b""

    power_on = reset

    @property
    def on_usim(self) -> bool:
        """Whether the current directory is ADF.USIM."""
        return self.df.aid.startswith(USIM_AID)

    def transmit(self, command: bytes) -> bytes:
        """Run one command: any octets give data and a status word, 2 octets at least.

        Raises StateError, before anything secret is answered, when what the
        card must remember cannot be stored.
        """
        try:
            return self._run(command)
        except Refused as refused:
            return refused.sw.to_bytes(2, "big")

    def check_pin1(self) -> None:
        """Refuse with 6982 unless PIN1 is verified or not asked for."""
        if self.state.pin1_enabled and not self.pin1_verified:
            raise Refused(0x6982)

    def hold(self, data: bytes) -> bytes:
        """Keep ``data`` for GET RESPONSE and announce it: 61 and its length."""
        self._held = data
        return bytes((0x61, len(data)))

    def take_held(self, le: int) -> bytes:
        """What waits: ``le`` octets of it, 0 for all."""
        held = self._held
        if not held:
            raise Refused(0x6985)
        if le > len(held):
            raise Refused(0x6C00 | len(held))
        if le in (0, len(held)):
            self._held = b""
            return held + OK
        return held[:le] + self.hold(held[le:])

    def _run(self, command: bytes) -> bytes:
        length = len(command)
        if length < 4:
            raise Refused(0x6700)
        cla, ins, p1, p2 = command[:4]
        if cla not in (0x00, 0x80):
            raise Refused(_class_refusal(cla))
        if ins not in _COMMANDS:
            raise Refused(0x6D00)
        wanted_class, answers_only, handler = _COMMANDS[ins]
        if wanted_class != cla:
            raise Refused(0x6E00)
        if ins != 0xC0:
            self._held = b""
        p3 = command[4] if length > 4 else 0
        if length <= 5:  # P3 is Le, or an Lc of 0
            if p3 and not answers_only:
                raise Refused(0x6700)
            return handler(self, p1, p2, b"", p3)
        # P3 is Lc; the Le that T=0 does not have is accepted after the data
        if answers_only or p3 == 0 or length not in (5 + p3, 6 + p3):
            raise Refused(0x6700)
        return handler(self, p1, p2, command[5 : 5 + p3], 0)

    def find(self, p1: int, data: bytes) -> File:
        """The file that SELECT means (TS 102 221 §11.1.1.2)."""
        file: File | None
        if p1 == 0x04:
            file = self._files.by_aid(data) if data else self._files.mf
        elif p1 == 0x00:
            file = self._by_fid(self.df, data) if data else self._files.mf
        elif p1 == 0x03 and not data:
            file = self.df.parent
        elif p1 in (0x08, 0x09) and data:
            file = self._by_path(self._files.mf if p1 == 0x08 else self.df, data)
        else:
            raise Refused(0x6700 if p1 in (0x03, 0x08, 0x09) else 0x6A86)
        if file is None:
            raise Refused(0x6A82)
        return file

    def _by_fid(self, df: Df, data: bytes) -> File | None:
        if len(data) != 2:
            raise Refused(0x6700)
        fid = int.from_bytes(data, "big")
        if fid == MF:
            return self._files.mf
        if fid == CURRENT_ADF:
            return self.adf
        return df.by_fid(fid)

    def _by_path(self, df: Df, path: bytes) -> File | None:
        if len(path) % 2:
            raise Refused(0x6700)
        file: File | None = df
        for start in range(0, len(path), 2):
            if not isinstance(file, Df):
                return None
            file = self._by_fid(file, path[start : start + 2])
        return file

    def readable(self, sfi: int) -> Ef:
        """The EF that a READ means: by SFI, or the current one for 0. Checks PIN1."""
        if sfi:
            ef = self.df.by_sfi(sfi)
            if ef is None:
                raise Refused(0x6A82)
            self.ef = ef
        elif self.ef is None:
            raise Refused(0x6986)
        if self.ef.pin:
            self.check_pin1()
        return self.ef


def _class_refusal(cla: int) -> int:
    """Why a class is refused (TS 102 221 §10.1.1): 6881, 6882 or 6E00."""
    if cla & 0x40 and cla != 0xFF:
        return 0x6881  # channels 4 to 19
    if cla & 0x70:
        return 0x6E00  # A0 of GSM among them
    return 0x6882 if cla & 0x0C else 0x6881


def _select(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    if p2 != _FCP and p2 not in _NO_DATA:
        raise Refused(0x6A86)
    file = card.find(p1, data)
    if isinstance(file, Df):
        card.df = file
        card.ef = None
        if file.aid:
            card.adf = file
    else:
        assert isinstance(file, Ef)
        card.df = file.parent
        card.ef = file
    return card.hold(fcp(file, card.state.pin1_enabled)) if p2 == _FCP else OK


def _status(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    """STATUS (§11.1.2): the FCP or the AID of the current DF, or nothing."""
    if p1 > 2:
        raise Refused(0x6A86)
    if p2 == 0x00:
        answer = fcp(card.df, card.state.pin1_enabled)
    elif p2 == 0x01 and card.df.aid:
        answer = bytes((0x84, len(card.df.aid))) + card.df.aid
    elif p2 == 0x0C:
        return OK
    else:
        raise Refused(0x6A86)
    if le not in (0, len(answer)):
        raise Refused(0x6C00 | len(answer))
    return answer + OK


def _read_binary(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    """READ BINARY (§11.1.3); Le 00 is all there is, up to 256 octets."""
    if p1 & 0x80:
        if p1 & 0x60:
            raise Refused(0x6A86)
        ef, offset = card.readable(p1 & 0x1F), p2
    else:
        ef, offset = card.readable(0), p1 << 8 | p2
    if not isinstance(ef, TransparentEf):
        raise Refused(0x6981)
    left = len(ef.content) - offset
    if left <= 0:
        raise Refused(0x6B00)
    if le > left:
        raise Refused(0x6C00 | left)
    return ef.content[offset : offset + (le or 256)] + OK


def _read_record(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    """READ RECORD (§11.1.5) by number; a Le other than the record's length gets 6Cxx."""
    if p2 & 0x07 != 0x04:
        raise Refused(0x6A86)
    ef = card.readable(p2 >> 3)
    if not isinstance(ef, LinearFixedEf):
        raise Refused(0x6981)
    if not 1 <= p1 <= len(ef.records):
        raise Refused(0x6A83)
    if le != ef.record_length:
        raise Refused(0x6C00 | ef.record_length)
    return ef.records[p1 - 1] + OK


def _get_response(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    if p1 or p2:
        raise Refused(0x6A86)
    return card.take_held(le)


def _manage_channel(_card: EmulatedCard, _p1: int, _p2: int, _data: bytes, _le: int) -> bytes:
    raise Refused(0x6881)


# INS: its class, whether it brings an answer and no data, and what does it (TS 102 221 §10.1.2)
_COMMANDS: dict[int, tuple[int, bool, Callable[[EmulatedCard, int, int, bytes, int], bytes]]] = {
    0x20: (0x00, False, pin.verify),
    0x24: (0x00, False, pin.change),
    0x26: (0x00, False, pin.disable),
    0x28: (0x00, False, pin.enable),
    0x2C: (0x00, False, pin.unblock),
    0x70: (0x00, True, _manage_channel),
    0x88: (0x00, False, authenticate.authenticate),
    0xA4: (0x00, False, _select),
    0xB0: (0x00, True, _read_binary),
    0xB2: (0x00, True, _read_record),
    0xC0: (0x00, True, _get_response),
    0xF2: (0x80, True, _status),
}
