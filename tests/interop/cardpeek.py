"""cardpeek, a reader of GSM SIMs: class A0, DF.GSM and DF.TELECOM, as 2G phones know a card."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

from interop.pcscd import Pcscd
from interop.program import required

# Answers to cardpeek's first start: "install the scripts here? Yes", "restart to use them: Ok".
FIRST_START = "1\n1\n"
GSM_SCRIPT = "gsm (beta).lua"
COMMAND = """\
function ui.readline() return "{pin}" end
function ui.question() return 1 end
dofile("{script}")
ui.save_view("{view}")
os.exit(0)
"""


class SeenFile(NamedTuple):
    """What cardpeek shows of a file: its contents or records, and what it makes of them."""

    contents: list[bytes]
    texts: list[str]


def read_gsm_sim(
    pcscd: Pcscd, folder: Path, *, slot: int = 0, pin: str = ""
) -> dict[str, SeenFile]:
    """Let cardpeek read the card in a reader; gives the files that it could select, by FID.

    Without ``pin`` it verifies none.
    """
    view = folder / "cardpeek.xml"
    home = folder / "cardpeek"
    (home / ".cardpeek").mkdir(parents=True)
    subprocess.run(
        [
            *(required("cardpeek", "cardpeek"), "--console"),
            *("--reader", f"pcsc://{pcscd.readers[slot]}"),
            *("--exec", COMMAND.format(pin=pin, script=GSM_SCRIPT, view=view)),
        ],
        env={**pcscd.environment, "HOME": str(home)},
        input=FIRST_START,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=30,
        check=True,
    )
    _, _, document = view.read_text().partition("\n")  # its XML declaration is not XML's
    return {
        fid: _seen(node)
        for node in ElementTree.fromstring(document).iter("node")
        if _attributes(node).get("classname") == "file" and (fid := _attributes(node)["id"])
    }


def _attributes(node: ElementTree.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.text or "" for each in node.findall("attr")}


def _seen(file: ElementTree.Element) -> SeenFile:
    shown = [_attributes(node) for node in file.findall("node")]
    read = [each for each in shown if each["classname"] in ("body", "record")]
    return SeenFile(
        contents=[bytes.fromhex(each["val"].removeprefix("8:")) for each in read],
        texts=[each.get("alt", "") for each in read],
    )
