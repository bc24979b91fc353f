"""Well-known rules as strategies, to start from and to measure one's own against.

Each says its wish at every row for as long as it holds. Its `edge_bps` is what the rule expects
over as many rows as it says there; with `vol_window` and `row_secs` its signals also tell the
volatility over the same stretch, and how long that is, as `VolTarget` and `Kelly` ask for.

None of them makes money by being here: their sources found them in other data, before costs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from horizon import checks
from horizon.instruments import Market
from horizon.strategies.base import Strategy
from horizon.strategies.context import StrategyContext
from horizon.strategies.ensemble import Ensemble
from horizon.strategies.features import (
    RSI,
    SMA,
    BollingerZ,
    Feature,
    MovingAverageCross,
    RealizedVol,
    Return,
)
from horizon.strategies.signals import Signal
from horizon.types import AssetClass

__all__ = [
    "BollingerReversion",
    "Ensemble",
    "Momentum",
    "MovingAverageCrossover",
    "RsiReversion",
]

_PREDICTION: Final = AssetClass.Prediction


class _Rule(Strategy):
    """What the rules share: their options, and what they tell of volatility."""

    def __init__(
        self,
        features: Mapping[str, Feature],
        rows: int,
        vol_window: int | None,
        row_secs: float | timedelta | None,
        asset_classes: Sequence[AssetClass] | None,
        name: str | None,
    ) -> None:
        self.features = dict(features)
        if name is not None:
            self.name = checks.text("name", name)
        self.asset_classes = asset_classes
        #: Rows over which the edge is expected.
        self._rows = rows
        self._horizon: float | None = None
        if (vol_window is None) is not (row_secs is None):
            raise ValueError(
                "vol_window and row_secs belong together: a volatility is one over some time"
            )
        if vol_window is not None:
            secs = row_secs.total_seconds() if isinstance(row_secs, timedelta) else row_secs
            self._horizon = rows * checks.positive("row_secs", secs)
            self.features["vol"] = RealizedVol(vol_window)

    def _say(
        self,
        signals: list[Signal],
        market: Market,
        sign: int,
        edge_bps: float,
        f: Any,
        price: float,
    ) -> None:
        """Add the signal of one direction; to flatten where `sign` is 0.

        A rule that is to tell its volatility says nothing while there is none: its rows are too
        few yet, or the price has not moved at all.
        """
        if sign == 0:
            signals.append(Signal.flatten(market))
            return
        vol = None
        if self._horizon is not None:
            vol = _bps(market, f.vol[market.id] * math.sqrt(self._rows), price)
            if not vol > 0.0:
                return
        signals.append(
            Signal(
                market.id,
                "increase" if sign > 0 else "decrease",
                edge_bps,
                expected_vol_bps=vol,
                horizon=self._horizon,
            )
        )


class _Reversion(_Rule):
    """Rules that enter at an extreme and leave at the middle: they remember where they are in."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._sides: dict[str, int] = {}

    def on_start(self, ctx: StrategyContext) -> None:
        """Begin without a position."""
        self._sides = {}

    def _side(self, market_id: str, distance: float) -> int | None:
        """Where to be, of a distance from the middle that is 1 at the extremes.

        None as long as there has been no extreme: what others hold is none of its business.
        """
        side = self._sides.get(market_id)
        if distance < -1.0:
            side = 1
        elif distance > 1.0:
            side = -1
        elif side is not None and side * distance >= 0.0:
            side = 0
        else:
            return side
        self._sides[market_id] = side
        return side


