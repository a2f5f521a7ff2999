"""Fixtures that run foreign programs. Each has ports of its own and stops what it started.

A program that is not installed skips the tests that need it; ``.ci/run`` counts
such a skip as a failure.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from interop.cx_hss import CxHss
from interop.kamailio_chain import Chain
from interop.kamailio_scscf import Kamailio, skip_without_modules
from interop.pcscd import Pcscd
from interop.subscription import Subscription, write_profile

HERE = Path(__file__).parent
HOME_DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"  # TS 23.003 §13.2 for MCC 001, MNC 01

_SUBSCRIBERS = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs foreign programs."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session")
def pcscd_process() -> Iterator[Pcscd]:
    """One pcscd a session: libpcsclite reads its socket's name once a process."""
    with tempfile.TemporaryDirectory(prefix="sipua-pcscd-") as directory:
        pcscd = Pcscd(Path(directory))
        before = os.environ.get("PCSCLITE_CSOCK_NAME")
        os.environ["PCSCLITE_CSOCK_NAME"] = str(pcscd.socket_path)
        pcscd.start()
        try:
            yield pcscd
        finally:
            pcscd.stop()
            if before is None:
                del os.environ["PCSCLITE_CSOCK_NAME"]
            else:
                os.environ["PCSCLITE_CSOCK_NAME"] = before


@pytest.fixture
def pcscd(pcscd_process: Pcscd) -> Pcscd:
    """The real pcscd, running, its virtual readers empty. A test may stop() and start() it."""
    if not pcscd_process.running:
        pcscd_process.start()
    return pcscd_process


@pytest.fixture(scope="session")
def kamailio() -> Iterator[Kamailio]:
    """Kamailio as S-CSCF and registrar of HOME_DOMAIN; tests put subscribers into its ``hss``."""
    skip_without_modules()
    with tempfile.TemporaryDirectory(prefix="sipua-kamailio-") as directory:
        hss = CxHss(realm=HOME_DOMAIN)
        scscf = Kamailio(Path(directory), HOME_DOMAIN, hss)
        hss.start()
        try:
            scscf.start()
            yield scscf
        finally:
            scscf.stop()
            hss.stop()


@pytest.fixture(scope="session")
def chain() -> Iterator[Chain]:
    """Kamailio as P-CSCF, I-CSCF and S-CSCF of HOME_DOMAIN, with an ``hss`` of their own."""
    skip_without_modules()
    with tempfile.TemporaryDirectory(prefix="sipua-chain-") as directory:
        hss = CxHss(realm=HOME_DOMAIN)
        cscfs = Chain(Path(directory), HOME_DOMAIN, hss)
        hss.start()
        try:
            cscfs.start()
            yield cscfs
        finally:
            cscfs.stop()
            hss.stop()


@pytest.fixture
def new_subscription(tmp_path: Path) -> Callable[..., Subscription]:
    """Writes the profile of a card nobody else uses; keywords as of ``write_profile``."""

    def make(**settings: Any) -> Subscription:
        imsi = f"00101{next(_SUBSCRIBERS):010d}"
        return write_profile(tmp_path, imsi, HOME_DOMAIN, **settings)

    return make
