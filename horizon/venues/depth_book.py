"""The book of one market as a backtest works with it: what is left, and where it has moved.

A snapshot is a fact and stays as it was recorded. Two things lie over it: what our own orders
took of its levels, which comes back with the next snapshot, and the displacement that their
impact left, which stays.

Everything is kept in prices of YES. An order's *direction* is the side of that book that it
takes: 1 the asks (it buys YES or sells NO), -1 the bids (it sells YES or buys NO).
"""

from __future__ import annotations

import math
from typing import Final

from horizon import checks, rules
from horizon.books import Books
from horizon.instruments import NO_SUFFIX
from horizon.types import AssetClass
from horizon.venues.book_view import BookView, Levels, Snapshot, first_levels, level_at
from horizon.venues.impact import Impact
from horizon.venues.models import asked, nonsense
from horizon.venues.records import NEVER_NS

__all__ = ["DepthBook", "Take", "direction_of"]

_NAN: Final = math.nan
#: Best prices turned into Python floats at a time: a slice is cheap, a million floats are not.
_CHUNK: Final = 256

#: Position of a level in its side, quantity, and the price paid or received for it.
Take = tuple[int, float, float]


def direction_of(sign: int, is_no: bool) -> int:
    """The side of the YES book that an order takes: 1 its asks, -1 its bids."""
    return -sign if is_no else sign


