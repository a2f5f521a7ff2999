"""osmocom's pySim as a way to a card, where it is installed, absent, or another program.

pySim is not on PyPI, so a stand-in package plays it: it offers what
``pySim.transport`` documents (``argparse_add_reader_args``, ``init_reader``,
and ``LinkBase`` as it was until 2024 and as it is since), with the emulated
card behind it. It shows that we keep to that, not that pySim does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

EXCEPTIONS = """
class NoCardError(Exception): pass
class ProtocolError(Exception): pass
class ReaderError(Exception): pass
"""

TRANSPORT = """
import abc, os
from pySim.exceptions import NoCardError, ProtocolError, ReaderError
from card import profile
from card.emulator.card import EmulatedCard

CARD = EmulatedCard(profile.shipped())
trouble = []  # exceptions that the next calls raise

class LinkBase(abc.ABC):
    name = "stand-in"
    connected = False
    def __init__(self, opts):
        self.opts = opts
    def __str__(self):
        return "PCSC[%s]" % self.opts.pcsc_dev
    def wait_for_card(self, timeout=None, newcardonly=False):
        self.connect()
    def connect(self):
        self._fail()
        CARD.reset()
        self.connected = True
    def get_atr(self):
        return CARD.atr.hex() if API == "new" else list(CARD.atr)
    def disconnect(self):
        self.connected = False
        print("disconnected")
    def reset_card(self):
        self._fail()
        CARD.reset()
        return 1
    def _fail(self):
        if trouble:
            raise trouble.pop(0)
    def _exchange(self, pdu):
        self._fail()
        assert self.connected
        assert isinstance(pdu, str) and pdu == pdu.lower()
        answer = CARD.transmit(bytes.fromhex(pdu)).hex()
        return answer[:-4], answer[-4:]

API = os.environ["STAND_IN"]
if API == "old":
    class Link(LinkBase):
        def send_apdu_raw(self, pdu):
            octets = bytes.fromhex(pdu)
            assert len(octets) <= 5 or len(octets) == 5 + octets[4], "a TPDU of T=0 has no Le"
            return self._exchange(pdu)
        def send_apdu(self, pdu):
            raise AssertionError("it fetches after 62xx and 63xx: VERIFY PIN would be misread")
else:
    class Link(LinkBase):
        def send_apdu(self, apdu):
            data, sw = self._exchange(apdu)
            while sw.startswith("61"):
                more, sw = self._exchange(apdu[:2] + "c00000" + sw[2:])
                data += more
            return data, sw

def argparse_add_reader_args(parser):
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-p", "--pcsc-device", type=int, dest="pcsc_dev", default=None)
    group.add_argument("--modem-device", dest="modem_dev", default=None)
    return parser

def init_reader(opts, **kwargs):
    print("Using reader", opts)
    if opts.pcsc_dev == 9:
        raise ReaderError("No reader found for number 9")
    if opts.modem_dev:
        return None
    return Link(opts)
"""

ALL = """
from card.exchange import Exchange
from card.isim import IsimSession
from card.uicc import Uicc
from card.readers.locate import open_card
from card.aka.milenage import Milenage
from card.aka.vector import make_vector
from card import profile
link = open_card("pysim:-p 3")
exchange = Exchange(link)
uicc = Uicc(exchange)
isim = IsimSession(uicc, uicc.choose())
secrets = profile.shipped().authentication
vector = make_vector(Milenage(secrets.k, secrets.opc), bytes(16), 64, b"\\x80\\x00")
assert isim.authenticate(vector.rand, vector.autn).res == vector.xres
link.reset()
print(uicc.iccid(), isim.impi(), link.atr.hex(), link.reader)
link.close()
link.close()
"""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder for packages, first on the path of what ``said`` runs."""
    folder = tmp_path / "packages"
    folder.mkdir()
    return folder


def install(folder: Path, name: str, **modules: str) -> None:
    (folder / name / "transport").mkdir(parents=True)
    (folder / name / "__init__.py").touch()
    for module, text in modules.items():
        path = folder / name / module
        (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).write_text(text)


