"""Forecasts and what came of them, as checked columns: what the judges of forecasts share."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.columns import numbers
from horizon.errors import DataError

__all__ = [
    "CHUNK",
    "Floats",
    "are_binary",
    "chunks",
    "html_table",
    "number_column",
    "one_column",
    "refuse",
    "same_labels",
    "same_lengths",
    "unit_range",
]

Floats = NDArray[np.float64]

#: Rows worked on at a time: the columns of one chunk and what is made of them stay in the cache,
#: and a sum of so few rounds by less than 1e-12 of itself.
CHUNK: Final = 8_192


def number_column(name: str, values: Any, *, booleans: bool = False) -> Floats:
    """Read one column of numbers; NaN stands where there is none.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    values : array, Series of any kind of frame, or iterable of numbers
    booleans : bool
        Take True and False as 1 and 0.

    Returns
    -------
    ndarray of float64, shape (n,)
        The caller's own array where it is one of float64 already: it must not be written to.

    Raises
    ------
    TypeError
        If it is text, a mapping, a set, a single number or a whole frame.
    DataError
        If something in it is no number; the message names its row.
    """
    one_column(name, values, "numbers")
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    elif not isinstance(values, (np.ndarray, list)) and not hasattr(values, "to_numpy"):
        values = list(values)
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return values
    if isinstance(values, list) and set(map(type, values)) == {float}:
        return np.fromiter(values, np.float64, len(values))
    if booleans and isinstance(values, np.ndarray) and values.dtype.kind == "b":
        return values.astype(np.float64)
    floats, bad = numbers(values)
    if not bad.any():
        return floats
    given = values.to_numpy() if hasattr(values, "to_numpy") else values
    for row in np.flatnonzero(bad).tolist():
        value = given[row]
        if not (booleans and isinstance(value, (bool, np.bool_))):
            refuse(name, row, value, "a number")
        floats[row] = float(value)
    return floats


def one_column(name: str, values: Any, what: str) -> None:
    """Refuse what is no column: text, a mapping, a set, a single value, a frame, a matrix."""
    unordered = isinstance(values, (str, bytes, Mapping, Set))
    if unordered or hasattr(values, "columns") or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be one column of {what}, was a {type(values).__name__}")
    dimensions = getattr(values, "ndim", 1)
    if dimensions != 1:
        raise TypeError(f"{name} must be one column of {what}, has {dimensions} dimensions")


def same_lengths(**columns: Sequence[Any] | NDArray[Any]) -> int:
    """Return the length that all columns have, or raise a `ValueError` that names them."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise ValueError(f"{' and '.join(lengths)} must have one length, had: {listed}")
    return next(iter(lengths.values()))


def same_labels(**columns: Any) -> None:
    """Refuse pandas Series whose labels differ: they are paired by place, not by label."""
    labelled = {name: column for name, column in columns.items() if hasattr(column, "iloc")}
    first = next(iter(labelled), "")
    for name, column in labelled.items():
        theirs = labelled[first].index
        if len(column) == len(theirs) and not column.index.equals(theirs):
            raise ValueError(
                f"{name} must have the index of {first}, its labels differ; align them first: "
                f"{name}.reindex({first}.index)"
            )


def chunks(size: int, least: int = 1) -> Iterator[slice]:
    """Cut `size` rows into stretches of `CHUNK`, or of `least` where that is more."""
    step = max(CHUNK, least)
    for start in range(0, size, step):
        yield slice(start, min(start + step, size))


def unit_range(name: str, part: Floats, start: int) -> tuple[float, float]:
    """Check that all of a chunk lies in [0, 1]; return its lowest and its highest."""
    # The lowest of numbers with a NaN among them is NaN, which fails every comparison.
    low, high = float(part.min()), float(part.max())
    if not (low >= 0.0 and high <= 1.0):
        row = int(np.flatnonzero(~((part >= 0.0) & (part <= 1.0)))[0])
        refuse(name, start + row, float(part[row]), "from 0 to 1")
    return low, high


def are_binary(name: str, part: Floats, start: int, ties: bool) -> bool:
    """Check the outcomes of a chunk; say whether each is 0 or 1."""
    decided = np.count_nonzero(part == 0.0) + np.count_nonzero(part == 1.0)
    if decided == len(part):
        return True
    if not ties:
        row = int(np.flatnonzero((part != 0.0) & (part != 1.0))[0])
        value = float(part[row])
        hint = (
            " (ties=True takes outcomes between them; predictions come first)"
            if 0.0 < value < 1.0
            else ""
        )
        refuse(name, start + row, value, "0 or 1", hint)
    unit_range(name, part, start)
    return False


def refuse(name: str, row: int, value: object, accepted: str, hint: str = "") -> None:
    """Raise the `DataError` of one value of a column."""
    value = value.item() if isinstance(value, np.generic) else value
    message = f"{name}[{row}] must be {accepted}, was {checks.show(value)}{hint}"
    raise DataError(message, row=row, value=value)


def html_table(caption: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table for a notebook; every text is escaped, and shown as it stands."""

    def cell(tag: str, text: object, align: str) -> str:
        shown = html.escape(words.name(str(text)))
        return f"<{tag} style='text-align:{align}'>{shown}</{tag}>"

    def row(tag: str, texts: Sequence[object]) -> str:
        first, *others = texts
        cells = cell("th", first, "left") + "".join(cell(tag, text, "right") for text in others)
        return f"<tr>{cells}</tr>"

    body = "".join(row("td", texts) for texts in rows)
    head = f"<thead>{row('th', header)}</thead>" if header else ""
    return (
        f"<table><caption>{html.escape(words.name(caption))}</caption>{head}"
        f"<tbody>{body}</tbody></table>"
    )
