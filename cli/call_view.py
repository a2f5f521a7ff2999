"""How calls are shown while they go on: as JSON lines, as lines, or live on a terminal."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

import click

from cli.call_words import clock, line, who
from cli.render import coloured, on_terminal, print_result, shown

if TYPE_CHECKING:
    from types import TracebackType

    from sipua.agent.call_report import CallReport
    from sipua.result import RegistrationResult

COLOURS = {"progress": "yellow", "invited": "yellow", "established": "green", "ended": "cyan"}
ERASED_LINE = "\r\x1b[K"
ASSUMED_WIDTH = 80


class CallView:
    """Shows reports as they come, then the result. ``numbered``: there can be several calls."""

    def __init__(self, *, numbered: bool) -> None:
        self._numbered = numbered

    def report(self, report: CallReport) -> None:
        """Show what has happened; here as one line of text."""
        click.echo(line(report, numbered=self._numbered))

    def result(self, result: RegistrationResult) -> None:
        """Show how all of it ended."""
        print_result(result)

    def close(self) -> None:
        """Leave the terminal as it was."""

    def __enter__(self) -> CallView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class JsonLines(CallView):
    """One document a line, each event and at last the verdict; in ASCII, so that no line is
    ended by what a peer wrote."""

    def report(self, report: CallReport) -> None:
        click.echo(json.dumps(report.to_json()))

    def result(self, result: RegistrationResult) -> None:
        click.echo(json.dumps(result.to_json()))


class LiveView(CallView):
    """Lines, and under them one that tells how it stands now; that is drawn anew each second."""

    def __init__(self, stream: TextIO, *, numbered: bool) -> None:
        super().__init__(numbered=numbered)
        self._stream = stream
        self._colour = coloured(stream)
        self._standing = Standing()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="view", daemon=True)
        self._ticker.start()

    def report(self, report: CallReport) -> None:
        text = line(report, numbered=self._numbered)
        colour = COLOURS.get(report.event) if self._colour else None
        with self._lock:
            self._write(ERASED_LINE)
            self._write(f"{click.style(text, fg=colour) if colour else text}\n")
            self._standing.take(report, time.monotonic())
            self._draw()

    def close(self) -> None:
        if not self._over.is_set():
            self._over.set()
            with self._lock:
                self._write(ERASED_LINE)

    def _tick(self) -> None:
        while not self._over.wait(1.0):
            with self._lock:
                if not self._over.is_set():
                    self._draw()

    def _draw(self) -> None:
        standing = self._standing.line(time.monotonic())
        if not standing:
            return  # it may be a PIN that is being typed there
        width = os.get_terminal_size(self._stream.fileno()).columns or ASSUMED_WIDTH
        self._write(ERASED_LINE + standing[: width - 1])

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class Standing:
    """What goes on at the moment: the calls there are, how each stands and since when."""

    def __init__(self) -> None:
        self._idle = ""
        self._calls: dict[int, _Call] = {}

    def take(self, report: CallReport, now: float) -> None:
        """Keep what a report changes."""
        details, number = report.details, report.call
        if report.event == "registered":
            self._idle = f"registered as {details['impu']}; Ctrl-C ends"
        elif report.event == "calling":
            self._calls[number] = _Call(details["target"], "calling", now)
        elif report.event == "invited":
            caller = who(details["from"], details["from_name"])
            self._calls[number] = _Call(caller, "ringing for", now)
        elif report.event == "ended":
            self._calls.pop(number, None)
        elif number in self._calls:
            self._calls[number].take(report, now)

    def line(self, now: float) -> str:
        """One line about the newest call, and how many there are besides; empty at first."""
        if not self._calls:
            return f"  {shown(self._idle)}" if self._idle else ""
        *others, call = self._calls.values()
        parts = [f"{call.state} {call.peer}", clock(now - call.since), call.codec]
        if others:
            parts.append(f"{len(others)} more")
        return f"  {shown('  '.join(part for part in parts if part))}"


class _Call:
    __slots__ = ("codec", "peer", "since", "state")

    def __init__(self, peer: str, state: str, since: float) -> None:
        self.peer = peer
        self.state = state
        self.since = since
        self.codec = ""

    def take(self, report: CallReport, now: float) -> None:
        details = report.details
        if report.event == "progress" and details["status"] == 180 and self.state == "calling":
            self.state, self.since = "ringing at", now
        elif report.event == "established":
            self.state, self.since = "in call with", now
            self.peer = who(details["peer"], details["peer_name"])
        elif report.event == "media":
            self.codec = details["codec"] or ""
        elif report.event == "hanging-up":
            self.state = "hanging up on"


def choose_view(*, as_json: bool, live: bool, numbered: bool) -> CallView:
    """The view for who reads standard output; ``live`` forbids nothing but the drawing."""
    if as_json:
        return JsonLines(numbered=numbered)
    if live and on_terminal(sys.stdout):
        return LiveView(sys.stdout, numbered=numbered)
    return CallView(numbered=numbered)
