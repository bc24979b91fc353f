"""Forecasts and outcomes of any kind of columns, read and checked as pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from horizon.analytics.forecasts import (
    Floats,
    chunks,
    number_column,
    one_column,
    refuse,
    same_labels,
    same_lengths,
    unit_range,
)
from horizon.analytics.pairs import SIDES, ForecastPairs
from horizon.columns import NEVER, nanoseconds

__all__ = ["forecast_pairs"]


def forecast_pairs(
    predictions: Any,
    outcomes: Any,
    *,
    model: Any = None,
    markets: Any = None,
    sides: Any = None,
    times: Any = None,
    resolutions: Any = None,
) -> ForecastPairs:
    """Read forecasts and outcomes, with what they can be chosen by.

    Parameters
    ----------
    predictions, outcomes : array, Series or iterable of float, shape (n,)
        Probabilities in [0, 1], and what happened: 1 (or True), 0 (or False), or between them
        for a tie.
    model : array-like of shape (n,), optional
        Other forecasts of the same events; NaN where there is none.
    markets : array-like of str, shape (n,), optional
        Which event each is of.
    sides : array-like of {"buy", "sell"}, shape (n,), optional
        What was done at that price.
    times, resolutions : array-like of times, shape (n,), optional
        When it was forecast, and when the event was resolved: no earlier.

    Returns
    -------
    ForecastPairs

    Raises
    ------
    DataError
        A ``ValueError`` naming argument, row and value.
    TypeError, ValueError
        If columns differ in length, the labels of two Series differ, or resolutions come without
        times.

    Examples
    --------
    The price scores (0.4² + 0.3²) / 2, and the model, which spoke once, 0.2²:

    >>> pairs = hz.analytics.forecast_pairs(
    ...     [0.6, 0.3], [1, 0], model=[0.8, np.nan], markets=["rain", "snow"])
    >>> pairs.events, round(pairs.calibration().brier_score, 4)
    (2, 0.125)
    >>> round(pairs.calibration("model").brier_score, 4)
    0.04
    """
    said = number_column("predictions", predictions)
    came = number_column("outcomes", outcomes, booleans=True)
    same_lengths(predictions=said, outcomes=came)
    same_labels(
        predictions=predictions,
        outcomes=outcomes,
        model=model,
        markets=markets,
        sides=sides,
        times=times,
        resolutions=resolutions,
    )
    for rows in chunks(len(said)):
        unit_range("predictions", said[rows], rows.start)
        unit_range("outcomes", came[rows], rows.start)
    n = len(said)
    other = np.full(n, np.nan) if model is None else _model(model, n)
    names: tuple[str, ...] = ()
    codes = np.zeros(n, dtype=np.intp)
    if markets is not None:
        texts = _texts("markets", markets, n)
        names = tuple(dict.fromkeys(texts))
        number = {name: i for i, name in enumerate(names)}
        codes = np.array([number[text] for text in texts], dtype=np.intp)
    is_buy = None
    if sides is not None:
        words = _texts("sides", sides, n)
        for row, word in enumerate(words):
            if word not in SIDES:
                refuse("sides", row, word, "'buy' or 'sell'")
        is_buy = np.array([word == "buy" for word in words], dtype=bool)
    if resolutions is not None and times is None:
        raise ValueError("resolutions must come with times, those of the forecasts")
    begun = None if times is None else _times("times", times, n)
    ended = None if resolutions is None else _times("resolutions", resolutions, n)
    if begun is not None and ended is not None:
        late = np.flatnonzero(begun > ended)
        if len(late):
            row = int(late[0])
            refuse(
                "times",
                row,
                str(begun[row : row + 1].view("datetime64[ns]")[0]),
                f"no later than its resolution at {ended[row : row + 1].view('datetime64[ns]')[0]}",
            )
    return ForecastPairs(said, other, came, names, codes, is_buy, begun, ended)


def _model(model: Any, n: int) -> Floats:
    values = number_column("model", model)
    _same_length("model", values, n)
    wrong = np.flatnonzero(~(((values >= 0.0) & (values <= 1.0)) | np.isnan(values)))
    if len(wrong):
        row = int(wrong[0])
        refuse("model", row, float(values[row]), "from 0 to 1, or NaN where there is none")
    return values


def _texts(name: str, values: Any, n: int) -> list[str]:
    one_column(name, values, "texts")
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    _same_length(name, listed, n)
    for row, value in enumerate(listed):
        if not isinstance(value, str):
            refuse(name, row, value, "text")
    return listed


def _times(name: str, values: Any, n: int) -> NDArray[np.int64]:
    one_column(name, values, "times")
    read = nanoseconds(values if hasattr(values, "dtype") else list(values), None)
    _same_length(name, read, n)
    unread = np.flatnonzero(read == NEVER)
    if len(unread):
        row = int(unread[0])
        refuse(name, row, np.asarray(values, dtype=object)[row], "a time that can be read")
    return read


def _same_length(name: str, values: Any, n: int) -> None:
    if len(values) != n:
        raise ValueError(f"{name} must have one for each of {n:,} predictions, had {len(values):,}")
