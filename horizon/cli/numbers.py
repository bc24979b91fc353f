"""Numbers on the command line: finite, within their bounds, and named by their unit."""

from __future__ import annotations

import math

import click

__all__ = ["Number"]


class Number(click.ParamType):  # type: ignore[type-arg]
    """A finite number.

    Parameters
    ----------
    unit : str
        What the help calls it.
    above, least, below : float, optional
        Bounds; `least` itself is within, the others are not.
    """

    def __init__(
        self,
        unit: str,
        *,
        above: float | None = None,
        least: float | None = None,
        below: float | None = None,
    ) -> None:
        self.name = unit
        self._above, self._least, self._below = above, least, below

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it, or say what it must be."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        holds = (
            math.isfinite(number)
            and (self._above is None or number > self._above)
            and (self._least is None or number >= self._least)
            and (self._below is None or number < self._below)
        )
        if not holds:
            limits = (("above", self._above), ("of at least", self._least), ("below", self._below))
            bounds = " and ".join(
                f"{word} {limit:g}" for word, limit in limits if limit is not None
            )
            self.fail(f"must be a number {bounds}".rstrip() + f", was {value!s}", param, ctx)
        return number
