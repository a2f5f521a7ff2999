"""SIPp as the peer: many requests over one socket, one connection, and a connection each."""

from __future__ import annotations

import random
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from interop.program import required

from sipua.net.driver import Driver
from sipua.net.network import Network
from sipua.sip.endpoint import Endpoint
from sipua.sip.events import RequestReceived

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

CALLS = 300
SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="OPTIONS">
<send retrans="500"><![CDATA[
OPTIONS sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("way", ["u1", "t1", "tn"], ids=["UDP", "TCP", "a connection each"])
def test_sipp_asks_and_is_answered(tmp_path: Path, way: str, address: str) -> None:
    scenario = tmp_path / "options.xml"
    scenario.write_text(SCENARIO)
    with Network() as network:
        transport = "UDP" if way == "u1" else "TCP"
        _, port = network.open(transport, address)
        driver = Driver(network, Endpoint(random.Random()))
        host = f"[{address}]" if ":" in address else address
        options = ["-t", way, "-i", host, "-m", str(CALLS), "-r", "300", "-max_socket", "400"]
        with subprocess.Popen(
            [required("sipp", "sip-tester"), f"{host}:{port}", "-sf", scenario, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
        ) as sipp:
            answered = serve(driver, sipp)
            assert sipp.stderr is not None
            assert sipp.returncode == 0, sipp.stderr.read()
    assert answered == CALLS


def serve(driver: Driver, sipp: subprocess.Popen[bytes]) -> int:
    """Answer every request with 200 until SIPp ends; return how many there were."""
    answered = 0
    end = time.monotonic() + 30
    while sipp.poll() is None:
        if time.monotonic() > end:
            sipp.kill()
        driver.turn(0.1)
        for event in driver.endpoint.take_events():
            if isinstance(event, RequestReceived):
                response = driver.endpoint.create_response(event.request, 200)
                driver.endpoint.respond(event.transaction, response, driver.clock())
                answered += 1
    return answered
