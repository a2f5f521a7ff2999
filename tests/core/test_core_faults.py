"""The text of a fault, and whom it meets."""

from __future__ import annotations

import pytest

from sipua.core.faults import CATALOGUE, Fault, Faults, parse, table
from sipua.errors import LocalError


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("wrong-mac", Fault("wrong-mac")),
        ("503=7", Fault("503", 7)),
        ("503", Fault("503", 30)),
        ("delay=0.25@001010123456789", Fault("delay", 0.25, "001010123456789")),
        ("403@sip:alice@example.org", Fault("403", 0, "sip:alice@example.org")),
        ("drop-every=3@alice@example.org", Fault("drop-every", 3, "alice@example.org")),
        ("delay=0", Fault("delay", 0)),
    ],
)
def test_a_fault_is_read(text: str, fault: Fault) -> None:
    assert parse(text) == fault
    assert parse(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "there are: wrong-mac"),
        ("", "there is no fault"),
        ("wrong-mac=1", "takes no value"),
        ("503=", "must be a number"),
        ("503=-1", "must be a number"),
        ("503=1.5", "must be a number"),
        ("503=1e3", "must be a number"),
        ("503=٣", "must be a number"),
        ("delay=.", "must be a number"),
        ("503=0", "from 1"),
        ("503=4294967296", "to 4294967295"),
        ("delay=99999", "to 3600"),
        ("drop-every=" + "9" * 5000, "must be a number"),
        ("403@", "must follow"),
    ],
)
def test_what_is_no_fault_is_said_in_words(text: str, said: str) -> None:
    with pytest.raises(LocalError) as caught:
        parse(text)
    assert said in str(caught.value)


def test_the_table_has_a_line_for_each() -> None:
    lines = dict(table())
    assert len(lines) == len(CATALOGUE)
    assert "503[=SECONDS]" in lines
    assert all(lines.values())


def test_a_fault_meets_its_subscriber_or_everybody() -> None:
    faults = Faults(["503=7", "wrong-mac@001010123456789", "423=90@bob@example.org"])
    assert faults.of(["001010123456789", "alice@example.org"]) == {"503": 7, "wrong-mac": 0}
    assert faults.of(["bob@example.org"]) == {"503": 7, "423": 90}
    assert faults.of([]) == {"503": 7}


def test_a_later_fault_replaces_an_earlier_one_of_its_name() -> None:
    assert Faults(["503=7", "503=8"]).of([]) == {"503": 8}


def test_faults_change_while_the_core_runs() -> None:
    faults = Faults()
    assert not faults
    faults.add("silence")
    assert faults.of([]) == {"silence": 0}
    faults.clear()
    assert faults.of([]) == {}


def test_a_subscriber_nobody_knows_is_found() -> None:
    faults = Faults(["403", "403@001019999999999"])
    assert [str(each) for each in faults.strangers(["001010123456789"])] == ["403@001019999999999"]
