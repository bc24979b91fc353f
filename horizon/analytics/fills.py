"""Fills and settlements of any spelling, in one table in order of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.fill_reader import Part, market_of, read_fills, read_settlements
from horizon.analytics.positions import Steps, follow
from horizon.instruments import NO_SUFFIX, Option, canonical_id, class_of_id

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FillTable", "fill_table", "table_of"]

#: Frames of fills are written in whole microseconds.
_MICROSECOND_NS: Final = 1000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FillTable:
    """Fills and settlements in order of time, one row each, and what they did to positions.

    Not made by hand: `fill_table` returns it.

    Attributes
    ----------
    times_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970 (UTC), never going back.
    market_ids : ndarray of object, shape (n,)
        A market's id; ``"<id>:no"`` for the NO side.
    is_buy : ndarray of bool, shape (n,)
        A settlement of a short position buys it back.
    quantities, prices : ndarray of float, shape (n,)
        Quantities are above 0; prices are those of the row's own side.
    fees : ndarray of float, shape (n,)
        Money paid, below 0 for a rebate; 0.0 for settlements.
    is_maker : ndarray of bool, shape (n,)
    realized : ndarray of float, shape (n,)
        Profit before fees, as it was given; NaN where it was not.
    is_settlement : ndarray of bool, shape (n,)
    multipliers : ndarray of float, shape (n,)
        Currency per point and unit.
    source_rows : ndarray of int, shape (n,)
        The row's number, from 0, in the fills or settlements that it was read from.
    steps : Steps
        What each row opened and closed.

    Examples
    --------
    >>> table = hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00"], "market_id": ["ACME", "ACME"],
    ...     "side": ["buy", "sell"], "quantity": [10, 4], "price": [100.0, 105.0]})
    >>> table
    <FillTable: 2 fills, 0 settlements, 1 positions>
    >>> table.notionals.tolist()
    [1000.0, 420.0]
    """

    times_ns: NDArray[np.int64]
    market_ids: NDArray[np.object_]
    is_buy: NDArray[np.bool_]
    quantities: NDArray[np.float64]
    prices: NDArray[np.float64]
    fees: NDArray[np.float64]
    is_maker: NDArray[np.bool_]
    realized: NDArray[np.float64]
    is_settlement: NDArray[np.bool_]
    multipliers: NDArray[np.float64]
    source_rows: NDArray[np.intp]
    steps: Steps

    @property
    def notionals(self) -> NDArray[np.float64]:
        """Size of each row in money, quantity × price × multiplier; shape (n,)."""
        notionals: NDArray[np.float64] = np.abs(self.quantities * self.prices * self.multipliers)
        return notionals

    def __len__(self) -> int:
        return len(self.times_ns)

    def __repr__(self) -> str:
        settled = int(self.is_settlement.sum())
        return (
            f"<FillTable: {len(self) - settled:,} fills, {settled:,} settlements, "
            f"{len(self.steps.names):,} positions>"
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame()._repr_html_())  # type: ignore[operator]

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a table; times are UTC, `realized_pnl` is as it was given."""
        import pandas as pd

        return pd.DataFrame(
            {
                "time": pd.to_datetime(self.times_ns, unit="ns", utc=True),
                "market_id": pd.Series(self.market_ids.tolist(), dtype="str"),
                "side": pd.Series(np.where(self.is_buy, "buy", "sell").tolist(), dtype="str"),
                "quantity": self.quantities,
                "price": self.prices,
                "notional": self.notionals,
                "fee": self.fees,
                "is_maker": self.is_maker,
                "realized_pnl": self.realized,
                "is_settlement": self.is_settlement,
            }
        )


def fill_table(
    fills: Any = (), settlements: Any = (), *, multipliers: Mapping[str, float] | None = None
) -> FillTable:
    """Read fills and settlements of either vocabulary into one table in order of time.

    Parameters
    ----------
    fills : iterable of Fill, iterable of VenueFill, frame, or mapping of columns
        Each market's fills in order of time, from when it was flat; different markets may be
        laced in any order. Columns: ``timestamp``, ``market_id``, ``side``, ``quantity`` (or
        ``size``), ``price``; where there, ``fee``, ``is_maker`` and ``realized_pnl``. ``side``
        is ``"buy"`` or ``"sell"``; with a column ``order_side`` that one is, and ``side`` is
        ``"yes"``, ``"no"`` or ``"long"``. ``ImperativeClient.fills_frame()`` is such a frame.
        A fee is money paid: above 0 a cost, below 0 a rebate, whatever sign a broker gives it.
        Without its column a fee is 0.0, a fill is a taker's, a realised profit is worked out by
        average cost; so is a single one that is NaN or None.
    settlements : iterable of VenueSettlement, frame, or mapping of columns
        One row for each position closed: ``timestamp``, ``market_id``, ``quantity`` (signed,
        all that was held), ``price``; where there, ``realized_pnl``. One at the time of a fill
        of its market, or less than a microsecond before it, comes after the fill: frames of
        fills are written in whole microseconds.
    multipliers : mapping of str to float, optional
        Currency per point and unit, by market (NO shares its market's). Markets left out have
        100 where the id is an option symbol, else 1.

    Returns
    -------
    FillTable

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.
    DataError
        For a missing column or a row that cannot be true; it names the row and the value.
        Beside bad values these are: a time before the last of its market, a settlement of
        another quantity than is held, a profit on a fill that closes nothing (the history is
        then not whole).

    Examples
    --------
    >>> from horizon.types import VenueFill
    >>> bought = VenueFill("f1", "p1", "ACME", "buy", 10.0, 5.0, 0.1, 0.0, False, 0.0, "paper")
    >>> hz.analytics.fill_table([bought])
    <FillTable: 1 fills, 0 settlements, 1 positions>
    """
    each = _checked_multipliers(multipliers)
    return _laced(read_fills(fills), read_settlements(settlements), each)


