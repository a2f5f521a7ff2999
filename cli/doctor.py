"""``sipua doctor``: from the bottom up, what is in order and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.agent_options import agent_options, agent_settings
from cli.options import json_option, read_pin
from cli.render import print_json

if TYPE_CHECKING:
    from sipua.doctor.finding import Finding

EXIT_STATUS = 1
"""When something failed; a warning alone is no failure."""


@click.command(
    epilog="""\b
Examples:
  sipua doctor
  sipua doctor --card emulated --pcscf udp:127.0.0.1:5060 --register
""",
)
@click.option(
    "--register", is_flag=True, help="Register too, which costs the card one AUTHENTICATE."
)
@agent_options
@json_option
def doctor(register: bool, as_json: bool, pin_file: str | None, **options: Any) -> int:
    """Examine software, readers, card, names and network, and say what to do.

    Nothing is asked of the card that costs it something: a PIN is sent only when
    it is given, and AUTHENTICATE only with --register. The exit status is 1 when
    something has failed.
    """
    from sipua.doctor.examination import examine
    from sipua.doctor.finding import FAILED

    for unused in ("trace", "trace_secrets", "dry_run"):
        options.pop(unused, None)
    choice, settings = agent_settings(read_pin(pin_file), **options)
    found: list[Finding] = []
    for finding in examine(choice, settings, register=register):
        found.append(finding)
        if not as_json:
            _show(finding, found)
    failed = sum(finding.state == FAILED for finding in found)
    if as_json:
        print_json({"findings": [each._asdict() for each in found], "failed": failed})
    else:
        click.echo(f"\n{failed} failed." if failed else "\nNothing failed.")
    return EXIT_STATUS if failed else 0


MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failed": ("FAILED", "red")}


def _show(finding: Finding, found: list[Finding]) -> None:
    if len(found) == 1 or found[-2].area != finding.area:
        click.secho(finding.area, bold=True)
    mark, colour = MARKS.get(finding.state, (finding.state, "cyan"))
    click.echo(f"  {click.style(f'{mark:<9}', fg=colour)} {finding.subject}: {finding.told}")
    if finding.remedy:
        click.echo(f"            → {finding.remedy}")
