"""What a REGISTER of ours looks like (TS 24.229 §5.1.1.2.1, RFC 3261 §10.2)."""

from __future__ import annotations

from typing import NamedTuple

from sipua.sip.message import Request

METHOD = "REGISTER"
ANY_CONTACT = "*"
DEFAULT_EXPIRES = 600_000
"""Seconds asked for (TS 24.229 §5.1.1.2.1)."""


class RegistrationSettings(NamedTuple):
    """One public identity of one subscriber, and how it is to be registered.

    ``contact`` is our URI with address and port as the registrar can reach it,
    or "*" for the removal of every binding (RFC 3261 §10.2.2);
    ``contact_params`` what follows it, as ``+sip.instance="<urn:…>";+g.3gpp.smsip``.
    ``algorithm`` is the hint in the first REGISTER, "" for none. ``headers`` are
    added to every REGISTER; one named Supported, Allow or User-Agent takes the
    place of ours. ``schemes`` restricts what may be answered, by scheme or
    algorithm; ``plain_res`` answers AKAv2 with RES as the password.
    ``preemptive`` lets later requests carry the last answer, counted on.
    ``retries`` and ``retry_limit`` (seconds) bound what Retry-After may ask for;
    ``refusal_wait`` is how many seconds the server has to answer the notice that
    its AUTN was refused. ``ipsec`` (off, auto, require) is how protection is sought;
    others do that, the machine only speaks of it.
    """

    impi: str
    impu: str
    domain: str
    contact: str
    contact_params: str = ""
    expires: int = DEFAULT_EXPIRES
    algorithm: str = ""
    user_agent: str = ""
    allow: str = ""
    supported: str = "path"
    headers: tuple[tuple[str, str], ...] = ()
    schemes: tuple[str, ...] = ()
    plain_res: bool = False
    preemptive: bool = True
    retries: int = 2
    retry_limit: float = 60.0
    refusal_wait: float = 4.0
    ipsec: str = "off"


class RegisterWriter:
    """Writes the REGISTER requests of one subscriber; what never changes is made once."""

    __slots__ = ("_after", "_contact", "_from", "_to")

    def __init__(self, settings: RegistrationSettings) -> None:
        params = settings.contact_params
        contact = f"<{settings.contact}>{';' if params else ''}{params}"
        self._contact = ("Contact", ANY_CONTACT if settings.contact == ANY_CONTACT else contact)
        self._to = ("To", f"<{settings.impu}>")
        self._from = f"<{settings.impu}>;tag="
        self._after = _optional_headers(settings)

    def write(
        self,
        uri: str,
        call_id: str,
        tag: str,
        cseq: str,
        *,
        expires: int,
        credentials: list[tuple[str, str]],
    ) -> Request:
        """One REGISTER. ``expires`` is in seconds, 0 removes the binding.

        Via is left to the transaction layer, Content-Length to ``to_bytes``.
        """
        return Request(
            METHOD,
            uri,
            [
                ("Max-Forwards", "70"),
                ("From", self._from + tag),
                self._to,
                ("Call-ID", call_id),
                ("CSeq", cseq),
                self._contact,
                *credentials,
                ("Expires", str(expires)),
                *self._after,
            ],
        )


def _optional_headers(settings: RegistrationSettings) -> list[tuple[str, str]]:
    given = {name.lower() for name, _ in settings.headers}
    ours = (
        ("Supported", settings.supported),
        ("Allow", settings.allow),
        ("User-Agent", settings.user_agent),
    )
    kept = [(name, value) for name, value in ours if value and name.lower() not in given]
    return [*kept, *settings.headers]
