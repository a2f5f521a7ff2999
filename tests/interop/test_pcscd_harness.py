"""The harness itself: pcscd with virtual readers starts, sees a card, survives a restart."""

from __future__ import annotations

import socket
import threading

from interop.pcscd import Pcscd

ATR = bytes.fromhex("3B00")


def answer_atr(card: socket.socket) -> None:
    """Be a card that does nothing but tell its ATR, until the socket is shut down."""
    while length := int.from_bytes(card.recv(2, socket.MSG_WAITALL), "big"):
        if card.recv(length, socket.MSG_WAITALL) == b"\x04":
            card.sendall(len(ATR).to_bytes(2, "big") + ATR)


def test_readers_are_listed_and_empty(pcscd: Pcscd) -> None:
    assert pcscd.slots() == dict.fromkeys(pcscd.readers, False)


def test_a_card_on_the_port_is_in_the_reader(pcscd: Pcscd) -> None:
    with socket.create_connection(("127.0.0.1", pcscd.ports[1]), timeout=5) as card:
        answers = threading.Thread(target=answer_atr, args=[card])
        answers.start()
        try:
            pcscd.wait_for_card(1)
        finally:
            card.shutdown(socket.SHUT_RDWR)
            answers.join()
    pcscd.wait_for_card(1, present=False)


def test_stopped_pcscd_is_no_service_and_starts_again(pcscd: Pcscd) -> None:
    pcscd.stop()
    assert pcscd.slots() == {}
    pcscd.start()
    assert tuple(pcscd.slots()) == pcscd.readers
