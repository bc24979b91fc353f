"""What a long run remembers of fills and of orders that have ended: a few words for each.

A session keeps its records as they are. A backtest makes millions of them, so there they are
packed when they end, and made again when somebody asks.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from struct import Struct
from typing import Any, Final, overload

from horizon.venues.records import Leg, OrderState

__all__ = ["CHUNK", "ORDER_ROW", "STATUSES", "FillLog", "OrderArchive"]

#: What an order's status can be, by the number that stands for it.
STATUSES: Final = ("new", "partial", "filled", "canceled", "rejected")
_STATUS: Final = {status: number for number, status in enumerate(STATUSES)}

#: One order that has ended: quantity, limit, filled, average, fees; sent, ended; and a code.
ORDER_ROW: Final = Struct("<dddddqqQ")
#: Orders in one piece of memory, so that none is ever moved.
CHUNK: Final = 4096
#: Pairs of leg and intent whose code is kept, not worked out again.
_KINDS: Final = 4096
_pack: Final = ORDER_ROW.pack_into

#: order id, leg id, sign, quantity, price, fee, time in ns, maker?, realised P&L.
_FillRow = tuple[str, str, int, float, float, float, int, bool, float]


class FillLog:
    """Fills in the order in which they happened; appended and read like a list of rows.

    Order ids are those of a simulated venue, ``"p<number>"``.
    """

    __slots__ = ("codes", "count", "floats", "leg_ids", "leg_numbers", "whole")

    def __init__(self) -> None:
        self.count = 0
        #: Four to a fill: quantity, price, fee, realised profit.
        self.floats = array("d")
        #: Two to a fill: number of the order, time in ns.
        self.whole = array("q")
        #: Number of the leg x 4, and 2 for a buy, and 1 for a maker.
        self.codes = array("i")
        self.leg_ids: list[str] = []
        self.leg_numbers: dict[str, int] = {}

    def append(self, row: _FillRow) -> None:
        """Remember one more fill."""
        order_id, leg_id, sign, quantity, price, fee, ts, is_maker, gain = row
        number = self.leg_numbers.get(leg_id)
        if number is None:
            number = self.leg_numbers[leg_id] = len(self.leg_ids)
            self.leg_ids.append(leg_id)
        self.count += 1
        self.floats.extend((quantity, price, fee, gain))
        self.whole.extend((int(order_id[1:]), ts))
        self.codes.append(4 * number + (2 if sign > 0 else 0) + (1 if is_maker else 0))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, key: int) -> _FillRow: ...
    @overload
    def __getitem__(self, key: slice) -> list[_FillRow]: ...
    def __getitem__(self, key: int | slice) -> _FillRow | list[_FillRow]:
        if isinstance(key, slice):
            return [self._row(i) for i in range(*key.indices(len(self)))]
        if key < 0:
            key += len(self)
        return self._row(key)

    def __iter__(self) -> Iterator[_FillRow]:
        return map(self._row, range(len(self)))

    def _row(self, i: int) -> _FillRow:
        code = self.codes[i]
        quantity, price, fee, gain = self.floats[4 * i : 4 * i + 4]
        number, ts = self.whole[2 * i : 2 * i + 2]
        sign = 1 if code & 2 else -1
        return (
            f"p{number}",
            self.leg_ids[code >> 2],
            sign,
            quantity,
            price,
            fee,
            ts,
            bool(code & 1),
            gain,
        )


class _Texts:
    """Texts by number. Of very many, such as reasons with amounts in them, the later ones share
    what stands before the colon, or else one text for all.
    """

    __slots__ = ("few", "most", "numbers", "texts")

    def __init__(self, few: int, most: int) -> None:
        #: How many are kept whole, and how many at all.
        self.few, self.most = few, most
        self.texts: list[str | None] = [None]
        self.numbers: dict[str | None, int] = {None: 0}

    def add(self, text: str | None) -> int:
        """Return the number of a text that has none yet."""
        assert text is not None
        if len(self.texts) >= self.few:
            text = text.partition(":")[0] if len(self.texts) < self.most else "(other)"
            known = self.numbers.get(text)
            if known is not None:
                return known
        number = self.numbers[text] = len(self.texts)
        self.texts.append(text)
        return number


class OrderArchive(dict[str, OrderState]):
    """Every order by its id: those that live as they are, those that have ended packed.

    What is read back is a copy, as the order was when it ended.
    """

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[bytearray] = []
        self.count = 0
        self.legs: list[Leg] = []
        self.leg_numbers: dict[str, int] = {}
        self._kinds: dict[tuple[str, str | None], int] = {}
        #: Texts that many orders share; number 0 is none.
        self.intents = _Texts(60_000, 65_000)
        self.reasons = _Texts(900, 1_000)
        #: What few orders have: by number, (client order id, leverage).
        self.rest: dict[int, tuple[str | None, float]] = {}
        #: Of orders that money refused, in rising order: number; required and available.
        self.refused = array("q")
        self.amounts = array("d")

    def retire(self, order: OrderState, ended_ns: int) -> None:
        """Pack an order that has ended."""
        self.pop(order.id, None)
        number = order.serial
        place = number - 1
        if number > self.count:
            self.reach(number)
        _pack(
            self.chunks[place // CHUNK],
            place % CHUNK * ORDER_ROW.size,
            order.quantity,
            order.price,
            order.filled,
            order.average,
            order.fees,
            order.submitted_ns,
            ended_ns,
            self._code(order),
        )
        if order.client_order_id is not None or order.leverage != 1.0:
            self.rest[number] = (order.client_order_id, order.leverage)
        if order.required == order.required:  # only of refused orders, which end as they come
            self.refused.append(number)
            self.amounts.extend((order.required, order.available))

    def reach(self, number: int) -> None:
        """Have room for orders up to this number."""
        self.count = number
        while number > CHUNK * len(self.chunks):
            self.chunks.append(bytearray(CHUNK * ORDER_ROW.size))

    def code_of(self, leg: Leg, intent: str | None) -> int:
        """What the code of an order holds of its leg and its intent; both are known then."""
        number = self.leg_numbers.get(leg.id)
        if number is None:
            number = self.leg_numbers[leg.id] = len(self.legs)
            assert number < 1 << 18, "a run has fewer legs than that"
            self.legs.append(leg)
        meant = self.intents.numbers.get(intent)
        if meant is None:
            meant = self.intents.add(intent)
        kind = meant << 10 | number << 26
        if len(self._kinds) < _KINDS:
            self._kinds[leg.id, intent] = kind
        return kind

    def _code(self, order: OrderState) -> int:
        reason = self.reasons.numbers.get(order.reason)
        if reason is None:
            reason = self.reasons.add(order.reason)
        # From the right: 1 (there is such an order), side, five flags, 3 bits of status, 16 of
        # intent, 18 of leg, 20 of reason.
        code = (
            (3 if order.sign > 0 else 1)
            | (4 if order.is_market else 0)
            | (8 if order.ioc else 0)
            | (16 if order.post_only else 0)
            | (32 if order.reduce_only else 0)
            | (64 if order.is_taker else 0)
        )
        kind = self._kinds.get((order.leg.id, order.intent))
        if kind is None:
            kind = self.code_of(order.leg, order.intent)
        return code | _STATUS[order.status] << 7 | kind | reason << 44

    # ------------------------------------------------------------------ read like a dict
    def __missing__(self, order_id: str) -> OrderState:
        found = self._unpacked(order_id)
        if found is None:
            raise KeyError(order_id)
        return found

    def get(self, order_id: str, default: Any = None) -> Any:
        """Return an order by its id."""
        try:
            return self[order_id]
        except KeyError:
            return default

    def __contains__(self, order_id: object) -> bool:
        return super().__contains__(order_id) or (
            isinstance(order_id, str) and self._unpacked(order_id) is not None
        )

    def values(self) -> Any:
        """Every order, oldest first."""
        newest = max([self.count, *(int(order_id[1:]) for order_id in self)])
        made = (self.get(f"p{number}") for number in range(1, newest + 1))
        return [order for order in made if order is not None]

    def _unpacked(self, order_id: str) -> OrderState | None:
        digits = order_id[1:]
        if not (order_id.startswith("p") and digits.isdecimal() and digits.isascii()):
            return None
        number = int(digits)
        if not 0 < number <= self.count or f"p{number}" != order_id:
            return None
        chunk, place = divmod(number - 1, CHUNK)
        row = ORDER_ROW.unpack_from(self.chunks[chunk], place * ORDER_ROW.size)
        quantity, price, filled, average, fees, submitted, _, code = row
        if not code & 1:
            return None
        client_order_id, leverage = self.rest.get(number, (None, 1.0))
        order = OrderState(
            order_id,
            self.legs[code >> 26 & 0x3FFFF],
            1 if code & 2 else -1,
            quantity,
            price,
            bool(code & 4),
            bool(code & 8),
            bool(code & 16),
            bool(code & 32),
            leverage,
            client_order_id,
            self.intents.texts[code >> 10 & 0xFFFF],
            submitted,
        )
        order.status = STATUSES[code >> 7 & 7]
        order.is_open = False
        order.is_taker = bool(code & 64)
        order.filled, order.average, order.fees = filled, average, fees
        order.reason = self.reasons.texts[code >> 44]
        place = bisect_left(self.refused, number)
        if place < len(self.refused) and self.refused[place] == number:
            order.required, order.available = self.amounts[2 * place : 2 * place + 2]
        return order
