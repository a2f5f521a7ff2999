"""Whatever stands in a profile, it is a profile or a ProfileError."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from card.errors import ProfileError
from card.profile import Profile, load, parse
from card.profile_lines import lines_of

SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates()
    | st.sampled_from(
        ["milenage", "tuak", "xor", "00" * 16, "00" * 32, "sip:a@b", "1234567890" * 2]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    *("algorithm", "k", "op", "opc", "c", "r", "top", "topc", "iterations", "sqn", "amf"),
    *("res_length", "ck_length", "ik_length"),
)
AUTHENTICATION = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, VALUES))
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "authentication": AUTHENTICATION | VALUES,
        **dict.fromkeys(("iccid", "imsi", "mnc_length", "usim", "isim", "pin"), VALUES),
    },
)


@given(DOCUMENTS)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_any_document(document: dict[str, Any]) -> None:
    try:
        profile = parse(document)
    except ProfileError:
        return
    assert isinstance(profile, Profile)


STATEMENTS = st.sampled_from(
    [
        *("[authentication]", "[pin]", "[[isim]]", "[a.b]", "k = 1", 'k = "00"', "a.b.c = {}"),
        *(
            "x = [\n1, # two\n]",
            'y = """\n[z]\n"""',
            "",
            "# remark",
            "d = { e = 1, f = { g = 2 } }",
        ),
        *('"" = 1', "'a.b' = 2", "[[t]]", "[[t]]\n[t.u]", "t = [[1], [2,\n3]]", "s = '''\n\n'''"),
    ]
)


@given(st.lists(STATEMENTS, max_size=12).map("\n".join))
@settings(max_examples=300)
def test_lines_of_what_toml_takes(text: str) -> None:
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = lines_of(text)
    assert set(document) <= set(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@pytest.mark.parametrize(
    "text", ["sqn = " + "9" * 5000, "a = " + "[" * 5000, "a = " + "{b=" * 5000, "\ufeffa = 1"]
)
def test_toml_that_python_cannot_hold(tmp_path: Path, text: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=r"card\.toml is not TOML"):
        load(str(path))
