"""IPsec of the embedded network: its engine, its protected ports, and the P-CSCF on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipua.core.pcscf import Pcscf
from sipua.ipsec.choice import REQUIRE, check_mode, choose_engine
from sipua.ipsec.place import close_place, open_place
from sipua.ipsec.suite import CURRENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sipua.ipsec.suite import Suite
    from sipua.net.network import Network
    from sipua.randomness import Randomness


class Protection:
    """What ``network`` needs to speak protected SIP at ``address``.

    ``told`` says by which engine, for people.
    """

    def __init__(
        self,
        network: Network,
        address: str,
        mode: str,
        rng: Randomness,
        suites: Sequence[Suite] = CURRENT,
    ) -> None:
        """With the mode ``require`` nobody registers unprotected.

        Raises LocalError, and EngineError where there is no IPsec.
        """
        choice = choose_engine(address, suites)
        self._network = network
        self._engine = choice.engine
        self.told = choice.sentence
        place = open_place(network, choice, address, rng)
        self.pcscf = Pcscf(place, required=check_mode(mode) == REQUIRE)

    @property
    def counters(self) -> dict[str, int]:
        """Packets by what became of them."""
        return self._engine.counters()

    def close(self, now: float) -> None:
        """Take everything down."""
        self.pcscf.close(now)
        close_place(self._network, self._engine)
