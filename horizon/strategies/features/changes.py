"""The price, its returns, and how much it moves."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Final

from horizon import checks
from horizon.checks import LARGEST
from horizon.strategies.features.base import Feature
from horizon.strategies.features.windows import Spreads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Price", "RealizedVol", "Return"]

_KINDS: Final = ("log", "simple", "difference")


class Price(Feature):
    """The last price there was.

    Examples
    --------
    A row without a price changes nothing:

    >>> hz.Price().batch([10.0, np.nan, 11.0]).tolist()
    [10.0, 10.0, 11.0]
    """

    def __init__(self) -> None:
        self.window = 1

    def update(self, price: float) -> float:
        """Take a `price`, and return it."""
        if not -LARGEST <= price <= LARGEST:
            return self._unusual(price)
        self.value = price
        return price

    def _batch(self, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
        return columns[0].copy()


class Return(Feature):
    """Return over the last `n` rows, a fraction.

    Parameters
    ----------
    n : int
        Rows between the two prices; the window is one more.
    log : bool
        ``log(price / before)`` instead of ``(price - before) / before``.

    Notes
    -----
    From a price of 0 or below there is no return, nor a log return to one: the value is NaN at
    those rows.

    Examples
    --------
    >>> hz.Return(1).batch([100.0, 110.0, 99.0]).tolist()
    [nan, 0.1, -0.1]
    """

    def __init__(self, n: int = 1, log: bool = False) -> None:
        self.window = checks.integer("n", n) + 1
        self._change = log_return if checks.flag("log", log) else simple_return
        self._before: deque[float] = deque(maxlen=self.window - 1)

    def update(self, price: float) -> float:
        """Take a `price`, and return its return."""
        if not -LARGEST <= price <= LARGEST:
            return self._unusual(price)
        before = self._before
        if len(before) == before.maxlen:
            self.value = self._change(price, before[0])
        before.append(price)
        return self.value

    def _batch(self, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
        import numpy as np

        (prices,) = columns
        n = self.window - 1
        values = np.full(len(prices), np.nan)
        # Python's logarithm, row by row: NumPy's may differ from it in the last bit.
        pairs = map(self._change, prices[n:].tolist(), prices[:-n].tolist())
        values[n:] = np.fromiter(pairs, dtype=np.float64, count=max(0, len(prices) - n))
        return values


class RealizedVol(Feature):
    """Standard deviation of the last `n` one-row returns, about their mean.

    Parameters
    ----------
    n : int
        Returns it is made of; the window is one row more.
    returns : {"log", "simple", "difference"}
        ``difference`` is the change in price itself, as predictions and spreads want it; the
        others are fractions, of which there are none from a price of 0 or below: the value is NaN
        while one is in the window.
    periods_per_year : float, optional
        Rows per year: the value is times its root, annualised. Left out, it is per row.
    ddof : {1, 0}
        The divisor is ``n - ddof``.

    Examples
    --------
    Changes of 1 and 3 have the mean 2, from which each is 1 away:

    >>> hz.RealizedVol(2, returns="difference", ddof=0).batch([10.0, 11.0, 14.0]).tolist()
    [nan, nan, 1.0]
    """

    def __init__(
        self,
        n: int,
        returns: str = "log",
        periods_per_year: float | None = None,
        ddof: int = 1,
    ) -> None:
        self._divisor = divisor(n, ddof)
        self.window = int(n) + 1
        kind = checks.one_of("returns", returns, _KINDS)
        self._change = {"log": log_return, "simple": simple_return, "difference": difference}[kind]
        self._scale = (
            1.0
            if periods_per_year is None
            else math.sqrt(checks.positive("periods_per_year", periods_per_year))
        )
        self._before: float | None = None
        self._spreads = Spreads(int(n))

    def update(self, price: float) -> float:
        """Take a `price`, and return the volatility."""
        if not -LARGEST <= price <= LARGEST:
            return self._unusual(price)
        before, self._before = self._before, price
        if before is not None:
            squares = self._spreads.take(self._change(price, before))
            self.value = math.sqrt(squares / self._divisor) * self._scale
        return self.value

    def _batch(self, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
        import numpy as np

        from horizon.strategies.features.blocks import window_spreads

        (prices,) = columns
        values = np.full(len(prices), np.nan)
        if len(prices) > 1:
            pairs = map(self._change, prices[1:].tolist(), prices[:-1].tolist())
            changes = np.fromiter(pairs, dtype=np.float64, count=len(prices) - 1)
            _, squares = window_spreads(changes, self.window - 1)
            values[1:] = np.sqrt(squares / self._divisor) * self._scale
        return values


def divisor(n: object, ddof: object) -> float:
    """Take a window and its degrees of freedom; return what sums of squares are divided by."""
    if checks.integer("ddof", ddof, least=0) > 1:
        raise ValueError(f"ddof must be 0 or 1, was {ddof!r}")
    return float(checks.integer("n", n, least=2) - int(ddof))  # type: ignore[call-overload]


def difference(price: float, before: float) -> float:
    """Change in price."""
    return price - before


def simple_return(price: float, before: float) -> float:
    """Change as a fraction of the price before; NaN where that is not above 0."""
    return (price - before) / before if before > 0.0 else math.nan


def log_return(price: float, before: float) -> float:
    """Logarithm of the ratio of two prices; NaN where one is not above 0.

    A small one is worked out from the change, which a ratio near 1 would round away.
    """
    if before <= 0.0 or price <= 0.0:
        return math.nan
    if before <= 2.0 * price and price <= 2.0 * before:
        return math.log1p((price - before) / before)
    return math.log(price) - math.log(before)  # their ratio may be too large or small for a float
