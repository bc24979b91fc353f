"""How much a result hangs on the exact value of a parameter, and whether the best value stays.

A setting is a mapping from parameter to value; objectives are an array of shape (n_windows,
n_settings), NaN where a setting says nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ParameterStability", "parameter_stability"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ParameterStability:
    """How one parameter's best value behaves from window to window.

    Not made by hand: `parameter_stability` returns one for each parameter.

    Attributes
    ----------
    name : str
    values : tuple
        The values tried: numbers rising, others in the order in which they first appear.
    best : tuple
        The value chosen in each window.
    favourite : object
        The value chosen most often; of equal ones the first of `values`.
    share : float
        Share of the windows that chose it.
    move : float
        Mean distance between the choices of neighbouring windows, in places among `values` over
        the greatest distance possible; of what is no number, the share of changes. NaN for fewer
        than two windows or values.
    chance_move : float
        What choosing blindly gives on average: (m + 1) / (3 m) for m numbers, 1 − 1/m for other
        values.
    kept : float
        How flat the objective is around the best: the lead over the median setting that is left
        one value beside it, all other parameters being equal. 1.0 is a plateau, 0.0 a lone peak;
        the mean over windows and neighbours. A neighbour that says nothing keeps nothing. NaN
        where no best setting has a neighbour, as in a random search.
    n_neighbours : int
        How many neighbours `kept` is the mean of.

    Examples
    --------
    From place 2 to place 3 of five, so a quarter of the way there is:

    >>> settings = [{"fast": days} for days in (5, 10, 20, 40, 80)]
    >>> objectives = [[0.0, 0.9, 1.0, 0.5, 0.0], [0.0, 0.5, 0.9, 1.0, 0.1]]
    >>> (fast,) = hz.analytics.parameter_stability(settings, [2, 3], objectives)
    >>> fast.best, fast.favourite, fast.move, fast.chance_move
    ((20, 40), 20, 0.25, 0.4)
    """

    name: str
    values: tuple[Any, ...]
    best: tuple[Any, ...]
    favourite: Any
    share: float
    move: float
    chance_move: float
    kept: float
    n_neighbours: int


def parameter_stability(
    settings: Sequence[Mapping[str, Any]],
    best: Sequence[int],
    objectives: Any,
    *,
    maximize: bool = True,
) -> tuple[ParameterStability, ...]:
    """Find how far each parameter's best value moves, and how flat the objective is around it.

    Parameters
    ----------
    settings : sequence of mapping
        All with the same parameters.
    best : sequence of int
        The setting chosen in each window, at least one window.
    objectives : array-like of shape (n_windows, n_settings)
        What it was chosen by; NaN where a setting says nothing.
    maximize : bool
        Whether more is better.

    Returns
    -------
    tuple of ParameterStability
        One for each parameter with two or more values, in the order of the settings.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    The best leads the median of 0.5 by 0.5; beside it 0.9 keeps 0.8 of that, and 0.5 nothing.

    >>> settings = [{"fast": days} for days in (5, 10, 20, 40, 80)]
    >>> (fast,) = hz.analytics.parameter_stability(settings, [2], [[0.0, 0.9, 1.0, 0.5, 0.0]])
    >>> round(fast.kept, 4), fast.n_neighbours
    (0.4, 2)
    """
    table = np.asarray(objectives, dtype=np.float64)
    chosen = [int(each) for each in best]
    if not chosen or table.shape != (len(chosen), len(settings)):
        raise ValueError(
            "objectives must have a row for each choice in best and a column for each setting, "
            f"{(len(chosen), len(settings))}; had shape {table.shape}"
        )
    if not all(0 <= each < len(settings) for each in chosen):
        raise ValueError(f"best must be numbers of settings from 0, was {chosen}")
    names = list(settings[0])
    if any(list(one) != names for one in settings):
        raise ValueError(f"settings must all have the parameters {names}")
    table = table if maximize else -table
    places = {name: _Values([one[name] for one in settings]) for name in names}
    keys = [tuple(places[name].of[i] for name in names) for i in range(len(settings))]
    by_key = {key: i for i, key in reversed(list(enumerate(keys)))}
    return tuple(
        _stability(name, column, places[name], chosen, table, keys, by_key)
        for column, name in enumerate(names)
        if len(places[name].values) > 1
    )


class _Values:
    """The distinct values of a parameter, and the place of each setting's among them."""

    def __init__(self, values: Sequence[Any]) -> None:
        first: dict[Any, Any] = {}
        for value in values:
            first.setdefault(_key(value), value)
        self.is_ordered = all(_is_number(value) for value in first.values())
        keys = sorted(first, key=first.__getitem__) if self.is_ordered else list(first)
        place = {key: i for i, key in enumerate(keys)}
        self.values = tuple(first[key] for key in keys)
        self.of = [place[_key(value)] for value in values]

    def distance(self, a: int, b: int) -> float:
        """How far apart two places are, over the greatest distance."""
        if self.is_ordered:
            return abs(a - b) / (len(self.values) - 1)
        return float(a != b)

    def beside(self, place: int) -> list[int]:
        """The places one step away: of values without an order, all others."""
        if self.is_ordered:
            return [i for i in (place - 1, place + 1) if 0 <= i < len(self.values)]
        return [i for i in range(len(self.values)) if i != place]

    @property
    def chance_move(self) -> float:
        m = len(self.values)
        return (m + 1) / (3 * m) if self.is_ordered else 1.0 - 1.0 / m


def _stability(
    name: str,
    column: int,
    places: _Values,
    chosen: list[int],
    table: Numbers,
    keys: list[tuple[int, ...]],
    by_key: dict[tuple[int, ...], int],
) -> ParameterStability:
    path = [places.of[each] for each in chosen]
    counts = [path.count(i) for i in range(len(places.values))]
    favourite = counts.index(max(counts))
    moves = [places.distance(a, b) for a, b in itertools.pairwise(path)]
    kept: list[float] = []
    for row, each in zip(table, chosen, strict=True):
        said = row[np.isfinite(row)]
        if not math.isfinite(row[each]):
            continue
        middle = float(np.median(said))
        lead = float(row[each]) - middle
        if lead <= 0.0:  # all are alike, or the choice was made by something else
            continue
        key = keys[each]
        for place in places.beside(key[column]):
            beside = by_key.get((*key[:column], place, *key[column + 1 :]))
            if beside is not None:
                value = float(row[beside])
                kept.append((value - middle) / lead if math.isfinite(value) else 0.0)
    return ParameterStability(
        name=name,
        values=places.values,
        best=tuple(places.values[i] for i in path),
        favourite=places.values[favourite],
        share=counts[favourite] / len(path),
        move=math.fsum(moves) / len(moves) if moves else math.nan,
        chance_move=places.chance_move,
        kept=math.fsum(kept) / len(kept) if kept else math.nan,
        n_neighbours=len(kept),
    )


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and value == value


def _key(value: Any) -> Any:
    """What makes a value another one; what cannot be hashed is told apart by identity."""
    try:
        hash(value)
    except TypeError:
        return (id(value),)
    return (type(value).__name__, value)
