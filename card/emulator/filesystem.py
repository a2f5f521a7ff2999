"""The file system of an emulated UICC: nodes, how they are found, and their FCP.

TS 102 221 §8 (structure, file reference) and §11.1.1.3 (response to SELECT).
"""

from __future__ import annotations

from card.tlv import write_tlv as tlv

MF = 0x3F00
CURRENT_ADF = 0x7FFF  # TS 102 221 §8.4.2: stands for the ADF in use

_LIFE_CYCLE_ACTIVATED = b"\x8a\x01\x05"
_PIN1_ENABLED = 0x80  # PS_DO, TS 102 221 §9.5.2: one bit a key, in the order of the 83s
_ADM_ENABLED = 0x20


class File:
    """A node. ``fid`` is its file identifier, ``arr_record`` its rule in EF_ARR."""

    __slots__ = ("arr_record", "fid", "parent")

    parent: Df

    def __init__(self, fid: int, arr_record: int) -> None:
        self.fid = fid
        self.arr_record = arr_record


class Ef(File):
    """An EF, transparent or linear fixed. ``sfi`` is None when it has none.

    ``pin`` says whether reading it takes PIN1.
    """

    __slots__ = ("pin", "sfi")

    def __init__(self, fid: int, sfi: int | None, pin: bool) -> None:
        super().__init__(fid, 2 if pin else 1)
        self.sfi = sfi
        self.pin = pin


class TransparentEf(Ef):
    """A string of octets."""

    __slots__ = ("content",)

    def __init__(self, fid: int, sfi: int | None, pin: bool, content: bytes) -> None:
        super().__init__(fid, sfi, pin)
        self.content = content


class LinearFixedEf(Ef):
    """Records of one length; shorter ones are filled up with FF."""

    __slots__ = ("record_length", "records")

    def __init__(self, fid: int, sfi: int | None, pin: bool, records: list[bytes]) -> None:
        super().__init__(fid, sfi, pin)
        self.record_length = max(map(len, records))
        self.records = [record.ljust(self.record_length, b"\xff") for record in records]


class Df(File):
    """The MF, or an ADF, which has an ``aid``."""

    __slots__ = ("_by_fid", "_by_sfi", "aid")

    def __init__(self, fid: int, files: list[Ef], aid: bytes = b"", parent: Df | None = None):
        super().__init__(fid, 1)
        self.aid = aid
        self.parent = parent or self
        self._by_fid = {file.fid: file for file in files}
        self._by_sfi = {file.sfi: file for file in files if file.sfi is not None}
        for file in files:
            file.parent = self

    def by_fid(self, fid: int) -> Ef | None:
        """The EF of this DF with that identifier."""
        return self._by_fid.get(fid)

    def by_sfi(self, sfi: int) -> Ef | None:
        """The EF of this DF with that short file identifier."""
        return self._by_sfi.get(sfi)


class FileSystem:
    """One card's tree: the MF and the applications on it."""

    __slots__ = ("applications", "mf")

    def __init__(self, mf: Df, applications: list[Df]) -> None:
        self.mf = mf
        self.applications = applications

    def by_aid(self, aid: bytes) -> Df | None:
        """The first application whose AID begins so (TS 102 221 §8.4.1: 5 octets at least)."""
        if len(aid) >= 5:
            for application in self.applications:
                if application.aid.startswith(aid):
                    return application
        return None


def fcp(file: File, pin1_enabled: bool) -> bytes:
    """The file control parameters, under 128 octets (TS 102 221 §11.1.1.3)."""
    if isinstance(file, Df):
        return tlv(0x62, _df_parameters(file, pin1_enabled))
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
        + _security(file)
        + tlv(0x80, size.to_bytes(2, "big"))
        + tlv(0x88, b"" if file.sfi is None else bytes([file.sfi << 3])),
    )


def _df_parameters(df: Df, pin1_enabled: bool) -> bytes:
    status = _ADM_ENABLED | (_PIN1_ENABLED if pin1_enabled else 0)
    return (
        b"\x82\x02\x78\x21"
        + tlv(0x83, df.fid.to_bytes(2, "big"))
        + (tlv(0x84, df.aid) if df.aid else b"\xa5\x03\x80\x01\x71")  # UICC characteristics
        + _LIFE_CYCLE_ACTIVATED
        + _security(df)
        # PIN1, PIN2 and ADM1 are the keys that open files here
        + tlv(0xC6, tlv(0x90, bytes([status])) + bytes.fromhex("83010183018183010A"))
    )


def _security(file: File) -> bytes:
    """8B: EF_ARR and the record in it that holds the rule (TS 102 221 §11.1.1.4.7.3)."""
    in_application = file.parent.aid or (isinstance(file, Df) and file.aid)
    arr = 0x6F06 if in_application and not isinstance(file, Df) else 0x2F06
    return tlv(0x8B, arr.to_bytes(2, "big") + bytes([file.arr_record]))
