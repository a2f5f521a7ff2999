"""Which sockets are ready: Linux's epoll, without what ``selectors`` does on top of it.

Every message costs one call, so the layer in between was felt.
"""

from __future__ import annotations

from collections.abc import Callable
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, epoll
from typing import TypeAlias

Ready: TypeAlias = Callable[[int], None]
"""Is told the events that came, of those that were wanted."""

EVENT_READ = EPOLLIN
EVENT_WRITE = EPOLLOUT
_UNASKED = EPOLLERR | EPOLLHUP


class Readiness:
    """File descriptors, the events wanted of each, and whom to tell of them."""

    __slots__ = ("_epoll", "_wanted")

    def __init__(self) -> None:
        self._epoll = epoll()
        self._wanted: dict[int, tuple[int, Ready]] = {}

    def register(self, fileno: int, events: int, ready: Ready) -> None:
        """Begin to watch."""
        self._epoll.register(fileno, events)
        self._wanted[fileno] = events, ready

    def modify(self, fileno: int, events: int, ready: Ready) -> None:
        """Watch for other events."""
        self._epoll.modify(fileno, events)
        self._wanted[fileno] = events, ready

    def unregister(self, fileno: int) -> None:
        """Watch no longer; to be called before it is closed."""
        self._epoll.unregister(fileno)
        del self._wanted[fileno]

    def wait(self, timeout: float | None) -> None:
        """Wait up to ``timeout`` seconds (None: for ever) and tell whoever is ready."""
        wanted = self._wanted
        for fileno, events in self._epoll.poll(timeout, len(wanted) or 1):
            known = wanted.get(fileno)
            if known is not None:  # else one told before it has closed it
                # errors and hang-ups show when it is read or written
                known[1](known[0] if events & _UNASKED else events)

    def close(self) -> None:
        """Watch nothing any longer."""
        self._epoll.close()
        self._wanted.clear()
