"""SIPp registers with AKA at our core: our registrar, checked by a user agent that is not ours."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from card.aka.algorithm import functions_of
from card.aka.milenage import derive_opc
from card.profile import Authentication, Isim, Profile
from interop.sipp_run import run_sipp
from sipua.core.server import CoreServer
from sipua.pytest_plugin import CoreFactory

if TYPE_CHECKING:
    from sipua.net.driver import OnMessage

# Test set 2 of TS 35.208, as in the scenario.
K = bytes.fromhex("0396eb317b6d1c36f19c1c84cd6ffd16")
OP = bytes.fromhex("ff53bade17df5d4e793073ce9d7579fa")
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
IMPI = f"sipp@{DOMAIN}"

SECRET = Authentication("milenage", K, derive_opc(K, OP))


class RandForSipp:
    """RANDs whose RES holds no octet 00, at which SIPp would cut it; the same in every run."""

    def __init__(self) -> None:
        self._random = random.Random(35208)
        self._functions = functions_of(SECRET)

    def randbytes(self, n: int) -> bytes:
        while 0 in self._functions.f2345(rand := self._random.randbytes(n))[0]:
            pass
        return rand


def core_for_sipp(
    factory: CoreFactory, secret: Authentication = SECRET, on_message: OnMessage | None = None
) -> CoreServer:
    subscriber = Profile(
        iccid="8900101000000000002",
        imsi="001010000000002",
        mnc_length=2,
        authentication=secret,
        isim=Isim(IMPI, (f"sip:{IMPI}",), DOMAIN),
    )
    return factory(profiles=[subscriber], rng=RandForSipp(), on_message=on_message)


OPTIONS = ["-s", "sipp", "-au", IMPI, "-auth_uri", DOMAIN, "-key", "domain", DOMAIN]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_registers_at_our_core(
    sipua_core_factory: CoreFactory, tmp_path: Path, transport: str
) -> None:
    core = core_for_sipp(sipua_core_factory)
    target = core.hop(transport.upper())

    result = run_sipp(
        tmp_path,
        "uac_register_aka.xml",
        (target.address, target.port),
        OPTIONS,
        transport=transport,
    )

    assert (result.successful, result.failed) == (1, 0), result.messages + result.errors
    assert "401 Unauthorized" in result.messages
    assert "qop=auth-int" in result.messages  # SIPp takes the stronger of the two
    (binding,) = core.bindings(IMPI)
    assert binding.uri.startswith("sip:sipp@127.0.0.1:")


def test_sipp_registers_five_hundred_times(sipua_core_factory: CoreFactory, tmp_path: Path) -> None:
    answered: list[bytes] = []
    core = core_for_sipp(
        sipua_core_factory,
        on_message=lambda way, data, _: answered.append(data[8:11]) if way == "sent" else None,
    )
    target = core.hop("UDP")

    result = run_sipp(
        tmp_path,
        "uac_register_aka.xml",
        (target.address, target.port),
        [*OPTIONS, "-r", "1000", "-l", "10"],
        calls=500,
        seconds=60,
    )

    assert (result.successful, result.failed) == (500, 0), result.errors
    assert (answered.count(b"401"), answered.count(b"200")) == (500, 500)
    assert len(core.bindings(IMPI)) == 1


def test_sipp_with_another_key_is_not_registered(
    sipua_core_factory: CoreFactory, tmp_path: Path
) -> None:
    core = core_for_sipp(sipua_core_factory, SECRET._replace(k=bytes(16)))
    target = core.hop("UDP")

    result = run_sipp(tmp_path, "uac_register_aka.xml", (target.address, target.port), OPTIONS)

    assert result.successful == 0
    assert "MAC" in result.errors
    assert core.bindings(IMPI) == []
