"""Features: numbers that follow a market row by row, each in constant time.

>>> from horizon.strategies.features import Zscore
>>> Zscore(3).batch([1.0, 2.0, 3.0, 1.0]).tolist()
[nan, nan, 1.0, -1.0]
"""

from horizon.strategies.features.averages import EMA, SMA, MovingAverageCross
from horizon.strategies.features.base import Feature
from horizon.strategies.features.changes import Price, RealizedVol, Return
from horizon.strategies.features.scores import RSI, BollingerZ, Zscore

__all__ = [
    "EMA",
    "RSI",
    "SMA",
    "BollingerZ",
    "Feature",
    "MovingAverageCross",
    "Price",
    "RealizedVol",
    "Return",
    "Zscore",
]
