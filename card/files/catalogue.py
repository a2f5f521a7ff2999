"""Every file this program knows, by directory; and which file a name, path or SFI means."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from card.files.ef import ISIM_FILES, MF, MF_FILES, USIM_FILES, Ef, undecoded
from card.files.gsm import GSM_FILES, TELECOM_FILES
from card.files.isim import MORE_ISIM_FILES
from card.files.mf import MORE_MF_FILES
from card.files.usim import FIVE_G_FILES, GSM_ACCESS_FILES, MORE_USIM_FILES

Kind = Literal["usim", "isim", ""]

ADF = 0x7FFF  # TS 102 221 §8.4.2: stands for the application in use
DF_TELECOM, DF_GSM = 0x7F10, 0x7F20
DF_GSM_ACCESS, DF_5GS = 0x5F3B, 0x5FC0
MOST_SFI = 0x1E


class Directory(NamedTuple):
    """A directory. ``path`` begins with 3F00 or, in an application of ``kind``, with 7FFF."""

    name: str
    path: tuple[int, ...]
    files: tuple[Ef[Any], ...]
    kind: Kind = ""


DIRECTORIES = (
    Directory("MF", (MF,), (*MF_FILES, *MORE_MF_FILES)),
    Directory("ADF.USIM", (ADF,), (*USIM_FILES, *MORE_USIM_FILES), "usim"),
    Directory("DF.GSM-ACCESS", (ADF, DF_GSM_ACCESS), GSM_ACCESS_FILES, "usim"),
    Directory("DF.5GS", (ADF, DF_5GS), FIVE_G_FILES, "usim"),
    Directory("ADF.ISIM", (ADF,), (*ISIM_FILES, *MORE_ISIM_FILES), "isim"),
    Directory("DF.TELECOM", (MF, DF_TELECOM), TELECOM_FILES),
    Directory("DF.GSM", (MF, DF_GSM), GSM_FILES),
)


class Place(NamedTuple):
    """One file in one directory. ``ef.sfi`` alone is meant where ``by_sfi``."""

    directory: Directory
    ef: Ef[Any]
    by_sfi: bool = False

    @property
    def path(self) -> str:
        """As it is typed: 7FFF/6F07, or 7FFF/sfi:07."""
        last = f"sfi:{self.ef.sfi:02X}" if self.by_sfi else f"{self.ef.fid:04X}"
        return "/".join([f"{fid:04X}" for fid in self.directory.path] + [last])


def find(text: str, kind: Kind) -> Place:
    """The file that ``text`` means: a name (EF_IMSI, IMSI, ADF.ISIM/EF_AD), a path
    (3F00/2FE2, 7FFF/6F07, 7F20/6F07, 6F07) or an SFI (07, sfi:07, 3F00/sfi:1E).

    ``kind`` is the application in use, which 7FFF, bare SFIs and names mean first.
    Raises ValueError with a sentence for people.
    """
    *parents, last = text.replace("\\", "/").strip("/").split("/")
    sfi = _sfi(last)
    if sfi is not None:
        directory = _directory(parents or [f"{ADF if kind else MF:04X}"], kind)
        known = [ef for ef in directory.files if ef.sfi == sfi]
        return Place(directory, known[0] if known else undecoded("EF", 0, sfi), by_sfi=True)
    fid = _fid(last)
    if fid is None:
        return _named(text, parents, last, kind)
    if not parents:
        parents = [f"{MF if fid >> 8 == 0x2F or not kind else ADF:04X}"]
    directory = _directory(parents, kind)
    known = [ef for ef in directory.files if ef.fid == fid]
    return Place(directory, known[0] if known else undecoded(f"EF {fid:04X}", fid))


def _named(text: str, parents: list[str], last: str, kind: Kind) -> Place:
    wanted = _plain(last)
    inside = [each for each in DIRECTORIES if _is_meant(each, parents, kind)]
    for directory in sorted(inside, key=lambda each: each.kind != kind or not kind):
        for ef in directory.files:
            if _plain(ef.name) == wanted:
                return Place(directory, ef)
    raise ValueError(
        f"no file is called {text!r}; give a name as EF_IMSI, a path as 7FFF/6F07 or 3F00/2FE2,"
        " or an SFI as 07"
    )


def _is_meant(directory: Directory, parents: list[str], kind: Kind) -> bool:
    if not parents:
        return True
    if len(parents) == 1 and _plain(parents[0]) == _plain(directory.name):
        return True
    try:
        return _directory(parents, kind).path == directory.path and directory.kind in ("", kind)
    except ValueError:
        return False


def _directory(parents: list[str], kind: Kind) -> Directory:
    """The directory of a path; one that is not known has no known files."""
    if len(parents) == 1:
        for each in DIRECTORIES:
            if _plain(each.name) == _plain(parents[0]):
                return each
    fids = [_fid(part) for part in parents]
    path = tuple(fid for fid in fids if fid is not None)
    if len(path) != len(parents):
        raise ValueError(f"{'/'.join(parents)} is no path: it takes 4 hexadecimal digits a step")
    if path[0] not in (MF, ADF):
        path = (MF, *path)
    if path[:2] == (MF, ADF):
        path = path[1:]
    if path[0] == ADF and not kind:
        raise ValueError("7FFF is the application in use, and the card has none")
    for each in DIRECTORIES:
        if each.path == path and (each.kind in ("", kind) or len(path) > 1):
            return each
    return Directory(
        "/".join(f"{fid:04X}" for fid in path), path, (), kind if path[0] == ADF else ""
    )


def _sfi(text: str) -> int | None:
    digits = text.lower().removeprefix("sfi:")
    if len(digits) > 2 or not digits or digits.strip("0123456789abcdef"):
        return None
    number = int(digits, 16)
    if 1 <= number <= MOST_SFI:
        return number
    if digits != text.lower() or digits.isdecimal():  # else it may be EF_AD
        raise ValueError(f"an SFI is 01 to {MOST_SFI:02X}, in hexadecimal")
    return None


def _fid(text: str) -> int | None:
    if len(text) != 4 or text.strip("0123456789abcdefABCDEF"):
        return None
    return int(text, 16)


def _plain(name: str) -> str:
    """EF_P-CSCF, EF.P-CSCF, p_cscf and PCSCF are one name."""
    plain = "".join(character for character in name.upper() if character.isalnum())
    for prefix in ("ADF", "DF", "EF"):
        if plain.startswith(prefix) and len(plain) > len(prefix):
            return plain.removeprefix(prefix)
    return plain
