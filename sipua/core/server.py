"""The embedded network as a server: in the foreground, or in a thread of its own."""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING

from sipua.core.bindings import ExpiryPolicy
from sipua.core.challenger import DEFAULT_SCHEME
from sipua.core.contact_events import BY_NETWORK, DEACTIVATED
from sipua.core.elements import Elements
from sipua.core.faults import Faults
from sipua.core.gate import Demand
from sipua.core.measures import DEFAULT_RETRY_AFTER
from sipua.core.plan import Plan, checked_place, refuse_strangers
from sipua.core.subscriber import Directory
from sipua.errors import LocalError
from sipua.sip.hop import Hop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from card.profile import Profile
    from sipua.core.auc import Octets
    from sipua.core.bindings import Binding
    from sipua.core.faults import Fault
    from sipua.core.protection import Protection
    from sipua.core.registrar import Registrar
    from sipua.core.subscriber import Subscriber
    from sipua.core.watch import Watch
    from sipua.ipsec.suite import Suite
    from sipua.net.driver import OnMessage
    from sipua.net.tls_settings import TlsSettings

LOOPBACK_UDP = (("UDP", "127.0.0.1", 0),)

SHORT_WHILE = 0.1  # seconds in which a loop that does nothing any more is noticed

_UNCHALLENGED: Mapping[str, int | Demand] = {}


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
        refuse_strangers(self.faults, self._directory)
        self._plan = Plan(
            self._directory,
            self.faults,
            [checked_place(*each, allow_remote=allow_remote) for each in listen],
            scheme,
            algorithm,
            {
                method: demand if isinstance(demand, Demand) else Demand(demand)
                for method, demand in challenge.items()
            },
            qop,
            expiry or ExpiryPolicy(),
            state_dir,
            tls,
            rng or secrets.SystemRandom(),
            on_message,
            ipsec,
            suites,
        )
        self._elements: Elements | None = None
        self._hops: tuple[Hop, ...] = ()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._running = False
        self._loop: int | None = None  # the thread that runs it
        self._stopping = False
        self._lock = threading.RLock()  # the elements must not be closed while they are woken

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Where it listens, in the order of ``listen``, with the real ports."""
        return self._hops

    @property
    def protection(self) -> Protection | None:
        """What protects its protected port, None without IPsec or while it is closed."""
        return self._elements.protection if self._elements is not None else None

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
        elements = self._elements
        return elements.registrar.bindings(impi, time.monotonic()) if elements is not None else []

    def watches(self, impi: str) -> list[Watch]:
        """The subscriptions to a subscriber's registration; may be called from any thread."""
        elements = self._elements
        return elements.proxy.notifier.watches(impi) if elements is not None else []

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
        elements = self._elements
        if elements is None:
            raise LocalError("this network is not open")
        done = threading.Event()
        failures: list[Exception] = []

        def do() -> None:
            try:
                elements.change(subscriber, act)
            except Exception as error:  # noqa: BLE001  raised where it was asked for
                failures.append(error)
            finally:
                done.set()

        is_idle = self._loop is None and self._thread is None
        if is_idle or self._loop == threading.get_ident():
            do()
        else:
            elements.submit(do)
            while not done.wait(SHORT_WHILE):
                if self._elements is not elements:
                    raise LocalError("this network has ended")
        if failures:
            raise failures[0]

    def open(self) -> None:
        """Take the sockets and the state file.

        Raises LocalError for an address that cannot be had, TlsFailure for a
        certificate that cannot be used, StateError (card.errors) for counters
        that are damaged or in use by another process.
        """
        if self._elements is not None:
            return
        self._elements = Elements(self._plan, time.monotonic, secrets.SystemRandom())
        self._hops = self._elements.hops
        self._stopping = False

    def run(self) -> None:
        """Serve until ``stop`` is called, then close everything.

        Opens what is not open yet; comes back at once if ``stop`` was called
        after ``open``. Raises StateError (card.errors) when a counter can no
        longer be kept: no vector may leave then.
        """
        if not self._stopping:
            self.open()
        elements = self._elements
        if elements is None:
            return
        self._running = True
        self._loop = threading.get_ident()
        try:
            while not (self._stopping or elements.dead):
                elements.turn()
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
            if self._elements is not None:
                self._elements.wake()
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

    def _close(self) -> None:
        with self._lock:
            elements, self._elements = self._elements, None
            if elements is not None:
                elements.close()
