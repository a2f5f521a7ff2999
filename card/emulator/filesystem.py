"""The file system of an emulated UICC: nodes, how they are found, and their FCP.

TS 102 221 §8 (structure, file reference) and §11.1.1.3 (response to SELECT).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from card.tlv import write_tlv as tlv

if TYPE_CHECKING:
    from collections.abc import Callable

    from card.emulator.access import Rule

MF = 0x3F00
CURRENT_ADF = 0x7FFF  # TS 102 221 §8.4.2: stands for the ADF in use

_LIFE_CYCLE_ACTIVATED = b"\x8a\x01\x05"


class File:
    """A node. ``fid`` is its file identifier, ``parent`` the directory it is in."""

    __slots__ = ("fid", "parent")

    parent: Df

    def __init__(self, fid: int) -> None:
        self.fid = fid


class Ef(File):
    """An EF, transparent or linear fixed. ``sfi`` is None when it has none."""

    __slots__ = ("rule", "sfi")

    def __init__(self, fid: int, sfi: int | None, rule: Rule) -> None:
        super().__init__(fid)
        self.sfi = sfi
        self.rule = rule

    @property
    def path(self) -> str:
        """Its place on this card, as the state file names it: "3F00/2F05"."""
        return f"{self.parent.name}/{self.fid:04X}"


class TransparentEf(Ef):
    """A string of octets."""

    __slots__ = ("content",)

    def __init__(self, fid: int, sfi: int | None, rule: Rule, content: bytes) -> None:
        super().__init__(fid, sfi, rule)
        self.content = content


class LinearFixedEf(Ef):
    """Records of one length; shorter ones are filled up with FF."""

    __slots__ = ("record_length", "records")

    def __init__(self, fid: int, sfi: int | None, rule: Rule, records: list[bytes]) -> None:
        super().__init__(fid, sfi, rule)
        self.record_length = max(map(len, records))
        self.records = [record.ljust(self.record_length, b"\xff") for record in records]


class Df(File):
    """The MF, a DF, or an ADF, which has an ``aid``."""

    __slots__ = ("_by_fid", "_by_sfi", "aid")

    def __init__(self, fid: int, files: list[Ef], aid: bytes = b"", parent: Df | None = None):
        super().__init__(fid)
        self.aid = aid
        self.parent = parent or self
        self._by_fid = {file.fid: file for file in files}
        self._by_sfi = {file.sfi: file for file in files if file.sfi is not None}
        for file in files:
            file.parent = self

    @property
    def name(self) -> str:
        """What it is called in the paths of its files: its AID or its FID."""
        return self.aid.hex().upper() if self.aid else f"{self.fid:04X}"

    @property
    def files(self) -> list[Ef]:
        """Its EFs."""
        return list(self._by_fid.values())

    def by_fid(self, fid: int) -> Ef | None:
        """The EF of this DF with that identifier."""
        return self._by_fid.get(fid)

    def by_sfi(self, sfi: int) -> Ef | None:
        """The EF of this DF with that short file identifier."""
        return self._by_sfi.get(sfi)


class FileSystem:
    """One card's tree: the MF, the applications, and the DFs below the MF.

    ``make_dfs`` makes those DFs when the first of them is asked for: they are
    for terminals that know nothing newer.
    """

    __slots__ = ("_dfs", "_make_dfs", "applications", "mf")

    def __init__(self, mf: Df, applications: list[Df], make_dfs: Callable[[Df], list[Df]]) -> None:
        self.mf = mf
        self.applications = applications
        self._make_dfs = make_dfs
        self._dfs: dict[int, Df] | None = None

    @property
    def dfs(self) -> dict[int, Df]:
        """The DFs below the MF by their identifiers."""
        if self._dfs is None:
            self._dfs = {df.fid: df for df in self._make_dfs(self.mf)}
        return self._dfs

    def by_aid(self, aid: bytes) -> Df | None:
        """The first application whose AID begins so (TS 102 221 §8.4.1: 5 octets at least)."""
        if len(aid) >= 5:
            for application in self.applications:
                if application.aid.startswith(aid):
                    return application
        return None

    def by_path(self, path: str) -> Ef | None:
        """The EF whose ``path`` that is."""
        name, _, fid = path.partition("/")
        for df in (self.mf, *self.applications, *self.dfs.values()):
            if df.name == name:
                return next((file for file in df.files if f"{file.fid:04X}" == fid), None)
        return None


def fcp(file: File, pin_status: bytes) -> bytes:
    """The file control parameters, under 128 octets (TS 102 221 §11.1.1.3).

    ``pin_status`` is the content of the PIN status template of a directory.
    """
    if isinstance(file, Df):
        return tlv(0x62, _df_parameters(file, pin_status))
    if isinstance(file, LinearFixedEf):
        count = len(file.records)
        descriptor = b"\x42\x21" + file.record_length.to_bytes(2, "big") + bytes([count])
        size = count * file.record_length
    elif isinstance(file, TransparentEf):
        descriptor = b"\x41\x21"
        size = len(file.content)
    else:
        raise TypeError(f"no FCP for {type(file).__name__}")
    return tlv(
        0x62,
        tlv(0x82, descriptor)
        + tlv(0x83, file.fid.to_bytes(2, "big"))
        + _LIFE_CYCLE_ACTIVATED
        + _security(0x6F06 if file.parent.aid else 0x2F06, file.rule.record)
        + tlv(0x80, size.to_bytes(2, "big"))
        + tlv(0x88, b"" if file.sfi is None else bytes([file.sfi << 3])),
    )


def _df_parameters(df: Df, pin_status: bytes) -> bytes:
    return (
        b"\x82\x02\x78\x21"
        + tlv(0x83, df.fid.to_bytes(2, "big"))
        + (tlv(0x84, df.aid) if df.aid else b"\xa5\x03\x80\x01\x71")  # UICC characteristics
        + _LIFE_CYCLE_ACTIVATED
        + _security(0x2F06, 1)
        + tlv(0xC6, pin_status)
    )


def _security(arr: int, record: int) -> bytes:
    """8B: EF_ARR and the record in it that holds the rule (TS 102 221 §11.1.1.4.7.3)."""
    return tlv(0x8B, arr.to_bytes(2, "big") + bytes([record]))
