"""RFC 7616 digest against the examples that the RFCs print."""

from __future__ import annotations

import hashlib

import pytest

from sipua.auth.digest import MD5, SHA_256, SHA_512_256, Hash, count_text, digest

RFC7616_NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
RFC7616_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def rfc7616_example(hash_: Hash) -> str:
    return digest(
        hash_,
        username="Mufasa",
        realm="http-auth@example.org",
        password=b"Circle of Life",
        nonce=RFC7616_NONCE,
        method="GET",
        uri="/dir/index.html",
        qop="auth",
        nc=count_text(1),
        cnonce=RFC7616_CNONCE,
    )


def test_rfc7616_3_9_1_md5() -> None:
    assert rfc7616_example(MD5) == "8ca523f5e9506fed4657c9700eebdbec"


def test_rfc7616_3_9_1_sha_256() -> None:
    assert (
        rfc7616_example(SHA_256)
        == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    )


def rfc7616_3_9_2(hash_: Hash) -> str:
    return digest(
        hash_,
        username="J\u00e4s\u00f8n Doe",
        realm="api@example.org",
        password=b"Secret, or not?",
        nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        method="GET",
        uri="/doe.json",
        qop="auth",
        nc="00000001",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )


def test_rfc2617_3_5() -> None:
    assert (
        digest(
            MD5,
            username="Mufasa",
            realm="testrealm@host.com",
            password=b"Circle Of Life",
            nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
            method="GET",
            uri="/dir/index.html",
            qop="auth",
            nc="00000001",
            cnonce="0a4f113b",
        )
        == "6629fae49393a05397450978507c4ef1"
    )


def test_sha_512_256_is_the_fips_function_as_erratum_4897_has_it() -> None:
    assert (
        rfc7616_3_9_2(SHA_512_256)
        == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    )


def test_rfc7616_3_9_2_as_printed_hashes_utf_8_names_and_a_cut_sha_512() -> None:
    """RFC 7616 §3.9.2 printed SHA-512 cut to 256 bits; all but the hash is as published."""
    cut = Hash("SHA-512-256", lambda data: hashlib.sha512(data).hexdigest()[:64], "")
    assert rfc7616_3_9_2(cut) == "ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd"


def plain(hash_: Hash = MD5, *, session: bool = False, qop: str = "", body: bytes = b"") -> str:
    return digest(
        hash_,
        username="bob",
        realm="biloxi.com",
        password=b"zanzibar",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        method="INVITE",
        uri="sip:bob@biloxi.com",
        qop=qop,
        nc="00000001" if qop else "",
        cnonce="0a4f113b",
        body=body,
        session=session,
    )


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


A1 = "bob:biloxi.com:zanzibar"
A2 = "INVITE:sip:bob@biloxi.com"
NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c093"


def test_without_qop_neither_count_nor_cnonce_is_hashed() -> None:
    assert plain() == md5(f"{md5(A1)}:{NONCE}:{md5(A2)}")


def test_auth_int_hashes_the_body() -> None:
    a2 = f"{A2}:{md5('v=0')}"
    assert plain(qop="auth-int", body=b"v=0") == md5(
        f"{md5(A1)}:{NONCE}:00000001:0a4f113b:auth-int:{md5(a2)}"
    )
    assert plain(qop="auth", body=b"v=0") == plain(qop="auth", body=b"v=1")


def test_session_form_mixes_nonce_and_cnonce_into_a1() -> None:
    a1 = f"{md5(A1)}:{NONCE}:0a4f113b"
    assert plain(session=True, qop="auth") == md5(
        f"{md5(a1)}:{NONCE}:00000001:0a4f113b:auth:{md5(A2)}"
    )


@pytest.mark.parametrize(
    ("nc", "text"), [(1, "00000001"), (10, "0000000a"), (0xFFFFFFFF, "ffffffff")]
)
def test_nonce_count_is_eight_hexadecimal_digits(nc: int, text: str) -> None:
    assert count_text(nc) == text
