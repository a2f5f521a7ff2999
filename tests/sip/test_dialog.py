"""Dialogs of both sides (RFC 3261 §12, §13.2.2.4)."""

from __future__ import annotations

import pytest

from sipua.errors import LocalError, ParseError
from sipua.sip.dialog import (
    TARGET_REFRESH,
    Dialog,
    Forks,
    NoDialog,
    OutOfOrder,
    own_contact,
)
from sipua.sip.headers import MAX_CSEQ
from sipua.sip.message import Request, Response
from sipua.sip.response import create_response

PROXIES = ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>")


def invite(**changes: str) -> Request:
    headers = {
        "From": "Alice <sip:alice@example.com>;tag=a",
        "To": "<sip:bob@example.com>",
        "Call-ID": "c1",
        "CSeq": "7 INVITE",
        "Contact": "<sip:alice@192.0.2.1:5061>",
    }
    headers.update({name.replace("_", "-"): value for name, value in changes.items()})
    return Request("INVITE", "sip:bob@example.com", [item for item in headers.items() if item[1]])


def answer(
    status: int = 200,
    tag: str = "b",
    contact: str = "<sip:bob@192.0.2.2>",
    routes: tuple[str, ...] = PROXIES,
) -> Response:
    response = create_response(invite(), status, "", tag or None)
    if contact:
        response.headers.add("Contact", contact)
    for route in routes:
        response.headers.add("Record-Route", route)
    return response


def request(method: str, cseq: int, **changes: str) -> Request:
    """What Bob's user agent sends to Alice's."""
    headers = {
        "From": "<sip:bob@example.com>;tag=b",
        "To": "Alice <sip:alice@example.com>;tag=a",
        "Call-ID": "c1",
        "CSeq": f"{cseq} {method}",
    }
    headers.update(changes)
    return Request(method, "sip:alice@192.0.2.1", headers.items())


def test_the_caller_takes_the_route_set_backwards_and_the_contact_as_target() -> None:
    dialog = Dialog.of_caller(invite(), answer())
    assert dialog.routes == PROXIES[::-1]
    assert dialog.target == "sip:bob@192.0.2.2"
    bye = dialog.request("BYE", [("Reason", "SIP;cause=200")], b"x")
    assert bye.start_line == "BYE sip:bob@192.0.2.2 SIP/2.0"
    assert list(bye.headers) == [
        ("Max-Forwards", "70"),
        ("Route", PROXIES[1]),
        ("Route", PROXIES[0]),
        ("From", "Alice <sip:alice@example.com>;tag=a"),
        ("To", "<sip:bob@example.com>;tag=b"),
        ("Call-ID", "c1"),
        ("CSeq", "8 BYE"),
        ("Reason", "SIP;cause=200"),
    ]
    assert bye.body == b"x"


def test_the_called_takes_the_route_set_forwards() -> None:
    dialog = Dialog.of_called(invite(Record_Route=", ".join(PROXIES)), "b")
    assert dialog.routes == PROXIES
    assert dialog.target == "sip:alice@192.0.2.1:5061"
    assert (dialog.local_tag, dialog.remote_tag) == ("b", "a")
    bye = dialog.request("BYE")
    assert bye.headers.get("From") == "<sip:bob@example.com>;tag=b"
    assert bye.headers.get("To") == "Alice <sip:alice@example.com>;tag=a"
    assert bye.headers.get("CSeq") == "1 BYE"


def test_the_ack_repeats_the_number_and_leaves_the_count_alone() -> None:
    dialog = Dialog.of_caller(invite(), answer())
    ack = dialog.ack(7, [("Proxy-Authorization", "Digest x=y")])
    assert ack.headers.get("CSeq") == "7 ACK"
    assert ack.headers.get("Proxy-Authorization") == "Digest x=y"
    assert dialog.request("BYE").headers.get("CSeq") == "8 BYE"


