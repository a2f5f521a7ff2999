"""The elementary files a registration reads, each with vectors that prove its codec.

The others, which only people ask for, are in ``mf``, ``usim``, ``isim`` and
``gsm``; ``catalogue`` knows all of them by directory.
File identifiers, SFIs and structures are those of TS 102 221 §13, TS 31.102 §4.2
and TS 31.103 §4.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from card.coding import basic
from card.coding.basic import AdministrativeData, Application

T = TypeVar("T")

MF = 0x3F00

PYSIM = "pySim"  # octets somebody else's program was tested with
OURS = "made by us"


class Example(NamedTuple):
    """Octets (hex) of a file or record with FF filling, and what they mean."""

    octets: str
    value: object
    source: str


class Ef(Generic[T]):
    """One elementary file. ``sfi`` is None where the specification gives none.

    ``linear`` files have records of one length, the others are transparent and
    have ``size`` octets; 256 where the card decides. A ``secret`` one holds keys.
    """

    __slots__ = ("decode", "encode", "examples", "fid", "linear", "name", "secret", "sfi", "size")

    def __init__(
        self,
        name: str,
        fid: int,
        sfi: int | None,
        decode: Callable[[bytes], T],
        encode: Callable[[T], bytes],
        *,
        examples: tuple[Example, ...],
        linear: bool = False,
        size: int = 256,
        secret: bool = False,
    ) -> None:
        self.name = name
        self.fid = fid
        self.sfi = sfi
        self.decode = decode
        self.encode = encode
        self.examples = examples
        self.linear = linear
        self.size = size
        self.secret = secret

    def __repr__(self) -> str:
        return f"Ef({self.name} {self.fid:04X})"


def undecoded(
    name: str, fid: int, sfi: int | None = None, *, linear: bool = False, secret: bool = False
) -> Ef[bytes]:
    """A file whose octets are shown as they are."""
    return Ef(name, fid, sfi, bytes, bytes, examples=(), linear=linear, secret=secret)


EF_DIR = Ef(
    "EF_DIR",
    0x2F00,
    0x1E,
    basic.decode_application,
    basic.encode_application,
    examples=(
        Example(
            "61194F10A0000000871004FFFFFFFF890709000050054953696D31",
            Application(bytes.fromhex("A0000000871004FFFFFFFF8907090000"), "ISim1"),
            PYSIM,
        ),
        Example(
            "61094F07A0000000871002FFFFFF",
            Application(bytes.fromhex("A0000000871002")),
            OURS,
        ),
    ),
    linear=True,
)

EF_ICCID = Ef(
    "EF_ICCID",
    0x2FE2,
    0x02,
    basic.decode_iccid,
    basic.encode_iccid,
    examples=(
        Example("98001010000000000010", "89000101000000000001", OURS),
        Example("980010100000000000F1", "8900010100000000001", OURS),
    ),
    size=10,
)

EF_IMSI = Ef(
    "EF_IMSI",
    0x6F07,
    0x07,
    basic.decode_imsi,
    basic.encode_imsi,
    examples=(
        Example("082982608200002080", "228062800000208", PYSIM),
        Example("080910101032547698", "001010123456789", OURS),
        Example("0801101010325476F8", "00101012345678", OURS),
        Example("0409101032FFFFFFFF", "0010123", OURS),
    ),
    size=9,
)

EF_AD = Ef(
    "EF_AD",
    0x6FAD,
    0x03,
    basic.decode_ad,
    basic.encode_ad,
    examples=(
        Example("00000002", AdministrativeData(0x00, 2), OURS),
        Example("80000003", AdministrativeData(0x80, 3), OURS),
    ),
)

EF_UST = Ef(
    "EF_UST",
    0x6F38,
    0x04,
    basic.decode_services,
    basic.encode_services,
    examples=(
        Example("000000040000000008", frozenset({27, 68}), OURS),
        Example("01", frozenset({1}), OURS),
    ),
)

EF_IMPI = Ef(
    "EF_IMPI",
    0x6F02,
    0x02,
    basic.decode_text,
    basic.encode_text,
    examples=(
        Example(
            "8031373338303036303030303030313031"
            "40696D732E6D6E633030302E6D63633733382E336770706E6574776F726B2E6F7267",
            "738006000000101@ims.mnc000.mcc738.3gppnetwork.org",
            PYSIM,
        ),
        Example("8003614062FFFF", "a@b", OURS),
    ),
)

EF_IMPU = Ef(
    "EF_IMPU",
    0x6F04,
    0x04,
    basic.decode_text,
    basic.encode_text,
    examples=(Example("80077369703A614062FF", "sip:a@b", OURS),),
    linear=True,
)

EF_DOMAIN = Ef(
    "EF_DOMAIN",
    0x6F03,
    0x05,
    basic.decode_text,
    basic.encode_text,
    examples=(Example("800B6578616D706C652E6F7267", "example.org", OURS),),
)

EF_IST = Ef(
    "EF_IST",
    0x6F07,
    0x07,
    basic.decode_services,
    basic.encode_services,
    examples=(Example("13", frozenset({1, 2, 5}), OURS),),
)

EF_PCSCF = Ef(
    "EF_P-CSCF",
    0x6F09,
    None,
    basic.decode_pcscf,
    basic.encode_pcscf,
    examples=(
        Example("800501C0A80C22", "192.168.12.34", PYSIM),
        Example("800900" + b"p.ims.eu".hex() + "FFFF", "p.ims.eu", OURS),
        Example("801102" + "20010DB8" + "00" * 11 + "01", "2001:db8::1", OURS),
    ),
    linear=True,
)

MF_FILES = (EF_DIR, EF_ICCID)
USIM_FILES = (EF_IMSI, EF_AD, EF_UST)
ISIM_FILES = (EF_IMPI, EF_IMPU, EF_DOMAIN, EF_IST, EF_PCSCF)