class Momentum(_Rule):
    """Time-series momentum: long what has risen over the look-back, short what has fallen.

    Parameters
    ----------
    lookback : int
        Rows; 252 are a year of trading days.
    threshold : float
        A return nearer to 0 than this, as a fraction, wants nothing held.
    vol_window : int, optional
        Returns that the volatility is made of. The source sizes by it: give it, with `row_secs`,
        and `VolTarget` as the sizer.
    row_secs : float or timedelta, optional
        Time from one row to the next.
    asset_classes, name
        As for `Strategy`.

    Notes
    -----
    Its edge is that of one row: the look-back's return, spread evenly over it.

    References
    ----------
    Moskowitz, Ooi and Pedersen (2012), Time Series Momentum, Journal of Financial Economics 104.

    Examples
    --------
    From 100 to 102 in two rows is 2 %: 1 %, or 100 bps, a row.

    >>> from horizon.strategies.prebuilt import Momentum
    >>> prices = [100, 101, 102]
    >>> result = hz.backtest(
    ...     data=[{"timestamp": i, "price": p, "market_id": "ACME"} for i, p in enumerate(prices)],
    ...     markets=[hz.Market("ACME", hz.Equity)],
    ...     strategies=[Momentum(lookback=2)],
    ... )
    >>> [(one.timestamp, round(one.edge_bps, 4)) for one in result.decisions]
    [(2.0, 100.0)]
    """

    def __init__(
        self,
        lookback: int = 252,
        *,
        threshold: float = 0.0,
        vol_window: int | None = None,
        row_secs: float | timedelta | None = None,
        asset_classes: Sequence[AssetClass] | None = None,
        name: str | None = None,
    ) -> None:
        self._lookback = checks.integer("lookback", lookback)
        self._threshold = checks.non_negative("threshold", threshold)
        features = {"change": Return(self._lookback)}
        super().__init__(features, 1, vol_window, row_secs, asset_classes, name)

    def evaluate(self, f: Any, universe: Sequence[Market], ctx: StrategyContext) -> list[Signal]:
        """Follow the sign of the past return."""
        signals: list[Signal] = []
        for market in universe:
            change = f.change[market.id]
            if change != change:
                continue
            price = ctx.price(market)
            edge = _bps(market, abs(change) / self._lookback, price)
            sign = 0
            if abs(change) > self._threshold and edge > 0.0:
                sign = 1 if change > 0.0 else -1
            self._say(signals, market, sign, edge, f, price)
        return signals


class BollingerReversion(_Reversion):
    """Mean reversion: in outside of a Bollinger band, against the move; out at the middle.

    Parameters
    ----------
    n : int
        Rows of the mean and the deviation.
    k : float
        Deviations between the middle and a band.
    vol_window, row_secs
        As for `Momentum`.
    asset_classes, name
        As for `Strategy`.

    Notes
    -----
    Its edge is the way back to the middle, expected within `n` rows. A price exactly at a band is
    not outside.

    References
    ----------
    Bollinger (2001), Bollinger on Bollinger Bands, chapters 7 and 20.

    Examples
    --------
    The mean of 10, 10, 10 and 6 is 9, their deviation 1.73: 6 lies below the lower band, and the
    way back to 9 is a half of it.

    >>> from horizon.strategies.prebuilt import BollingerReversion
    >>> prices = [10, 10, 10, 6]
    >>> result = hz.backtest(
    ...     data=[{"timestamp": i, "price": p, "market_id": "ACME"} for i, p in enumerate(prices)],
    ...     markets=[hz.Market("ACME", hz.Equity)],
    ...     strategies=[BollingerReversion(n=4, k=1)],
    ... )
    >>> [(one.timestamp, round(one.edge_bps, 4)) for one in result.decisions]
    [(3.0, 5000.0)]
    """

    def __init__(
        self,
        n: int = 20,
        k: float = 2.0,
        *,
        vol_window: int | None = None,
        row_secs: float | timedelta | None = None,
        asset_classes: Sequence[AssetClass] | None = None,
        name: str | None = None,
    ) -> None:
        features = {"z": BollingerZ(n, k), "mean": SMA(n)}
        super().__init__(features, n, vol_window, row_secs, asset_classes, name)

    def evaluate(self, f: Any, universe: Sequence[Market], ctx: StrategyContext) -> list[Signal]:
        """Bet on the way back."""
        signals: list[Signal] = []
        for market in universe:
            z = f.z[market.id]
            if z != z:
                continue
            side = self._side(market.id, z)
            if side is None:
                continue
            price = ctx.price(market)
            edge = 0.0
            if side and price > 0.0:
                edge = _bps(market, abs(f.mean[market.id] / price - 1.0), price)
            elif side and market.asset_class is _PREDICTION:
                edge = f.mean[market.id] * 10_000.0
            self._say(signals, market, side if edge > 0.0 else 0, edge, f, price)
        return signals


