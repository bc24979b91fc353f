"""Many rows of a feature at once, to the bit what its updates give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks

if TYPE_CHECKING:
    from horizon.strategies.features.base import Feature

__all__ = ["checked", "kept", "looped"]

_Floats = NDArray[np.float64]


def checked(feature: Feature, arrays: Sequence[Any]) -> tuple[list[_Floats], NDArray[np.bool_]]:
    """Take the columns that `feature` is fed: the rows that have all of them, and which have not.

    Returns
    -------
    list of ndarray of shape (n_good,)
    ndarray of bool, shape (n_rows,)
        True where a row is passed over.
    """
    names = feature.inputs
    if len(arrays) != len(names):
        listed = ", ".join(names)
        raise TypeError(
            f"{feature!r} takes {len(names)} arrays ({listed}), was given {len(arrays)}"
        )
    columns: list[_Floats] = []
    for name, values in zip(names, arrays, strict=True):
        try:
            column = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"{name} must be numbers, was {checks.show(values)}") from None
        if column.ndim != 1:
            raise ValueError(f"{name} must have one dimension, had {column.ndim}")
        if columns and len(column) != len(columns[0]):
            raise ValueError(
                f"{name} must be as long as {names[0]}, had {len(column)} rows for "
                f"{len(columns[0])}"
            )
        large = np.abs(column) > checks.LARGEST
        if large.any():
            row = int(np.argmax(large))
            raise ValueError(f"{name} must be at most 1e15 in size, was {column[row]} in row {row}")
        columns.append(column)
    missing = np.isnan(columns[0])
    for column in columns[1:]:
        missing = missing | np.isnan(column)
    if missing.any():
        columns = [column[~missing] for column in columns]
    return columns, missing


def kept(values: _Floats, missing: NDArray[np.bool_]) -> _Floats:
    """Put values back to their rows; a row that was passed over keeps the value before it."""
    if not missing.any():
        return values
    before = np.cumsum(~missing)
    padded: _Floats = np.concatenate(([np.nan], values))
    return padded[before]


def looped(state: Feature, columns: Sequence[_Floats]) -> _Floats:
    """Feed the rows to a state, one after the other."""
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return np.fromiter(
        (state.update(*row) for row in rows), dtype=np.float64, count=len(columns[0])
    )
