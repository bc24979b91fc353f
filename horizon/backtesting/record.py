"""What a run leaves behind: columns and facts, from which every result is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from horizon.instruments import Market
from horizon.types import Position
from horizon.venues.account import SettlementRow
from horizon.venues.history import FillColumns, OrderColumns, PackedOrders

if TYPE_CHECKING:
    from horizon.backtesting.data import MarketData
    from horizon.books import Books
    from horizon.strategies.decision_log import DecisionColumns

__all__ = ["Replayed", "RunRecord"]


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """What a run has replayed and how it matched: what an explanation needs beside the record.

    Attributes
    ----------
    data : MarketData or None
        None where the rows came in chunks, which are not kept.
    books : mapping of market id to Books
        Empty without books.
    displacements : tuple of (time in ns, market id, displacement from then on)
        Permanent impact of our own trades, in price units of YES.
    matching, bar_fill_mode : str
    slippage : float
        Fraction.
    latency, fill_model, impact : object or None
        The models of the run; None without books, `latency` also without latency.
    seed : int
    """

    data: MarketData | None
    books: Mapping[str, Books]
    displacements: tuple[tuple[int, str, float], ...]
    matching: str
    bar_fill_mode: str
    slippage: float
    latency: Any
    fill_model: Any
    impact: Any
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class RunRecord:
    """A finished run.

    Attributes
    ----------
    times_ns, equity : ndarray of shape (n_points,)
        One point for each step, the initial capital first.
    fair_values : ndarray of float64, shape (n_fills,)
        The pipeline's fair value of YES behind each fill, NaN where it had none.
    settlements : tuple of (leg id, signed quantity, price, realised profit, time in ns)
    positions : tuple of Position
        What was held at the end.
    outcomes : dict of market id to float
        Of the markets that settled within the run.
    rejections : dict of str to int
        Refused orders by rule or reason.
    errors : dict of str to int
        Exceptions passed over, by stage.
    remarks : tuple of str
        What a user should know of how the run went, in sentences.
    decisions : DecisionColumns or None
        What became of the strategies' signals; None without strategies.
    config : dict
        Every argument of the run, as JSON holds it.
    """

    name: str
    initial_capital: float
    markets: tuple[Market, ...]
    market_feeds: dict[str, str]
    times_ns: NDArray[np.int64]
    equity: NDArray[np.float64]
    fills: FillColumns
    orders: OrderColumns | PackedOrders
    fair_values: NDArray[np.float64]
    settlements: tuple[SettlementRow, ...]
    positions: tuple[Position, ...]
    outcomes: dict[str, float]
    rejections: dict[str, int]
    errors: dict[str, int]
    error_texts: tuple[str, ...]
    dropped: dict[str, dict[str, int]]
    config: dict[str, object]
    remarks: tuple[str, ...] = ()
    engine: str = "reference"
    currency: str = "USD"
    periods_per_year: float | None = None
    decisions: DecisionColumns | None = None
    replayed: Replayed | None = field(default=None, repr=False)
