"""Forecasts and what came of them, with what they can be chosen by: market, time, side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.calibration import CalibrationCurve, calibration_curve
from horizon.analytics.decay import EdgeDecay, edge_decay
from horizon.analytics.forecasts import (
    Floats,
)
from horizon.analytics.spans import Span
from horizon.columns import NEVER

__all__ = ["HOURS", "SIDES", "ForecastPairs"]

#: What a forecast can be of.
_OF: Final = ("price", "model")
#: What a side can be.
SIDES: Final = ("buy", "sell")
#: Where groups by the hours to resolution are cut.
HOURS: Final = (1.0, 6.0, 24.0, 168.0)
_HOUR_NS: Final = 3_600_000_000_000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ForecastPairs:
    """Forecasts of events, and whether they happened.

    Not made by hand: `forecast_pairs` returns it.

    Attributes
    ----------
    prices : ndarray of float, shape (n,)
        What was forecast: probabilities, or prices of YES.
    model : ndarray of float, shape (n,)
        A model's own probabilities beside them; NaN where it had none.
    outcomes : ndarray of float, shape (n,)
        0 or 1, or between them for a tie.
    markets : tuple of str
        The events, by number; empty where they are not known apart.
    codes : ndarray of int, shape (n,)
        Each pair's event.
    is_buy : ndarray of bool, shape (n,), or None
        Whether the event was bought; selling YES and buying NO are the other side.
    times_ns : ndarray of int64, shape (n,), or None
    resolved_ns : ndarray of int64, shape (n,), or None
        When the event was resolved; `NEVER` where nobody has kept it.
    what : str
        What one pair is called: ``"fill"``, ``"forecast"``.

    Examples
    --------
    Of what was bought, 0.4² and 0.2²:

    >>> pairs = hz.analytics.forecast_pairs(
    ...     [0.6, 0.8, 0.3], [1, 1, 1], sides=["buy", "buy", "sell"])
    >>> bought = pairs.where(side="buy")
    >>> len(bought), round(bought.calibration().brier_score, 4)
    (2, 0.1)
    """

    prices: Floats
    model: Floats
    outcomes: Floats
    markets: tuple[str, ...]
    codes: NDArray[np.intp]
    is_buy: NDArray[np.bool_] | None = None
    times_ns: NDArray[np.int64] | None = None
    resolved_ns: NDArray[np.int64] | None = None
    what: str = "forecast"

    def __len__(self) -> int:
        return len(self.prices)

    def __repr__(self) -> str:
        n = len(self)
        return f"<ForecastPairs: {n:,} {self.what}{'' if n == 1 else 's'}>"

    @property
    def has_model(self) -> bool:
        """Whether a model had a probability for any of them."""
        return bool((~np.isnan(self.model)).any())

    @property
    def ties(self) -> int:
        """How many outcomes lie between 0 and 1."""
        return int(np.count_nonzero((self.outcomes > 0.0) & (self.outcomes < 1.0)))

    @property
    def events(self) -> int:
        """How many different events there are; 0 where they are not known apart."""
        return len(np.unique(self.codes)) if self.markets else 0

    @property
    def untimed(self) -> int:
        """How many have no time of their own, or none of their resolution."""
        if self.times_ns is None or self.resolved_ns is None:
            return len(self)
        return int(np.count_nonzero(self.resolved_ns == NEVER))

    # ------------------------------------------------------------------ some of them
    def where(
        self,
        *,
        span: Span | None = None,
        markets: Iterable[str] | None = None,
        side: str | None = None,
        without_ties: bool = False,
    ) -> ForecastPairs:
        """Return some of the pairs; each condition leaves out what does not meet it.

        Parameters
        ----------
        span : Span, optional
            Of the time of the forecast, not that of its resolution.
        markets : iterable of str, optional
        side : {"buy", "sell"}, optional
            Of the event.
        without_ties : bool
            Leave out what was resolved between 0 and 1.

        Returns
        -------
        ForecastPairs

        Raises
        ------
        ValueError
            If a market is none of theirs, or they have no times or sides to be chosen by.
        """
        keep = np.ones(len(self), dtype=bool)
        if span is not None and not span.is_all:
            if self.times_ns is None:
                raise ValueError("span needs the times of the forecasts, which were not given")
            keep &= (self.times_ns >= span.first_ns) & (self.times_ns < span.stop_ns)
        if markets is not None:
            wanted = [markets] if isinstance(markets, str) else list(markets)
            for name in wanted:
                if name not in self.markets:
                    raise ValueError(
                        f"markets must be among those of the {self.what}s, {checks.show(name)} is "
                        f"not{checks.suggestion(str(name), self.markets)}"
                    )
            chosen = np.array([name in set(wanted) for name in self.markets], dtype=bool)
            keep &= chosen[self.codes]
        if side is not None:
            checks.one_of("side", side, SIDES)
            if self.is_buy is None:
                raise ValueError("side needs the sides of the forecasts, which were not given")
            keep &= self.is_buy == (side == "buy")
        if without_ties:
            keep &= (self.outcomes == 0.0) | (self.outcomes == 1.0)
        return self._taken(keep)

    def _taken(self, keep: NDArray[np.bool_]) -> ForecastPairs:
        if bool(keep.all()):
            return self
        return replace(
            self,
            prices=self.prices[keep],
            model=self.model[keep],
            outcomes=self.outcomes[keep],
            codes=self.codes[keep],
            is_buy=None if self.is_buy is None else self.is_buy[keep],
            times_ns=None if self.times_ns is None else self.times_ns[keep],
            resolved_ns=None if self.resolved_ns is None else self.resolved_ns[keep],
        )

    def forecasts(self, of: str = "price") -> Floats:
        """Return what was forecast, shape (n,): the prices, or the model's probabilities.

        Parameters
        ----------
        of : {"price", "model"}
        """
        return self.prices if checks.one_of("of", of, _OF) == "price" else self.model

    # ------------------------------------------------------------------ judged
    def calibration(
        self,
        of: str = "price",
        n_bins: int = 10,
        *,
        strategy: str = "uniform",
        confidence: float = 0.95,
        by: str | None = None,
    ) -> CalibrationCurve:
        """Compare the forecasts with what happened; ties count as parts of an event.

        Parameters
        ----------
        of : {"price", "model"}
            Pairs without a probability of the model are left out of its curve.
        n_bins, strategy, confidence
            As `calibration_curve` takes them.
        by : {"market", "side", "hours"}, optional
            Make a curve of each group too; ``"hours"`` are those to resolution, cut at 1, 6, 24
            and 168, of the pairs that have both times.

        Raises
        ------
        ValueError
            If no pair is left, or what they are grouped by was not given.
        """
        said = self.forecasts(of)
        own = self._taken(~np.isnan(said))
        if len(own) == 0:
            left = "the model has a probability for none of them" if len(self) else "none is left"
            raise ValueError(f"calibration needs {self.what}s of events that resolved: {left}")
        options: dict[str, Any] = {"strategy": strategy, "confidence": confidence}
        options["ties"] = own.ties > 0
        whole = calibration_curve(own.forecasts(of), own.outcomes, n_bins, **options)
        if by is None:
            return whole
        part, labels, edges = own._groups(by)
        grouped = calibration_curve(
            part.forecasts(of), part.outcomes, n_bins, groups=labels, group_edges=edges, **options
        )
        return replace(whole, groups=grouped.groups)

    def _groups(self, by: str) -> tuple[ForecastPairs, Any, tuple[float, ...] | None]:
        checks.one_of("by", by, ("market", "side", "hours"))
        if by == "market":
            if not self.markets:
                raise ValueError("by='market' needs the markets of the forecasts")
            names = np.empty(len(self.markets), dtype=object)
            names[:] = self.markets
            return self, names[self.codes], None
        if by == "side":
            if self.is_buy is None:
                raise ValueError("by='side' needs the sides of the forecasts")
            return self, np.where(self.is_buy, "bought", "sold").astype(object), None
        timed = self._timed()
        if len(timed) == 0 or timed.times_ns is None or timed.resolved_ns is None:
            raise ValueError("by='hours' needs the times of the forecasts and of the resolutions")
        return timed, (timed.resolved_ns - timed.times_ns) / _HOUR_NS, HOURS

    def decay(self, n_buckets: int = 10) -> EdgeDecay:
        """Measure how the edge depends on the time left to resolution.

        The edge of a pair is what its contract earned: outcome − price where the event was
        bought (or no side is known), price − outcome where it was sold. Pairs without both times
        are left out.

        Parameters
        ----------
        n_buckets : int
            As `edge_decay` takes it.

        Returns
        -------
        EdgeDecay

        Raises
        ------
        ValueError
            If none has both times.
        """
        own = self._timed()
        if len(own) == 0 or own.times_ns is None or own.resolved_ns is None:
            raise ValueError(
                f"the decay of an edge needs the times of the {self.what}s and of the resolutions"
            )
        prices, outcomes = own.prices, own.outcomes
        if own.is_buy is not None:
            prices = np.where(own.is_buy, prices, 1.0 - prices)
            outcomes = np.where(own.is_buy, outcomes, 1.0 - outcomes)
        return edge_decay(
            prices,
            outcomes,
            own.times_ns.view("datetime64[ns]"),
            own.resolved_ns.view("datetime64[ns]"),
            n_buckets,
            ties=own.ties > 0,
        )

    def _timed(self) -> ForecastPairs:
        """Those that have both times."""
        if self.times_ns is None or self.resolved_ns is None:
            return self._taken(np.zeros(len(self), dtype=bool))
        return self._taken(self.resolved_ns != NEVER)