def _laced(traded: Part, settled: Part, multipliers: dict[str, float]) -> FillTable:
    """Put both in one order of time, and follow the positions through it."""
    names = list(dict.fromkeys([*traded.names, *settled.names]))
    number = {name: i for i, name in enumerate(names)}
    parts = (traded, settled)

    def joined(columns: list[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(columns)[order]

    is_settlement = np.repeat([False, True], [p.source.length for p in parts])
    keys = np.concatenate([p.times for p in parts]) + _MICROSECOND_NS * is_settlement
    # Not a repair: each market is in order, and only markets are laced together.
    order = np.argsort(keys, kind="stable")
    positions = joined(
        [np.array([number[m] for m in p.names], dtype=np.intp)[p.codes] for p in parts]
    )
    # A settlement that the key has moved behind a fill takes the fill's time.
    times = np.maximum.accumulate(joined([p.times for p in parts]))
    signed = joined([p.traded for p in parts])
    prices, fees = joined([p.prices for p in parts]), joined([p.fees for p in parts])
    realized, is_settlement = joined([p.realized for p in parts]), is_settlement[order]
    rows = joined([np.arange(p.source.length, dtype=np.intp) for p in parts])
    each = _multipliers(traded, settled, names, multipliers)
    steps = follow(names, positions, times, signed, prices, fees, each, is_settlement, rows)
    closes = np.zeros(len(times), dtype=bool)
    closes[steps.rows] = True
    odd = ~closes & (np.nan_to_num(realized) != 0.0)
    if odd.any():
        raise traded.source.refuse(
            int(rows[np.argmax(odd)]),
            "realized_pnl",
            "0 on a fill that by those before it closes nothing (give the fills from when the "
            "market was flat, or leave realized_pnl out)",
        )
    return FillTable(
        times_ns=times,
        market_ids=np.array(names, dtype=object)[positions],
        is_buy=signed > 0.0,
        quantities=np.abs(signed),
        prices=prices,
        fees=fees,
        is_maker=joined([p.is_maker for p in parts]),
        realized=realized,
        is_settlement=is_settlement,
        multipliers=np.array(each)[positions] if len(each) else np.zeros(0),
        source_rows=rows,
        steps=steps,
    )


def _checked_multipliers(given: Mapping[str, float] | None) -> dict[str, float]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"multipliers must map market ids to numbers, was {checks.show(given)}")
    checked = {}
    for name, value in given.items():
        market = canonical_id(checks.text("a market id in multipliers", name))
        if market.endswith(NO_SUFFIX):
            raise ValueError(f"multipliers must name markets, was {name!r}; NO shares its market's")
        checked[market] = checks.positive(f"multipliers[{name!r}]", value)
    return checked


def _multipliers(
    traded: Part, settled: Part, names: list[str], given: dict[str, float]
) -> list[float]:
    # A market with a side is a prediction, whatever its id looks like.
    predictions = {market_of(name) for name in (*traded.predictions, *settled.predictions)}
    predictions |= {market_of(name) for name in names if name.endswith(NO_SUFFIX)}
    each = []
    for name in names:
        base = market_of(name)
        is_option = base not in predictions and class_of_id(base) is Option
        each.append(given.get(base, 100.0 if is_option else 1.0))
    return each


def table_of(
    fills: Any,
    settlements: Any = (),
    multipliers: Mapping[str, float] | None = None,
    *,
    name: str = "fills",
) -> FillTable:
    """Take a table as it is, and read anything else into one.

    Raises
    ------
    ValueError
        If settlements or multipliers come beside a table, which holds them already.
    """
    if not isinstance(fills, FillTable):
        return fill_table(fills, settlements, multipliers=multipliers)
    if multipliers is not None or not (isinstance(settlements, (tuple, list)) and not settlements):
        raise ValueError(
            f"settlements and multipliers belong into fill_table: {name} is such a table already"
        )
    return fills
