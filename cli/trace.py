"""``--trace`` and ``--trace-secrets``: a capture file of what the card and the network said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sipua.capture.recorder import Recorder

F = TypeVar("F", bound=Callable[..., Any])


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
    ):
        command = decorate(command)
    return command


def open_recorder(path: str | None, secrets: bool) -> Recorder | None:
    """The recorder of this command's trace, which ends with it; None without ``--trace``.

    Raises click.UsageError, and CaptureError when the file cannot be written.
    """
    if path is None:
        if secrets:
            raise click.UsageError("--trace-secrets needs --trace FILE.pcapng")
        return None
    import time

    from sipua.capture.recorder import Recorder
    from sipua.capture.trace_file import TraceFile

    file = TraceFile(path, private=secrets)
    recorder = Recorder(file.write, time.time_ns, shows_secrets=secrets)

    def close() -> None:
        recorder.catch_up()
        if file.fault:
            click.echo(file.fault, err=True)
        file.close()

    click.get_current_context().call_on_close(close)
    return recorder
