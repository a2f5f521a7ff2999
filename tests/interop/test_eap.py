"""The emulated card authenticates by EAP through programs that are not ours.

wpa_supplicant's card client (`eapol_test`) reads the card from pcscd's virtual
reader, hostapd is the authentication server, osmo-auc-gen the authentication
centre. Everything between RAND and the keys of both sides is foreign but the card.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from card.profile import Profile, load
from interop.eap_sim_db import EapSimDb
from interop.hostapd import Hostapd
from interop.osmo_auc import OsmoAuc
from interop.pcscd import Pcscd
from interop.watched_card import GSM_CLASS, WatchedCard, WatchedSim, inserted
from interop.wpa_supplicant import authenticate, eapol_test

CARDS = Path(__file__).parents[2] / "fixtures" / "cards"
ISIM, MNC3, PIN, USIM = (
    load(str(CARDS / f"{name}.toml")) for name in ("isim", "mnc3", "pin", "usim")
)
METHODS = ["AKA", "AKA'", "SIM"]
VERIFY, AUTHENTICATE = 0x20, 0x88
GSM_CONTEXT, UMTS_CONTEXT = 0x80, 0x81
AHEAD = 1 << 20  # an SQN that the authentication centre reaches much later


@pytest.fixture(scope="module")
def hostapd_process() -> Iterator[Hostapd]:
    with tempfile.TemporaryDirectory(prefix="sipua-hostapd-") as directory:
        vectors = EapSimDb(Path(directory) / "vectors")
        hostapd = Hostapd(Path(directory), vectors)
        vectors.start()
        try:
            hostapd.start()
            yield hostapd
            hostapd.stop()
        finally:
            vectors.stop()


@pytest.fixture
def hostapd(hostapd_process: Hostapd) -> Hostapd:
    """hostapd without subscribers."""
    hostapd_process.vectors.forget()
    return hostapd_process


def authentications(card: WatchedCard) -> list[int]:
    """P2 of each AUTHENTICATE that the card was sent: the contexts."""
    return [command[3] for command in card.commands(AUTHENTICATE)]


@pytest.mark.parametrize("profile", [ISIM, MNC3], ids=["mnc2", "mnc3"])
@pytest.mark.parametrize("method", METHODS)
def test_both_sides_hold_the_same_keys(
    pcscd: Pcscd, hostapd: Hostapd, tmp_path: Path, method: str, profile: Profile
) -> None:
    hostapd.vectors.aucs[profile.imsi] = OsmoAuc(profile.authentication)
    with inserted(pcscd, profile) as card:
        outcome = authenticate(pcscd, hostapd, method, tmp_path)

    assert outcome.succeeded, outcome.lines("SCARD", "EAP")
    assert f"SCARD: MNC length={profile.mnc_length}" in outcome.output
    contexts = [GSM_CONTEXT] * 3 if method == "SIM" else [UMTS_CONTEXT]
    assert authentications(card) == contexts
    assert not card.commands(VERIFY)  # PIN1 is disabled, and the card's FCP says so


@pytest.mark.parametrize("method", ["AKA", "AKA'"])
def test_a_card_ahead_of_the_network_resynchronises(
    pcscd: Pcscd, hostapd: Hostapd, tmp_path: Path, method: str
) -> None:
    ahead = ISIM._replace(authentication=ISIM.authentication._replace(sqn=AHEAD))
    hostapd.vectors.aucs[ISIM.imsi] = OsmoAuc(ISIM.authentication)
    with inserted(pcscd, ahead) as card:
        outcome = authenticate(pcscd, hostapd, method, tmp_path)

    assert outcome.succeeded, outcome.lines("SCARD", "EAP")
    assert hostapd.vectors.requests == ["AKA-REQ-AUTH", "AKA-AUTS", "AKA-REQ-AUTH"]
    assert hostapd.vectors.sqn_ms == [AHEAD]  # as libosmocore reads it in AUTS
    assert authentications(card) == [UMTS_CONTEXT] * 2


@pytest.mark.parametrize("method", METHODS)
def test_a_card_whose_pin_is_enabled(
    pcscd: Pcscd, hostapd: Hostapd, tmp_path: Path, method: str
) -> None:
    hostapd.vectors.aucs[PIN.imsi] = OsmoAuc(PIN.authentication)
    with inserted(pcscd, PIN) as card:
        outcome = authenticate(pcscd, hostapd, method, tmp_path, pin="2468")

    assert outcome.succeeded, outcome.lines("SCARD", "EAP")
    assert b"2468" in card.commands(VERIFY)[-1]


@pytest.mark.parametrize(("pin", "tries"), [("", 3), ("1111", 2)], ids=["no-pin", "wrong-pin"])
def test_without_the_pin_nothing_is_authenticated(
    pcscd: Pcscd, hostapd: Hostapd, tmp_path: Path, pin: str, tries: int
) -> None:
    hostapd.vectors.aucs[PIN.imsi] = OsmoAuc(PIN.authentication)
    with inserted(pcscd, PIN) as card:
        outcome = authenticate(pcscd, hostapd, "AKA", tmp_path, pin=pin, seconds=2)
        left = card.transmit(bytes.fromhex("0020000100"))

    assert outcome.failed
    assert left == bytes([0x63, 0xC0 + tries])
    assert not authentications(card)
    assert not hostapd.vectors.requests


@pytest.mark.parametrize("method", METHODS)
def test_a_network_with_another_key_is_refused(
    pcscd: Pcscd, hostapd: Hostapd, tmp_path: Path, method: str
) -> None:
    foreign = ISIM.authentication._replace(k=bytes(16))
    hostapd.vectors.aucs[ISIM.imsi] = OsmoAuc(foreign)
    with inserted(pcscd, ISIM) as card:
        outcome = authenticate(pcscd, hostapd, method, tmp_path)

    assert outcome.failed, outcome.lines("SCARD", "EAP")
    assert authentications(card)
    if method != "SIM":  # GSM has no AUTN; there the peer notices by AT_MAC
        assert card.spoken[-1].answer == b"\x98\x62"


def test_another_res_than_the_network_expects_is_refused(
    pcscd: Pcscd, hostapd: Hostapd, tmp_path: Path
) -> None:
    hostapd.vectors.aucs[ISIM.imsi] = OsmoAuc(ISIM.authentication)
    hostapd.vectors.spoil_res = True
    with inserted(pcscd, ISIM) as card:
        outcome = authenticate(pcscd, hostapd, "AKA", tmp_path)

    assert outcome.failed, outcome.lines("SCARD", "EAP")
    assert card.spoken[-1].answer[:1] == b"\xdb"  # the card was content


@pytest.mark.parametrize(("profile", "pin"), [(ISIM, ""), (PIN, "2468")], ids=["isim", "pin"])
def test_a_sim_of_2g_times(
    pcscd: Pcscd, hostapd: Hostapd, tmp_path: Path, profile: Profile, pin: str
) -> None:
    """RUN GSM ALGORITHM in DF.GSM, answers fetched behind 9Fxx."""
    hostapd.vectors.aucs[profile.imsi] = OsmoAuc(profile.authentication)
    with inserted(pcscd, profile, kind=WatchedSim) as card:
        outcome = authenticate(pcscd, hostapd, "SIM", tmp_path, pin=pin)

    assert outcome.succeeded, outcome.lines("SCARD", "EAP")
    runs = card.commands(AUTHENTICATE)
    assert [run[:5].hex() for run in runs] == [f"{GSM_CLASS:x}88000010"] * 3
    assert card.answers(AUTHENTICATE) == [b"\x9f\x0c"] * 3


@pytest.mark.parametrize(
    "quirks",
    [
        ("dir-first-record-other", "dir-unused-record", "exact-aid", "no-sfi", "no-kc"),
        ("kc", "aka-padded", "unknown-aid-6a88", "select-p2-0c-6b00", "read-le00-empty"),
    ],
    ids=["files", "answers"],
)
def test_odd_cards_which_wpa_supplicant_copes_with(
    pcscd: Pcscd, hostapd: Hostapd, tmp_path: Path, quirks: tuple[str, ...]
) -> None:
    hostapd.vectors.aucs[ISIM.imsi] = OsmoAuc(ISIM.authentication)
    with inserted(pcscd, ISIM._replace(quirks=quirks)):
        outcome = authenticate(pcscd, hostapd, "AKA", tmp_path)

    assert outcome.succeeded, outcome.lines("SCARD", "EAP")


def test_the_card_in_the_second_reader(pcscd: Pcscd, hostapd: Hostapd, tmp_path: Path) -> None:
    hostapd.vectors.aucs[USIM.imsi] = OsmoAuc(USIM.authentication)
    with inserted(pcscd, ISIM), inserted(pcscd, USIM, slot=1) as second:
        outcome = authenticate(pcscd, hostapd, "AKA", tmp_path, slot=1)

    assert outcome.succeeded, outcome.lines("SCARD", "EAP")
    assert authentications(second) == [UMTS_CONTEXT]


def test_eapol_test_scard(pcscd: Pcscd) -> None:
    """wpa_supplicant's own trial of a card; its AUTN is of no key of ours."""
    with inserted(pcscd, ISIM) as card:
        outcome = eapol_test(pcscd, "scard")

    assert outcome.exit_status == 0
    assert "SCARD: 3G USIM app found" in outcome.output
    assert f"SCARD: MNC length {ISIM.mnc_length}" in outcome.output
    assert ISIM.imsi in outcome.output
    assert "UMTS auth failed - MAC != XMAC" in outcome.output
    assert authentications(card) == [GSM_CONTEXT] * 7 + [UMTS_CONTEXT]


@pytest.mark.parametrize(("profile", "pin"), [(ISIM, "0000"), (PIN, "2468")], ids=["isim", "pin"])
def test_eapol_test_sim_prints_the_triplets_of_osmo_auc_gen(
    pcscd: Pcscd, profile: Profile, pin: str
) -> None:
    with inserted(pcscd, profile):
        outcome = eapol_test(pcscd, "sim", pin, "5")

    assert outcome.exit_status == 0
    rows = [line.split(":") for line in outcome.output.split()]
    assert len(rows) == 5
    auc = OsmoAuc(profile.authentication)
    for imsi, kc, sres, rand in rows:
        assert imsi == profile.imsi
        assert (sres.lower(), kc.lower()) == auc.triplet(bytes.fromhex(rand))


def test_eapol_test_sim_with_a_wrong_pin_prints_none(pcscd: Pcscd) -> None:
    with inserted(pcscd, PIN) as card:
        outcome = eapol_test(pcscd, "sim", "1111", "5")

    assert outcome.exit_status != 0
    assert not outcome.output.split()
    assert card.spoken[-1].answer == b"\x63\xc2"
