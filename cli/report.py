"""``sipua report``: a trace as a page, a picture or a ladder on the terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sipua.report.trace import Trace


@click.command(
    epilog="""\b
Examples:  sipua report run.pcapng                    writes run.html
           sipua report phone.pcap --profile card.toml -o ticket.html
           sipua report run.pcapng -o ladder.svg      the ladder alone, as a picture
           sipua report run.pcapng --text             the ladder alone, here"""
)
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "-o",
    "--output",
    metavar="FILE.html",
    help="Where to write it; .svg for the ladder alone, - for standard output.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@click.option("--text", is_flag=True, help="Draw the ladder on the terminal instead.")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="FILE",
    help="Card profile or key file: opens AUTN and AUTS, checks responses. May be repeated.",
)
@click.option(
    "--show-secrets",
    is_flag=True,
    help="Leave PIN, RES, CK, IK and Kc where the trace holds them. For the laboratory only.",
)
def report(
    file: str,
    output: str | None,
    force: bool,
    text: bool,
    profiles: tuple[str, ...],
    show_secrets: bool,
) -> int:
    """Make a report of a trace: ours, or any capture (pcap, pcapng).

    The report is one HTML page that can be attached to a ticket: verdict and what
    to do next, the ladder, every message and APDU decoded. It loads nothing, and
    no secret is in it.
    """
    from sipua.report.page import page, picture
    from sipua.report.trace import read

    if text and output:
        raise click.UsageError("--text writes no file; give it or -o")
    target = output or f"{os.path.splitext(file)[0]}.html"
    if not text:
        check_target(target, force=force, trace=file)
    from sipua.capture.errors import CaptureError
    from sipua.explain.subscriber import load

    subscribers = [load(path) for path in profiles]
    try:
        with open(file, "rb") as stream:
            trace = read(stream, subscribers, shows_secrets=show_secrets)
    except CaptureError as error:
        raise CaptureError(f"{file}: {error}") from error
    if text:
        _draw(trace)
        return 0
    name = os.path.basename(file)
    made = picture(trace, name) if target.endswith(".svg") else page(trace, name)
    write_page(target, made, force=force, private=show_secrets)
    return 0


def check_target(target: str, *, force: bool = False, trace: str = "") -> None:
    """Refuse before anything is done, where the end is plain already. Raises UsageError."""
    if target == "-":
        return
    if os.path.exists(target):
        if trace and os.path.samefile(target, trace):
            raise click.UsageError(f"{target} is the trace itself")
        if not force:
            remedy = "--force replaces it" if trace else "choose another name"
            raise click.UsageError(f"{target} is there already; {remedy}")


def write_page(target: str, text: str, *, force: bool = False, private: bool = False) -> None:
    """Write it, into a new file unless ``force``. Raises UsageError."""
    data = text.encode("utf-8")
    if target == "-":
        sys.stdout.buffer.write(data)
        return
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    mode = 0o600 if private else 0o666
    try:
        with os.fdopen(os.open(target, flags, mode), "wb") as out:
            if private:
                os.fchmod(out.fileno(), mode)  # it may have been there before
            out.write(data)
    except OSError as error:
        raise click.UsageError(f"cannot write {target}: {error.strerror}") from error
    click.echo(f"{target}: {len(data) // 1024 + 1} KiB", err=True)


def _draw(trace: Trace) -> None:
    from cli.render import LiveLadder
    from sipua.report.page import steps

    lanes, rungs = steps(trace)
    ladder = LiveLadder(sys.stdout, [lane.name for lane in lanes])
    for rung in rungs:
        ladder(rung.step)
