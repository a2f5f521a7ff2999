"""``sipua card read``: any file of a card, decoded where its coding is known, in hex always."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.card_session import Document, Outcome, run
from cli.options import card_options, json_option, verbose_option

if TYPE_CHECKING:
    from card.coding.basic import Application
    from card.files.catalogue import Kind
    from card.reading import Content
    from card.session import CardSession

BLOT = "<hidden: {} octets of key material; --show-secrets prints them>"


@click.command(
    epilog="Example:  sipua card read EF_IMSI;  sipua card read 7F20/6F07;  sipua card read --all"
)
@click.argument("file", required=False)
@click.option("--all", "everything", is_flag=True, help="Every file that is known.")
@click.option("--show-secrets", is_flag=True, help="Print files that hold keys, too.")
@card_options
@json_option
@verbose_option
def read(file: str | None, everything: bool, show_secrets: bool, **options: Any) -> int:
    """Read FILE: a name (EF_IMSI), a path (3F00/2FE2, 7FFF/6F07, 7F20/6F07) or an SFI (07).

    7FFF and SFIs mean the application that --application says, or the USIM.
    Nothing is ever written.
    """
    if everything is (file is not None):
        raise click.UsageError("give one FILE, or --all")

    def work(session: CardSession) -> Outcome:
        applications = session.uicc.applications()
        if file is None:
            return _everything(session, applications, show_secrets)
        return _one(session, applications, file, show_secrets)

    if options["application"] == "auto":
        options["application"] = None  # a card without USIM and ISIM has files, too
    return run(work, _show, blank={"files": []}, **options)


def _one(
    session: CardSession, applications: list[Application], file: str, show_secrets: bool
) -> Outcome:
    from card.files.catalogue import find
    from card.reading import read as read_place

    kinds = {each.kind for each in applications}
    kind: Kind = session.chosen or (
        "usim" if "usim" in kinds else "isim" if "isim" in kinds else ""
    )
    try:
        place = find(file, kind)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    content = read_place(session.uicc, place, applications)
    return Outcome("ok", "The file was read.", {"files": [_document(content, show_secrets)]})


def _everything(
    session: CardSession, applications: list[Application], show_secrets: bool
) -> Outcome:
    from card.reading import walk

    files = [_document(content, show_secrets) for content in walk(session.uicc, applications)]
    locked = sum(bool(each["problem"]) for each in files)
    reason = f"{len(files)} files were found"
    if locked:
        reason += f", of which {locked} could not be read"
    return Outcome("ok", reason + ".", {"files": files})


def _document(content: Content, show_secrets: bool) -> Document:
    from card.reading import plain

    place = content.place
    hidden = place.ef.secret and not show_secrets
    names = _service_names(place.ef.name)
    parts = []
    for part in content.parts:
        value = None if hidden else plain(content.value(part))
        if names and value is not None:
            value = [{"number": number, "name": names.get(number)} for number in value]
        octets = None if hidden else part.hex().upper()
        parts.append({"octets": len(part), "hex": octets, "value": value})
    one = parts[0] if content.structure == "transparent" else {}
    return {
        "name": place.ef.name,
        "directory": place.directory.name,
        "path": place.path,
        "structure": content.structure or None,
        "secret": place.ef.secret,
        "records": None if one or not parts else parts,
        "octets": one.get("octets"),
        "hex": one.get("hex"),
        "value": one.get("value"),
        "problem": content.problem or None,
    }


def _service_names(file: str) -> dict[int, str]:
    from card.files.services import ISIM_SERVICES, USIM_SERVICES

    return {"EF_UST": USIM_SERVICES, "EF_IST": ISIM_SERVICES}.get(file, {})


def _show(document: Document) -> None:
    for file in document["files"]:
        click.echo(f"{file['directory']}/{file['name']}  {file['path']}")
        if file["problem"]:
            click.echo(f"  {file['problem']}")
        elif file["records"] is None:
            _show_part("", file)
        else:
            _show_records(file["records"])


def _show_records(records: list[Document]) -> None:
    """Unused records are counted only."""
    unused = [each for each in records if each["hex"] is not None and not each["hex"].strip("F")]
    for number, record in enumerate(records, 1):
        if record not in unused:
            _show_part(f"{number:>3}  ", record)
    if unused:
        click.echo(f"  {len(unused)} of {len(records)} records are unused")


def _show_part(number: str, part: Document) -> None:
    hidden = BLOT.format(part["octets"])
    click.echo(f"  {number}{hidden if part['hex'] is None else part['hex']}")
    if part["value"] is not None:
        click.echo(f"  {' ' * len(number)}= {_text(part['value'])}")


def _text(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict) and list(value) == ["number", "name"]:
        return f"{value['number']} {value['name'] or ''}".strip()
    if isinstance(value, dict):
        return ", ".join(
            f"{name.replace('_', ' ')} {_text(each)}"
            for name, each in value.items()
            if each not in (None, "")
        )
    if isinstance(value, list):
        return "; ".join(map(_text, value)) or "(none)"
    return str(value)
