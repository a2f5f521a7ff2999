"""``--trace``, ``--trace-secrets`` and ``--report``: a capture file of what the card and the
network said, and a page about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sipua.capture.recorder import Recorder

F = TypeVar("F", bound=Callable[..., Any])

REPORT = "sipua.report"
"""Where the context keeps the name of the page: no command need know of it."""


def _keep(ctx: click.Context, _: click.Parameter, target: str | None) -> None:
    ctx.meta[REPORT] = target


def trace_options(command: F) -> F:
    """Where to, and whether with secrets."""
    for decorate in (
        click.option(
            "--trace-secrets",
            is_flag=True,
            help="Leave PIN, RES, CK, IK and Kc in the trace. For the laboratory only.",
        ),
        click.option(
            "--trace",
            metavar="FILE.pcapng",
            envvar="SIPUA_TRACE",
            help="Write SIP messages and APDUs to a file for Wireshark; secrets are left out.",
        ),
        click.option(
            "--report",
            metavar="FILE.html",
            expose_value=False,
            callback=_keep,
            help="Write a page about the run at its end, as sipua report does of a trace.",
        ),
    ):
        command = decorate(command)
    return command


def open_recorder(path: str | None, secrets: bool) -> Recorder | None:
    """The recorder of this command's trace, which ends with it; None where nobody asked for one.

    Raises click.UsageError, and CaptureError when the file cannot be written.
    """
    context = click.get_current_context()
    report = context.meta.get(REPORT)
    if path is None and secrets:
        raise click.UsageError("--trace-secrets needs --trace FILE.pcapng")
    if path is None and report is None:
        return None
    import time

    from sipua.capture.recorder import Recorder
    from sipua.capture.trace_file import TraceFile

    if report is not None:
        from cli.report import check_target

        check_target(report)
    name = path or _hidden(context)
    file = TraceFile(name, private=secrets or path is None)
    recorder = Recorder(file.write, time.time_ns, shows_secrets=secrets)

    def close() -> None:
        recorder.catch_up()
        if file.fault:
            click.echo(file.fault, err=True)
        file.close()
        if report is not None:
            _report(name, report)

    context.call_on_close(close)
    return recorder


def _hidden(context: click.Context) -> str:
    """A file for who wants no trace but the report of it; it goes when the command ends."""
    import os
    import tempfile

    handle, name = tempfile.mkstemp(".pcapng")
    os.close(handle)
    context.call_on_close(lambda: os.unlink(name))
    return name


def _report(trace: str, target: str) -> None:
    from cli.report import write_page
    from sipua.report.page import page
    from sipua.report.trace import read

    with open(trace, "rb") as stream:
        made = page(read(stream), "this run")
    try:
        write_page(target, made)
    except click.UsageError as error:  # what the run came to is the exit status
        click.echo(error.format_message(), err=True)
