"""An explorer's tables as finished texts: results kept, metrics side by side, a page of fills."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import words
from horizon.analytics.metrics import GROUPS, Metrics, shown, shown_difference
from horizon.instruments import split_side
from horizon.types import AssetClass

if TYPE_CHECKING:
    from horizon.backtesting.record import RunRecord
    from horizon.widgets.explorer.kept import Kept, Shelf

__all__ = ["PAGE", "FillPages", "compared", "kept_rows", "memory", "moment", "setting_words"]

#: Fills on a page of the table.
PAGE: Final = 50
#: Metrics that people look for first; the others come with a tick.
_KEY: Final = (
    "total_return",
    "total_return_pct",
    "cagr",
    "volatility",
    "sharpe_ratio",
    "sharpe_standard_error",
    "sortino_ratio",
    "calmar_ratio",
    "max_drawdown_pct",
    "max_drawdown_duration_secs",
    "total_trades",
    "win_rate",
    "profit_factor",
    "turnover",
    "total_fees",
    "brier_score",
    "model_brier_score",
    "avg_edge",
)
_ABOUT: Final = {each.name: each.metadata for each in fields(Metrics)}
_DAY_NS: Final = 86_400 * 1_000_000_000
_MINUS: Final = "−"


def setting_words(setting: dict[str, Any]) -> str:
    """Write parameters for a row or a heading."""
    return words.setting(setting, most=12)


def memory(size: int) -> str:
    """Write a size in memory."""
    if size < 1_000_000:
        return f"{size / 1_000:,.0f} kB"
    return f"{size / 1_000_000:,.1f} MB"


def moment(ns: int, *, date: bool) -> str:
    """Write a point in time in UTC, with as many parts of a second as it has, three at most."""
    text = words.clock(ns // 1_000_000_000, date=date)
    millis = ns % 1_000_000_000 // 1_000_000
    return f"{text}.{millis:03d}" if millis else text


# ------------------------------------------------------------------------ results kept
def kept_rows(shelf: Shelf, on_show: Kept | None) -> list[dict[str, Any]]:
    """The results that are kept, the newest first."""
    return [_kept_row(one, one is on_show) for one in reversed(list(shelf))]


def _kept_row(one: Kept, is_shown: bool) -> dict[str, Any]:
    found, money = one.result.metrics, one.result.record.currency
    gain = found.total_return
    tone = "" if abs(gain) < 1e-9 else "buy" if gain > 0.0 else "sell"
    return {
        "id": str(one.number),
        "name": words.name(one.name),
        "setting": setting_words(one.setting),
        "shown": is_shown,
        "pinned": one.is_pinned,
        "compared": one.is_compared,
        "cells": [
            [words.cash(gain, money, sign=True).removesuffix(f" {words.name(money)}"), tone],
            _metric("total_return_pct", found.total_return_pct, money),
            _metric("sharpe_ratio", found.sharpe_ratio, money),
            _metric("max_drawdown_pct", found.max_drawdown_pct, money),
            f"{found.total_trades:,}",
            f"{one.seconds:,.2f}",
        ],
    }


# ------------------------------------------------------------------------ side by side
def compared(results: Sequence[Kept], *, every: bool) -> dict[str, Any]:
    """Metrics of results side by side, each beside the first with what it differs by.

    Parameters
    ----------
    results : sequence of Kept
        One or more.
    every : bool
        All metrics, by their groups; else those that people look for first.
    """
    heads = [
        {
            "id": str(one.number),
            "name": words.name(one.name),
            "setting": setting_words(one.setting),
            "differs": number > 0,
        }
        for number, one in enumerate(results)
    ]
    names = _by_group() if every else list(_KEY)
    rows = []
    group = ""
    for name in names:
        values = [getattr(one.result.metrics, name) for one in results]
        if all(value is None for value in values):
            continue
        about = _ABOUT[name]
        rows.append(
            {
                "id": name,
                "group": about["group"] if every and about["group"] != group else None,
                "label": about["label"],
                "meaning": about["meaning"],
                "cells": [_cell(name, i, values, results) for i in range(len(values))],
            }
        )
        group = about["group"]
    return {"heads": heads, "rows": rows}


def _by_group() -> list[str]:
    return [name for group in GROUPS for name, about in _ABOUT.items() if about["group"] == group]


def _cell(name: str, i: int, values: Sequence[Any], results: Sequence[Kept]) -> list[str | None]:
    """What a result has, and what it differs by from the first; None for the first itself."""
    money = [one.result.record.currency for one in results]
    text = words.MISSING if values[i] is None else _metric(name, values[i], money[i])
    if i == 0:
        return [text, None]
    first, own = values[0], values[i]
    if first is None or own is None or money[0] != money[i]:
        return [text, words.MISSING]
    if own == first:
        return [text, "="]
    change = own - first
    if math.isnan(change):
        return [text, words.MISSING]
    told = shown_difference(change, _ABOUT[name]["unit"], money[i])
    if not any(digit in told for digit in "123456789∞"):
        return [text, told[1:]]  # too small to be seen, and neither a rise nor a fall
    return [text, told]


def _metric(name: str, value: float, money: str) -> str:
    return shown(value, _ABOUT[name]["unit"], money)


# ------------------------------------------------------------------------ fills
class FillPages:
    """The fills of one result, a page at a time.

    Parameters
    ----------
    record : RunRecord
    market : str
        An id, for the fills of its sides alone; empty for all.
    newest : bool
        Whether the newest come first.
    """

    def __init__(self, record: RunRecord, market: str, *, newest: bool) -> None:
        self._record = record
        fills = record.fills
        kinds = {one.id: one.asset_class for one in record.markets}
        self._legs = [_leg_name(leg, kinds) for leg in fills.leg_ids]
        rows: NDArray[np.intp] = np.arange(len(fills))
        if market:
            codes = [i for i, leg in enumerate(fills.leg_ids) if split_side(leg)[0] == market]
            rows = np.flatnonzero(np.isin(fills.legs, codes))
        self._rows = rows[::-1] if newest else rows
        times = fills.times_ns
        self._with_day = bool(
            len(times)
            and (times[0] // _DAY_NS != times[-1] // _DAY_NS or not (times % _DAY_NS).any())
        )

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def pages(self) -> int:
        """How many pages there are; one of no fills."""
        return max(1, -(-len(self._rows) // PAGE))

    def page_of(self, order_id: str) -> int | None:
        """The page, from 0, that has the first fill of an order; None if there is none."""
        numbers = self._record.fills.order_numbers[self._rows]
        found = np.flatnonzero(numbers == int(order_id.removeprefix("p")))
        return int(found[0]) // PAGE if len(found) else None

    def picture(self, page: int, chosen: str | None) -> list[dict[str, Any]]:
        """The rows of one page; those of the chosen order are marked."""
        return [self._row(i, chosen) for i in self._rows[page * PAGE : (page + 1) * PAGE].tolist()]

    def _row(self, i: int, chosen: str | None) -> dict[str, Any]:
        record, fills = self._record, self._record.fills
        order = f"p{fills.order_numbers[i]}"
        is_buy = bool(fills.signs[i] > 0)
        fair = float(record.fair_values[i])
        name = self._legs[int(fills.legs[i])]
        when = moment(int(fills.times_ns[i]), date=self._with_day)
        size, price = words.exact(float(fills.quantities[i])), words.price(float(fills.prices[i]))
        return {
            "id": str(i),
            "order": order,
            "chosen": order == chosen,
            "what": f"{when} UTC: {'bought' if is_buy else 'sold'} {size} {name} at {price}",
            "cells": [
                when,
                name,
                ["BUY +", "buy"] if is_buy else [f"SELL {_MINUS}", "sell"],
                size,
                price,
                words.MISSING if math.isnan(fair) else words.price(fair),
                _money(float(fills.fees[i]), plus=False),
                _money(float(fills.realized[i])),
                "maker" if fills.is_maker[i] else "taker",
            ],
        }


def _leg_name(leg_id: str, kinds: dict[str, AssetClass]) -> str:
    market, is_no = split_side(leg_id)
    if is_no:
        return f"{words.name(market)} NO"
    return words.name(market) + (" YES" if kinds.get(market) is AssetClass.Prediction else "")


def _money(value: float, *, plus: bool = True) -> str:
    """A sum under a heading that names its currency."""
    return words.cash(value, "", sign=plus).strip()
