"""``sipua replay``: what today's program would do differently from what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.options import json_option
from cli.render import print_json, shown

if TYPE_CHECKING:
    from sipua.replay.play import Played

DIFFERENT = 60


@click.command(
    epilog="""\b
Examples:  sipua replay run.pcapng
           sipua replay phone.pcap --profile card.toml      digests are compared, too"""
)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="TRACE...",
    type=click.Path(exists=True, dir_okay=False),
)
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="FILE",
    help="Card profile or key file: what the card computed is computed again. May be repeated.",
)
@json_option
def replay(files: tuple[str, ...], profiles: tuple[str, ...], as_json: bool) -> int:
    """Play a trace again, ours or any capture, and tell what is different today.

    Registrations, calls, requests and subscriptions of the user agent that was
    recorded are put to today's machines in virtual time: the network and the card
    say what they said. Nothing is sent anywhere. The exit status is 0 when all that
    could be played is the same, 60 when not.
    """
    from sipua.capture.errors import CaptureError
    from sipua.explain.subscriber import load
    from sipua.replay.play import play
    from sipua.replay.recording import read

    subscribers = [load(path) for path in profiles]
    documents = []
    different = False
    for path in files:
        try:
            with open(path, "rb") as stream:
                recording = read(stream)
        except CaptureError as error:
            raise CaptureError(f"{path}: {error}") from error
        played = list(play(recording, subscribers))
        different |= any(each.differences for each in played)
        documents.append(
            {
                "file": path,
                "remarks": recording.remarks,
                "dialogs": [each.to_json() for each in played],
            }
        )
        if not as_json:
            _show(path, played, recording.remarks)
    status = DIFFERENT if different else 0
    if as_json:
        print_json({"files": documents, "different": different, "exit_status": status})
    return status


def _show(path: str, played: list[Played], remarks: list[str]) -> None:
    click.echo(path)
    for text in remarks:
        click.echo(f"  note: {shown(text)}")
    if not played:
        click.echo("  no SIP request is in it, so nothing can be played")
    for each in played:
        click.echo(f"  {shown(each.opening)}")
        if each.skipped:
            click.echo(f"    not played: {shown(each.skipped)}")
            continue
        ended = f", {', '.join(each.today)}" if each.today else ""
        messages = f"{each.same} message{'' if each.same == 1 else 's'}"
        if each.differences:
            click.echo(f"    {messages} the same{ended}; different:")
        else:
            click.echo(f"    the same today: {messages}{ended}")
        for at, what, text in each.differences:
            click.echo(f"    {at:9.3f} s  {shown(what)}: {shown(text)}")
        for text in each.passed_over:
            click.echo(f"    not played: {shown(text)}")
