"""How good the prices and the forecasts behind fills were, once outcomes are known.

A fill in NO counts as the opposite fill in YES: bought at p there is sold at 1 − p here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.fills import FillTable, table_of
from horizon.columns import numbers
from horizon.errors import DataError
from horizon.instruments import NO_SUFFIX

__all__ = ["ForecastScores", "far_from_price", "forecast_scores"]

#: A fair value so many times the price, or the price so many times the value, is none of it.
_FAR: Final = 10.0


@dataclass(frozen=True, slots=True)
class ForecastScores:
    """Scores over fills; None where there is nothing to score.

    Not made by hand: `forecast_scores` returns it.

    Attributes
    ----------
    brier_score : float or None
        Mean of (price of YES − outcome)² over the fills of markets with an outcome.
    model_brier_score : float or None
        The same for the model's fair value at those fills.
    avg_edge : float or None
        Mean of fair − price for buys of YES and price − fair for sells, over all fills that have
        a fair value; in units of price, a fill of 1 as much as one of 1,000.

    Examples
    --------
    Sold at 0.3 with a fair value of 0.2, and nobody knows yet what came of it:

    >>> scores = hz.analytics.forecast_scores(hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00"], "market_id": ["rain"], "side": ["sell"],
    ...     "quantity": [10], "price": [0.3]}), fair_values=[0.2])
    >>> scores.brier_score, round(scores.avg_edge, 4)
    (None, 0.1)
    """

    brier_score: float | None
    model_brier_score: float | None
    avg_edge: float | None


def forecast_scores(
    table: Any,
    *,
    outcomes: Mapping[str, float] | None = None,
    fair_values: Any = None,
) -> ForecastScores:
    """Score the prices of fills, and the fair values behind them.

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements are not scored.
    outcomes : mapping of market id to float, optional
        0 to 1 for each market that has resolved; fills in other markets are not scored.
    fair_values : array-like of shape (n_fills,), optional
        Fair value of YES when each fill's order was decided, in the order in which the fills
        were given; NaN where there was none.

    Returns
    -------
    ForecastScores
        `brier_score` of the prices, `model_brier_score` of the fair values, and `avg_edge`; None
        where there is nothing to score.

    Raises
    ------
    DataError
        At the first fair value that is infinite or no number, and at the first price or fair
        value outside [0, 1] of a market with an outcome.
    TypeError, ValueError
        If an outcome lies outside [0, 1], or there is not one fair value for each fill.

    Examples
    --------
    Bought at 0.6 with a fair value of 0.7, and it came true: 0.4² and 0.3².

    >>> table = hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00"], "market_id": ["rain"], "side": ["buy"],
    ...     "quantity": [10], "price": [0.6]})
    >>> found = hz.analytics.forecast_scores(table, outcomes={"rain": 1.0}, fair_values=[0.7])
    >>> round(found.brier_score, 4), round(found.model_brier_score, 4), round(found.avg_edge, 4)
    (0.16, 0.09, 0.1)
    """
    table = table_of(table, name="table")
    is_fill = ~table.is_settlement
    ids = table.market_ids[is_fill].tolist()
    is_no, prices = _of_yes(table, is_fill)
    is_buy = table.is_buy[is_fill] != is_no
    given = _outcomes(outcomes)
    known = np.array([given.get(m.removesuffix(NO_SUFFIX), np.nan) for m in ids], dtype=np.float64)
    fair = _fair(fair_values, table, is_fill)
    for what, values in (("price", prices), ("fair value", fair)):
        outside = ~np.isnan(known) & ((values < 0.0) | (values > 1.0))
        if outside.any():
            row = int(np.argmax(outside))
            raise DataError(
                f"outcomes are those of contracts that pay 1, but fill {row} in {ids[row]!r} has "
                f"the {what} {values[row]:g}",
                row=row,
                value=float(values[row]),
            )
    return ForecastScores(
        brier_score=_mean_square(prices - known),
        model_brier_score=_mean_square(fair - known),
        avg_edge=_mean(np.where(is_buy, fair - prices, prices - fair)),
    )


def far_from_price(table: FillTable, fair_values: Any) -> int:
    """Count the fills whose fair value can hardly be one of what was traded.

    It is more than ten times the price, or less than a tenth of it; at a price from 0 to 1, which
    may be a probability, it is below 0, or above 1 and more than ten times the price: 0.02 for
    what is worth 0.4 is a long shot.

    Parameters
    ----------
    table : FillTable
    fair_values : array-like of shape (n_fills,)
        As in `forecast_scores`.
    """
    is_fill = ~table.is_settlement
    _, prices = _of_yes(table, is_fill)
    fair = _fair(fair_values, table, is_fill)
    may_be_odds = prices <= 1.0
    least = np.where(may_be_odds, 0.0, prices / _FAR)
    most = np.where(may_be_odds, np.maximum(prices * _FAR, 1.0), prices * _FAR)
    return int(np.count_nonzero((fair < least) | (fair > most)))


def _of_yes(
    table: FillTable, is_fill: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Say which fills are in NO, and at what price of YES each was made."""
    ids = table.market_ids[is_fill].tolist()
    is_no = np.array([market.endswith(NO_SUFFIX) for market in ids], dtype=bool)
    own = table.prices[is_fill]
    return is_no, np.where(is_no, np.floor((1.0 - own) * 1e12 + 0.5) / 1e12, own)


def _outcomes(outcomes: Mapping[str, float] | None) -> dict[str, float]:
    found: dict[str, float] = {}
    if outcomes is None:
        return found
    if not isinstance(outcomes, Mapping):
        raise TypeError(
            f"outcomes must map market ids to numbers, was {checks.show(outcomes)} "
            f"({type(outcomes).__name__})"
        )
    for market, value in outcomes.items():
        if not isinstance(market, str):
            raise TypeError(f"outcomes must be by market id, had {checks.show(market)}")
        outcome = checks.number(f"outcomes[{market!r}]", value)
        if market.endswith(NO_SUFFIX):
            raise ValueError(
                f"outcomes must be those of YES, by the market's id; had {market!r}. That of NO is "
                "1 less it"
            )
        if not 0.0 <= outcome <= 1.0:
            raise ValueError(f"outcomes[{market!r}] must lie between 0 and 1, was {outcome:g}")
        found[market] = outcome
    return found


def _fair(fair_values: Any, table: FillTable, is_fill: NDArray[np.bool_]) -> NDArray[np.float64]:
    n = int(np.count_nonzero(is_fill))
    if fair_values is None:
        return np.full(n, np.nan)
    if np.ndim(fair_values) != 1:
        raise ValueError(f"fair_values must have one dimension, had shape {np.shape(fair_values)}")
    values, is_bad = numbers(fair_values)
    if len(values) != n:
        raise ValueError(f"fair_values must have one for each of {n:,} fills, had {len(values):,}")
    is_bad |= np.isinf(values)
    if is_bad.any():
        row = int(np.argmax(is_bad))
        bad = fair_values.iloc[row] if hasattr(fair_values, "iloc") else fair_values[row]
        raise DataError(
            "fair_values must be numbers, or NaN where there was none; row "
            f"{row} has {checks.show(bad)}",
            row=row,
            value=bad,
        )
    return values[table.source_rows[is_fill]]


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _mean_square(values: NDArray[np.float64]) -> float | None:
    return _mean(values * values)
