"""The settings of a search: every combination of the values of a grid."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, Final

from horizon import checks

__all__ = ["check_grid", "count_of", "settings_of"]

#: Values of one parameter at most: nobody means more.
_MOST_VALUES: Final = 1_000_000


def check_grid(param_grid: object) -> dict[str, list[Any]]:
    """Check a grid of parameters and make lists of its values.

    Parameters
    ----------
    param_grid : dict of str to list
        Values by parameter.

    Raises
    ------
    TypeError, ValueError
        If it is no dict of lists, is empty, has a parameter without values, or one with the same
        value twice.
    """
    if not isinstance(param_grid, Mapping):
        raise TypeError(
            "param_grid must be a dict of parameters to lists of their values, was "
            f"{checks.show(param_grid)}"
        )
    if not param_grid:
        raise ValueError("param_grid must have at least one parameter, had none")
    grid: dict[str, list[Any]] = {}
    for name, values in param_grid.items():
        if not isinstance(name, str):
            raise TypeError(f"a parameter's name must be text, was {checks.show(name)}")
        if name == "engine":
            raise ValueError("param_grid must not have 'engine': ctx.params holds the run's own")
        if hasattr(values, "rvs") or type(values).__module__.startswith("optuna."):
            raise TypeError(
                f"param_grid[{name!r}] is a distribution, {type(values).__name__}, and a grid "
                "takes lists of values; give search='random' or 'optuna' with n_trials="
            )
        if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
            raise TypeError(
                f"param_grid[{name!r}] must be a list of values, was {checks.show(values)}"
                + ("" if isinstance(values, Mapping) else f"; for one value write [{values!r}]")
            )
        if isinstance(values, Sized) and len(values) > _MOST_VALUES:
            raise ValueError(
                f"param_grid[{name!r}] has {len(values):,} values, more than {_MOST_VALUES:,}: "
                "give fewer, or a distribution with search='random'"
            )
        own = _values(values)
        if not own:
            raise ValueError(f"param_grid[{name!r}] must have at least one value, had none")
        _require_different(name, own)
        grid[name] = own
    return grid


def count_of(grid: Mapping[str, list[Any]]) -> int:
    """How many settings a grid has."""
    return math.prod(len(values) for values in grid.values())


def settings_of(grid: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Give every combination of values, the last parameter changing first: grid order."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _values(values: Iterable[Any]) -> list[Any]:
    """A list of them; NumPy's numbers as Python's own, so that results say ``5``."""
    if isinstance(values, (set, frozenset)):
        # A set has no order of its own, and ties are decided by order.
        raise TypeError(
            f"a list of values must have an order, was the set {checks.show(values)}: write "
            "sorted(...) around it"
        )
    return [value.item() if _is_scalar(value) else value for value in values]


def _is_scalar(value: Any) -> bool:
    kind = type(value)
    if kind.__module__ != "numpy" or getattr(value, "shape", None) != ():
        return False
    return bool(value.dtype.kind in "biufU")


def _require_different(name: str, values: list[Any]) -> None:
    seen: set[Any] = set()
    for value in values:
        # 1 and True, 1 and 1.0 are equal to Python; as parameters the last two mean the same.
        key = (isinstance(value, bool), value)
        try:
            is_new = key not in seen
            seen.add(key)
        except TypeError:  # a list cannot be looked up, and need not be
            continue
        if not is_new:
            raise ValueError(f"param_grid[{name!r}] has the value {checks.show(value)} twice")
