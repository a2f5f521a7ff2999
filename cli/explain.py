"""``sipua explain``: what a challenge, a message or a capture tells, and what went wrong in it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.options import json_option
from cli.render import on_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from cli.explain_view import JsonWriter, TextWriter
    from sipua.capture.captured import CapturedApdu
    from sipua.explain.explanation import Document
    from sipua.explain.heard import Heard
    from sipua.explain.subscriber import Subscriber

T = TypeVar("T")

MAX_TEXT = 16 * 1024 * 1024

SHOWN_FROM = 4 * 1024 * 1024
"""Octets of a capture from which a bar is shown while it is read."""

EVERY = 256
"""Messages between two looks at how far it is."""


@click.command(
    epilog="""\b
Examples:  sipua explain 'WWW-Authenticate: Digest realm=…, nonce=…, algorithm=AKAv1-MD5'
           sipua explain phone.pcapng --profile card.toml
           sipua explain - < message.txt"""
)
@click.argument("what", nargs=-1, metavar="[FILE|TEXT]...")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="FILE",
    help="Card profile, or a TOML file with k and opc (or op): opens AUTN and AUTS and checks "
    "responses. May be given for each of several subscribers.",
)
@click.option("--show-secrets", is_flag=True, help="Print RES, CK, IK and AK, too.")
@click.option("--all", "everything", is_flag=True, help="Show dialogs without authentication, too.")
@json_option
def explain(
    what: tuple[str, ...],
    profiles: tuple[str, ...],
    show_secrets: bool,
    everything: bool,
    as_json: bool,
) -> int:
    """Explain a challenge, SIP messages, a capture (pcap, pcapng) or our own JSON.

    Takes files or the text itself; standard input without either, or for "-".
    The exit status is 0 when nothing wrong was found, 60 when something was.
    """
    from sipua.explain.investigation import Investigation
    from sipua.explain.subscriber import load

    subscribers: list[Subscriber] = [load(path) for path in profiles]
    investigation = Investigation(subscribers, show_secrets=show_secrets, everything=everything)
    out = _writer(as_json)
    for seen in _seen(what or _standard_input(), _remark):
        if isinstance(seen, dict):
            out.show(seen)
        else:
            for document in investigation.take(seen):
                out.show(document)
    for document in investigation.finish():
        out.show(document)
    return out.end()


def _standard_input() -> tuple[str, ...]:
    if sys.stdin.isatty():
        raise click.UsageError("give a file, a header line or a message, or pipe one in")
    return ("-",)


def _seen(
    given: tuple[str, ...], remark: Callable[[str], None]
) -> Iterator[Heard | CapturedApdu | Document]:
    """Messages out of all that was given; a document of ours comes explained already."""
    from sipua.explain.sources import is_capture

    texts: list[str] = []
    for each in given:
        if each != "-" and not os.path.exists(each):
            texts.append(each)
            continue
        with _opened(each) as stream:
            first = stream.peek(4)[:4]
            if is_capture(first):
                yield from _from_capture(stream, each, remark)
            else:
                text = stream.read(MAX_TEXT).decode("utf-8", "surrogateescape")
                yield from _from_text(text, each)
    if texts:
        yield from _from_text("\n".join(texts), "the text", is_file=False)


@contextmanager
def _opened(name: str) -> Iterator[Any]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = open(name, "rb")  # noqa: SIM115  closed below
    except OSError as error:
        raise click.UsageError(f"cannot read {name}: {error.strerror}") from error
    with stream:
        yield stream


def _from_text(text: str, name: str, *, is_file: bool = True) -> Iterator[Heard | Document]:
    from sipua.explain.own_document import explain_own
    from sipua.explain.pasted import read_text
    from sipua.explain.sources import document_in

    document = document_in(text)
    if document is not None:
        explained = explain_own(document)
        if explained is None:
            raise click.UsageError(f"{name} is JSON, but none that sipua prints")
        yield explained
        return
    heard = read_text(text)
    if not heard:
        what = "neither a capture nor SIP" if is_file else "neither a file nor SIP"
        raise click.UsageError(
            f"{name} is {what if text.strip() else 'empty'}: expected a capture, a message that "
            "begins with its first line, or a header line such as WWW-Authenticate"
        )
    yield from heard


def _from_capture(
    stream: BinaryIO, name: str, remark: Callable[[str], None]
) -> Iterator[Heard | CapturedApdu]:
    from sipua.explain.sources import captured

    size = os.fstat(stream.fileno()).st_size if name != "-" else 0
    messages = captured(stream, remark)
    if size >= SHOWN_FROM and on_terminal(sys.stderr):
        yield from _with_progress(messages, stream, size)
    else:
        yield from messages


def _with_progress(messages: Iterable[T], stream: BinaryIO, size: int) -> Iterator[T]:
    """A bar on standard error; what goes to the same terminal meanwhile stands above it."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=sys.stderr, soft_wrap=True)
    both = on_terminal(sys.stdout)
    with Progress(console=console, transient=True, redirect_stdout=both) as progress:
        task = progress.add_task("reading", total=size)
        for count, message in enumerate(messages):
            if count % EVERY == 0:
                progress.update(task, completed=stream.tell())
            yield message


def _remark(text: str) -> None:
    click.echo(f"note: {text}", err=True)


def _writer(as_json: bool) -> JsonWriter | TextWriter:
    from cli.explain_view import JsonWriter, TextWriter

    return JsonWriter() if as_json else TextWriter(sys.stdout)
