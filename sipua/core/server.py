"""The embedded network on sockets: AuC, registrar, proxy and edge in one loop."""

from __future__ import annotations

import os
import secrets
import threading
import time
from typing import TYPE_CHECKING

from card.statefile import StateFile
from sipua.auth.redaction import redact_message
from sipua.core.auc import Auc
from sipua.core.bindings import ExpiryPolicy
from sipua.core.challenger import DEFAULT_SCHEME, Challenger
from sipua.core.contact_events import BY_NETWORK, DEACTIVATED
from sipua.core.edge import Edge
from sipua.core.faults import Faults
from sipua.core.gate import Demand, Gate
from sipua.core.measures import DEFAULT_RETRY_AFTER, Measures
from sipua.core.proxy import Proxy
from sipua.core.registrar import Registrar
from sipua.core.routing import Routing
from sipua.core.subscriber import Directory
from sipua.errors import LocalError
from sipua.net.address import is_numeric
from sipua.net.driver import Driver
from sipua.sip.endpoint import Endpoint
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from card.profile import Profile
    from sipua.core.auc import Octets
    from sipua.core.bindings import Binding
    from sipua.core.faults import Fault
    from sipua.core.protection import Protection
    from sipua.core.short_messages import ShortMessageCentre
    from sipua.core.subscriber import Subscriber
    from sipua.ipsec.suite import Suite
    from sipua.net.driver import OnMessage
    from sipua.net.tls_settings import TlsSettings
    from sipua.sms.timestamp import Timestamp

LOOPBACK_UDP = (("UDP", "127.0.0.1", 0),)

STATE_NAME = "auc.json"

PROTECTION_TURN = 1.0
"""Seconds after which it is looked whether security associations have run out."""

SHORT_WHILE = 0.1  # seconds in which a loop that does nothing any more is noticed

