"""The group of commands: loaded one by one, and every error told where it belongs."""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click

from horizon import __version__
from horizon.cli.problems import in_words

__all__ = ["INTERRUPTED", "main"]

#: Exit codes, beside 0.
_WRONG: Final = 1
_USAGE: Final = 2
INTERRUPTED: Final = 130
#: What a shell says of a program whose output nobody reads any more.
_PIPE: Final = 141

#: The commands, each the function of its name in the module of its name.
_COMMANDS: Final = ("backtest", "desk", "tearsheet")


class _Commands(click.Group):
    """Imports a command when it is named, so that the help is there at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"horizon.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"no command {args[0]!r}; there are {', '.join(_COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
)
@click.version_option(__version__, prog_name="horizon", message="%(prog)s %(version)s")
@click.pass_context
def _commands(ctx: click.Context) -> None:
    """Horizon: an open workbench for trading. Everything here is paper: no real money moves.

    \b
    horizon desk                      a desk to trade by hand, in the browser
    horizon tearsheet equity.csv      what an equity curve is worth
    horizon backtest strategy.py      run the strategy of a Python file over history

    Each command has its own help, with units and examples: horizon desk --help.

    Exit codes: 0 done; 1 something in the work went wrong; 2 wrong usage; 130 interrupted.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; that of the process by default.

    Returns
    -------
    int
        The exit code: 0; 1 if something in the work went wrong; 2 for wrong usage; 130 after an
        interrupt; 141 if nobody reads the output any more.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that has no sign for "×" shows "?" rather than ending in an error.
            stream.reconfigure(errors="replace")
    given = None if arguments is None else list(arguments)
    stdout = sys.stdout
    try:
        code = _commands.main(args=given, prog_name="horizon", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:  # click's word for an interrupt; it has ended the terminal's line
        return INTERRUPTED
    except SystemExit:
        if sys.stdout is stdout:
            raise
        return _PIPE  # click has seen it, and to what Python still writes when it ends
    except click.ClickException as error:
        return _say_usage(error)
    except BrokenPipeError:
        # Python flushes once more when it ends; that has to succeed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE
    except Exception as error:
        text = in_words(error)
        if text is None:
            traceback.print_exc()
            text = "this was not expected, and may be a fault of Horizon; the lines above say where"
        click.echo(f"horizon: {text}", err=True)
        return _WRONG
    return code if isinstance(code, int) else 0


def _say_usage(error: click.ClickException) -> int:
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx is not None else "horizon"
    click.echo(f"{path}: {error.format_message()}", err=True)
    if isinstance(error, click.UsageError):
        click.echo(f"Try {path} --help", err=True)
        return _USAGE
    return _WRONG
