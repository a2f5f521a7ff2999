"""ck=, ik= (A27) and RES in clear never reach a reader."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sipua.auth.redaction import MASK, redact, redact_message

FLOW = json.loads((Path(__file__).parents[2] / "fixtures/flows/registration.json").read_text())[
    "verified_flows"
][0]


def test_published_challenge_loses_its_keys_and_nothing_else() -> None:
    line = f"WWW-Authenticate: {FLOW['www_authenticate']}"
    shown = redact(line)
    assert FLOW["CK"] not in shown
    assert FLOW["IK"] not in shown
    assert shown == line.replace(FLOW["CK"], MASK).replace(FLOW["IK"], MASK)


@pytest.mark.parametrize(
    "text",
    [
        'ck="5ec4e7"',
        "ik=5ec4e7",
        "Digest IK = 5ec4e7, realm=x",
        'realm="x",CK="5ec4e7',
        'Digest ck =\r\n "5ec4e7"',
        "Digest ck='5ec4e7'",
        "a;ik=5ec4e7;b",
    ],
)
def test_every_spelling_is_masked(text: str) -> None:
    assert "5ec4e7" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Contact: <sip:user@host;lock=1>;brick=2",
        "Call-ID: ck",
        'Authorization: Digest response="9dad9da7bd3272620d55ecb91d2ac017", nonce="ck"',
    ],
)
def test_what_is_no_session_key_stays(text: str) -> None:
    assert redact(text) == text


RES = "a54211d5e3ba50bf"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: UMTS RES={RES}",
        f'Proxy-Authorization: umts ;res = "{RES}"',
        f"Authorization: UMTS RES={RES.upper()}",
        f'Authorization: Digest algorithm=UMTS-AKA, response="R{RES}"',
        f'Digest response = "r{RES.upper()}", algorithm=UMTS-AKA',
        f"Digest response=R{RES}",
        f'pgp ;nonce="00" ;signature="01{RES}"',
        f"pgp Signature= 01{RES} ;nonce=00",
        f"X-Lab: XRES={RES}",
    ],
)
def test_res_in_clear_is_masked(text: str) -> None:
    assert RES not in redact(text).lower()
    assert MASK in redact(text)
    assert RES not in redact_message(text.encode()).decode().lower()


@pytest.mark.parametrize(
    "text",
    [
        "UMTS RAND=23553cbe9637a89d218ae64dae47bf35 AUTN=55f328b43577b9b94a9ffac354dfafb3",
        "UMTS AUTS=ba853f3c123ccf44e93596e355c6",
        "UMTS AUTH-REJECT=20",
        'Digest algorithm=UMTS-AKA, response="Sba853f3c123ccf44e93596e355c6"',
        'Digest algorithm=UMTS-AKA, response="E14"',
        'pgp ;signature="02ba853f3c123ccf44e93596e355c6"',
        'pgp ;signature="0314"',
    ],
)
def test_what_is_no_res_stays(text: str) -> None:
    assert redact(text) == text


def test_a_message_keeps_octets_that_are_no_text() -> None:
    message = b'MESSAGE sip:a SIP/2.0\r\nck="00"\r\n\r\n\xff\x00\xc3'
    assert redact_message(message) == message.replace(b'"00"', f'"{MASK}"'.encode())


@pytest.mark.parametrize(
    "piece",
    ["ck", "ck ", "ck=", 'ck="', "ck =", " ", 'ik=",', "response=", 'signature="01', "res "],
)
def test_linear_time(piece: str) -> None:
    def cost(size: int) -> float:
        text = piece * (size // len(piece))
        start = time.perf_counter()
        redact(text)
        return time.perf_counter() - start

    assert cost(1_000_000) < 60 * max(cost(50_000), 0.001)


PIECES = (
    *(
        "ck",
        "IK",
        "res",
        "XRES",
        "re\u017f",
        "i\u212a",
        "\u0131k",
        "expires",
        "response",
        "signature",
    ),
    *(
        "re\u017fpon\u017fe",
        "=",
        " ",
        "\u2003",
        "\r\n ",
        '"',
        "R",
        "01",
        "0123456789abcdef",
        ",",
        ";x",
    ),
    "\udcff",
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example('ck="=R5ec4e7"')
def test_a_message_is_masked_as_its_text_is(text: str) -> None:
    """Messages are looked over quickly first; that must not miss what the slow look finds."""
    data = text.encode("utf-8", "surrogateescape")
    assert redact_message(data) == redact(text).encode("utf-8", "surrogateescape")


def test_a_body_keeps_its_length() -> None:
    head, body = (
        b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 26\r\n\r\n",
        b'so: ck="5ec4e7\xc3\xa4", ik=5ec4',
    )
    shown = redact_message(head + body)
    assert b"5ec4" not in shown
    assert len(shown) == len(head + body)
    assert shown.startswith(head + b"so: ck=***")
