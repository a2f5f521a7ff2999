"""A UICC in software: commands in, answers out, as over T=0.

The commands and their answers follow TS 102 221; the file system comes from
``content``, what outlasts the power from ``state``. As on a card with T=0,
data that answers data waits for GET RESPONSE (61xx), and a wrong Le is told
the right one (6Cxx). Here is what every terminal needs; what only some ask
for is in files of its own, imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.aka.algorithm import functions_of
from card.coding.basic import USIM_AID
from card.emulator import authenticate
from card.emulator.access import ALWAYS, PIN1, PIN2, UNIVERSAL_PIN
from card.emulator.content import build, restore
from card.emulator.filesystem import CURRENT_ADF, MF, Df, Ef, LinearFixedEf, TransparentEf, fcp
from card.emulator.refused import OK, Refused
from card.emulator.state import CardState

if TYPE_CHECKING:
    from collections.abc import Callable

    from card.emulator.filesystem import File
    from card.profile import Profile
    from card.statefile import StateFile

    Handler = Callable[["EmulatedCard", int, int, bytes, int], bytes]

ATR = bytes.fromhex("3B9D96801FC78031E073FE211B555349505541BE")
"""T=0; TA1 96; T=15 with TA3 C7 (clock stop, classes A to C); selection by AID, path, FID
and SFI, four logical channels; issuer's data "SIPUA" (ISO/IEC 7816-3 §8, 7816-4 §12)."""

CHANNELS = 4  # §8.7: the basic one and three more

_FCP, _NO_DATA, _FCI = 0x04, 0x0C, 0x00  # P2 of SELECT: TS 102 221 §11.1.1.2, ISO/IEC 7816-4
_BY_AID = 0x04  # P1
_ABSOLUTE = 0x04  # low bits of P2 of READ RECORD: P1 is the record's number
_GSM_CLASS = 0xA0


class Channel:
    """What is current on one logical channel (TS 102 221 §8.7).

    ``adf`` is the application used last, ``record`` the current record of
    ``ef``, 0 while there is none.
    """

    __slots__ = ("adf", "df", "ef", "record")

    def __init__(self, df: Df, adf: Df | None = None) -> None:
        self.df = df
        self.adf = adf
        self.ef: Ef | None = None
        self.record = 0


