"""What happens to PC/SC readers and their cards, as pcscd tells it (SCardGetStatusChange)."""

from __future__ import annotations

import time

from card.errors import NoReader, NoSuchWay
from card.readers.pcsc import Service
from card.readers.waiting import PAUSE


class PcscChanges:
    """``wait`` ends when a card or a reader came or went, or another program let a card go.

    While there is no PC/SC service nothing tells; it is then asked for every PAUSE.
    """

    def __init__(self) -> None:
        self._service: Service | None = None
        self._states: list[tuple[str, int]] = []

    def look(self) -> None:
        """Remember the state of every reader. Raises NoSuchWay without pyscard."""
        try:
            if self._service is None:
                self._service = Service()
            self._states = self._service.states()
        except NoSuchWay:
            raise
        except NoReader:
            self.close()

    def wait(self, seconds: float) -> None:
        """Until something is not as it was at ``look``, at most ``seconds``."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            piece = min(left, PAUSE)  # libpcsclite lets no Ctrl-C through while it waits
            if self._service is None:
                time.sleep(piece)
                return
            try:
                if self._service.has_changed(self._states, piece):
                    return
            except NoReader:
                self.close()

    def close(self) -> None:
        """Leave the service."""
        if self._service is not None:
            self._service.release()
            self._service = None
