"""The house rules of ARCHITECTURE.md, enforced: who imports whom, and what stays lazy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WINGS = ("card", "sipua", "cli")
OURS_EVERYWHERE = {
    "card": ("card.errors",),
    "sipua": ("sipua.errors", "sipua.verdict", "sipua.version", "sipua.randomness"),
    "cli": ("sipua.errors", "sipua.verdict", "sipua.version"),
}
EFFECTS = {"socket", "selectors", "time", "random", "secrets", "threading"}


def fenced_block(name: str) -> list[str]:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    return text.split(f"```{name}\n")[1].split("```")[0].strip().splitlines()


MATRIX = {
    room.strip(): tuple(filter(None, (target.strip() for target in targets.split(","))))
    for room, targets in (line.split("->") for line in fenced_block("imports"))
}
EFFECT_ROOMS = tuple(" ".join(fenced_block("effects")).split())


def modules() -> Iterator[tuple[str, Path]]:
    for wing in WINGS:
        for path in sorted((ROOT / wing).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, and its line."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif not isinstance(node, ast.ImportFrom):
            continue
        else:
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            names = [node.module]
            if node.module in WINGS or (ROOT / node.module.replace(".", "/")).is_dir():
                names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            yield name, node.lineno


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def room_of(module: str) -> str:
    rooms = [room for room in MATRIX if within(module, room)]
    assert rooms, f"{module} stands in no room of ARCHITECTURE.md's import table"
    return max(rooms, key=len)


ALL = list(modules())


@pytest.mark.parametrize(("module", "path"), ALL, ids=[name for name, _ in ALL])
def test_imports_follow_the_matrix(module: str, path: Path) -> None:
    if module in WINGS or path.name == "__init__.py":
        return
    if module == "sipua.version" or module in OURS_EVERYWHERE[module.split(".", maxsplit=1)[0]]:
        allowed: tuple[str, ...] = ()
        room = module
    else:
        room = room_of(module)
        allowed = (*MATRIX[room], *OURS_EVERYWHERE[module.split(".", maxsplit=1)[0]])
    for name, line in imports(path):
        top = name.split(".")[0]
        if top in sys.stdlib_module_names or within(name, room):
            continue
        assert any(within(name, target) for target in allowed), (
            f"{path.relative_to(ROOT)}:{line}: {room} may not import {name}"
        )


@pytest.mark.parametrize(("module", "path"), ALL, ids=[name for name, _ in ALL])
def test_clocks_sockets_and_chance_come_from_outside(module: str, path: Path) -> None:
    allowed = any(within(module, room) for room in EFFECT_ROOMS)
    for name, line in imports(path):
        assert name.split(".")[0] != "asyncio", f"{path}:{line}"
        assert allowed or name.split(".")[0] not in EFFECTS, (
            f"{path.relative_to(ROOT)}:{line}: {name} is imported outside the rooms with effects"
        )


def test_init_files_are_empty() -> None:
    for _, path in ALL:
        if path.name == "__init__.py":
            assert path.read_text() == "", path


def test_every_room_of_the_table_exists() -> None:
    names = {name for name, _ in ALL}
    for room in MATRIX:
        assert any(within(name, room) for name in names), room


def loaded_after(*argv: str) -> set[str]:
    """Modules which a process has loaded after running the command line ``argv``."""
    script = (
        "import sys\n"
        f"sys.argv = ['sipua', *{list(argv)!r}]\n"
        "from cli.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\n' + ' '.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stderr.rsplit("\n", 2)[-2].split())


def test_version_is_answered_before_anything_is_imported() -> None:
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    more = loaded_after("--version") - set(bare.stdout.split())
    assert more <= {"cli", "cli.__main__", "sipua", "sipua.version", "__future__"}


HEAVY = {"asyncio", "rich", "dns", "ssl", "smartcard", "osmocom", "logging", "dataclasses"}


@pytest.mark.parametrize("argv", [("--help",), ("demo", "--json"), ("register", "--help")])
def test_heavy_modules_stay_out_of_the_usual_path(argv: tuple[str, ...]) -> None:
    assert not loaded_after(*argv) & HEAVY


SECRETS = {
    "k",
    "op",
    "opc",
    "top",
    "topc",
    "res",
    "xres",
    "ck",
    "ik",
    "kc",
    "ks",
    "sres",
    "pin1",
    "puk1",
}
SECRETS |= {"pin", "puk"}


@pytest.mark.parametrize(("module", "path"), ALL, ids=[name for name, _ in ALL])
def test_a_named_tuple_with_a_secret_hides_it(module: str, path: Path) -> None:
    """The repr of a NamedTuple shows every field, and reprs end up in logs and errors."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ClassDef) or not any(
            isinstance(base, ast.Name) and base.id == "NamedTuple" for base in node.bases
        ):
            continue
        fields = {
            each.target.id
            for each in node.body
            if isinstance(each, ast.AnnAssign)
            and isinstance(each.target, ast.Name)
            and ast.unparse(each.annotation) in ("bytes", "str", "str | None", "bytes | None")
        }
        methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
        assert not fields & SECRETS or "__repr__" in methods, (
            f"{module}.{node.name} would show {', '.join(sorted(fields & SECRETS))}"
        )


def test_logging_is_not_used() -> None:
    """What is said goes through hooks whose secrets are masked at one place."""
    for _, path in ALL:
        assert not any(within(name, "logging") for name, _ in imports(path)), path