class EmulatedCard:
    """One card, powered. ``state`` keeps what outlasts it; without one it is in memory only.

    ``channels`` are the open logical channels, ``channel`` the one in use;
    ``verified`` holds the key references that were presented. Raises StateError
    when the state file cannot be used.
    """

    def __init__(self, profile: Profile, state: StateFile | None = None) -> None:
        self.atr = ATR
        self.state = CardState(profile, state)
        self.functions = functions_of(profile.authentication)
        self.services = profile.usim.services
        self.tree = build(profile)
        if self.state.files:
            assert state is not None
            restore(self.tree, self.state.files, state)
        self._answer: Callable[[bytes], bytes] = self._answer_plainly
        self.power_ups = 0
        self.reset()
        if profile.quirks:
            from card.emulator.quirks import give

            self._answer = give(self, profile.quirks, self._answer_plainly)

    def reset(self) -> None:
        """Reset or power-up: the MF is current, PINs are unverified, nothing waits."""
        self.power_ups += 1
        self.channel = Channel(self.tree.mf)
        self.channels = {0: self.channel}
        self.verified: set[int] = set()
        self._held = b""
        self._holder = self.channel

    power_on = reset

    @property
    def on_usim(self) -> bool:
        """Whether the current directory is ADF.USIM."""
        return self.channel.df.aid.startswith(USIM_AID)

    def transmit(self, command: bytes) -> bytes:
        """Run one command: any octets give data and a status word, 2 octets at least.

        Raises StateError, before anything secret is answered, when what the
        card must remember cannot be stored.
        """
        return self._answer(command)

    def require(self, condition: int) -> None:
        """Refuse with 6982 unless a condition of ``access`` is met."""
        if condition != ALWAYS and not self.meets(condition):
            raise Refused(0x6982)

    def meets(self, condition: int) -> bool:
        """Whether a condition of ``access`` is met now; ADM1 never is."""
        if condition == ALWAYS:
            return True
        state = self.state
        if condition == PIN1:
            if state.pin1.enabled:
                return state.user in self.verified
            if state.replaced and state.pins[UNIVERSAL_PIN].enabled:
                return UNIVERSAL_PIN in self.verified
            return True
        return condition == PIN2 and PIN2 in self.verified

    def hold(self, data: bytes) -> bytes:
        """Keep ``data`` for GET RESPONSE and announce it: 61 and its length."""
        self._held = data
        self._holder = self.channel
        return bytes((0x61, len(data)))

    def take_held(self, le: int) -> bytes:
        """What waits: ``le`` octets of it, 0 for all."""
        held = self._held
        if not held or self._holder is not self.channel:
            raise Refused(0x6985)
        if le > len(held):
            raise Refused(0x6C00 | len(held))
        if le in (0, len(held)):
            self._held = b""
            return held + OK
        return held[:le] + self.hold(held[le:])

    def drop_held(self) -> None:
        """Nothing waits any more."""
        self._held = b""

    def locate(self, sfi: int) -> Ef:
        """The EF that a command means: by SFI, which makes it current, or the current one for 0."""
        channel = self.channel
        if sfi:
            ef = channel.df.by_sfi(sfi)
            if ef is None:
                raise Refused(0x6A82)
            channel.ef = ef
            channel.record = 0
            return ef
        if channel.ef is None:
            raise Refused(0x6986)
        return channel.ef

    def select(self, file: File) -> None:
        """Make a file current."""
        channel = self.channel
        channel.record = 0
        if isinstance(file, Df):
            channel.df = file
            channel.ef = None
            if file.aid:
                channel.adf = file
        else:
            assert isinstance(file, Ef)
            channel.df = file.parent
            channel.ef = file

    def by_fid(self, df: Df, data: bytes) -> File | None:
        """The file that an identifier means, seen from ``df`` (TS 102 221 §8.4.2)."""
        if len(data) != 2:
            raise Refused(0x6700)
        fid = int.from_bytes(data, "big")
        if fid == MF:
            return self.tree.mf
        if fid == CURRENT_ADF:
            return self.channel.adf
        if fid >> 8 == 0x7F and not df.aid:
            return self.tree.dfs.get(fid)
        return df.by_fid(fid)

    def _answer_plainly(self, command: bytes) -> bytes:
        try:
            return self._run(command)
        except Refused as refused:
            return refused.sw.to_bytes(2, "big")

    def _run(self, command: bytes) -> bytes:
        length = len(command)
        if length < 4:
            raise Refused(0x6700)
        cla, ins, p1, p2 = command[:4]
        if cla & 0x7F:
            if cla == _GSM_CLASS:
                from card.emulator.gsm import run

                return run(self, command)
            self.channel = self._channel_of(cla)
        else:
            self.channel = self.channels[0]
        row = _COMMANDS.get(ins) or _further(ins)
        wanted_class, answers_only, handler = row
        if wanted_class != cla & 0x80:
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

    def _channel_of(self, cla: int) -> Channel:
        """The open channel that a class means (TS 102 221 §10.1.1), else 6881, 6882 or 6E00."""
        if cla & 0x40 and cla != 0xFF:
            raise Refused(0x6881)  # channels 4 to 19
        if cla & 0x70:
            raise Refused(0x6E00)
        if cla & 0x0C:
            raise Refused(0x6882)
        channel = self.channels.get(cla & 0x03)
        if channel is None:
            raise Refused(0x6881)
        return channel


