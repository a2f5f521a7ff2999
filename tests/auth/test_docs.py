"""The reference documentation says what the code does: examples, preference, tests by name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sipua.auth.selection import SCHEMES, scheme_named

ROOT = Path(__file__).parents[2]
SCHEMES_PAGE = (ROOT / "docs/schemes.md").read_text()
CLAIMS_PAGE = (ROOT / "docs/patent-claims.md").read_text()
LINES = {line.strip() for line in SCHEMES_PAGE.splitlines()}


@pytest.mark.parametrize("name", SCHEMES)
def test_the_examples_of_set_3_stand_in_the_reference_to_the_octet(name: str) -> None:
    vectors = [each for each in scheme_named(name).VECTORS if each[0] == 3]
    for _, algorithm, _, challenge, credentials in vectors:
        if algorithm.endswith("sess"):
            continue
        assert f"WWW-Authenticate: {challenge}" in LINES
        assert f"Authorization: {credentials}" in LINES


def test_every_header_line_of_the_reference_is_an_example() -> None:
    known = {
        text
        for name in SCHEMES
        for _, _, _, challenge, credentials in scheme_named(name).VECTORS
        for text in (f"WWW-Authenticate: {challenge}", f"Authorization: {credentials}")
    }
    shown = {line for line in LINES if line.startswith(("WWW-Authenticate:", "Authorization:"))}
    assert len(shown) > 12
    assert shown <= known


def test_the_schemes_stand_in_their_order() -> None:
    order = re.findall(r"^\d\. `([\w-]+)`", SCHEMES_PAGE, re.MULTILINE)
    assert tuple(order) == SCHEMES


def named_tests() -> list[str]:
    return sorted(set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", CLAIMS_PAGE)))


@pytest.mark.parametrize("name", named_tests())
def test_the_tests_named_for_the_claims_exist(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    assert function in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_every_claim_has_its_row() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| (.+) \|$", CLAIMS_PAGE, re.MULTILINE)
    assert {int(number) for number, _ in rows} == set(range(1, 17))
    for number, shown in rows:
        assert "tests/" in shown, f"claim {number}"
