"""An account's orders and fills as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon.venues.account import Account
from horizon.venues.archive import CHUNK, ORDER_ROW, STATUSES, FillLog, OrderArchive
from horizon.venues.records import NEVER_NS

__all__ = [
    "STATUSES",
    "FillColumns",
    "OrderColumns",
    "PackedOrders",
    "fill_columns",
    "packed_orders",
]

#: `ORDER_ROW` as NumPy reads it.
_PACKED: Final = np.dtype(
    [
        ("quantities", "<f8"),
        ("prices", "<f8"),
        ("filled", "<f8"),
        ("averages", "<f8"),
        ("fees", "<f8"),
        ("submitted_ns", "<i8"),
        ("ended_ns", "<i8"),
        ("code", "<u8"),
    ]
)
assert _PACKED.itemsize == ORDER_ROW.size


@dataclass(frozen=True, slots=True, eq=False)
class FillColumns:
    """Fills in the order in which they happened, all of shape (n,).

    Attributes
    ----------
    order_numbers : ndarray of int64
        Number k stands for the order ``"p<k>"``.
    legs : ndarray of int32
        Index into `leg_ids`.
    signs : ndarray of int8
        1 bought, -1 sold.
    quantities, prices, fees, realized : ndarray of float64
        Units, price of the leg itself, money paid, profit before fees.
    times_ns : ndarray of int64
    is_maker : ndarray of bool
    leg_ids : tuple of str
        ``"X"``, or ``"X:no"``.
    """

    order_numbers: NDArray[np.int64]
    legs: NDArray[np.int32]
    signs: NDArray[np.int8]
    quantities: NDArray[np.float64]
    prices: NDArray[np.float64]
    fees: NDArray[np.float64]
    realized: NDArray[np.float64]
    times_ns: NDArray[np.int64]
    is_maker: NDArray[np.bool_]
    leg_ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.times_ns)

    @property
    def order_ids(self) -> list[str]:
        """The id of each fill's order."""
        return [f"p{number}" for number in self.order_numbers.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class OrderColumns:
    """Every order of a run, all of shape (n,); row k - 1 is the order ``"p<k>"``.

    Attributes
    ----------
    legs : ndarray of int32
        Index into `leg_ids`.
    signs : ndarray of int8
        1 to buy, -1 to sell.
    quantities, prices, filled, averages : ndarray of float64
        `prices` is NaN for a market order, `averages` 0.0 where nothing filled.
    submitted_ns, ended_ns : ndarray of int64
        `ended_ns` is `NEVER_NS` for an order that was still open.
    statuses : ndarray of int8
        Index into `STATUSES`.
    is_market, ioc, post_only, reduce_only, is_taker : ndarray of bool
    intents, reasons : ndarray of int32
        Index into `intent_names` and `reason_texts`, in both of which ``""`` is none.
    """

    legs: NDArray[np.int32]
    signs: NDArray[np.int8]
    quantities: NDArray[np.float64]
    prices: NDArray[np.float64]
    filled: NDArray[np.float64]
    averages: NDArray[np.float64]
    submitted_ns: NDArray[np.int64]
    ended_ns: NDArray[np.int64]
    statuses: NDArray[np.int8]
    is_market: NDArray[np.bool_]
    ioc: NDArray[np.bool_]
    post_only: NDArray[np.bool_]
    reduce_only: NDArray[np.bool_]
    is_taker: NDArray[np.bool_]
    intents: NDArray[np.int32]
    reasons: NDArray[np.int32]
    leg_ids: tuple[str, ...]
    intent_names: tuple[str, ...]
    reason_texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.legs)

    @staticmethod
    def order_id(number: int) -> str:
        """The id of order number `number`, from 1."""
        return f"p{number}"


def fill_columns(account: Account) -> FillColumns:
    """Return the fills of a compact account; it can have no more from then on.

    The columns are views of the account's own memory.
    """
    log = account.fills
    assert isinstance(log, FillLog)
    floats = np.frombuffer(log.floats, dtype=np.float64).reshape(-1, 4)
    whole = np.frombuffer(log.whole, dtype=np.int64).reshape(-1, 2)
    codes = np.frombuffer(log.codes, dtype=np.int32)
    return FillColumns(
        order_numbers=whole[:, 0],
        legs=codes >> 2,
        signs=np.where(codes & 2, 1, -1).astype(np.int8),
        quantities=floats[:, 0],
        prices=floats[:, 1],
        fees=floats[:, 2],
        realized=floats[:, 3],
        times_ns=whole[:, 1],
        is_maker=(codes & 1).astype(bool),
        leg_ids=tuple(log.leg_ids),
    )


