"""AUTHENTICATE in the GSM and GBA contexts: answers in every form, and the emulated card."""

from __future__ import annotations

import pytest
from card_links import Bench, ManneredLink, ScriptedLink, Transmit

from card import profile
from card.aka.conversion import kc_from_keys, sres_from_res
from card.aka.result import MacFailure, SynchronisationFailure
from card.aka.vector import open_auts
from card.authenticate import authenticate
from card.coding.basic import ISIM_AID, USIM_AID, Application
from card.contexts import (
    authenticate_gsm,
    bootstrap,
    derive_naf_key,
    read_bootstrap_answer,
    read_gsm_answer,
    read_naf_answer,
)
from card.emulator.gba import masked_mac, naf_key
from card.errors import AnswerError, NoApplication, PinRequired, StatusError
from card.exchange import Exchange
from card.uicc import Uicc

SRES, KC, AUTS = b"SRES", b"K" * 8, b"A" * 14
SHIPPED = profile.shipped()
assert SHIPPED.isim
WITH_GBA = SHIPPED._replace(
    usim=SHIPPED.usim._replace(services=(*SHIPPED.usim.services, 68)),
    isim=SHIPPED.isim._replace(services=(2,)),
)
NAF_ID = b"naf.example.org" + bytes.fromhex("0100000002")
USIM = Application(USIM_AID.ljust(16, b"\xff"))
ISIM = Application(ISIM_AID.ljust(16, b"\xff"))


@pytest.mark.parametrize(
    "answer",
    [
        b"\x04" + SRES + b"\x08" + KC,
        b"\x04" + SRES + b"\x08" + KC + b"\xff\xff",
        b"\x0e\x04" + SRES + b"\x08" + KC,
        b"\xdb\x04" + SRES + b"\x08" + KC,
        SRES + KC,
    ],
)
def test_gsm_answers(answer: bytes) -> None:
    assert read_gsm_answer(answer) == (SRES, KC)
    assert "KKK" not in repr(read_gsm_answer(answer))


@pytest.mark.parametrize(
    "answer",
    [b"", b"\x04SRE", b"\x04SRES", b"\x04SRES\x08KKK", b"\x03SRE\x08" + KC, b"\x04SRES\x00"],
)
def test_gsm_answers_that_cannot_be_read(answer: bytes) -> None:
    with pytest.raises(AnswerError):
        read_gsm_answer(answer)


@pytest.mark.parametrize("res", [b"r" * 4, b"\x07" * 8, b"\x00" * 16])
def test_bootstrap_answers(res: bytes) -> None:
    octets = b"\xdb" + bytes((len(res),)) + res
    assert read_bootstrap_answer(octets).res == res
    assert read_bootstrap_answer(octets + b"\xff\xff").res == res


@pytest.mark.parametrize("answer", [b"\xdc\x0e" + AUTS, b"\xdc\x0f\x0e" + AUTS])
def test_bootstrap_out_of_step(answer: bytes) -> None:
    with pytest.raises(SynchronisationFailure) as failure:
        read_bootstrap_answer(answer)
    assert failure.value.auts == AUTS


@pytest.mark.parametrize(
    "answer", [b"", b"\xdb", b"\xdb\x08rrr", b"\xdb\x03rrr", b"\xdc\x03AAA", b"x"]
)
def test_bootstrap_answers_that_cannot_be_read(answer: bytes) -> None:
    with pytest.raises(AnswerError):
        read_bootstrap_answer(answer)


@pytest.mark.parametrize("answer", [b"", b"\xdb\x00", b"\xdb\x20kk", b"\xdc\x01k"])
def test_naf_answers_that_cannot_be_read(answer: bytes) -> None:
    with pytest.raises(AnswerError):
        read_naf_answer(answer)


