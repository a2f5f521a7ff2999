"""Registration information documents: the examples of the RFCs, and what follows from others."""

from __future__ import annotations

import pytest

from sipua.errors import ParseError
from sipua.ims import reginfo
from sipua.ims.reg_event import CONSEQUENCES, Action, changes, consequence_of
from sipua.ims.reginfo import Contact, Document, View

RFC_3680 = b"""<?xml version="1.0"?>
    <reginfo xmlns="urn:ietf:params:xml:ns:reginfo"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
                 version="0" state="full">
      <registration aor="sip:user@example.com" id="as9"
                    state="active">
        <contact id="76" state="active" event="registered"
                 duration-registered="7322"
                 q="0.8">
                 <uri>sip:user@pc887.example.com</uri>
        </contact>
        <contact id="77" state="terminated" event="expired"
                 duration-registered="3600"
                 q="0.5">
                 <uri>sip:user@university.edu</uri>
        </contact>
      </registration>
    </reginfo>"""

RFC_5628 = b"""<?xml version="1.0"?>
    <reginfo xmlns="urn:ietf:params:xml:ns:reginfo"
        xmlns:gr="urn:ietf:params:xml:ns:gruuinfo"
        version="0" state="full">
      <registration aor="sip:user@example.com" id="as9"
           state="active">
        <contact id="76" state="active" event="registered"
           duration-registered="36001" expires="3599"
           callid="1j9FpLxk3uxtm8tn@192.0.2.1" cseq="54321"
           q="0.8">
             <uri>sip:user@192.0.2.1</uri>
             <unknown-param name="+sip.instance">
"&lt;urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6&gt;"
</unknown-param>
             <gr:pub-gruu uri="sip:user@example.com;gr=hha9s8d-999a"/>
             <gr:temp-gruu uri="sip:8ffkas08af7fasklzi9@example.com;gr" first-cseq="54301"/>
        </contact>
      </registration>
    </reginfo>"""

OURS = "sip:user@192.0.2.1:5062"


def document(body: str, version: int = 0, state: str = "full") -> bytes:
    return (
        f'<reginfo xmlns="{reginfo.NAMESPACE}" version="{version}" state="{state}">{body}</reginfo>'
    ).encode()


def registration(contacts: str, state: str = "active", number: str = "r1") -> str:
    return (
        f'<registration aor="sip:user@ims" id="{number}" state="{state}">{contacts}</registration>'
    )


def contact(
    event: str, state: str = "active", number: str = "c1", uri: str = OURS, more: str = ""
) -> str:
    return (
        f'<contact id="{number}" state="{state}" event="{event}" {more}><uri>{uri}</uri></contact>'
    )


def test_the_example_of_rfc_3680() -> None:
    found = reginfo.parse(RFC_3680)
    assert (found.version, found.full) == (0, True)
    (only,) = found.registrations
    assert (only.aor, only.id, only.state) == ("sip:user@example.com", "as9", "active")
    assert only.contacts == (
        Contact(
            "76", "sip:user@pc887.example.com", "active", "registered", registered_for=7322, q="0.8"
        ),
        Contact(
            "77", "sip:user@university.edu", "terminated", "expired", registered_for=3600, q="0.5"
        ),
    )


def test_the_example_of_rfc_5628() -> None:
    (only,) = reginfo.parse(RFC_5628).registrations
    (found,) = only.contacts
    assert (found.expires, found.call_id, found.cseq) == (
        3599,
        "1j9FpLxk3uxtm8tn@192.0.2.1",
        54321,
    )
    assert found.parameters == (
        ("+sip.instance", '"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'),
    )
    assert found.pub_gruu == "sip:user@example.com;gr=hha9s8d-999a"
    assert found.temp_gruu == "sip:8ffkas08af7fasklzi9@example.com;gr"
    assert found.temp_gruu_first_cseq == 54301


@pytest.mark.parametrize(
    "body",
    [
        b"<reginfo version='0' state='full'/>",
        f"<x xmlns='{reginfo.NAMESPACE}' version='0' state='full'/>".encode(),
        f"<reginfo xmlns='{reginfo.NAMESPACE}' state='full'/>".encode(),
        f"<reginfo xmlns='{reginfo.NAMESPACE}' version='0'/>".encode(),
        document("", version=-1),
        document("", version=2**32),
        document("", state="half"),
        document(registration("", state="asleep")),
        document(registration(contact("registered", state="init"))),
        document(registration('<contact id="1" state="active" event="registered"/>')),
        document(registration('<contact state="active" event="x"><uri>sip:x</uri></contact>')),
        document('<registration id="1" state="active"/>'),
    ],
)
def test_what_is_no_reginfo(body: bytes) -> None:
    with pytest.raises(ParseError):
        reginfo.parse(body)


