"""The foreign side alone: SIPp registers at Kamailio with vectors of the Cx stub.

Nothing of our SIP is in this chain, so that a failure elsewhere is ours.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from card.aka.milenage import derive_opc
from interop.cx_hss import Subscriber
from interop.kamailio_scscf import Kamailio
from interop.sipp_run import run_sipp

# Test set 2 of TS 35.208, as in the scenario.
K = bytes.fromhex("0396eb317b6d1c36f19c1c84cd6ffd16")
OP = bytes.fromhex("ff53bade17df5d4e793073ce9d7579fa")
REGISTRATION = "1"  # Server-Assignment-Type, TS 29.229 §6.3.15


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_registers_at_kamailio(kamailio: Kamailio, tmp_path: Path, transport: str) -> None:
    user = f"sipp-{transport}"
    impi = f"{user}@{kamailio.domain}"
    opc = derive_opc(K, OP)
    kamailio.hss.put(Subscriber(impi, (f"sip:{impi}",), K, opc, res_without_nul=True))
    options = ["-s", user, "-au", impi, "-auth_uri", kamailio.domain]
    options += ["-key", "domain", kamailio.domain]

    result = run_sipp(
        tmp_path,
        "uac_register_aka.xml",
        ("127.0.0.1", kamailio.port),
        options,
        transport=transport,
    )

    assert (result.successful, result.failed) == (1, 0), result.messages + kamailio.log
    assert "401 Unauthorized" in result.messages
    assert [seen.detail for seen in kamailio.hss.requests("SAR", impi)] == [REGISTRATION]


def test_vectors_of_another_key_register_nobody(kamailio: Kamailio, tmp_path: Path) -> None:
    impi = f"sipp-other-key@{kamailio.domain}"
    kamailio.hss.put(Subscriber(impi, (f"sip:{impi}",), bytes(16), bytes(16)))
    options = ["-s", "sipp-other-key", "-au", impi, "-key", "domain", kamailio.domain]

    target = ("127.0.0.1", kamailio.port)
    result = run_sipp(tmp_path, "uac_register_aka.xml", target, options)

    assert result.successful == 0, result.messages
    assert "MAC" in result.errors  # SIPp gives up where its MAC is not the one in AUTN
    assert kamailio.hss.requests("MAR", impi)
    assert not kamailio.hss.requests("SAR", impi)
