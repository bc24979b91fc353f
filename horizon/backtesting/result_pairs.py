"""A run's fills as forecasts: the prices and fair values behind them, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from horizon.analytics.pairs import ForecastPairs
from horizon.backtesting.record import RunRecord
from horizon.backtesting.result_tables import are_foreign, forecast_outcomes
from horizon.columns import NEVER, nanoseconds
from horizon.instruments import split_side

__all__ = ["pairs_of"]


def pairs_of(record: RunRecord) -> ForecastPairs:
    """Return one pair for each fill in a market that settled within the run.

    Prices and fair values are those of YES, as `BacktestResult.calibration` takes them: NO bought
    at 0.30 is YES sold at 0.70. The time of a resolution is that of the market's settlement;
    where nothing was held by then, it is what ``resolutions=`` says, or the end of the run.

    Raises
    ------
    ValueError
        If no market settled within the run.
    """
    outcomes = forecast_outcomes(record)
    if outcomes is None:
        raise ValueError(
            "calibration needs markets that settled within the run: give their outcomes= to "
            "backtest"
        )
    fills = record.fills
    legs = [split_side(leg_id) for leg_id in fills.leg_ids]
    known = np.array([market in outcomes for market, _ in legs], dtype=bool)
    rows = np.flatnonzero(known[fills.legs])
    names = tuple(market.id for market in record.markets if market.id in outcomes)
    number = {name: i for i, name in enumerate(names)}
    by_leg = np.array([number.get(market, 0) for market, _ in legs], dtype=np.intp)
    is_no = np.array([is_no for _, is_no in legs], dtype=bool)[fills.legs[rows]]
    codes = by_leg[fills.legs[rows]]
    own = fills.prices[rows]
    # `rules.complement`, for all at once.
    prices = np.where(is_no, np.floor((1.0 - own) * 1e12 + 0.5) / 1e12, own)
    fair = np.where(are_foreign(record), np.nan, record.fair_values)[rows]
    by_market = np.array([outcomes[name] for name in names], dtype=np.float64)
    resolved = _resolutions(record, names)
    return ForecastPairs(
        prices=prices,
        model=fair,
        outcomes=by_market[codes],
        markets=names,
        codes=codes,
        is_buy=(fills.signs[rows] > 0) != is_no,
        times_ns=fills.times_ns[rows],
        resolved_ns=resolved[codes],
        what="fill",
    )


def _resolutions(record: RunRecord, names: tuple[str, ...]) -> NDArray[np.int64]:
    """When each market was resolved, in ns; `NEVER` where the run has not kept it."""
    found = {split_side(leg_id)[0]: at for leg_id, _, _, _, at in record.settlements}
    read, given = (record.config.get(key) for key in ("resolutions_ns", "resolutions"))
    timed = given if isinstance(given, Mapping) else {}
    if isinstance(read, Mapping):
        found = {**read, **found}
    last = int(record.times_ns[-1]) if len(record.times_ns) else NEVER
    times = []
    for name in names:
        at = found.get(name)
        if at is None:
            # Those without a time of their own settle with the last row. A result that was saved
            # without the times as they were read has what was given for them.
            at = last if name not in timed else int(nanoseconds([timed[name]], None)[0])
        times.append(at)
    return np.array(times, dtype=np.int64)
