"""Features by their definitions, in decimals of 60 digits: for tests and benchmarks.

Each function takes the rows that matter, as exact decimals, and gives the value at the last one.
Means and squares are worked out from the window itself, in two passes; averages without an end
are followed from the first of the rows given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from itertools import pairwise

from horizon.strategies.features import (
    EMA,
    RSI,
    SMA,
    BollingerZ,
    Feature,
    MovingAverageCross,
    Price,
    RealizedVol,
    Return,
    Zscore,
)

__all__ = ["exactly", "rows_needed"]

_DIGITS = 60
#: What an average without an end has forgotten of a price of 1e15 beside one of 1e-15.
_FORGOTTEN = 1e-60

Rows = Sequence[Decimal]


def exactly(feature: Feature, rows: Sequence[float]) -> Decimal:
    """The value after `rows`, of which there must be `rows_needed` (or all there were)."""
    with localcontext() as context:
        context.prec = _DIGITS
        needed = rows_needed(feature)
        return _OF[type(feature)](feature, [Decimal(row) for row in rows[-needed:]])


def rows_needed(feature: Feature) -> int:
    """How many of the last rows the value depends on."""
    alpha = slowest(feature)
    if alpha is None:
        return feature.window
    needed, left = feature.window, 1.0
    while left > _FORGOTTEN:
        left *= 1.0 - alpha
        needed += 1
    return needed


def slowest(feature: Feature) -> float | None:
    """Least weight of a new row in an average without an end; None where there is none."""
    of = feature.parameters
    if isinstance(feature, EMA):
        return of["alpha"] or 2.0 / (of["n"] + 1)
    if isinstance(feature, RSI):
        return 1.0 / of["n"]
    if isinstance(feature, MovingAverageCross) and of["kind"] == "ema":
        return 2.0 / (of["slow"] + 1)
    return None


def _mean(rows: Rows) -> Decimal:
    return sum(rows, Decimal(0)) / len(rows)


def _deviation(rows: Rows, ddof: int) -> Decimal:
    mean = _mean(rows)
    squares = sum(((row - mean) ** 2 for row in rows), Decimal(0))
    return (squares / (len(rows) - ddof)).sqrt()


def _average(rows: Rows, alpha: Decimal) -> Decimal:
    average = rows[0]
    for row in rows[1:]:
        average = (1 - alpha) * average + alpha * row
    return average


def _price(feature: Feature, rows: Rows) -> Decimal:
    return rows[-1]


def _return(feature: Feature, rows: Rows) -> Decimal:
    ratio = rows[-1] / rows[-1 - feature.parameters["n"]]
    return ratio.ln() if feature.parameters["log"] else ratio - 1


def _sma(feature: Feature, rows: Rows) -> Decimal:
    return _mean(rows[-feature.window :])


def _ema(feature: Feature, rows: Rows) -> Decimal:
    given = feature.parameters["alpha"]
    return _average(rows, _alpha(feature.window) if given is None else Decimal(given))


def _alpha(n: int) -> Decimal:
    return Decimal(2) / (n + 1)


def _zscore(feature: Feature, rows: Rows) -> Decimal:
    deviation = _deviation(rows[-feature.window :], feature.parameters["ddof"])
    return (rows[-1] - _mean(rows[-feature.window :])) / deviation if deviation else Decimal(0)


def _bollinger(feature: Feature, rows: Rows) -> Decimal:
    width = _deviation(rows[-feature.window :], 0) * Decimal(feature.parameters["k"])
    return (rows[-1] - _mean(rows[-feature.window :])) / width if width else Decimal(0)


def _vol(feature: Feature, rows: Rows) -> Decimal:
    of = feature.parameters
    change: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
        "log": lambda before, row: (row / before).ln(),
        "simple": lambda before, row: row / before - 1,
        "difference": lambda before, row: row - before,
    }
    changes = [change[of["returns"]](*pair) for pair in pairwise(rows[-feature.window :])]
    return _deviation(changes, of["ddof"]) * Decimal(of["periods_per_year"] or 1).sqrt()


def _rsi(feature: Feature, rows: Rows) -> Decimal:
    n = feature.parameters["n"]
    changes = [row - before for before, row in pairwise(rows)]
    ups, downs = [max(c, Decimal(0)) for c in changes], [max(-c, Decimal(0)) for c in changes]
    gain, loss = _mean(ups[:n]), _mean(downs[:n])
    for up, down in zip(ups[n:], downs[n:], strict=True):
        gain, loss = (gain * (n - 1) + up) / n, (loss * (n - 1) + down) / n
    if not loss:
        return Decimal(100 if gain else 50)
    return 100 - 100 / (1 + gain / loss)


def _cross(feature: Feature, rows: Rows) -> Decimal:
    of = feature.parameters
    if of["kind"] == "sma":
        fast, slow = _mean(rows[-of["fast"] :]), _mean(rows[-of["slow"] :])
    else:
        fast, slow = _average(rows, _alpha(of["fast"])), _average(rows, _alpha(of["slow"]))
    return (fast - slow) / slow


_OF: dict[type[Feature], Callable[[Feature, Rows], Decimal]] = {
    Price: _price,
    Return: _return,
    SMA: _sma,
    EMA: _ema,
    Zscore: _zscore,
    BollingerZ: _bollinger,
    RealizedVol: _vol,
    RSI: _rsi,
    MovingAverageCross: _cross,
}