class RsiReversion(_Reversion):
    """Mean reversion: long when Wilder's index says oversold, short when overbought.

    Parameters
    ----------
    n : int
        Changes of the index.
    oversold, overbought : float
        In below the one and above the other; out at half-way between them.
    edge_bps : float
        What a position is expected to gain within `n` rows: the index says nothing of that.
    vol_window, row_secs
        As for `Momentum`.
    asset_classes, name
        As for `Strategy`.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    References
    ----------
    Wilder (1978), New Concepts in Technical Trading Systems, section VI.

    Examples
    --------
    Two falls in a row are an index of 0, below 30:

    >>> from horizon.strategies.prebuilt import RsiReversion
    >>> prices = [10, 9, 8]
    >>> result = hz.backtest(
    ...     data=[{"timestamp": i, "price": p, "market_id": "ACME"} for i, p in enumerate(prices)],
    ...     markets=[hz.Market("ACME", hz.Equity)],
    ...     strategies=[RsiReversion(n=2, edge_bps=25)],
    ... )
    >>> [(one.timestamp, round(one.edge_bps, 4)) for one in result.decisions]
    [(2.0, 25.0)]
    """

    def __init__(
        self,
        n: int = 14,
        oversold: float = 30.0,
        overbought: float = 70.0,
        *,
        edge_bps: float = 10.0,
        vol_window: int | None = None,
        row_secs: float | timedelta | None = None,
        asset_classes: Sequence[AssetClass] | None = None,
        name: str | None = None,
    ) -> None:
        low = checks.positive("oversold", oversold)
        high = checks.positive("overbought", overbought)
        if not low < high < 100.0:
            raise ValueError(
                f"oversold and overbought must rise and lie below 100, were {low:g} and {high:g}"
            )
        self._middle, self._half = (low + high) / 2.0, (high - low) / 2.0
        self._edge = checks.positive("edge_bps", edge_bps)
        super().__init__({"rsi": RSI(n)}, n, vol_window, row_secs, asset_classes, name)

    def evaluate(self, f: Any, universe: Sequence[Market], ctx: StrategyContext) -> list[Signal]:
        """Bet on the way back."""
        signals: list[Signal] = []
        for market in universe:
            index = f.rsi[market.id]
            if index != index:
                continue
            side = self._side(market.id, (index - self._middle) / self._half)
            if side is not None:
                self._say(signals, market, side, self._edge, f, ctx.price(market))
        return signals


class MovingAverageCrossover(_Rule):
    """Long while a fast moving average lies above a slow one, short while below.

    Parameters
    ----------
    fast, slow : int
        Rows of the two averages.
    kind : {"sma", "ema"}
        Simple or exponential.
    band : float
        Fraction of the slow one by which the fast one must lie apart; nearer, nothing changes.
    vol_window, row_secs
        As for `Momentum`.
    asset_classes, name
        As for `Strategy`.

    Notes
    -----
    Its edge is the distance of the averages, expected within `slow` rows.

    References
    ----------
    Brock, Lakonishok and LeBaron (1992), Simple Technical Trading Rules and the Stochastic
    Properties of Stock Returns, Journal of Finance 47: its variable-length moving average.

    Examples
    --------
    The last price of 110 lies a tenth above the mean of 90 and 110:

    >>> from horizon.strategies.prebuilt import MovingAverageCrossover
    >>> prices = [90, 110]
    >>> result = hz.backtest(
    ...     data=[{"timestamp": i, "price": p, "market_id": "ACME"} for i, p in enumerate(prices)],
    ...     markets=[hz.Market("ACME", hz.Equity)],
    ...     strategies=[MovingAverageCrossover(fast=1, slow=2)],
    ... )
    >>> [(one.timestamp, round(one.edge_bps, 4)) for one in result.decisions]
    [(1.0, 1000.0)]
    """

    def __init__(
        self,
        fast: int = 50,
        slow: int = 200,
        *,
        kind: str = "sma",
        band: float = 0.0,
        vol_window: int | None = None,
        row_secs: float | timedelta | None = None,
        asset_classes: Sequence[AssetClass] | None = None,
        name: str | None = None,
    ) -> None:
        self._band = checks.non_negative("band", band)
        features = {"gap": MovingAverageCross(fast, slow, kind)}
        super().__init__(features, slow, vol_window, row_secs, asset_classes, name)

    def evaluate(self, f: Any, universe: Sequence[Market], ctx: StrategyContext) -> list[Signal]:
        """Follow the side on which the fast average lies."""
        signals: list[Signal] = []
        for market in universe:
            gap = f.gap[market.id]
            # False for NaN too.
            if not abs(gap) > self._band:
                continue
            price = ctx.price(market)
            edge = _bps(market, abs(gap), price)
            if edge > 0.0:
                self._say(signals, market, 1 if gap > 0.0 else -1, edge, f, price)
        return signals


def _bps(market: Market, fraction: float, price: float) -> float:
    """A fraction of the price in basis points: of the payout for a prediction."""
    return fraction * 10_000.0 * (price if market.asset_class is _PREDICTION else 1.0)
