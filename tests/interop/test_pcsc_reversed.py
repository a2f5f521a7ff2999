"""Our serving card against the real vpcd, which can be told to go to the card instead of waiting
for it: an implementation of the protocol that is not ours.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from card import profile
from card.emulator.card import ATR, EmulatedCard
from card.emulator.vpcd_server import VpcdServer
from interop.command import sipua
from interop.pcscd import Pcscd

SHIPPED = profile.shipped()
OTHER = SHIPPED._replace(iccid="8900101000000000002")
SECONDS = 5.0


@pytest.fixture
def going_pcscd(tmp_path: Path) -> Iterator[Pcscd]:
    """A pcscd whose virtual readers connect to cards on loopback."""
    pcscd = Pcscd(tmp_path)
    configuration = tmp_path / "reader.conf.d" / "vpcd"
    configuration.write_text(configuration.read_text().replace("/dev/null", "127.0.0.1"))
    # vpcd 3.3 falls over a slot whose card is not there when it starts: a card for each
    cards = [SHIPPED, OTHER]
    servers = [
        VpcdServer(EmulatedCard(card), "127.0.0.1", port)
        for card, port in zip(cards, pcscd.ports, strict=True)
    ]
    threads = [threading.Thread(target=server.run, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        pcscd.start()
        yield pcscd
    finally:
        pcscd.stop()
        for server, thread in zip(servers, threads, strict=True):
            server.stop()
            thread.join(SECONDS)
            server.close()


def test_vpcd_comes_for_the_card(
    going_pcscd: Pcscd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slot in (0, 1):
        going_pcscd.wait_for_card(slot)
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(going_pcscd.socket_path))
    for slot, card in enumerate((SHIPPED, OTHER)):
        outcome = sipua(tmp_path, "card", "info", "--card", f"pcsc:{slot}")
        assert outcome.exit_status == 0, outcome.errors
        shown = str(outcome.document)
        assert ATR.hex() in shown
        assert card.iccid in shown
