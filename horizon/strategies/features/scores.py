"""Where the price stands in what it has done of late."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from horizon import checks
from horizon.checks import LARGEST
from horizon.strategies.features.base import Feature
from horizon.strategies.features.changes import divisor
from horizon.strategies.features.windows import Spreads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RSI", "BollingerZ", "Zscore"]

#: A deviation of so little of the mean is rounding, as in `horizon.analytics`.
_ALIKE: Final = 1e-14


class Zscore(Feature):
    """Distance of the price from the mean of its window, in standard deviations.

    ``(price - mean) / deviation``, the price itself being one of the `n`; 0.0 while all prices of
    the window are alike to 14 digits: what they differ by is then rounding.

    Parameters
    ----------
    n : int
        Rows of the window, at least 2.
    ddof : {1, 0}
        The deviation's divisor is ``n - ddof``.

    Examples
    --------
    The mean of 8, 10 and 12 is 10, and their standard deviation 2:

    >>> hz.Zscore(3).batch([8.0, 10.0, 12.0]).tolist()
    [nan, nan, 1.0]
    """

    def __init__(self, n: int, ddof: int = 1) -> None:
        self._divisor = divisor(n, ddof)
        self._width = 1.0
        self.window = int(n)
        self._spreads = Spreads(self.window)

    def update(self, price: float) -> float:
        """Take a `price`, and return its score."""
        if not -LARGEST <= price <= LARGEST:
            return self._unusual(price)
        spreads = self._spreads
        deviation = math.sqrt(spreads.take(price) / self._divisor)
        mean = spreads.mean
        if deviation <= _ALIKE * abs(mean):  # false while the window is not full
            self.value = 0.0
        else:
            self.value = (price - mean) / (deviation * self._width)
        return self.value

    def _batch(self, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
        import numpy as np

        from horizon.strategies.features.blocks import window_spreads

        (prices,) = columns
        means, squares = window_spreads(prices, self.window)
        deviations = np.sqrt(squares / self._divisor)
        values = np.zeros(len(prices))
        told = ~(deviations <= _ALIKE * np.abs(means))
        np.divide(prices - means, deviations * self._width, out=values, where=told)
        return values


class BollingerZ(Zscore):
    """Where the price stands between Bollinger's bands: -1.0 at the lower, 1.0 at the upper.

    ``(price - mean) / (k * deviation)``, the deviation with divisor `n` as Bollinger has it; 0.0
    while all prices of the window are alike to 14 digits.

    Parameters
    ----------
    n : int
        Rows of the window, at least 2.
    k : float
        Deviations between the middle and a band; above 0.

    Examples
    --------
    The bands of 9 and 11 lie two deviations of 1 around 10; 11 is half-way to the upper one.

    >>> hz.BollingerZ(2).batch([9.0, 11.0]).tolist()
    [nan, 0.5]
    """

    def __init__(self, n: int = 20, k: float = 2.0) -> None:
        super().__init__(n, 0)
        self._width = checks.positive("k", k)


#: Below this the averages of `RSI` have forgotten all but their ratio, and are soon too small to
#: tell even that.
_FADED: Final = 1e-290


class RSI(Feature):
    """Wilder's relative strength index, 0 to 100: what part of all movement went up.

    ``100 * gain / (gain + loss)``, of Wilder's averages of rises and falls: the simple means of
    the first `n` changes, then ``average += (change - average) / n``. 100.0 without falls, and
    50.0 as long as nothing has moved at all.

    Parameters
    ----------
    n : int
        Changes that the averages begin with; the window is one row more.

    References
    ----------
    Wilder (1978), New Concepts in Technical Trading Systems, section VI.

    Examples
    --------
    One rise of 3 and one fall of 1: three quarters of all movement went up.

    >>> hz.RSI(2).batch([10.0, 13.0, 12.0]).tolist()
    [nan, nan, 75.0]
    """

    def __init__(self, n: int = 14) -> None:
        self._n = checks.integer("n", n)
        self.window = self._n + 1
        self._before = math.nan
        self._rows = 0
        self._gain = self._loss = 0.0

    def update(self, price: float) -> float:
        """Take a `price`, and return the index."""
        if not -LARGEST <= price <= LARGEST:
            return self._unusual(price)
        change, self._before = price - self._before, price
        n, gain, loss = self._n, self._gain, self._loss
        if self._rows > n:
            if change > 0.0:
                gain += (change - gain) / n
                loss -= loss / n
            elif change < 0.0 or gain + loss > _FADED:
                gain -= gain / n
                loss -= (change + loss) / n
        else:
            self._rows += 1
            if change > 0.0:  # never of the first price, before which there is none
                gain += change / n
            elif change < 0.0:
                loss -= change / n
            if self._rows <= n:
                self._gain, self._loss = gain, loss
                return self.value
        self._gain, self._loss = gain, loss
        moved = gain + loss
        self.value = value = 100.0 * (gain / moved) if moved > 0.0 else 50.0
        return value