def test_a_strict_router_is_written_to_as_it_wants() -> None:
    strict = ("<sip:p2.example.com;lr>", "<sip:p1.example.com;transport=tcp;method=INVITE?a=b>")
    dialog = Dialog.of_caller(invite(), answer(routes=strict))
    bye = dialog.request("BYE")
    assert bye.uri == "sip:p1.example.com;transport=tcp"
    assert bye.headers.all("Route") == ["<sip:p2.example.com;lr>", "<sip:bob@192.0.2.2>"]


def test_no_route_set_no_route() -> None:
    bye = Dialog.of_caller(invite(), answer(routes=())).request("BYE")
    assert "Route" not in bye.headers
    assert bye.uri == "sip:bob@192.0.2.2"


def test_without_a_usable_contact_the_target_is_where_the_request_went() -> None:
    for contact in ("", "*", "<tel:+1>", "<sip:a@b>, <sip:c@d>", "<sip:a b>"):
        assert Dialog.of_caller(invite(), answer(180, contact=contact)).target == (
            "sip:bob@example.com"
        )


@pytest.mark.parametrize("contact", ["", "*", "<tel:+1>", "<sip:a@b>, <sip:c@d>"])
def test_an_invite_without_one_sip_contact_begins_no_dialog(contact: str) -> None:
    with pytest.raises(ParseError):
        Dialog.of_called(invite(Contact=contact), "b")


@pytest.mark.parametrize("route", ["<tel:+1>", "<sip:a", ", ".join(["<sip:a;lr>"] * 33)])
def test_a_record_route_that_cannot_be_followed_is_refused(route: str) -> None:
    with pytest.raises(ParseError):
        Dialog.of_called(invite(Record_Route=route), "b")


def test_the_peers_cseq_has_to_rise() -> None:
    dialog = Dialog.of_caller(invite(), answer())
    dialog.check(request("INFO", 100))
    dialog.check(request("INFO", 300))  # gaps are allowed
    with pytest.raises(OutOfOrder) as caught:
        dialog.check(request("BYE", 299))
    assert caught.value.status == 500
    dialog.check(request("ACK", 100))  # belongs to an INVITE, however old
    dialog.check(request("BYE", 301))


def test_the_called_knows_the_cseq_of_the_invite() -> None:
    dialog = Dialog.of_called(invite(), "b")
    late = Request(
        "BYE",
        "sip:b",
        [
            ("From", "<sip:x>;tag=a"),
            ("To", "<sip:y>;tag=b"),
            ("Call-ID", "c1"),
            ("CSeq", "6 BYE"),
        ],
    )
    with pytest.raises(OutOfOrder):
        dialog.check(late)


@pytest.mark.parametrize(
    "changes",
    [
        {"Call-ID": "c2"},
        {"From": "<sip:bob@example.com>;tag=other"},
        {"To": "<sip:alice@example.com>;tag=other"},
        {"To": "<sip:alice@example.com>"},
        {"To": "<sip:broken"},
    ],
)
def test_a_request_with_other_tags_belongs_to_no_dialog(changes: dict[str, str]) -> None:
    dialog = Dialog.of_caller(invite(), answer())
    with pytest.raises(NoDialog) as caught:
        dialog.check(request("BYE", 1, **changes))
    assert caught.value.status == 481


def test_peers_without_tags_have_dialogs_too() -> None:
    dialog = Dialog.of_caller(invite(), answer(tag=""))
    assert dialog.remote_tag == ""
    assert dialog.owns(request("BYE", 1, From="<sip:bob@example.com>"))