def said(program: str, packages: Path, **environment: str) -> tuple[str, str]:
    """What a program writes to stdout and to stderr; its last error as ``KIND: message``."""
    catching = """
        import sys
        from card.errors import CardError
        try:
            exec(sys.argv[1])
        except CardError as error:
            print(f"{type(error).__name__}: {error}")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(catching), program],
        env={**os.environ, "PYTHONPATH": f"{packages}:{ROOT}", **environment},
        cwd=packages,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


OPEN = "from card.readers.locate import open_card\nopen_card('pysim:{}')"


@pytest.mark.parametrize("api", ["old", "new"])
def test_a_whole_session(packages: Path, api: str) -> None:
    install(packages, "pySim", exceptions=EXCEPTIONS, transport=TRANSPORT)
    output, errors = said(ALL, packages, STAND_IN=api)
    iccid, impi, atr, reader, *rest = output.split()
    assert (iccid, reader) == ("8900101000000000001", "pysim:PCSC[3]")
    assert impi.startswith("001010123456789@")
    assert atr.startswith("3b")
    assert rest == ["disconnected"]
    assert "Using reader" in errors  # what pySim prints is kept out of our results


TROUBLE = """
import pySim.transport as pysim
from card.errors import CardError
from card.readers.locate import open_card
link = open_card("pysim:-p 0")
def tell(ask):
    try:
        print(ask())
    except CardError as error:
        print(f"{type(error).__name__}: {error}")
mf = lambda: link.transmit(bytes.fromhex("00A4000C023F00")).hex()
for fault in (pysim.NoCardError(), pysim.ProtocolError("T=0 lost"), OSError("cable")):
    pysim.trouble[:] = [fault]
    tell(mf)
    link.begin_transaction()
    tell(mf)
pysim.trouble[:] = [pysim.ReaderError("gone"), pysim.NoCardError()]
tell(link.reset)
tell(link.begin_transaction)
tell(link.begin_transaction)
print(link.insertions)
"""


def test_what_pysim_raises(packages: Path) -> None:
    install(packages, "pySim", exceptions=EXCEPTIONS, transport=TRANSPORT)
    output, _ = said(TROUBLE, packages, STAND_IN="new")
    assert output.splitlines() == [
        "NoCard: there is no card in pysim:PCSC[0] (pySim says NoCardError)",
        "9000",
        "TransmitError: pySim failed at pysim:PCSC[0] (ProtocolError: T=0 lost)",
        "9000",
        "TransmitError: pySim failed at pysim:PCSC[0] (OSError: cable)",
        "9000",
        "NoReader: pySim cannot use pysim:PCSC[0] (ReaderError: gone)",
        "NoCard: there is no card in pysim:PCSC[0] (pySim says NoCardError)",
        "None",
        "4",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("-p 9", "NoReader: pySim cannot use pysim:-p 9 (ReaderError: No reader found for number"),
        ("--modem-device /dev/x", "NoReader: pySim found no reader for the options"),
        ("--nonsense", "NoSuchWay: pySim has no such reader options: unrecognized"),
        ("-p x", "NoSuchWay: pySim has no such reader options: argument -p"),
        ('"', "NoSuchWay: pySim has no such reader options: No closing quotation"),
    ],
)
def test_options_that_lead_nowhere(packages: Path, options: str, words: str) -> None:
    install(packages, "pySim", exceptions=EXCEPTIONS, transport=TRANSPORT)
    output, _ = said(OPEN.format(options), packages, STAND_IN="new")
    assert output.startswith(words)


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        ({}, "osmocom's pySim is not installed"),
        ({"pysim": {}}, "the installed package `pysim` is PyPI's, another program"),
        ({"pySim": {}}, "it is not osmocom's"),
        ({"pySim": {"transport": "x = 1"}}, "it is not osmocom's"),
    ],
)
def test_absent_or_another_program(
    packages: Path, installed: dict[str, dict[str, Any]], words: str
) -> None:
    for name, modules in installed.items():
        install(packages, name, **modules)
    output, _ = said(OPEN.format("-p 0"), packages)
    assert output.startswith("NoSuchWay: ")
    assert words in output
    assert "not on PyPI: pip install git+https://" in output


def test_something_that_pysim_needs_is_missing(packages: Path) -> None:
    install(packages, "pySim", transport="import nobody_has_this")
    output, _ = said(OPEN.format("-p 0"), packages)
    assert "pySim is installed but cannot be loaded: nobody_has_this is missing" in output
