"""``sipua card authenticate``: AUTHENTICATE once, by hand, in any security context."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import click

from cli.card_session import Document, Outcome, run, show_facts
from cli.options import card_options, json_option, verbose_option

if TYPE_CHECKING:
    from card.explanation import Key
    from card.session import CardSession

CHECK_DIGITS = 4
SECRETS = ("res", "ck", "ik", "kc", "sres", "ks_ext_naf")
NEEDED = {
    "3g": ("rand", "autn"),
    "gsm": ("rand",),
    "gba": ("rand", "autn"),
    "gba-naf": ("naf_id",),
}
KEYS = ("context", "application", *SECRETS, "auts", "autn_contents", "auts_contents", "as_expected")


class Octets(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.2
    """A parameter of ``count`` octets, or any number for 0, given as hexadecimal digits."""

    name = "hex"

    def __init__(self, count: int = 0) -> None:
        self._count = count

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        if isinstance(value, bytes):
            return value
        try:
            octets = bytes.fromhex(value)
        except ValueError:
            self.fail("expected hexadecimal digits", param, ctx)
        if self._count and len(octets) != self._count:
            self.fail(f"expected {self._count} octets, got {len(octets)}", param, ctx)
        return octets


@click.command(
    epilog="Example:  sipua card authenticate --rand 00…00 --autn 00…00 --profile me.toml"
)
@card_options
@click.option(
    "--context",
    type=click.Choice(list(NEEDED)),
    default="3g",
    show_default=True,
    help="Security context: gsm takes RAND; gba bootstraps; gba-naf derives a key for a NAF.",
)
@click.option("--rand", type=Octets(16), metavar="HEX", help="RAND, 16 octets.")
@click.option("--autn", type=Octets(16), metavar="HEX", help="AUTN, 16 octets.")
@click.option(
    "--naf-id", type=Octets(), metavar="HEX", help="NAF_ID: its name and 5 octets of Ua protocol."
)
@click.option("--impi", metavar="IMPI", help="Private identity for gba-naf; else the ISIM's.")
@click.option(
    "--profile",
    metavar="FILE",
    help="Card profile with this card's keys, to tell what AUTN and AUTS hold.",
)
@click.option("--show-secrets", is_flag=True, help="Print RES, CK, IK, Kc and the like.")
@json_option
@verbose_option
def authenticate(
    context: str,
    rand: bytes | None,
    autn: bytes | None,
    naf_id: bytes | None,
    impi: str | None,
    profile: str | None,
    show_secrets: bool,
    **options: Any,
) -> int:
    """Run AUTHENTICATE once and print what the card answers.

    It costs a sequence number (not in gsm and gba-naf). Without --show-secrets
    each value is shown by its length and a check value, the first 4 hexadecimal
    digits of its SHA-256, by which two people can compare without telling.
    """
    given = {"rand": rand, "autn": autn, "naf_id": naf_id}
    for name in NEEDED[context]:
        if given[name] is None:
            raise click.UsageError(f"--context {context} needs --{name.replace('_', '-')}")
    if context == "gsm" and options["application"] == "auto":
        options["application"] = "usim"
    key = _key(profile)
    blank: Document = dict.fromkeys(KEYS)
    blank["context"] = context

    def work(session: CardSession) -> Outcome:
        document = blank | {"application": session.application.name}
        if key is not None and rand and autn and context in ("3g", "gba"):
            document["autn_contents"] = key.autn(rand, autn, gba=context == "gba")
        return _run(session, context, rand or b"", autn or b"", naf_id or b"", impi, key, document,
                    show_secrets)  # fmt: skip

    return run(work, _show, blank=blank, **options)


def _run(
    session: CardSession,
    context: str,
    rand: bytes,
    autn: bytes,
    naf_id: bytes,
    impi: str | None,
    key: Key | None,
    document: Document,
    show_secrets: bool,
) -> Outcome:
    from card.aka.result import MacFailure, SynchronisationFailure

    try:
        answer = _ask(session, context, rand, autn, naf_id, impi)
    except SynchronisationFailure as failure:
        return _out_of_step(failure.auts, rand, key, document)
    except MacFailure:
        reason = "AUTN was not made with this card's key."
        contents = document["autn_contents"]
        if contents and contents["mac"] == "right":
            reason = "AUTN was made with the key of the profile; this card holds another one."
        return Outcome("mac-failure", reason, document)
    values = answer._asdict()
    for name, value in values.items():
        if value:
            document[name] = value.hex() if show_secrets else check_value(value)
    if key is not None and rand:
        document["as_expected"] = _is_expected(key, context, rand, values)
    reason = "The card accepted AUTN." if autn else "The card answered."
    return Outcome("ok", reason, document)


def _ask(
    session: CardSession, context: str, rand: bytes, autn: bytes, naf_id: bytes, impi: str | None
) -> Any:
    from card import contexts
    from card.isim import IsimSession

    application = session.application
    if context == "3g":
        return application.authenticate(rand, autn)
    if context == "gsm":
        return contexts.authenticate_gsm(session.uicc, application.application, rand)
    if context == "gba":
        return contexts.bootstrap(session.uicc, application.application, rand, autn)
    if impi is None:
        if not isinstance(application, IsimSession):
            raise click.UsageError("--context gba-naf on a USIM needs --impi")
        impi = application.impi()
    try:
        return contexts.derive_naf_key(session.uicc, application.application, naf_id, impi)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _out_of_step(auts: bytes, rand: bytes, key: Key | None, document: Document) -> Outcome:
    from card.explanation import distance_sentence

    document["auts"] = auts.hex()
    reason = "The card holds the key, but the SQN in AUTN is not fresh; see AUTS."
    if key is not None:
        autn_sqn = document["autn_contents"]["sqn"]
        contents = key.auts(rand, auts, int(autn_sqn, 16) if autn_sqn else None)
        document["auts_contents"] = contents
        if contents["distance"] is not None:
            reason = f"The card takes no such SQN: {distance_sentence(contents['distance'])}."
    return Outcome("sync-failure", reason, document)


def _is_expected(key: Key, context: str, rand: bytes, values: dict[str, bytes]) -> bool | None:
    """Whether the card's answer is the one that the profile's key gives."""
    from card.aka.conversion import kc_from_keys, sres_from_res

    res, ck, ik = key.expected(rand)
    if context == "gsm":
        return values == {"sres": sres_from_res(res), "kc": kc_from_keys(ck, ik)}
    if context == "gba":
        return values == {"res": res}
    return (values["res"], values["ck"], values["ik"]) == (res, ck, ik)


def _key(profile: str | None) -> Key | None:
    if profile is None:
        return None
    from card.explanation import Key
    from card.profile import load

    return Key(load(profile))


def check_value(value: bytes) -> str:
    """Length and check value: the first 4 hexadecimal digits of the SHA-256."""
    return f"<{len(value)} octets, check {sha256(value).hexdigest()[:CHECK_DIGITS]}>"


def _show(document: Document) -> None:
    nested = {name: document[name] for name in ("autn_contents", "auts_contents")}
    show_facts({name: value for name, value in document.items() if name not in nested})
    for name, facts in nested.items():
        if facts:
            told = [f"{fact.upper()} {value}" for fact, value in facts.items() if value is not None]
            click.echo(f"  {name.partition('_')[0].upper() + ' holds':<14}{', '.join(told)}")
