"""Moving averages, and two of them compared."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from horizon import checks
from horizon.checks import LARGEST
from horizon.strategies.features.base import Feature
from horizon.strategies.features.windows import Means

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EMA", "SMA", "MovingAverageCross"]

_KINDS: Final = ("sma", "ema")


class SMA(Feature):
    """Simple moving average: the mean of the last `n` prices.

    Parameters
    ----------
    n : int
        Rows of the window, at least 1.

    Examples
    --------
    >>> hz.SMA(3).batch([10.0, 11.0, 12.0, 16.0]).tolist()
    [nan, nan, 11.0, 13.0]
    """

    def __init__(self, n: int) -> None:
        self.window = checks.integer("n", n)
        self._take = Means(self.window).take

    def update(self, price: float) -> float:
        """Take a `price`, and return the mean."""
        if not -LARGEST <= price <= LARGEST:
            return self._unusual(price)
        self.value = value = self._take(price)
        return value

    def _batch(self, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
        from horizon.strategies.features.blocks import window_means

        return window_means(columns[0], self.window)


class EMA(Feature):
    """Exponential moving average: ``value += alpha * (price - value)``, from the first price on.

    It is pandas' ``ewm(alpha=alpha, adjust=False).mean()``, shown from the row `n` on. Unlike a
    window it never quite forgets: a price counts ``(1 - alpha)**k`` of itself k rows later.

    Parameters
    ----------
    n : int
        Rows until there is a value, and what `alpha` is made of.
    alpha : float, optional
        Weight of the newest price, above 0, up to 1. Left out: ``2 / (n + 1)``. Wilder's average
        over n rows is ``EMA(n, alpha=1 / n)``.

    Raises
    ------
    TypeError, ValueError
        If `n` is no whole number of 1 or more, or `alpha` does not lie in (0, 1].

    Examples
    --------
    With n = 3, alpha is 1/2: the average goes half of the way to each new price.

    >>> hz.EMA(3).batch([10.0, 12.0, 15.0, 15.0]).tolist()
    [nan, nan, 13.0, 14.0]
    """

    def __init__(self, n: int, alpha: float | None = None) -> None:
        self.window = checks.integer("n", n)
        weight = 2.0 / (self.window + 1.0) if alpha is None else checks.positive("alpha", alpha)
        if weight > 1.0:
            raise ValueError(f"alpha must lie above 0, up to 1, was {alpha!r}")
        self._alpha = weight
        self._average: float | None = None
        self._missing = self.window

    def update(self, price: float) -> float:
        """Take a `price`, and return the average."""
        if not -LARGEST <= price <= LARGEST:
            return self._unusual(price)
        self.value = value = self._take(price)
        return value

    def _take(self, price: float) -> float:
        average = self._average
        average = price if average is None else average + self._alpha * (price - average)
        self._average = average
        if self._missing > 1:
            self._missing -= 1
            return math.nan
        return average

    def _batch(self, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
        import numpy as np

        (prices,) = columns
        alpha = self._alpha
        averages = accumulate(prices.tolist(), lambda average, p: average + alpha * (p - average))
        values = np.fromiter(averages, dtype=np.float64, count=len(prices))
        values[: self.window - 1] = np.nan
        return values


class MovingAverageCross(Feature):
    """How far a fast average lies above a slow one: ``(fast - slow) / slow``, a fraction.

    Above 0 the market has been rising of late. Exactly 0.0 while all prices are alike.

    Parameters
    ----------
    fast, slow : int
        Rows of the two averages, `fast` fewer; the window is `slow`.
    kind : {"sma", "ema"}
        Simple or exponential.

    Notes
    -----
    NaN where the slow average is 0 or below, of which there are no fractions.

    Raises
    ------
    TypeError, ValueError
        If `fast` and `slow` are no whole numbers of 1 or more, `fast` is not below `slow`, or
        `kind` is another.

    Examples
    --------
    The last price against the mean of two: 110 is a tenth above 100, 90 a tenth below.

    >>> hz.MovingAverageCross(1, 2).batch([90.0, 110.0, 90.0]).tolist()
    [nan, 0.1, -0.1]
    """

    def __init__(self, fast: int, slow: int, kind: str = "sma") -> None:
        quick, self.window = checks.integer("fast", fast), checks.integer("slow", slow)
        if quick >= self.window:
            raise ValueError(f"fast must be below slow, was {quick} with a slow of {self.window}")
        made: type[SMA] | type[EMA] = SMA if checks.one_of("kind", kind, _KINDS) == "sma" else EMA
        self._fast, self._slow = made(quick), made(self.window)
        # What they are fed has been looked at before.
        self._take_fast, self._take_slow = self._fast._take, self._slow._take

    def update(self, price: float) -> float:
        """Take a `price`, and return the distance of the averages."""
        if not -LARGEST <= price <= LARGEST:
            return self._unusual(price)
        fast, slow = self._take_fast(price), self._take_slow(price)
        self.value = value = (fast - slow) / slow if slow > 0.0 else math.nan
        return value

    def _batch(self, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
        import numpy as np

        fast, slow = self._fast._batch(*columns), self._slow._batch(*columns)
        above = slow > 0.0
        values = np.full(len(slow), np.nan)
        values[above] = (fast[above] - slow[above]) / slow[above]
        return values
