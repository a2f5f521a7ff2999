"""What an answer to reset says, in plain words (ISO/IEC 7816-3 §8, ISO/IEC 7816-4 §12.1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from card.errors import AnswerError

CONVENTIONS = {0x3B: "direct", 0x3F: "inverse"}
# TA1 (§8.3): clock rate conversion and baud rate adjustment
FI = (372, 372, 558, 744, 1116, 1488, 1860, 0, 0, 512, 768, 1024, 1536, 2048, 0, 0)
DI = (0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0)
CLASSES = ("5 V", "3 V", "1.8 V")  # A, B, C: bits 1 to 3 of TA after T=15
CLOCK_STOP = ("no clock stop", "clock stop low", "clock stop high", "clock stop either way")
COMPACT_TLV = 0x80  # category indicator
CATEGORIES = {0x00: "status indicator at the end", 0x10: "reference to data on the card"}
COMPACT_OBJECTS = {
    0x1: "country code",
    0x2: "issuer number",
    0x3: "card service data",
    0x4: "initial access data",
    0x5: "issuer's data",
    0x6: "pre-issuing data",
    0x7: "card capabilities",
    0x8: "status indicator",
    0xF: "application identifier",
}
SELECTION = ((0x80, "full AID"), (0x40, "partial AID"), (0x20, "path"), (0x10, "FID"))
"""Bits of the first octet of the card capabilities: ways to select a directory."""


class Atr(NamedTuple):
    """Its parts. ``interface`` holds (name, octet) as ("TA1", 0x96); ``check`` says whether TCK
    is right, None where there is none.
    """

    convention: str
    interface: tuple[tuple[str, int], ...]
    protocols: tuple[int, ...]
    historical: bytes
    check: bool | None


def parse(octets: bytes) -> Atr:
    """Take an ATR apart. Raises AnswerError."""
    if len(octets) < 2 or octets[0] not in CONVENTIONS:
        raise AnswerError("an ATR begins with 3B or 3F")
    interface: list[tuple[str, int]] = []
    protocols: list[int] = []
    follows, at, group = octets[1] >> 4, 2, 1
    while follows:
        for bit, letter in enumerate("ABCD"):
            if follows >> bit & 1:
                if at >= len(octets):
                    raise AnswerError(f"the ATR ends before T{letter}{group}")
                interface.append((f"T{letter}{group}", octets[at]))
                at += 1
        if not follows & 0x8:
            break
        last = interface[-1][1]
        protocols.append(last & 0x0F)
        follows, group = last >> 4, group + 1
    historical = octets[at : at + (octets[1] & 0x0F)]
    if len(historical) < octets[1] & 0x0F:
        raise AnswerError("the ATR ends before its historical bytes do")
    rest = octets[at + len(historical) :]
    offered = protocols or [0]
    needs_check = any(offered) or bool(rest)
    return Atr(
        CONVENTIONS[octets[0]],
        tuple(interface),
        tuple(dict.fromkeys(each for each in offered if each != 15)) or (0,),
        historical,
        _is_checked(octets) if needs_check else None,
    )


def explain(octets: bytes) -> list[str]:
    """Sentences for people. Raises AnswerError for what is no ATR."""
    atr = parse(octets)
    sentences = [f"{atr.convention} convention"]
    names = " and ".join(f"T={number}" for number in atr.protocols)
    sentences.append(f"protocol {names}")
    values = dict(atr.interface)
    if "TA1" in values:
        sentences.append(_speed(values["TA1"]))
    sentences += _electrical(atr)
    sentences += _historical(atr.historical)
    if atr.check is not None:
        sentences.append("check byte right" if atr.check else "check byte WRONG")
    return sentences


def _is_checked(octets: bytes) -> bool:
    """TCK makes the exclusive-or of all from T0 on 0 (§8.2.5)."""
    total = 0
    for octet in octets[1:]:
        total ^= octet
    return not total


def _speed(ta1: int) -> str:
    fi, di = FI[ta1 >> 4], DI[ta1 & 0x0F]
    if not fi or not di:
        return f"TA1 {ta1:02X}: a speed that is reserved for future use"
    return f"up to 1 bit in {fi // di if fi % di == 0 else fi / di:g} clock cycles (TA1 {ta1:02X})"


def _electrical(atr: Atr) -> Iterator[str]:
    """The first TA after T=15: supply voltages and clock stop (§8.3)."""
    group = next(
        (int(name[2:]) for name, octet in atr.interface if name[1] == "D" and octet & 0x0F == 15),
        0,
    )
    value = dict(atr.interface).get(f"TA{group + 1}") if group else None
    if value is None:
        return
    supplies = [name for bit, name in enumerate(CLASSES) if value >> bit & 1]
    yield f"supply {', '.join(supplies) or 'not told'}"
    yield CLOCK_STOP[value >> 6]


def _historical(octets: bytes) -> Iterator[str]:
    if not octets:
        return
    if octets[0] != COMPACT_TLV:
        yield f"historical bytes {octets.hex().upper()}{_text(octets)}"
        if octets[0] in CATEGORIES:
            yield f"historical bytes: {CATEGORIES[octets[0]]}"
        return
    at = 1
    while at < len(octets):
        tag, length = octets[at] >> 4, octets[at] & 0x0F
        value = octets[at + 1 : at + 1 + length]
        name = COMPACT_OBJECTS.get(tag, f"object {tag:X}")
        yield f"{name}: {value.hex().upper() or 'empty'}{_text(value)}"
        if tag == 0x7 and value:
            ways = [way for bit, way in SELECTION if value[0] & bit]
            if ways:
                yield f"directories are selected by {', '.join(ways)}"
        at += 1 + length


def _text(octets: bytes) -> str:
    """The longest run of printable characters, if there are four or more."""
    runs = "".join(chr(each) if 0x20 < each < 0x7F else " " for each in octets).split()
    longest = max(runs, key=len, default="")
    return f' ("{longest}")' if len(longest) >= 4 else ""