class PackedOrders:
    """The orders of a run as they were packed: what `OrderColumns` says, made when asked for.

    Attributes
    ----------
    leg_ids, intent_names, reason_texts : tuple of str
        As those of `OrderColumns`.
    """

    __slots__ = ("_chunks", "_count", "intent_names", "leg_ids", "reason_texts")

    def __init__(self, archive: OrderArchive) -> None:
        self._chunks = list(archive.chunks)
        self._count = archive.count
        self.leg_ids = tuple(leg.id for leg in archive.legs)
        self.intent_names = tuple(name or "" for name in archive.intents.texts)
        self.reason_texts = tuple(text or "" for text in archive.reasons.texts)

    def __len__(self) -> int:
        return self._count

    @staticmethod
    def order_id(number: int) -> str:
        """The id of order number `number`, from 1."""
        return f"p{number}"

    def _column(self, name: str, kind: Any, shift: int = 0, mask: int = 0) -> NDArray[Any]:
        column = np.empty(self._count, dtype=kind)
        for number, chunk in enumerate(self._chunks):
            part = slice(number * CHUNK, min((number + 1) * CHUNK, self._count))
            values = np.frombuffer(chunk, dtype=_PACKED)[name][: part.stop - part.start]
            column[part] = (values >> shift) & mask if mask else values
        return column

    def _flag(self, bit: int) -> NDArray[np.bool_]:
        return self._column("code", np.bool_, bit, 1)

    @property
    def legs(self) -> NDArray[np.int32]:
        """Index into `leg_ids`."""
        return self._column("code", np.int32, 26, 0x3FFFF)

    @property
    def signs(self) -> NDArray[np.int8]:
        """1 to buy, -1 to sell."""
        return 2 * self._column("code", np.int8, 1, 1) - np.int8(1)

    @property
    def quantities(self) -> NDArray[np.float64]:
        """In units."""
        return self._column("quantities", np.float64)

    @property
    def prices(self) -> NDArray[np.float64]:
        """Limits; NaN for a market order."""
        return self._column("prices", np.float64)

    @property
    def filled(self) -> NDArray[np.float64]:
        """In units."""
        return self._column("filled", np.float64)

    @property
    def averages(self) -> NDArray[np.float64]:
        """Mean price of what has filled."""
        return self._column("averages", np.float64)

    @property
    def submitted_ns(self) -> NDArray[np.int64]:
        """When it was sent."""
        return self._column("submitted_ns", np.int64)

    @property
    def ended_ns(self) -> NDArray[np.int64]:
        """When it ended; `NEVER_NS` for one that was still open."""
        return self._column("ended_ns", np.int64)

    @property
    def statuses(self) -> NDArray[np.int8]:
        """Index into `STATUSES`."""
        return self._column("code", np.int8, 7, 7)

    @property
    def is_market(self) -> NDArray[np.bool_]:
        """Whether it had no limit."""
        return self._flag(2)

    @property
    def ioc(self) -> NDArray[np.bool_]:
        """Whether it ended at once."""
        return self._flag(3)

    @property
    def post_only(self) -> NDArray[np.bool_]:
        """Whether it was to take nothing."""
        return self._flag(4)

    @property
    def reduce_only(self) -> NDArray[np.bool_]:
        """Whether it was only to reduce."""
        return self._flag(5)

    @property
    def is_taker(self) -> NDArray[np.bool_]:
        """Whether it was marketable on arrival."""
        return self._flag(6)

    @property
    def intents(self) -> NDArray[np.int32]:
        """Index into `intent_names`."""
        return self._column("code", np.int32, 10, 0xFFFF)

    @property
    def reasons(self) -> NDArray[np.int32]:
        """Index into `reason_texts`."""
        return self._column("code", np.int32, 44, 0xFFFFF)


def packed_orders(account: Account) -> PackedOrders:
    """Return the orders of a compact account, those that are still open as they stand."""
    archive = account.archive
    assert archive is not None
    for order in account.open_orders.values():
        archive.retire(order, NEVER_NS)
        archive[order.id] = order  # the account keeps it too
    return PackedOrders(archive)
