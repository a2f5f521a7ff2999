"""What the user decides about a user agent: the options of ``sipua register``, as values."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_EXPIRES = 600000
"""Seconds; TS 24.229 §5.1.1.2.1."""


class AgentSettings(NamedTuple):
    """Identity, way and content of a registration; the defaults are TS 24.229's.

    ``pcscf`` and ``bind`` are texts as typed; ``transport`` is auto, udp, tcp or
    tls. ``algorithm`` is the hint in the first REGISTER, empty for none.
    ``scheme`` restricts what is answered, by scheme or algorithm, empty for all;
    ``plain_res`` answers AKAv2 with RES itself as the password.
    ``timeout`` in seconds bounds one attempt. ``nameserver`` replaces the
    system's. ``imei``, ``features``, ``access_network`` and ``visited_network``
    are told to the network if given (see sipua.ims.terminal); ``gruu`` asks for
    a URI of this device alone (RFC 5627). Requests of more than ``udp_limit``
    octets go by TCP (RFC 3261 §18.1.1). ``ims_timers`` takes those of TS 24.229
    §7.7 for radio links. With ``keep_trying`` a registration that is to stay and
    was lost is made anew, however long that takes. ``reg_event`` follows what the
    network does with one that stays (RFC 3680), ``stun`` keeps a way through NATs
    open for it over UDP (RFC 5626 §4.4.2). ``ipsec`` is off, auto (where this machine
    and the network can) or require; ``mechanisms`` are what is offered for it, as
    alg/ealg, empty for the usual ones. ``emergency`` makes an emergency registration, at
    a network on this machine or, with ``test_network``, at one that is there for tests.
    """

    impi: str | None = None
    impu: str | None = None
    domain: str | None = None
    impu_index: int = 1
    pcscf: str | None = None
    bind: str | None = None
    interface: str | None = None
    transport: str = "auto"
    ca_file: str | None = None
    expires: int = DEFAULT_EXPIRES
    algorithm: str = "AKAv1-MD5"
    scheme: tuple[str, ...] = ()
    plain_res: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    user_agent: str = ""
    timeout: float = 32.0
    nameserver: tuple[str, int] | None = None
    udp_limit: int = 1300
    imei: str = ""
    features: tuple[str, ...] = ()
    gruu: bool = False
    access_network: str = ""
    visited_network: str = ""
    ims_timers: bool = False
    keep_trying: bool = False
    reg_event: bool = False
    stun: bool = False
    ipsec: str = "off"
    mechanisms: tuple[str, ...] = ()
    emergency: bool = False
    test_network: bool = False
