"""``sipua register --dry-run``: what a registration would ask of the card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.card_session import DryRun, Outcome, card_failure, finish, show_dry_run, show_facts
from cli.options import read_pin
from cli.trace import open_recorder

if TYPE_CHECKING:
    from card.masking import TracedApdu

UNKNOWN = bytes(16)  # stands for RAND and AUTN, which only the challenge brings


def rehearse(as_json: bool, pin_file: str | None, **options: Any) -> int:
    """Read the card as a registration does and print the APDUs; returns the exit status.

    PIN and AUTHENTICATE are printed, not sent, and no network is touched.
    Raises LocalError, click.UsageError.
    """
    from card.errors import CardError, NotSent
    from sipua.agent.identity_module import CardChoice, IdentityModule

    dry_run = DryRun()
    recorder = open_recorder(options["trace"], options["trace_secrets"])

    def sent(apdu: TracedApdu) -> None:
        dry_run.sent(apdu)
        if recorder is not None:
            recorder.apdu(apdu)

    choice = CardChoice(
        options["card"],
        options["application"],
        read_pin(pin_file),
        options["force_pin"],
        protected=options["protected"],
        waiting=options["waiting"],
        withheld=dry_run.withheld,
    )
    facts: dict[str, Any] = dict.fromkeys(("impi", "impu", "domain", "pcscf"))
    try:
        module = IdentityModule(choice, sent)
        try:
            wanted = (options["impi"], options["impu"], options["domain"], options["impu_index"])
            identity = module.identities(*wanted)
            facts |= {"impi": identity.impi, "impu": identity.impu, "domain": identity.domain}
            facts["pcscf"] = options["pcscf"] or module.pcscf()
            module.authenticate(UNKNOWN, UNKNOWN)
        except NotSent:
            pass
        finally:
            module.close()
    except CardError as error:
        return card_failure(error, as_json, facts | dry_run.outcome().document)
    _, reason, document = dry_run.outcome()
    reason += (
        " RAND and AUTN come with the challenge; zeros stand for them. No network was touched."
    )

    def show(document: dict[str, Any]) -> None:
        show_facts({name: document[name] for name in facts})
        show_dry_run(document)

    return finish(Outcome("ok", reason, facts | document), show, as_json)
