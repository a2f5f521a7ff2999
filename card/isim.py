"""The ISIM application: IMS identities and AKA (TS 31.103)."""

from __future__ import annotations

from itertools import islice

from card.aka.result import AkaResponse
from card.authenticate import authenticate
from card.coding.basic import Application, is_unused
from card.errors import AnswerError, StatusError
from card.files.ef import EF_DOMAIN, EF_IMPI, EF_IMPU, EF_IST, EF_PCSCF, Ef
from card.uicc import NOT_FOUND, Uicc

MOST_IDENTITIES = 32  # records read of EF_IMPU and EF_P-CSCF


class IsimSession:
    """Work with one ISIM. Besides what is named, every method raises what Uicc does."""

    name = "isim"

    def __init__(self, uicc: Uicc, application: Application) -> None:
        self.uicc = uicc
        self.application = application

    def impi(self) -> str:
        """The private identity, ``user@realm`` (EF_IMPI)."""
        return self._text(EF_IMPI)

    def domain(self) -> str:
        """The home network's domain name (EF_DOMAIN)."""
        return self._text(EF_DOMAIN)

    def impu(self) -> list[str]:
        """The public identities, SIP or tel URIs; the first is the default one (EF_IMPU)."""
        return self._texts(EF_IMPU)

    def impu_at(self, index: int = 0) -> str:
        """One public identity, counted from 0: one record read instead of all.

        Raises AnswerError when that record is unused, StatusError 6A83 when
        there is none.
        """
        with self.uicc.in_directory(self.application):
            record = self.uicc.read_record(EF_IMPU, index + 1)
        if is_unused(record):
            raise AnswerError(f"record {index + 1} of EF_IMPU is not used")
        return EF_IMPU.decode(record)

    def pcscf(self) -> list[str]:
        """Names and addresses of P-CSCFs, best first; none without that file (EF_P-CSCF)."""
        return self._texts(EF_PCSCF)

    def services(self) -> frozenset[int]:
        """The numbers of the services switched on (EF_IST); none when there is no such file."""
        with self.uicc.in_directory(self.application):
            try:
                return EF_IST.decode(self.uicc.read_binary(EF_IST))
            except StatusError as error:
                if error.sw in NOT_FOUND:
                    return frozenset()
                raise

    def authenticate(self, rand: bytes, autn: bytes) -> AkaResponse:
        """Run AKA; see ``card.authenticate``."""
        return authenticate(self.uicc, self.application, rand, autn)

    def _text(self, ef: Ef[str]) -> str:
        with self.uicc.in_directory(self.application):
            return ef.decode(self.uicc.read_binary(ef))

    def _texts(self, ef: Ef[str]) -> list[str]:
        with self.uicc.in_directory(self.application):
            try:
                records = list(islice(self.uicc.records(ef), MOST_IDENTITIES))
            except StatusError as error:
                if error.sw in NOT_FOUND:
                    return []
                raise
        return [ef.decode(record) for record in records]
