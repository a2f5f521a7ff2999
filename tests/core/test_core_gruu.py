"""Public GRUUs: given to who asks, and leading to one device (RFC 5627, RFC 5628)."""

from __future__ import annotations

import pytest
from core_scene import DOMAIN, Scene, subscriber, uri
from core_ue import Ue
from core_watcher import watcher

from sipua.core.gruu import public_gruu
from sipua.errors import PeerError
from sipua.sip.headers import NameAddr
from sipua.sip.message import Response
from sipua.sip.uri import SipUri

FIRST = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
SECOND = "urn:uuid:00000000-0000-1000-8000-aabbccddeeff"
IMEI = "urn:gsma:imei:35209900-176148-0"


def registered(scene: Scene, address: str, instance: str, supported: str = "path, gruu") -> Ue:
    """A phone of bob's."""
    ue = Ue(scene.network, subscriber(2), address)
    return ue.register(f'+sip.instance="<{instance}>"', supported)


def told(ue: Ue) -> dict[str, str]:
    """The GRUU of each contact in the last 200."""
    response = [each for each in ue.inbox if isinstance(each, Response)][-1]
    contacts = [NameAddr.parse(each) for each in response.headers.values("Contact")]
    return {each.uri: each.params.get("pub-gruu") or "" for each in contacts}


def test_who_asks_and_tells_his_instance_gets_one() -> None:
    scene = Scene(phones=0)
    gruu = f"{uri(2)};gr={FIRST}"
    first = registered(scene, "192.0.2.31", FIRST)
    assert told(first) == {first.contact: gruu}
    assert SipUri.parse(gruu).parameter("gr") == FIRST
    silent = registered(scene, "192.0.2.32", SECOND, "path")
    assert told(silent) == {first.contact: "", silent.contact: ""}
    assert "gruu" not in (first.told.headers.get("Require") or "")
    without = Ue(scene.network, subscriber(2), "192.0.2.33").register("", "path, gruu")
    assert told(without) == {first.contact: gruu, silent.contact: "", without.contact: ""}


def test_nobody_gives_himself_one() -> None:
    scene = Scene(phones=0)
    params = f'+sip.instance="<{FIRST}>";pub-gruu="sip:boss@{DOMAIN};gr=1";temp-gruu="sip:x@y;gr"'
    ue = Ue(scene.network, subscriber(2), "192.0.2.31").register(params, "path, gruu")
    assert told(ue) == {ue.contact: f"{uri(2)};gr={FIRST}"}
    assert "temp-gruu" not in (ue.told.headers.get("Contact") or "")


def test_it_leads_to_one_device_alone() -> None:
    scene = Scene(phones=0)
    first = registered(scene, "192.0.2.31", FIRST)
    second = registered(scene, "192.0.2.32", SECOND)
    for ue in (first, second):
        scene.alice.send(scene.request(told_gruu(ue), Call_ID=ue.contact))
        assert ue.asked.uri == ue.contact  # without gr (§6.1)
    assert len(first.got("MESSAGE")) == len(second.got("MESSAGE")) == 1
    scene.alice.send(scene.request(uri(2), Call_ID="all"))
    assert len(first.got("MESSAGE")) == len(second.got("MESSAGE")) == 2


def told_gruu(ue: Ue) -> str:
    instance = {"192.0.2.31": FIRST, "192.0.2.32": SECOND}[ue.hop.address]
    return f"{uri(2)};gr={instance.upper()}"


def test_the_newest_contact_of_the_device() -> None:
    scene = Scene(phones=0)
    registered(scene, "192.0.2.31", FIRST)
    newer = registered(scene, "192.0.2.32", FIRST)
    scene.alice.send(scene.request(f"{uri(2)};gr={FIRST}"))
    assert newer.asked.uri == newer.contact


@pytest.mark.parametrize(
    ("gr", "status"), [(f";gr={SECOND}", 480), (";gr", 404), (";gr=%20", 480), ("", None)]
)
def test_a_device_that_is_not_there(gr: str, status: int | None) -> None:
    scene = Scene(phones=0)
    registered(scene, "192.0.2.31", FIRST)
    answers = [each.status for each in scene.alice.send(scene.request(f"{uri(2)}{gr}"))]
    assert answers == ([status] if status else [])


def test_who_did_not_ask_is_not_reached_by_one() -> None:
    scene = Scene(phones=0)
    registered(scene, "192.0.2.31", FIRST, "path")
    answers = scene.alice.send(scene.request(f"{uri(2)};gr={FIRST}"))
    assert [each.status for each in answers] == [480]


def test_an_imei_does_not_show() -> None:
    gruu = public_gruu(uri(2), IMEI)
    assert "35209900" not in gruu
    assert gruu.startswith(f"{uri(2)};gr=urn:uuid:")
    assert gruu == public_gruu(uri(2), IMEI.replace("-", ""))
    assert gruu != public_gruu(uri(2), IMEI.replace("1", "2"))
    assert public_gruu("tel:+15552", IMEI) == ""


def test_what_cannot_stand_in_a_uri_is_escaped() -> None:
    gruu = public_gruu(f"{uri(2)};user=phone?a=b", 'urn:x:"a b";\u00e9')
    assert gruu == f"{uri(2)};gr=urn:x:%22a%20b%22%3B%C3%A9"
    assert SipUri.parse(gruu).parameter("gr") == 'urn:x:"a b";\u00e9'


@pytest.mark.parametrize("contact", [uri(2), f"{uri(2)};gr={FIRST}", "tel:+15552"])
def test_a_device_must_not_lead_to_itself(contact: str) -> None:
    scene = Scene(phones=0)
    ue = Ue(scene.network, subscriber(2), "192.0.2.31")
    ue.contact = contact
    with pytest.raises(AssertionError):  # not registered
        ue.register(f'+sip.instance="<{FIRST}>"', "path, gruu")
    assert ue.told.status == 403


def test_gruus_in_documents_and_as_the_subscriber_s_contact() -> None:
    alice = watcher(contact_params=f'+sip.instance="<{FIRST}>"', supported="path, gruu")
    gruu = f"{uri(1)};gr={FIRST}"
    alice.with_settings(contact=gruu).subscribe()
    assert alice.last.uri == alice.ue.contact
    document = alice.documents[0]
    assert [each.contacts[0].pub_gruu for each in document.registrations] == [gruu, ""]
    alice.network.deregister("deactivated")  # nothing leads to the GRUU any more
    alice.run()
    assert alice.documents[-1].registrations[0].contacts[0].event == "deactivated"
    assert alice.documents[-1].registrations[0].contacts[0].pub_gruu == ""


def test_not_a_uri() -> None:
    with pytest.raises(PeerError):
        public_gruu("nothing", FIRST)