def _find(card: EmulatedCard, p1: int, data: bytes) -> File:
    """The file that SELECT means (TS 102 221 §11.1.1.2)."""
    channel, tree = card.channel, card.tree
    file: File | None
    if p1 == 0x04:
        file = tree.by_aid(data) if data else tree.mf
    elif p1 == 0x00:
        file = card.by_fid(channel.df, data) if data else tree.mf
    elif p1 == 0x03 and not data:
        file = channel.df.parent
    elif p1 in (0x08, 0x09) and data:
        file = _by_path(card, tree.mf if p1 == 0x08 else channel.df, data)
    else:
        raise Refused(0x6700 if p1 in (0x03, 0x08, 0x09) else 0x6A86)
    if file is None:
        raise Refused(0x6A82)
    return file


def _by_path(card: EmulatedCard, df: Df, path: bytes) -> File | None:
    if len(path) % 2:
        raise Refused(0x6700)
    file: File | None = df
    for start in range(0, len(path), 2):
        if not isinstance(file, Df):
            return None
        file = card.by_fid(file, path[start : start + 2])
    return file


def _select(card: EmulatedCard, p1: int, p2: int, data: bytes, _le: int) -> bytes:
    if p2 not in (_FCP, _NO_DATA, _FCI):
        raise Refused(0x6A86)
    file = _find(card, p1, data)
    card.select(file)
    # P2 00 is OpenSC's way to ask for the FCP; by AID, terminals that say 00 expect no data
    if p2 == _NO_DATA or (p2 == _FCI and p1 == _BY_AID):
        return OK
    return card.hold(fcp(file, card.state.pin_status()))


def binary(card: EmulatedCard, p1: int, p2: int) -> tuple[Ef, int]:
    """The EF and the offset that P1 and P2 of READ and UPDATE BINARY mean (§11.1.3)."""
    if not p1 & 0x80:
        return card.locate(0), p1 << 8 | p2
    if p1 & 0x60:
        raise Refused(0x6A86)
    return card.locate(p1 & 0x1F), p2


def _read_binary(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    """READ BINARY (§11.1.3); Le 00 is all there is, up to 256 octets."""
    ef, offset = binary(card, p1, p2)
    card.require(ef.rule.read)
    if not isinstance(ef, TransparentEf):
        raise Refused(0x6981)
    left = len(ef.content) - offset
    if left <= 0:
        raise Refused(0x6B00)
    if le > left:
        raise Refused(0x6C00 | left)
    return ef.content[offset : offset + (le or 256)] + OK


def _read_record(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    """READ RECORD (§11.1.5); a Le other than the record's length gets 6Cxx."""
    ef = card.locate(p2 >> 3)
    card.require(ef.rule.read)
    if not isinstance(ef, LinearFixedEf):
        raise Refused(0x6981)
    if p1 and p2 & 0x07 == _ABSOLUTE:
        number = p1
        if number > len(ef.records):
            raise Refused(0x6A83)
    else:
        number = 0
    if le != ef.record_length:
        raise Refused(0x6C00 | ef.record_length)
    if not number:
        from card.emulator.records import number_of

        number = number_of(card, ef, p1, p2)
    return ef.records[number - 1] + OK


def _get_response(card: EmulatedCard, p1: int, p2: int, _data: bytes, le: int) -> bytes:
    if p1 or p2:
        raise Refused(0x6A86)
    return card.take_held(le)


def _further(ins: int) -> tuple[int, bool, Handler]:
    from card.emulator.further import COMMANDS

    if ins not in COMMANDS:
        raise Refused(0x6D00)
    return COMMANDS[ins]


# INS: its class, whether it brings an answer and no data, and what does it (TS 102 221 §10.1.2).
# The other instructions are in ``further``.
_COMMANDS: dict[int, tuple[int, bool, Handler]] = {
    0x88: (0x00, False, authenticate.authenticate),
    0xA4: (0x00, False, _select),
    0xB0: (0x00, True, _read_binary),
    0xB2: (0x00, True, _read_record),
    0xC0: (0x00, True, _get_response),
}
