"""The USIM application: subscriber identity and AKA (TS 31.102)."""

from __future__ import annotations

from card.aka.result import AkaResponse
from card.authenticate import authenticate
from card.coding.basic import Application
from card.errors import StatusError
from card.files.ef import EF_AD, EF_IMSI, EF_UST
from card.uicc import NOT_FOUND, Uicc

# Mobile country codes whose networks have three digits of MNC (North America).
THREE_DIGIT_MNC = frozenset(("302", "310", "311", "312", "313", "314", "315", "316"))


class UsimSession:
    """Work with one USIM. Besides what is named, every method raises what Uicc does."""

    name = "usim"

    def __init__(self, uicc: Uicc, application: Application) -> None:
        self.uicc = uicc
        self.application = application

    def imsi(self) -> str:
        """The subscriber's number, 6 to 15 digits (EF_IMSI)."""
        with self.uicc.in_directory(self.application):
            return EF_IMSI.decode(self.uicc.read_binary(EF_IMSI))

    def mnc_length(self) -> int:
        """Digits of the MNC in the IMSI, 2 or 3 (EF_AD); guessed by country on cards
        that do not say.
        """
        with self.uicc.in_directory(self.application):
            said = EF_AD.decode(self.uicc.read_binary(EF_AD)).mnc_length
            return said or (3 if self.imsi()[:3] in THREE_DIGIT_MNC else 2)

    def services(self) -> frozenset[int]:
        """The numbers of the services switched on (EF_UST); none when there is no such file."""
        with self.uicc.in_directory(self.application):
            try:
                return EF_UST.decode(self.uicc.read_binary(EF_UST))
            except StatusError as error:
                if error.sw in NOT_FOUND:
                    return frozenset()
                raise

    def authenticate(self, rand: bytes, autn: bytes) -> AkaResponse:
        """Run AKA; see ``card.authenticate``."""
        return authenticate(self.uicc, self.application, rand, autn)
