"""Kamailio answers our STUN on its SIP socket (RFC 5626 §8), and we understand it."""

from __future__ import annotations

import random

from interop.kamailio_scscf import Kamailio
from sipua.net.driver import Driver
from sipua.net.network import Network
from sipua.sip.endpoint import Endpoint
from sipua.sip.hop import Hop
from sipua.sip.stun import StunKeepAlive, binding_request, read_response

PATIENCE = 20.0


def test_kamailio_tells_our_address(kamailio: Kamailio) -> None:
    hop = Hop("UDP", "127.0.0.1", kamailio.port)
    heard: list[bytes] = []
    with Network() as network:
        driver = Driver(network, Endpoint(random.Random(1)))
        driver.on_stun = lambda data, _source: heard.append(data)
        local = network.local_address(hop)
        transaction = b"twelve octet"
        network.send(binding_request(transaction), hop)
        end = driver.clock() + PATIENCE
        while not heard and driver.clock() < end:
            driver.turn(end - driver.clock())
        assert read_response(heard[0]) == (transaction, local)

        keep = StunKeepAlive(random.Random(1), driver.clock())
        keep.tick(driver.clock())
        heard.clear()
        for request in keep.take_requests():
            network.send(request, hop)
        while not heard and driver.clock() < end:
            driver.turn(end - driver.clock())
        keep.received(heard[0], driver.clock())
        assert keep.failed == ""
        assert (keep.deadline() or 0) > driver.clock() + 20