def test_gsm_on_the_emulated_card() -> None:
    bench = Bench()
    rand = bytes(range(16))
    answer = authenticate_gsm(bench.uicc, bench.uicc.choose("usim"), rand)
    res, ck, ik, _ = bench.functions.f2345(rand)
    assert answer == (sres_from_res(res), kc_from_keys(ck, ik))
    assert bench.exchange.apdus
    with pytest.raises(NoApplication, match="choose the USIM"):
        authenticate_gsm(bench.uicc, bench.uicc.choose("isim"), rand)


def test_a_card_without_the_gsm_context() -> None:
    plain = SHIPPED._replace(usim=SHIPPED.usim._replace(services=(33,)))
    bench = Bench(described=plain)
    with pytest.raises(StatusError, match=r"9864 .*context not supported"):
        authenticate_gsm(bench.uicc, bench.uicc.choose("usim"), bytes(16))


@pytest.mark.parametrize("kind", ["usim", "isim"])
def test_gba_on_the_emulated_card(kind: str) -> None:
    bench = Bench(described=WITH_GBA)
    application = bench.uicc.choose("isim" if kind == "isim" else "usim")
    vector = bench.vector(64)
    autn = vector.autn[:8] + masked_mac(vector.autn[8:], vector.ik)
    with pytest.raises(StatusError, match="run the bootstrapping first"):
        derive_naf_key(bench.uicc, application, NAF_ID, "u@example.org")
    with pytest.raises(MacFailure):
        bootstrap(bench.uicc, application, vector.rand, vector.autn)
    assert bootstrap(bench.uicc, application, vector.rand, autn).res == vector.xres
    key = derive_naf_key(bench.uicc, application, NAF_ID, "u@example.org").ks_ext_naf
    ks = vector.ck + vector.ik
    assert key == naf_key(ks, b"gba-me", vector.rand, b"u@example.org", NAF_ID)
    with pytest.raises(SynchronisationFailure) as failure:
        bootstrap(bench.uicc, application, vector.rand, autn)
    assert open_auts(bench.functions, vector.rand, failure.value.auts) == 64


def test_a_card_without_gba() -> None:
    bench = Bench()
    vector = bench.vector(64)
    with pytest.raises(StatusError, match="9864"):
        bootstrap(bench.uicc, bench.uicc.choose("usim"), vector.rand, vector.autn)


def test_naf_key_behind_a_pin() -> None:
    described = WITH_GBA._replace(pin=WITH_GBA.pin._replace(enabled=True))
    bench = Bench(described=described)
    with pytest.raises(PinRequired):
        derive_naf_key(bench.uicc, bench.uicc.choose("usim"), NAF_ID, "u@example.org")


@pytest.mark.parametrize(("naf_id", "impi"), [(b"", "a@b"), (NAF_ID, ""), (NAF_ID, "i" * 240)])
def test_naf_parameters_that_fit_in_no_command(naf_id: bytes, impi: str) -> None:
    link = ScriptedLink()
    with pytest.raises(ValueError, match="fit in 252"):
        derive_naf_key(Uicc(Exchange(link)), USIM, naf_id, impi)
    assert not link.journal


def test_rand_and_autn_of_a_wrong_length_are_not_sent() -> None:
    link = ScriptedLink()
    uicc = Uicc(Exchange(link))
    with pytest.raises(ValueError, match="16 octets"):
        authenticate_gsm(uicc, USIM, bytes(15))
    with pytest.raises(ValueError, match="16 octets"):
        bootstrap(uicc, ISIM, bytes(16), bytes(17))
    assert not link.journal


def test_a_card_that_wants_no_le() -> None:
    """T=1 cards exist which answer 6700 to the Le of AUTHENTICATE (traps E2)."""

    def no_le(command: bytes, transmit: Transmit) -> bytes:
        if command[1] == 0x88 and len(command) == 6 + command[4]:
            return b"\x67\x00"
        return transmit(command)

    bench = Bench(no_le)
    assert isinstance(bench.exchange.link, ManneredLink)
    vector = bench.vector(64)
    usim = bench.uicc.choose("usim")
    assert authenticate(bench.uicc, usim, vector.rand, vector.autn).res == vector.xres
    assert len(authenticate_gsm(bench.uicc, usim, vector.rand).kc) == 8
