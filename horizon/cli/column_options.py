"""``--column``: what a file calls its columns, and what is said of one that it has not."""

from __future__ import annotations

import re
from typing import Final

import click

from horizon.errors import DataError

__all__ = ["columns_given", "in_options", "in_script"]

#: How the library says which argument would name a column.
_ARGUMENT: Final = re.compile(r"columns=\{'(\w+)': \.\.\.\}")
#: What stands between the columns of some CSV files, beside a comma.
_SEPARATORS: Final = {";": "';'", "\t": "tabs", "|": "'|'"}


def columns_given(
    ctx: click.Context, param: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """Take NAME=COLUMN apart."""
    columns: dict[str, str] = {}
    for one in given:
        ours, sign, theirs = one.partition("=")
        if not sign or not ours or not theirs:
            raise click.BadParameter(f"must be NAME=COLUMN, was {one!r}", ctx, param)
        if ours in columns:
            raise click.BadParameter(f"names {ours!r} twice", ctx, param)
        columns[ours] = theirs
    return columns


def in_options(error: DataError) -> str:
    """Say what is wrong with a file's columns in the words of the command line."""
    text = str(error)
    separator = _separator(error.value)
    if separator is not None:  # it is no matter of names then
        text = text.partition(". Say which is meant")[0]
        return f"{text}. It has {separator} between its columns: write it with commas"
    text = _ARGUMENT.sub(r"--column \1=COLUMN", text)
    return text.replace("which columns= names", "which --column names")


def in_script(error: DataError, path: object) -> str:
    """Say what is wrong with the columns of a script's own data in words of the script."""
    text = _ARGUMENT.sub(rf'columns = {{"\1": ...}} in {path}', str(error))
    return text.replace("which columns= names", f"which columns in {path} names")


def _separator(names: object) -> str | None:
    """What stands between the columns of a file that was read as if it had but one."""
    if not isinstance(names, list) or len(names) != 1:
        return None
    return next((word for sign, word in _SEPARATORS.items() if sign in str(names[0])), None)
