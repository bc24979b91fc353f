"""A made-up prediction market whose price is a fair game."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.feeds.base import Feed, Fields

__all__ = ["Synthetic"]

#: Rows are drawn in blocks of this size, however they are consumed: the same seed gives the
#: same rows in one run, in steps, and for any `n`.
_BLOCK: Final = 1024


class Synthetic(Feed):
    """Quotes of a made-up yes/no market, the same for the same seed.

    The price is a true martingale: whatever has been seen, the expected next price is the
    present one, at any distance and any step. A strategy that gains here in the long run
    gains from a mistake in its test.

    Parameters
    ----------
    seed : int
        Zero or more. The stream hangs on the seed and `market_id` alone, and on no global
        state: two markets of one seed are independent.
    market_id : str
        The market of all rows.
    start : float
        First price; inside the price bounds below.
    volatility : float
        Standard deviation of the price change over the root of a second, at even odds, in
        price units. The default of 0.001 is about 0.8 cents in a minute and 6 in an hour.
        Changes shrink as the price nears a bound.
    interval : float
        Seconds between rows, from 1e-9. The rows begin at time 0; `run` and `play` move them
        to the client's present.
    n : int, optional
        Number of rows; without end by default, when `run` needs ``until=`` or ``n=``.
    spread : float
        Least distance of ask and bid, in price units; above 0.
    depth : float
        Mean of the sizes at the best quotes, in contracts. Each is drawn by itself, evenly
        between half and one and a half of it, and rounded to a whole contract, at least one.
    tick_size : float or None
        Price grid of bid and ask, a divisor of 1; None leaves them off any grid.
    speed : float or None
        Market seconds per wall second of `play`; None or infinity is as fast as possible.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range, or if grid and spread leave no
        room for a price.

    Notes
    -----
    An event is drawn, θ = 1 or 0, which the market sees through noise. With
    dY = σθ dt + dW, the log-odds of θ = 1 given all that was seen are

        L(t) = L(0) + σ (Y(t) − σt/2),

    and L is simulated without error at any step: increments are normal with mean
    ±σ²Δt/2 and variance σ²Δt. The conditional probability 1/(1 + exp(−L)) is a martingale by
    the tower rule, strictly inside (0, 1), and obeys dp = σ p (1 − p) dW. This is the filter
    of Wonham for an event that never changes; Brody, Hughston and Macrina price assets so.

    The price is c + (1 − 2c) p, which keeps the martingale. The margin c is the least that
    leaves room for a bid and an ask inside (0, 1): the prices lie in (c, 1 − c), `bounds`.
    Near a bound, floating point ends at it. `outcome` settles at 1 or 0 with probabilities
    that equal the price at any row, so a position held to settlement is a fair game too.

    A bounded martingale converges: without end, the price comes to rest near a bound, within
    days at the default volatility. This is a market that has made up its mind.

    The price is not rounded, since rounding would break the martingale: even unbiased random
    rounding, which keeps the mean, makes a price bounce about its fair value in a way that can
    be traded. Bid and ask are rounded away from it instead, so each stays at least half of
    `spread` from fair value, and the mid at most half a tick.

    References
    ----------
    Wonham (1965), Some Applications of Stochastic Differential Equations to Optimal Nonlinear
    Filtering. Brody, Hughston and Macrina (2008), Information-Based Asset Pricing.

    Examples
    --------
    >>> feed = hz.feeds.Synthetic(seed=7, market_id="rain", start=0.4, n=600)
    >>> ex = hz.connect("paper")
    >>> feed.run(ex)
    600
    >>> next(iter(feed)).price
    0.4
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        market_id: str = "synthetic",
        start: float = 0.5,
        volatility: float = 0.001,
        interval: float = 1.0,
        n: int | None = None,
        spread: float = 0.02,
        depth: float = 500.0,
        tick_size: float | None = 0.01,
        speed: float | None = 1.0,
    ) -> None:
        self._market_id = checks.text("market_id", market_id)
        super().__init__(name=self._market_id, speed=speed)
        self._seed = checks.integer("seed", seed, least=0)
        self._n = None if n is None else checks.integer("n", n)
        self._interval_ns = round(checks.positive("interval", interval) * 1e9)
        if self._interval_ns < 1:
            raise ValueError(f"interval must be at least 1e-9 seconds, was {interval!r}")
        self._half = checks.positive("spread", spread) / 2.0
        self._depth = checks.positive("depth", depth)
        self._ticks = None if tick_size is None else _ticks_per_unit(tick_size)
        self._margin = _margin(self._half, self._ticks)
        if self._margin >= 0.5:
            raise ValueError(
                f"spread {spread!r} and tick_size {tick_size!r} leave no room for a price"
            )
        self._start = checks.number("start", start)
        low, high = self.bounds
        if not low < self._start < high:
            raise ValueError(
                f"start must lie strictly between {low:g} and {high:g} with this spread and "
                f"tick size, was {start!r}"
            )
        width = high - low
        # dp = σ p (1 − p) dW: at even odds the price moves by width · σ / 4.
        self._sigma = checks.positive("volatility", volatility) * 4.0 / width
        rng = self._generator()
        is_yes, doubt = (float(u) for u in rng.random(2))
        self._theta = 1.0 if is_yes < (self._start - low) / width else 0.0
        # The last doubt c: with it a settlement has the price as its probability.
        self._outcome = self._theta if doubt >= self._margin else 1.0 - self._theta

    @property
    def total(self) -> int | None:
        """Rows of the whole feed; None without end."""
        return self._n

    @property
    def market_id(self) -> str:
        """The market of all rows."""
        return self._market_id

    @property
    def bounds(self) -> tuple[float, float]:
        """The prices lie between these two."""
        return self._margin, 1.0 - self._margin

    @property
    def outcome(self) -> float:
        """What the market would settle at, 1.0 or 0.0; no row gives it away."""
        return self._outcome

    def time_at(self, row: int) -> int | None:
        """Return the time of a `row` (from 0), in nanoseconds after the first; None for none."""
        is_there = row >= 0 and (self._n is None or row < self._n)
        return row * self._interval_ns if is_there else None

    def row_at(self, ns: int) -> int:
        """Return how many rows are not later than `ns` nanoseconds after the first."""
        rows = max(ns // self._interval_ns + 1, 0)
        return rows if self._n is None else min(rows, self._n)

    def batches(self) -> Iterator[Sequence[Fields]]:
        """Give the rows from the first on; each call begins anew."""
        rng = self._generator()
        rng.random(2)  # the event itself, drawn once above
        dt = self._interval_ns / 1e9
        low, high = self.bounds
        drift = self._sigma**2 * dt * (self._theta - 0.5)
        scale = self._sigma * math.sqrt(dt)
        p = (self._start - low) / (high - low)
        log_odds = math.log(p / (1.0 - p))
        first = 0
        while self._n is None or first < self._n:
            moves = drift + scale * rng.standard_normal(_BLOCK)
            # One running sum through all blocks: the first row of a block follows the last
            # row of the one before, and the very first row is `start` itself.
            if first == 0:
                moves[0] = 0.0
            path = np.cumsum(np.concatenate(([log_odds], moves)))[1:]
            log_odds = float(path[-1])
            sizes = self._depth * rng.uniform(0.5, 1.5, size=(2, _BLOCK))
            keep = _BLOCK if self._n is None else min(_BLOCK, self._n - first)
            yield self._rows(first, path[:keep], np.maximum(np.rint(sizes[:, :keep]), 1.0))
            first += keep

    def _rows(
        self, first: int, log_odds: NDArray[np.float64], sizes: NDArray[np.float64]
    ) -> list[Fields]:
        low, high = self.bounds
        # tanh is the logistic function without an overflow far out.
        price = low + (high - low) * 0.5 * (1.0 + np.tanh(0.5 * log_odds))
        if first == 0:
            price[0] = self._start  # not start ± one rounding
        bid, ask = price - self._half, price + self._half
        if self._ticks is not None:
            # The slack of 1e-9 keeps 0.29 · 100 = 28.999999999999996 on its own tick.
            bid = np.maximum(np.floor(bid * self._ticks + 1e-9), 1.0) / self._ticks
            ask = np.minimum(np.ceil(ask * self._ticks - 1e-9), self._ticks - 1.0) / self._ticks
        times = range(
            first * self._interval_ns, (first + len(price)) * self._interval_ns, self._interval_ns
        )
        columns = (price, bid, ask, sizes[0], sizes[1])
        return [
            (self._market_id, ns, p, b, a, bs, az, None, None, None, None)
            for ns, p, b, a, bs, az in zip(times, *(c.tolist() for c in columns), strict=True)
        ]

    def _generator(self) -> np.random.Generator:
        key = hashlib.blake2b(f"{self._seed}:{self._market_id}".encode(), digest_size=16)
        return np.random.Generator(np.random.Philox(key=int.from_bytes(key.digest(), "big")))

    def _facts(self) -> dict[str, str]:
        facts = {"market": self._market_id, "seed": str(self._seed)}
        if self._n is None:
            facts["length"] = "without end"
        return facts | super()._facts()


def _ticks_per_unit(tick_size: float) -> float:
    step = checks.positive("tick_size", tick_size)
    ticks = round(1.0 / step)
    if ticks < 3 or abs(ticks * step - 1.0) > 1e-9:
        raise ValueError(f"tick_size must divide 1 into 3 or more equal ticks, was {tick_size!r}")
    return float(ticks)


def _margin(half: float, ticks: float | None) -> float:
    """Least distance of the price from 0 and 1 at which both quotes fit inside them."""
    if ticks is None:
        # Half a spread and as much again, or the bid could come down to 0 itself.
        return 2.0 * half
    return 1.0 / ticks + half
