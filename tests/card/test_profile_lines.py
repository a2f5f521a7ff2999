"""Faults of a profile: all of them, each with its line, and nothing secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from card.errors import ProfileError
from card.profile import load
from card.profile_lines import lines_of
from card.profile_table import EXAMPLE

K = "465b5ce8b199b49faa5f0a2ee238a6bc"

MANY_SPELLINGS = '''\
# k = "not me"
top = 1
"quoted" = 2

list = [   # [not.a.table]
  "a]",
  "k = 3",
]
text = """
[neither]
k = 4
"""
inline = { first = 1, second = { third = 2 } }
dotted.inner = true
dotted."other" = \'\'\'x
y\'\'\'
[ table ]          # a table
k = 5
[table.below]
k = 6
[[file]]
fid = "6F01"
[[file]]
# another one
fid = "6F02"
content.size = 9
[parent.child]
'''

WHERE = {
    "top": 2,
    "quoted": 3,
    "list": 5,
    "text": 9,
    "inline": 13,
    "inline.first": 13,
    "inline.second": 13,
    "inline.second.third": 13,
    "dotted": 14,
    "dotted.inner": 14,
    "dotted.other": 15,
    "table": 17,
    "table.k": 18,
    "table.below": 19,
    "table.below.k": 20,
    "file": 21,
    "file.fid": 22,
    "file.content": 26,
    "file.content.size": 26,
    "parent": 27,
    "parent.child": 27,
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_spelling_of_a_key_is_found(end: str) -> None:
    assert lines_of(MANY_SPELLINGS.replace("\n", end)) == WHERE


def test_nothing_in_an_empty_file() -> None:
    assert lines_of("") == lines_of("# only a remark") == {}


def faults_of(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(ProfileError) as caught:
        load(str(path))
    assert K[:8] not in str(caught.value)
    return str(caught.value).replace(str(path), "FILE").splitlines()


def test_every_fault_is_reported_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = f"""
iccid = "89"
imsi = "001010123456789"
mnc_lenght = 2

[isim]
impi = "a@b"
impu = [
    "a@b",
]

[authentication]
algorithm = "milenage"
k = "{K}00"
res_length = 32
    """
    assert faults_of(tmp_path / "card.toml", text) == [
        "FILE: mnc_length: the key is missing",
        "FILE:2: iccid: it must be 18 to 20 decimal digits in quotes",
        f"FILE:4: mnc_lenght: there is no such key here; see the example in {EXAMPLE}",
        "FILE:6: isim.domain: the key is missing",
        'FILE:8: isim.impu: each entry must be a URI beginning "sip:", "sips:" or "tel:"',
        'FILE:12: authentication.opc: exactly one of "opc" and "op" must be given',
        "FILE:14: authentication.k: it must be 32 hexadecimal digits (16 octets); "
        "it has 34 characters",
        "FILE:15: authentication.res_length: it must be a number of octets from 4 to 16",
    ]


def test_a_key_in_the_wrong_place(tmp_path: Path) -> None:
    text = f"""
iccid = "8900000000000000001"
imsi = "001010123456789"
mnc_length = 2
msisdn = "+15550100001"
[authentication]
algorithm = "milenage"
k = "{K}"
opc = "{K}"
"""
    assert faults_of(tmp_path / "card.toml", text) == [
        "FILE:5: msisdn: there is no such key here; it belongs into [usim]",
    ]


def test_a_missing_table_is_one_fault(tmp_path: Path) -> None:
    text = 'iccid = "8900000000000000001"\nimsi = "001010123456789"\nmnc_length = 2\nisim = 1\n'
    assert faults_of(tmp_path / "card.toml", text) == [
        "FILE: authentication: the key is missing",
        "FILE:4: isim: it must be a table, [isim]",
    ]