@pytest.mark.parametrize("method", sorted(TARGET_REFRESH))
def test_target_refresh_requests_move_the_target(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = request(method, 5, Contact="<sip:bob@192.0.2.99>")
    dialog = Dialog.of_caller(invite(), answer())
    dialog.check(moved)
    assert dialog.target == "sip:bob@192.0.2.99"
    dialog.answered(answer(contact="<sip:bob@192.0.2.77>"), method)
    assert dialog.target == "sip:bob@192.0.2.77"
    dialog.answered(answer(contact="<tel:1>"), method)
    dialog.answered(answer(488, contact="<sip:bob@192.0.2.78>"), method)
    assert dialog.target == "sip:bob@192.0.2.77"
    assert dialog.routes == PROXIES[::-1]  # the route set never moves (§12.2)
    monkeypatch.delitem(TARGET_REFRESH, method)
    dialog = Dialog.of_caller(invite(), answer())
    dialog.check(moved)
    assert dialog.target == "sip:bob@192.0.2.2"


@pytest.mark.parametrize("method", ["BYE", "INFO", "PRACK", "MESSAGE"])
def test_other_requests_do_not_move_the_target(method: str) -> None:
    dialog = Dialog.of_caller(invite(), answer())
    dialog.check(request(method, 5, Contact="<sip:bob@192.0.2.99>"))
    dialog.answered(answer(contact="<sip:bob@192.0.2.77>"), method)
    assert dialog.target == "sip:bob@192.0.2.2"


def test_a_bad_contact_or_an_out_of_order_request_changes_nothing() -> None:
    dialog = Dialog.of_caller(invite(), answer())
    with pytest.raises(ParseError):
        dialog.check(request("UPDATE", 5, Contact="*"))
    assert dialog.remote_cseq is None
    dialog.check(request("INFO", 5))
    with pytest.raises(OutOfOrder):
        dialog.check(request("UPDATE", 4, Contact="<sip:evil@192.0.2.66>"))
    assert dialog.target == "sip:bob@192.0.2.2"


def test_cseq_numbers_run_out() -> None:
    dialog = Dialog.of_caller(invite(CSeq=f"{MAX_CSEQ - 1} INVITE"), answer())
    dialog.request("INFO")
    with pytest.raises(LocalError, match="CSeq"):
        dialog.request("BYE")


# Forking ------------------------------------------------------------------------------


def test_each_to_tag_is_a_dialog_of_its_own() -> None:
    forks = Forks(invite())
    assert forks.dialog(answer(100, tag="x")) is None
    assert forks.dialog(answer(180, tag="")) is None
    assert forks.dialog(answer(486)) is None
    first = forks.dialog(answer(180, tag="x", contact="<sip:x@192.0.2.3>"))
    second = forks.dialog(answer(183, tag="y"))
    assert first is not None
    assert second is not None
    assert first is not second
    assert forks.dialog(answer(180, tag="x")) is first
    assert not first.confirmed
    assert forks.dialog(answer(200, tag="x")) is first
    assert first.confirmed
    assert not second.confirmed
    assert sorted(forks.dialogs) == ["x", "y"]


def test_the_2xx_has_the_last_word_on_route_set_and_target() -> None:
    forks = Forks(invite())
    early = forks.dialog(answer(180, contact="<sip:early@192.0.2.3>"))
    assert early is not None
    early.request("PRACK")
    new = forks.dialog(answer(200, routes=("<sip:p3.example.com;lr>",)))
    assert new is early
    assert early.routes == ("<sip:p3.example.com;lr>",)
    assert early.target == "sip:bob@192.0.2.2"
    assert early.request("BYE").headers.get("CSeq") == "9 BYE"  # the count goes on
    early.target = "sip:moved@192.0.2.4"
    forks.dialog(answer(200))
    assert early.target == "sip:moved@192.0.2.4"  # a repeated 2xx says nothing new


@pytest.mark.parametrize(
    ("uri", "routes", "expected"),
    [
        ("sip:bob@example.com", (), "sip:us@192.0.2.1"),
        ("sips:bob@example.com", (), "sips:us@192.0.2.1"),
        ("sip:bob@example.com", ("<sips:p.example.com;lr>",), "sips:us@192.0.2.1"),
        ("sip:bob@example.com", ("<sip:p;lr>", "<sips:q;lr>"), "sip:us@192.0.2.1"),
        ("tel:+49301234", (), "sip:us@192.0.2.1"),
    ],
)
def test_our_contact_is_as_secure_as_the_way(
    uri: str, routes: tuple[str, ...], expected: str
) -> None:
    assert own_contact("sip:us@192.0.2.1", uri, routes) == expected
    assert own_contact("sips:us@192.0.2.1", uri, routes) == "sips:us@192.0.2.1"
