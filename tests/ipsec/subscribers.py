"""Two subscribers, as card profiles in a folder that every program of a test is told of."""

from __future__ import annotations

from pathlib import Path

from card.profile import Profile, load

CARD = Path(__file__).parents[2] / "fixtures" / "cards" / "isim.toml"
NAMES = ("alice", "bob")


def write_profiles(folder: Path) -> None:
    """Cards like that of the fixtures, whose numbers end in 4 and 5."""
    text = CARD.read_text()
    for number, name in enumerate(NAMES, 4):
        (folder / f"{name}.toml").write_text(
            text.replace("00000004", f"0000000{number}").replace("0100004", f"010000{number}")
            + f'\n[usim]\nmsisdn = "{number_of(name)}"\nsmsc = "+15550100099"\n'
        )


def number_of(name: str) -> str:
    """The telephone number of a subscriber."""
    return f"+1555010000{4 + NAMES.index(name)}"


def profile(folder: str, name: str) -> Profile:
    return load(str(Path(folder) / f"{name}.toml"))


def profiles(folder: str) -> list[Profile]:
    return [profile(folder, name) for name in NAMES]