class DepthBook:
    """The working book of one market.

    Parameters
    ----------
    market_id : str
    books : Books
        Its snapshots; checked by whoever read them.
    asset_class : AssetClass
    bounds : pair of float
        Lowest and highest price that the market can have.
    """

    __slots__ = (
        "_ask_list",
        "_ask_used",
        "_asks",
        "_best_asks",
        "_best_bids",
        "_bid_list",
        "_bid_used",
        "_bids",
        "_chunk_start",
        "_is_touched",
        "_recorded",
        "ask",
        "asset_class",
        "bid",
        "books",
        "bounds",
        "displacement",
        "index",
        "market_id",
        "previous_ns",
        "time_ns",
    )

    def __init__(
        self, market_id: str, books: Books, asset_class: AssetClass, bounds: tuple[float, float]
    ) -> None:
        self.market_id = market_id
        self.books = books
        self.asset_class = asset_class
        self.bounds = bounds
        #: Number of the snapshot in force; -1 before the first.
        self.index = -1
        #: When it came, and when the one before it; `NEVER_NS` before the first.
        self.time_ns = self.previous_ns = NEVER_NS
        #: Its best prices as they were recorded, with all of their size; NaN without one.
        self.bid = self.ask = _NAN
        #: How far impact has moved the market, in price units of YES.
        self.displacement = 0.0
        self._best_bids = first_levels(books.bid_prices, books.bid_sizes)
        self._best_asks = first_levels(books.ask_prices, books.ask_sizes)
        self._bid_list: list[float] = []
        self._ask_list: list[float] = []
        self._chunk_start = 0
        self._forget()

    # ------------------------------------------------------------------ snapshots
    def show(self, index: int, now_ns: int) -> None:
        """Put a snapshot in force; what was taken from the one before is forgotten."""
        self.previous_ns = self.time_ns
        self.index = index
        self.time_ns = now_ns
        if self._is_touched:
            self._forget()
        place = index - self._chunk_start
        if not 0 <= place < len(self._bid_list):
            self._chunk_start, place = index, 0
            self._bid_list = self._best_bids[index : index + _CHUNK].tolist()
            self._ask_list = self._best_asks[index : index + _CHUNK].tolist()
        self.bid = self._bid_list[place]
        self.ask = self._ask_list[place]

    def _forget(self) -> None:
        self._recorded: Snapshot | None = None
        #: Prices and what is left of them, once somebody has asked for the levels.
        self._bids: Levels | None = None
        self._asks: Levels | None = None
        #: By level, what chance fills have used up of the size that queues at their price.
        self._bid_used: dict[int, float] = {}
        self._ask_used: dict[int, float] = {}
        self._is_touched = False

    # ------------------------------------------------------------------ prices
    def shift(self, direction: int) -> float:
        """What displacement adds to the prices of orders of this direction.

        Those that take asks, or wait for them, meet prices that were pushed up, but none that
        were pushed down; the others the other way round. So it never works in our favour.
        """
        moved = self.displacement
        return moved if direction * moved > 0.0 else 0.0

    def best(self, direction: int) -> float:
        """Best price of a side where size is left, displaced; NaN where there is none."""
        side = self._asks if direction > 0 else self._bids
        shift = self.displacement
        if shift == 0.0 and side is None:  # nothing was taken, and nothing moved
            return self.ask if direction > 0 else self.bid
        shift = shift if direction * shift > 0.0 else 0.0
        if side is None:
            # Whatever is pushed out of the market is pushed there best level last.
            best = (self.ask if direction > 0 else self.bid) + shift
            return best if shift == 0.0 or self._is_price(best) else _NAN
        for price, left in zip(*side, strict=True):
            if left > 0.0:
                best = price + shift
                return best if shift == 0.0 or self._is_price(best) else _NAN
        return _NAN

    def _is_price(self, price: float) -> bool:
        """Whether a displaced level is still there: those that leave the market vanish."""
        lowest, highest = self.bounds
        return lowest < price < highest

    def levels(self, direction: int) -> Levels:
        """Recorded prices of a side, best first, and what is left at each."""
        side = self._asks if direction > 0 else self._bids
        if side is None:
            if self.index < 0:
                return [], []
            prices, sizes = self._snapshot().side(1 if direction > 0 else 0)
            side = prices, list(sizes)
            if direction > 0:
                self._asks = side
            else:
                self._bids = side
        return side

    def _snapshot(self) -> Snapshot:
        if self._recorded is None:
            self._recorded = Snapshot(self.books, self.index)
            self._is_touched = True
        return self._recorded

    # ------------------------------------------------------------------ taking on arrival
    def walk(
        self, sign: int, is_no: bool, quantity: float, limit: float, impact: Impact | None
    ) -> list[Take]:
        """Find what an order would take on its arrival, level by level. Nothing is changed.

        Parameters
        ----------
        sign : int
            1 for a buy, -1 for a sell.
        is_no : bool
            Whether it is an order of the NO side; the limit, and the prices returned, are NO's.
        quantity : float
            Units, above 0.
        limit : float
            NaN for a market order, which ends where prices leave the market's bounds.
        impact : Impact, optional
            Makes each level worse by what was taken before it.

        Returns
        -------
        list of Take
            No price is worse than the limit: one that reaches it from beyond, by rounding,
            counts as the limit.
        """
        direction = direction_of(sign, is_no)
        shift = self.shift(direction)
        lowest, highest = self.bounds
        takes: list[Take] = []
        left, taken = quantity, 0.0
        for position, (price, size) in enumerate(zip(*self.levels(direction), strict=True)):
            if left <= rules.SLACK * quantity:
                break
            if size <= 0.0:
                continue
            if shift != 0.0:
                price += shift
                if not self._is_price(price):
                    break
            if is_no:
                price = rules.complement(price)
            if impact is not None:
                price = _worsened(impact, price, sign, taken, self.asset_class)
            if limit == limit:
                if not rules.reaches(price, limit, sign):
                    break
                price = min(price, limit) if sign > 0 else max(price, limit)
            elif not lowest <= price <= highest:
                break
            quantity_here = min(left, size)
            takes.append((position, quantity_here, price))
            left -= quantity_here
            taken += quantity_here
        return takes

    def take(self, direction: int, position: int, quantity: float) -> None:
        """Take from one level; it stays taken until the next snapshot."""
        _, left = self.levels(direction)
        left[position] = max(left[position] - quantity, 0.0)

    def displace(self, direction: int, change: float) -> None:
        """Move the market, in price units: up (1) for what took asks, down (-1) for bids."""
        self.displacement += direction * change

    # ------------------------------------------------------------------ resting orders
    def is_reached(self, sign: int, is_no: bool, limit: float) -> bool:
        """Whether this snapshot, as it was recorded and displaced, reaches a resting limit."""
        direction = direction_of(sign, is_no)
        best = self.ask if direction > 0 else self.bid
        shift = self.shift(direction)
        if shift != 0.0:
            best += shift
            if not self._is_price(best):
                return False
        if best != best:
            return False
        return rules.reaches(rules.complement(best) if is_no else best, limit, sign)

    def touch(self, sign: int, is_no: bool) -> float:
        """Best price of the side where an order rests, displaced against it; see `BookView`."""
        direction = direction_of(sign, is_no)
        best = (self.bid if direction > 0 else self.ask) + self.shift(direction)
        return rules.complement(best) if is_no and best == best else best

    def size_through(self, sign: int, is_no: bool, limit: float) -> float:
        """Size left at or through a resting order's limit, on the side that it waits for."""
        direction = direction_of(sign, is_no)
        shift = self.shift(direction)
        size = 0.0
        for price, left in zip(*self.levels(direction), strict=True):
            if shift != 0.0:
                price += shift
                if not self._is_price(price):
                    break
            if not rules.reaches(rules.complement(price) if is_no else price, limit, sign):
                break
            size += left
        return size

    def take_best(self, direction: int, quantity: float) -> None:
        """Take a quantity from a side, the best level first."""
        _, left = self.levels(direction)
        for position, size in enumerate(left):
            if quantity <= size:
                left[position] = size - quantity
                return
            left[position] = 0.0
            quantity -= size

    def size_for_chance(self, sign: int, is_no: bool, limit: float) -> tuple[int, float]:
        """What a chance fill may take of one resting order.

        The size that is shown at its price, on its own side, less what chance fills of this
        snapshot have used up there; where nothing is shown, what is left of the size that the
        opposite best showed. So an order in two parts gets no more than in one.

        Returns
        -------
        tuple of (int, float)
            Position of the level on its own side, -1 for the opposite best; and the size.
        """
        direction = direction_of(sign, is_no)
        position, shown = self.shown_at(sign, is_no, limit)
        if shown > 0.0:
            used = self._bid_used if direction > 0 else self._ask_used
            return position, max(shown - used.get(position, 0.0), 0.0)
        prices, left = self.levels(direction)
        shift = self.shift(direction)
        if not prices or (shift != 0.0 and not self._is_price(prices[0] + shift)):
            return -1, 0.0
        return -1, left[0]

    def take_by_chance(self, sign: int, is_no: bool, position: int, quantity: float) -> None:
        """Use up what a chance fill took; `position` is what `size_for_chance` has returned."""
        direction = direction_of(sign, is_no)
        if position < 0:
            self.take(direction, 0, quantity)
            return
        used = self._bid_used if direction > 0 else self._ask_used
        used[position] = used.get(position, 0.0) + quantity

    def shown_at(self, sign: int, is_no: bool, limit: float) -> tuple[int, float]:
        """Level and recorded size at a price, on the side where an order rests; see `level_at`."""
        own = 0 if direction_of(sign, is_no) > 0 else 1
        return level_at(*self._snapshot().side(own), limit, sign, is_no)

    # ------------------------------------------------------------------ what is shown of it
    def view(self, is_no: bool = False) -> BookView:
        """The book as the next order would meet it: what is left, displaced against it."""
        return BookView(
            self._snapshot(),
            self.market_id + NO_SUFFIX if is_no else self.market_id,
            self.time_ns,
            is_no=is_no,
            bounds=self.bounds,
            shifts=(self.shift(-1), self.shift(1)),
            bids=_copy(self._bids),
            asks=_copy(self._asks),
        )

    def seen_by(self, sign: int, is_no: bool) -> BookView:
        """The book as an order that rests has it before its eyes: as recorded, all displaced."""
        shift = self.shift(direction_of(sign, is_no))
        return BookView(
            self._snapshot(),
            self.market_id + NO_SUFFIX if is_no else self.market_id,
            self.time_ns,
            is_no=is_no,
            bounds=self.bounds,
            shifts=(shift, shift),
        )


def _copy(side: Levels | None) -> Levels | None:
    return None if side is None else (side[0], list(side[1]))


def _worsened(
    impact: Impact, price: float, sign: int, taken: float, asset_class: AssetClass
) -> float:
    """Ask for a level's effective price; an impact that helps would be a way to make money."""
    answer = asked(impact, "temporary", price, sign, taken, asset_class)
    try:
        worse = checks.number("temporary", answer)
    except (TypeError, ValueError):
        worse = math.nan
    if not sign * (worse - price) >= 0.0:  # false for NaN too
        accepted = f"a price no better than the level's {price:g}"
        raise nonsense(impact, "temporary", accepted, answer)
    return worse
