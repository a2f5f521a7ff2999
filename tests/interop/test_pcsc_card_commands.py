"""``sipua card …`` as processes of their own on a card in the real pcscd."""

from __future__ import annotations

import json
from pathlib import Path

from card.aka.algorithm import functions_of
from card.aka.vector import make_vector
from card.apdu import PIN_INSTRUCTIONS, READ_BINARY, READ_RECORD, SELECT, STATUS
from card.profile import Profile
from interop.command import sipua
from interop.pcscd import Pcscd
from interop.watched_card import inserted

READS = {SELECT, READ_BINARY, READ_RECORD, STATUS, 0xC0}
AUTHENTICATE = 0x88


def with_pin(profile: Profile) -> Profile:
    return profile._replace(pin=profile.pin._replace(enabled=True))


def test_info_and_a_walk_only_read(
    pcscd: Pcscd, sipua_card_profile: Profile, tmp_path: Path
) -> None:
    with inserted(pcscd, sipua_card_profile) as card:
        told = sipua(tmp_path, "card", "info").document
        assert told["usim"]["imsi"] == sipua_card_profile.imsi
        assert told["counters"] == {"authentications": 0, "pin_tries": 0}
        files = sipua(tmp_path, "card", "read", "--all").document["files"]
        assert not [each for each in files if each["problem"]]
        for command, _ in card.spoken:
            is_question = command[1] in PIN_INSTRUCTIONS and len(command) == 5
            assert command[1] in READS or is_question, command.hex()
        assert len(card.spoken) < 500


def test_a_pin_is_managed_and_counted(
    pcscd: Pcscd, sipua_card_profile: Profile, tmp_path: Path
) -> None:
    right, new = tmp_path / "pin", tmp_path / "new"
    right.write_text("1234")
    new.write_text("246810")
    pins = ("--pin-file", str(right))
    with inserted(pcscd, with_pin(sipua_card_profile)) as card:
        change = ("card", "pin", "change", *pins, "--new-pin-file", str(new))
        assert sipua(tmp_path, *change).exit_status == 0
        assert card.channel.df is card.tree.mf, "the card was reset: the PIN is not left verified"
        assert not card.verified
        outcome = sipua(tmp_path, "card", "pin", "verify", *pins)
        assert (outcome.exit_status, outcome.document["after"]["tries_left"]) == (14, 2)
        again = ("card", "pin", "disable", "--pin-file", str(new))
        assert sipua(tmp_path, *again).exit_status == 0
        told = sipua(tmp_path, "card", "info").document
        assert told["counters"] == {"authentications": 0, "pin_tries": 3}
        assert told["pins"][0]["enabled"] is False


def test_authenticate_explains_and_a_protected_card_is_spared(
    pcscd: Pcscd, sipua_card_profile: Profile, tmp_path: Path
) -> None:
    functions = functions_of(sipua_card_profile.authentication)
    made = make_vector(functions, bytes(range(16)), 7 << 5, b"\x80\x00")
    argv = ("card", "authenticate", "--rand", made.rand.hex(), "--autn", made.autn.hex())
    explained = (*argv, "--profile", sipua_card_profile.path)
    with inserted(pcscd, sipua_card_profile) as card:
        dry = sipua(tmp_path, *argv, "--dry-run").document
        assert dry["apdus"][-1]["sent"] is False
        spared = sipua(tmp_path, *argv, "--protected", sipua_card_profile.iccid)
        assert (spared.exit_status, "protected" in spared.document["reason"]) == (16, True)
        assert card.commands(AUTHENTICATE) == []
        told = sipua(tmp_path, *explained).document
        assert (told["as_expected"], told["autn_contents"]["seq"]) == (True, 7)
        told = sipua(tmp_path, *explained).document
        assert (told["verdict"], told["auts_contents"]["distance"]) == ("sync-failure", 0)
        assert sipua(tmp_path, "card", "info").document["counters"]["authentications"] == 2
    kept = json.loads((tmp_path / "state" / "sipua" / "counters.json").read_text())
    assert list(kept) == [sipua_card_profile.iccid]
