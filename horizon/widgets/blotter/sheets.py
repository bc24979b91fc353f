"""What a blotter knows of an account, kept up to date: its fills and positions.

A look at the account costs no more than what is held and what is new, however long the account's
history is.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar

from horizon.types import AssetClass
from horizon.venues.account import Account
from horizon.venues.records import Leg, MarketState
from horizon.widgets.access import leg_name
from horizon.widgets.blotter import cells, files, rows
from horizon.widgets.blotter.cells import Cell
from horizon.widgets.blotter.rows import Column, FillRow, PositionRow
from horizon.widgets.blotter.store import Store

__all__ = ["FillSheet", "PositionSheet", "Sheet"]

Row = TypeVar("Row")

_DAY_NS: Final = 86_400 * 1_000_000_000


class Sheet(ABC, Generic[Row]):
    """One table of a blotter.

    Parameters
    ----------
    most : int
        Rows that are kept, the newest; of orders, all that are open besides.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    #: What a file has of each row, by name and kind.
    fields: ClassVar[Mapping[str, str]]
    #: The groups that a reader may look at alone, and the one to begin with.
    groups: ClassVar[Mapping[str, str]] = {}
    group: ClassVar[str] = ""
    #: The column that it is sorted by to begin with, and whether the largest comes first.
    sorted_by: ClassVar[tuple[str, bool]]
    empty: ClassVar[str]

    def __init__(self, most: int) -> None:
        self.store: Store[Row] = Store()
        self._most = most
        self._names: dict[str, str] = {}
        self._days: set[int] = set()

    @abstractmethod
    def look(self, account: Account) -> None:
        """Take up what has changed in the account, whose lock is held."""

    @abstractmethod
    def cells(self, row: Row) -> list[Cell]:
        """The cells of a row, in the order of its columns."""

    @abstractmethod
    def record(self, row: Row) -> tuple[Any, ...]:
        """The values of a row, in the order of its fields."""

    def group_of(self, row: Row) -> str:
        """Which group a row is in."""
        del row
        return ""

    def is_over(self, row: Row) -> bool:
        """Whether nothing of a row will change any more."""
        del row
        return False

    def actions(self, row: Row, *, can_amend: bool) -> list[dict[str, Any]]:
        """The buttons of a row."""
        del row, can_amend
        return []

    @abstractmethod
    def tally(self) -> tuple[str, str]:
        """Say how many rows there are, for the tab; and what they come to, for their foot."""

    # ------------------------------------------------------------------ for the sheets
    @property
    def with_day(self) -> bool:
        """Whether times need their day: they are of several."""
        return len(self._days) > 1

    def _see_day(self, ns: int) -> None:
        if len(self._days) < 2:
            self._days.add(ns // _DAY_NS)
            if len(self._days) == 2:
                self.store.touch()  # every time is written with its day from now on

    def _name(self, leg: Leg) -> str:
        name = self._names.get(leg.id)
        if name is None:
            name = self._names[leg.id] = leg_name(leg)
        return name


class FillSheet(Sheet[FillRow]):
    """The latest fills."""

    name = "fills"
    title = "Fills"
    columns = rows.FILL_COLUMNS
    fields = files.FILL_FIELDS
    sorted_by = ("time", True)
    empty = "No fills yet."

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._seen = 0
        self._first = 1
        self._fees = 0.0
        self._realized = 0.0
        self._currency = ""

    def look(self, account: Account) -> None:
        """Take up new fills."""
        log = account.fills
        count = len(log)
        begin = max(self._seen, count - self._most)
        # The newest first: a page gets them in this order.
        for number, row in zip(range(count, begin, -1), reversed(log[begin:count]), strict=True):
            order_id, leg_id, sign, quantity, price, fee, ts, is_maker, realized = row
            self._see_day(ts)
            leg = account.legs[leg_id]
            taken = FillRow(
                f"f{number}",
                order_id,
                leg_id,
                self._name(leg),
                sign,
                quantity,
                price,
                fee,
                ts,
                is_maker,
                realized,
                leg.market.multiplier,
            )
            self.store.put(number, taken)
        self._seen = count
        self._fees, self._realized = account.fees, account.realized_pnl
        oldest = count - self._most
        for number in range(self._first, oldest + 1):
            self.store.drop(number)
        self._first = max(self._first, oldest + 1)

    def cells(self, row: FillRow) -> list[Cell]:
        """See `cells.fill_cells`."""
        return cells.fill_cells(row, self.with_day)

    def record(self, row: FillRow) -> tuple[Any, ...]:
        """See `files.fill_record`."""
        return files.fill_record(row)

    def tally(self) -> tuple[str, str]:
        """How many there have been, and what they cost."""
        fees, realized = cells.money(self._fees, plus=False), cells.money(self._realized)
        return f"{self._seen:,}", f"all fills: fees {fees} {{}}, realised {realized} {{}}"


class PositionSheet(Sheet[PositionRow]):
    """What is held, and what is left of positions that were closed."""

    name = "positions"
    title = "Positions"
    columns = rows.POSITION_COLUMNS
    fields = files.POSITION_FIELDS
    groups: ClassVar = {"held": "Held", "": "Held and closed", "flat": "Closed"}
    group = "held"
    sorted_by = ("market", False)
    empty = "Nothing is held."

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._numbers: dict[str, int] = {}
        self._held = 0

    def look(self, account: Account) -> None:
        """Take up every position at its mark."""
        held = 0
        for market in account.markets.values():
            if not market.held and not market.orders:
                continue
            for leg in market.legs():
                if leg.quantity != 0.0:
                    held += 1
                elif leg.id not in self._numbers and leg.realized == 0.0 and leg.fees == 0.0:
                    continue  # never traded
                number = self._numbers.setdefault(leg.id, len(self._numbers) + 1)
                self.store.put(number, self._row(account, market, leg))
        self._held = held

    def _row(self, account: Account, market: MarketState, leg: Leg) -> PositionRow:
        price = leg.price
        kind = AssetClass(market.asset_class)
        both = None
        if market.no is not None and not leg.is_no and market.no.quantity != 0.0:
            # By its own id a market is flattened whole.
            both = f"{leg_name(market)}, YES and NO"
        return PositionRow(
            leg.id,
            self._name(leg),
            str(kind),
            leg.quantity,
            leg.average,
            None if math.isnan(price) else price,
            account.leg_unrealized(leg),
            leg.realized,
            leg.fees,
            market.leverage if kind is AssetClass.Perp else None,
            market.multiplier,
            both,
        )

    def cells(self, row: PositionRow) -> list[Cell]:
        """See `cells.position_cells`."""
        return cells.position_cells(row, False)

    def record(self, row: PositionRow) -> tuple[Any, ...]:
        """See `files.position_record`."""
        return files.position_record(row)

    def group_of(self, row: PositionRow) -> str:
        """Held or flat."""
        return "held" if row.quantity != 0.0 else "flat"

    def is_over(self, row: PositionRow) -> bool:
        """Whether nothing is held."""
        return row.quantity == 0.0

    def actions(self, row: PositionRow, *, can_amend: bool) -> list[dict[str, Any]]:
        """Flatten."""
        del can_amend
        return cells.position_actions(row)

    def tally(self) -> tuple[str, str]:
        """How many are held, and what all have earned."""
        known = list(self.store.values())
        open_gain = cells.money(math.fsum(row.unrealized for row in known))
        closed_gain = cells.money(math.fsum(row.realized for row in known))
        what = f"all positions: unrealised {open_gain} {{}}, realised {closed_gain} {{}}"
        return f"{self._held:,} held", what