_UNCHALLENGED: Mapping[str, int | Demand] = {}

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class CoreServer:
    """A small IMS network for the subscribers of some card profiles.

    In the foreground: ``open()``, then ``run()`` until another thread calls
    ``stop()``. In a thread: ``start()`` and ``stop()``, or a ``with`` block. As
    soon as ``open()`` or ``start()`` has returned, ``hops`` tells where it
    listens and requests are answered or wait in the socket.
    """

    def __init__(
        self,
        profiles: Iterable[Profile],
        listen: Sequence[tuple[str, str, int]] = LOOPBACK_UDP,
        *,
        faults: Iterable[str | Fault] = (),
        scheme: str = DEFAULT_SCHEME,
        algorithm: str | None = None,
        challenge: Mapping[str, int | Demand] = _UNCHALLENGED,
        qop: tuple[str, ...] = ("auth", "auth-int"),
        expiry: ExpiryPolicy | None = None,
        state_dir: str | None = None,
        tls: TlsSettings | None = None,
        allow_remote: bool = False,
        rng: Octets | None = None,
        on_message: OnMessage | None = None,
        ipsec: str = "off",
        suites: Sequence[Suite] = (),
    ) -> None:
        """``listen`` holds transport, numeric address and port; port 0 takes a free one.

        ``scheme`` says how AKA is carried: aka, or one of the patent's umts,
        digest-umts and pgp-umts, which let RES be seen. ``algorithm`` fixes what
        is asked for; None follows the user agent's hint. ``challenge`` says by
        method how the proxy challenges, as ``{"MESSAGE": 407}``; "*" stands for
        all. ``qop`` is what challenges offer, () for the form of RFC 2069.
        ``expiry`` bounds how long registrations last. ``state_dir`` is a folder
        for the AuC's counters, which otherwise last as long as this object.
        ``rng`` is for tests that want RAND to be known. ``on_message`` sees
        every message sent and received, with RES and session keys masked.
        ``ipsec`` is off, auto (for who offers a security agreement) or require (of
        everybody), at the address first listened on; ``suites`` are those offered,
        the usual ones if none are given.

        Raises LocalError for what cannot be served: profiles that share an
        identity, faults for nobody, an address that is not loopback without
        ``allow_remote``; and ``open`` for a scheme or algorithm that there is not.
        """
        self.faults = Faults(faults)
        self._directory = Directory(profiles)
        _refuse_strangers(self.faults, self._directory)
        self._listen = [_checked(*each, allow_remote=allow_remote) for each in listen]
        self._scheme = scheme
        self._algorithm = algorithm
        self._challenge = {
            method: demand if isinstance(demand, Demand) else Demand(demand)
            for method, demand in challenge.items()
        }
        self._qop = qop
        self._expiry = expiry or ExpiryPolicy()
        self._state_dir = state_dir
        self._tls = tls
        self._rng = rng or secrets.SystemRandom()
        self._on_message = on_message
        self._ipsec = ipsec
        self._suites = suites
        self._protection: Protection | None = None
        self._hops: tuple[Hop, ...] = ()
        self._driver: Driver | None = None
        self._registrar: Registrar | None = None
        self._proxy: Proxy | None = None
        self._state: StateFile | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._running = False
        self._loop: int | None = None  # the thread that runs it
        self._stopping = False
        self._lock = threading.RLock()  # the edge must not be closed while it is woken

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Where it listens, in the order of ``listen``, with the real ports."""
        return self._hops

    @property
    def protection(self) -> Protection | None:
        """What protects its protected port, None without IPsec or while it is closed."""
        return self._protection

    @property
    def subscribers(self) -> tuple[str, ...]:
        """The IMSIs that it serves."""
        return tuple(each.imsi for each in self._directory)

    def hop(self, transport: str) -> Hop:
        """The first hop of a transport; raises LocalError when it is not served."""
        for hop in self._hops:
            if hop.transport == transport:
                return hop
        raise LocalError(f"this network does not listen on {transport}")

    def bindings(self, impi: str) -> list[Binding]:
        """Where a subscriber can be reached now; may be called from any thread."""
        registrar = self._registrar
        return registrar.bindings(impi, time.monotonic()) if registrar is not None else []

    def deregister(
        self, identity: str, event: str = DEACTIVATED, retry_after: float | None = None
    ) -> None:
        """End a subscriber's registration, as networks do, and tell him if he subscribed to it.

        ``identity`` is an IMSI, IMPI or IMPU; ``event`` "deactivated" (he is to
        register anew), "probation" (after ``retry_after`` seconds) or "rejected"
        (not at all). From any thread; it is done when this returns. Raises
        LocalError for who is not registered, or while nothing is served.
        """
        if event not in BY_NETWORK:
            raise LocalError(f'no "{event}": a network ends by {", ".join(BY_NETWORK)}')
        subscriber = self._directory.named(identity)
        seconds = DEFAULT_RETRY_AFTER if retry_after is None else round(retry_after)
        self._act(
            subscriber, lambda registrar, now: registrar.deregister(subscriber, event, now, seconds)
        )

    def shorten(self, identity: str, seconds: float) -> None:
        """Have a subscriber's registration end in so many seconds, unless he registers, and is
        authenticated, before; tell him if he subscribed to it. As ``deregister`` otherwise."""
        if seconds <= 0:
            raise LocalError(f"a registration cannot be shortened to {seconds:g} s")
        subscriber = self._directory.named(identity)
        self._act(subscriber, lambda registrar, now: registrar.shorten(subscriber, seconds, now))

    def _act(self, subscriber: Subscriber, act: Callable[[Registrar, float], None]) -> None:
        """Have the loop do something to a registration; raises what comes of it."""
        driver, registrar, proxy = self._driver, self._registrar, self._proxy
        if driver is None or registrar is None or proxy is None:
            raise LocalError("this network is not open")
        done = threading.Event()
        failures: list[Exception] = []

        def do() -> None:
            now = driver.clock()
            try:
                if not registrar.bindings(subscriber.impi, now):
                    raise LocalError(f"{subscriber.impi} is not registered")
                act(registrar, now)
                proxy.report(now)
            except Exception as error:  # noqa: BLE001  raised where it was asked for
                failures.append(error)
            finally:
                done.set()

        is_idle = self._loop is None and self._thread is None
        if is_idle or self._loop == threading.get_ident():
            do()
        else:
            driver.submit(do)
            while not done.wait(SHORT_WHILE):
                if self._driver is not driver:
                    raise LocalError("this network has ended")
        if failures:
            raise failures[0]

    def open(self) -> None:
        """Take the sockets and the state file.

        Raises LocalError for an address that cannot be had, TlsFailure for a
        certificate that cannot be used, StateError (card.errors) for counters
        that are damaged or in use by another process.
        """
        if self._driver is not None:
            return
        edge = Edge(self.faults, self._directory, time.monotonic, self._tls)
        try:
            auc = self._open_auc()
            challenger = Challenger(
                auc,
                self._rng,
                scheme=self._scheme,
                algorithm=self._algorithm,
                qop=self._qop,
                tells_keys=self._ipsec != "off",
            )
            self._registrar = Registrar(
                self._directory, challenger, self.faults, expiry=self._expiry, date=_date
            )
            gate = self._open_gate(auc, self._registrar)
            self._hops = tuple(
                Hop(transport, *edge.open(transport, address, port))
                for transport, address, port in self._listen
            )
            if self._ipsec != "off":
                self._protection = self._open_protection(edge)
        except BaseException:
            edge.close()
            self._close_state()
            raise
        endpoint = Endpoint(secrets.SystemRandom())
        pcscf = self._protection.pcscf if self._protection is not None else None
        protected = (Hop("UDP", *pcscf.server),) if pcscf is not None else ()
        routing = Routing(self._directory, self._registrar, (*self._hops, *protected))

        def open_centre() -> ShortMessageCentre:
            from sipua.core.short_messages import ShortMessageCentre  # seldom needed

            where = edge.local_address
            return ShortMessageCentre(endpoint, routing, self._directory, where, _time_of_day)

        self._proxy = Proxy(
            endpoint, self._registrar, gate, routing, edge.local_address, open_centre, pcscf
        )
        measures = Measures(endpoint, self._registrar, self.faults, self._proxy.report)
        self._proxy.watchers.append(measures.registrations_changed)
        if pcscf is not None:
            self._proxy.watchers.append(pcscf.registrations_changed)
        self._edge = edge
        self._stopping = False
        self._driver = Driver(edge, endpoint, time.monotonic, _masking(self._on_message))

    def run(self) -> None:
        """Serve until ``stop`` is called, then close everything.

        Opens what is not open yet; comes back at once if ``stop`` was called
        after ``open``. Raises StateError (card.errors) when a counter can no
        longer be kept: no vector may leave then.
        """
        if not self._stopping:
            self.open()
        driver, proxy = self._driver, self._proxy
        if driver is None or proxy is None:
            return
        self._running = True
        self._loop = threading.get_ident()
        try:
            while not (self._stopping or self._edge.dead):
                driver.turn(self._tick(driver.clock()))
                for event in driver.endpoint.take_events():
                    proxy.handle(event, driver.clock())
                driver.flush()
        finally:
            self._running = False
            self._loop = None
            self._close()

    def start(self) -> None:
        """Serve in a thread of its own; raises what ``open`` raises."""
        self.open()
        self._thread = threading.Thread(target=self._run_in_thread, name="sipua-core", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End ``run``, and the thread if there is one; for any thread, and signal handlers.

        When this returns to the thread that called ``start``, nothing listens
        any more. Raises what ended the thread early, if something did.
        """
        self._stopping = True
        with self._lock:
            if self._driver is not None:
                self._edge.wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        elif not self._running:
            self._close()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def __enter__(self) -> CoreServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run_in_thread(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001  stop() raises it where it is seen
            self._failure = error

    def _tick(self, now: float) -> float | None:
        """Let time pass for what is protected; for how long nothing has to be done."""
        if self._protection is None:
            return None
        self._protection.pcscf.tick(now)
        return PROTECTION_TURN

    def _open_protection(self, edge: Edge) -> Protection:
        from sipua.core.protection import Protection
        from sipua.ipsec.suite import CURRENT

        rng = secrets.SystemRandom()
        address = self._hops[0].address
        return Protection(edge, address, self._ipsec, rng, self._suites or CURRENT)

    def _open_gate(self, auc: Auc, registrar: Registrar) -> Gate:
        def make(header: str, scheme: str) -> Challenger:
            scheme = scheme or self._scheme
            algorithm = self._algorithm if scheme == self._scheme else None
            return Challenger(
                auc, self._rng, header=header, scheme=scheme, algorithm=algorithm, qop=self._qop
            )

        return Gate(self._directory, registrar, self.faults, self._challenge, make)

    def _open_auc(self) -> Auc:
        if self._state_dir is not None:
            self._state = StateFile(os.path.join(self._state_dir, STATE_NAME))
        return Auc(self._directory, self._rng, self._state)

    def _close(self) -> None:
        with self._lock:
            if self._driver is not None:
                self._driver = None
                if self._protection is not None:
                    self._protection.close(time.monotonic())
                    self._protection = None
                self._edge.close()
        self._close_state()

    def _close_state(self) -> None:
        if self._state is not None:
            self._state.close()
            self._state = None


def _masking(tell: OnMessage | None) -> OnMessage | None:
    """``tell`` with the secrets taken out of what it is told."""
    if tell is None:
        return None
    told = tell
    return lambda direction, data, hop: told(direction, redact_message(data), hop)


def _checked(
    transport: str, address: str, port: int, *, allow_remote: bool
) -> tuple[str, str, int]:
    transport = transport.upper()
    if transport not in ("UDP", "TCP", "TLS"):
        raise LocalError(f"a network listens on UDP, TCP or TLS, not on {transport}")
    if not is_numeric(address):
        raise LocalError(f"{address} is not a numeric address; for this machine use 127.0.0.1")
    if not (allow_remote or address.startswith("127.") or address == "::1"):
        raise LocalError(
            f"{address} can be reached from other machines, and this network is for tests:"
            " its keys are in files and it answers everybody. Use 127.0.0.1, or --allow-remote"
        )
    return transport, address, port


def _refuse_strangers(faults: Faults, directory: Directory) -> None:
    identities = [name for subscriber in directory for name in subscriber.identities]
    for fault in faults.strangers(identities):
        raise LocalError(
            f'fault "{fault}": no subscriber is called {fault.subscriber};'
            f" there are: {', '.join(each.imsi for each in directory)}"
        )


def _date() -> str:
    """The time now as the Date header gives it (RFC 3261 §20.17)."""
    now = time.gmtime()
    return (
        f"{_DAYS[now.tm_wday]}, {now.tm_mday:02} {_MONTHS[now.tm_mon - 1]} {now.tm_year}"
        f" {now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02} GMT"
    )


def _time_of_day() -> Timestamp:
    """The time now as short messages give it."""
    from sipua.sms.timestamp import Timestamp

    now = time.localtime()
    return Timestamp(*now[:6], now.tm_gmtoff // 900)
