"""Options that a command does not have, and what there is in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

__all__ = ["Hinting"]


class Hinting(click.Command):
    """A command that knows what was meant by some options that it does not have.

    Parameters
    ----------
    instead : mapping of str to str
        By such an option, what to do in its place.
    """

    def __init__(self, *args: Any, instead: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.instead = instead

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; say of an option that is not there which one is."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            hint = self.instead.get(error.option_name)
            if hint is None:
                # Half of what anybody types looks like --help to the search for near ones.
                near = [one for one in error.possibilities or () if one != "--help"]
                raise click.NoSuchOption(error.option_name, possibilities=near, ctx=ctx) from None
            raise click.UsageError(f"No such option {error.option_name!r}: {hint}", ctx) from None