def test_numbers_that_are_none_are_as_good_as_missing() -> None:
    body = registration(contact("registered", more='expires="soon" cseq="-1" retry-after=" 7 "'))
    ((found,),) = [each.contacts for each in reginfo.parse(document(body)).registrations]
    assert (found.expires, found.cseq, found.retry_after) == (-1, -1, 7)


def taken(view: View, body: str, version: int, state: str = "partial") -> tuple[bool, bool]:
    """Whether the document told of one missed before it, and whether it was taken."""
    parsed = reginfo.parse(document(body, version, state))
    return view.has_missed(parsed), view.take(parsed)


def known(view: View) -> dict[str, str]:
    return {each.id: each.event for _, each in view.contacts()}


def test_documents_are_put_together() -> None:
    view = View()
    both = registration(contact("registered") + contact("created", number="c2", uri="sip:b@c"))
    assert taken(view, both, 3, "full") == (False, True)
    assert known(view) == {"c1": "registered", "c2": "created"}
    assert taken(view, registration(contact("refreshed")), 4) == (False, True)
    assert known(view) == {"c1": "refreshed", "c2": "created"}
    assert taken(view, registration(contact("expired", "terminated", "c2")), 5) == (False, True)
    assert known(view) == {"c1": "refreshed"}
    other = registration(contact("registered", number="c9"), number="r2")
    assert taken(view, other, 7) == (True, True)  # number 6 never came
    assert known(view) == {"c1": "refreshed", "c9": "registered"}
    assert taken(view, registration(contact("shortened")), 6) == (False, False)  # too late
    assert known(view) == {"c1": "refreshed", "c9": "registered"}
    assert taken(view, registration("", "terminated"), 8) == (False, True)
    assert known(view) == {"c9": "registered"}
    assert taken(view, registration(contact("created", number="c3")), 11, "full") == (False, True)
    assert known(view) == {"c3": "created"}


def test_nobody_fills_the_memory() -> None:
    view = View()
    many = "".join(contact("created", number=f"c{number}") for number in range(600))
    assert taken(view, registration(many), 0, "full") == (False, True)
    again = many.replace('id="c', 'id="d')
    with pytest.raises(ParseError):
        taken(view, registration(again), 1)
    assert len(view.contacts()) == 600


@pytest.mark.parametrize(
    ("event", "state", "more", "action", "seconds"),
    [
        ("registered", "active", "", Action.NOTHING, 0),
        ("created", "active", "", Action.NOTHING, 0),
        ("refreshed", "active", "", Action.NOTHING, 0),
        ("shortened", "active", 'expires="60"', Action.RENEW, 0),
        ("deactivated", "terminated", "", Action.REGISTER_ANEW, 0),
        ("probation", "terminated", 'retry-after="90"', Action.REGISTER_LATER, 90),
        ("rejected", "terminated", "", Action.GIVE_UP, 0),
        ("unregistered", "terminated", "", Action.GONE, 0),
        ("expired", "terminated", "", Action.GONE, 0),
        ("registered", "terminated", "", Action.GONE, 0),
        ("deactivated", "active", "", Action.NOTHING, 0),
        ("of-the-future", "terminated", "", Action.GONE, 0),
        ("of-the-future", "active", "", Action.NOTHING, 0),
    ],
)
def test_what_it_means_for_our_registration(
    event: str, state: str, more: str, action: str, seconds: int
) -> None:
    parsed = reginfo.parse(document(registration(contact(event, state, more=more))))
    (ours,) = changes(parsed, OURS)
    assert (ours.ours, ours.action, ours.seconds) == (True, action, seconds)
    assert ours.rule.startswith(("RFC", "TS"))
    (theirs,) = changes(parsed, "sip:user@192.0.2.9")
    assert (theirs.ours, theirs.action) == (False, Action.NOTHING)


def test_our_contact_is_found_however_it_is_spelt() -> None:
    body = registration(contact("shortened", uri="sip:user@192.0.2.1:5062;ob"))
    (change,) = changes(reginfo.parse(document(body)), OURS)
    assert change.ours
    body = registration(contact("shortened", uri="not a uri"))
    (change,) = changes(reginfo.parse(document(body)), OURS)
    assert not change.ours


def test_every_event_of_the_rfc_has_its_consequence() -> None:
    events = "registered created refreshed shortened expired deactivated probation unregistered"
    assert set(CONSEQUENCES) == {*events.split(), "rejected"}
    assert consequence_of(Contact("1", "sip:x", "active", "shortened")).action == Action.RENEW


def test_documents_are_plain_values() -> None:
    assert reginfo.parse(document("")) == Document(0, True, ())
