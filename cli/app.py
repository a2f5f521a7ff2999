"""The command group: finds a command's file when it is asked for, and turns failures
into exit statuses."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any

import click

COMMANDS = {
    "demo": "cli.demo:demo",
    "register": "cli.register:register",
    "call": "cli.call:call",
    "listen": "cli.listen:listen",
    "message": "cli.message:message",
    "sms": "cli.sms:sms",
    "ussd": "cli.ussd:ussd",
    "options": "cli.ask_options:ask_options",
    "core": "cli.core:core",
    "explain": "cli.explain:explain",
    "report": "cli.report:report",
    "replay": "cli.replay:replay",
    "doctor": "cli.doctor:doctor",
    "card": "cli.card:card",
    "profile": "cli.profile:profile",
}


class Group(click.Group):
    """A group that hands on to each of its commands what the configuration file gives it."""

    def invoke(self, ctx: click.Context) -> Any:
        if ctx.default_map is not None:
            ctx.default_map = dict.fromkeys(self.list_commands(ctx), ctx.default_map)
        return super().invoke(ctx)


class LazyGroup(Group):
    """A group whose commands are imported when they are run or listed.

    ``lazy`` says for each command where it is: "module:name".
    """

    def __init__(self, *arguments: Any, lazy: dict[str, str], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return None
        module, _, name = self._lazy[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with:  sipua demo",
)
@click.option(
    "--config",
    metavar="FILE",
    envvar="SIPUA_CONFIG",
    help="TOML file with option values (default: ~/.config/sipua/config.toml).",
)
@click.option("--version", is_flag=True, help="Print the version and end.")
@click.pass_context
def app(ctx: click.Context, config: str | None, version: bool) -> None:
    """A SIP user agent whose authentication is done by a USIM."""
    if version:
        from sipua.version import VERSION

        click.echo(f"sipua {VERSION}")
        ctx.exit()
    ctx.default_map = config_values(config)


def config_values(path: str | None) -> dict[str, Any]:
    """Default option values by command name, out of the configuration file.

    A key at the top holds for every command which has that option, a key in a
    table ``[register]`` for that command only. Raises click.UsageError.
    """
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    chosen = path or os.path.join(home, "sipua", "config.toml")
    if not path and not os.path.exists(chosen):
        return {}
    import tomllib

    try:
        with open(chosen, "rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise click.UsageError(f"cannot read {chosen}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"{chosen} is not valid TOML: {error}") from error
    shared = {_name(k): v for k, v in values.items() if not isinstance(v, dict)}
    tables = {k: v for k, v in values.items() if isinstance(v, dict)}
    return {
        command: shared | {_name(k): v for k, v in tables.get(command, {}).items()}
        for command in COMMANDS
    }


def _name(key: str) -> str:
    return key.replace("-", "_")


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit status."""
    # Modules being loaded make objects by the thousand and no garbage among them.
    gc.set_threshold(100_000)
    try:
        status = app.main(arguments, prog_name="sipua", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  the last line of defence: exit status 70
        if _is_usage(error):
            click.UsageError(str(error)).show()
            return click.UsageError.exit_code
        return _internal_error(error, "--json" in arguments)
    return status if isinstance(status, int) else 0


def _is_usage(error: Exception) -> bool:
    """Whether what was asked for cannot be meant: bad texts of options, bad profiles."""
    from card.errors import ProfileError
    from sipua.errors import LocalError

    return isinstance(error, LocalError | ProfileError)


def _internal_error(error: Exception, as_json: bool) -> int:
    import traceback

    where = traceback.extract_tb(error.__traceback__)[-1]
    # The message may quote what was being handled, a key included: only the type is shown.
    reason = f"{type(error).__name__} at {os.path.basename(where.filename)}:{where.lineno}"
    if as_json:
        import json

        click.echo(json.dumps({"verdict": "internal-error", "exit_status": 70, "reason": reason}))
    click.echo(
        f"sipua failed ({reason}). This is a fault of the program: please report it.", err=True
    )
    if os.environ.get("SIPUA_TRACEBACK"):
        traceback.print_exception(error)
    else:
        click.echo("Set SIPUA_TRACEBACK=1 to see where (it may show secrets).", err=True)
    return 70
