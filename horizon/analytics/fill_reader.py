"""Fills and settlements of any spelling as checked columns, each row of which can be true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.columns import NEVER, nanoseconds, numbers
from horizon.errors import DataError
from horizon.instruments import NO_SUFFIX, canonical_id, class_of_id, split_side
from horizon.types import Fill, OrderSide, Side, VenueFill, VenueSettlement

__all__ = ["Part", "market_of", "read_fills", "read_settlements"]

_NEEDED: Final = ("timestamp", "market_id", "quantity", "price")
_VENUE: Final = (*_NEEDED, "side", "fee", "is_maker", "realized_pnl")
_ENGINE: Final = (*_VENUE, "order_side")
_SETTLED: Final = (*_NEEDED, "realized_pnl")
_ENUMS: Final = {Side, OrderSide}


class _Source:
    """The columns of fills or settlements, whatever they came as."""

    def __init__(self, feed: str, given: Any, kinds: tuple[type, ...]) -> None:
        self.feed = feed
        self.columns: dict[str, Any] = _columns_of(feed, given, kinds)
        if "size" in self.columns and "quantity" not in self.columns:
            self.columns["quantity"] = self.columns.pop("size")
        for name, values in self.columns.items():
            if not _is_column(values):
                raise TypeError(f"{feed}[{name!r}] must be a column, was {checks.show(values)}")
        lengths = {len(values) for values in self.columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of {feed} must have one length, have {sorted(lengths)}")
        self.length = lengths.pop() if lengths else 0

    def need(self, names: Iterable[str]) -> None:
        missing = [name for name in names if name not in self.columns]
        if missing and self.length:
            raise DataError(
                f"{self.feed} need a column {missing[0]!r}; there are "
                f"{', '.join(sorted(map(repr, self.columns)))}",
                feed=self.feed,
            )

    def refuse(self, row: int, name: str, accepted: str) -> DataError:
        values = self.columns[name]
        value = values.iloc[row] if hasattr(values, "iloc") else values[row]
        return DataError(
            f"{self.feed} row {row}: {name} must be {accepted}, was {checks.show(value)}",
            feed=self.feed,
            row=row,
            value=value,
        )

    def numbers(
        self,
        name: str,
        accepted: str,
        is_good: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
    ) -> NDArray[np.float64]:
        """Read a number column, every row of which must be good."""
        if name not in self.columns:
            return np.zeros(self.length)
        floats, not_numbers = numbers(self.columns[name])
        bad = not_numbers | ~is_good(floats)
        if bad.any():
            raise self.refuse(int(np.argmax(bad)), name, accepted)
        return floats

    def times(self) -> NDArray[np.int64]:
        times = nanoseconds(self.columns["timestamp"], None)
        bad = times == NEVER
        if bad.any():
            raise self.refuse(int(np.argmax(bad)), "timestamp", "a time (seconds or a datetime)")
        return times

    def codes(
        self, name: str, accepted: str, read: Callable[[Any], Any]
    ) -> tuple[NDArray[np.intp], list[Any]]:
        """Number the distinct values of a column, each as `read` takes it or refuses it."""
        values = _listed(self.columns[name])
        if set(map(type, values)) <= _ENUMS:
            values = [value._value_ for value in values]  # the hash of an enum is slow
        try:
            number = {value: code for code, value in enumerate(dict.fromkeys(values))}
        except TypeError:  # a list or the like
            row = next(i for i, value in enumerate(values) if not _is_hashable(value))
            raise self.refuse(row, name, accepted) from None
        codes = np.fromiter(map(number.__getitem__, values), np.intp, len(values))
        taken = []
        for value, code in number.items():
            try:
                taken.append(read(value))
            except (TypeError, ValueError) as error:
                raise self.refuse(int(np.argmax(codes == code)), name, accepted) from error
        return codes, taken


@dataclass(slots=True)
class Part:
    """Fills or settlements as columns; positions by number, with the market of each."""

    source: _Source
    times: NDArray[np.int64]
    codes: NDArray[np.intp]
    names: list[str]
    traded: NDArray[np.float64]
    prices: NDArray[np.float64]
    fees: NDArray[np.float64]
    is_maker: NDArray[np.bool_]
    realized: NDArray[np.float64]
    #: Positions that somebody has called a prediction's.
    predictions: set[str]

    def check_order(self) -> None:
        """Refuse a time that lies before another of its market."""
        if not (np.diff(self.times) < 0).any():
            return
        number: dict[str, int] = {}
        by_name = np.array(
            [number.setdefault(market_of(name), len(number)) for name in self.names], dtype=np.intp
        )
        markets = by_name[self.codes]
        order = np.argsort(markets, kind="stable")
        times, market = self.times[order], markets[order]
        back = (np.diff(times) < 0) & (np.diff(market) == 0)
        if back.any():
            first = int(np.min(order[1:][back]))
            at = int(np.flatnonzero(order == first)[0])
            raise self.source.refuse(
                first,
                "timestamp",
                f"{np.datetime64(int(times[at - 1]), 'ns')} or later, as row "
                f"{int(order[at - 1])} of the same market is",
            )


def read_fills(fills: Any) -> Part:
    """Read fills in venue or engine words; see `horizon.analytics.fills.fill_table`."""
    source = _Source("fills", fills, (VenueFill, Fill))
    is_engine = "order_side" in source.columns
    source.need((*_NEEDED, "side"))
    if not source.length:
        return _no_part(source)
    sides, words = source.codes(
        "order_side" if is_engine else "side", "'buy' or 'sell'", _word("buy", "sell")
    )
    is_buy = np.array([word == "buy" for word in words])[sides]
    codes, names = source.codes("market_id", "a market's id", _market_id)
    predictions: set[str] = set()
    if is_engine:
        kinds, words = source.codes("side", "'yes', 'no' or 'long'", _word("yes", "no", "long"))
        codes, names, predictions = _with_sides(source, codes, names, kinds, words)
    part = Part(
        source=source,
        times=source.times(),
        codes=codes,
        names=names,
        traded=source.numbers("quantity", "above 0 and at most 1e15", _is_size),
        prices=source.numbers("price", "a number from 0 to 1e15", _is_price),
        fees=source.numbers("fee", "a finite number", np.isfinite),
        is_maker=_flags(source),
        realized=_profits(source),
        predictions=predictions,
    )
    part.traded = np.where(is_buy, part.traded, -part.traded)
    _check_predictions(part)
    part.check_order()
    return part


def read_settlements(settlements: Any) -> Part:
    """Read settlements; see `horizon.analytics.fills.fill_table`."""
    source = _Source("settlements", settlements, (VenueSettlement,))
    source.need(_NEEDED)
    if not source.length:
        return _no_part(source)
    codes, names = source.codes("market_id", "a market's id", _market_id)
    part = Part(
        source=source,
        times=source.times(),
        codes=codes,
        names=names,
        traded=-source.numbers("quantity", "a number other than 0", _is_held),
        prices=source.numbers("price", "a number from 0 to 1e15", _is_price),
        fees=np.zeros(source.length),
        is_maker=np.zeros(source.length, dtype=bool),
        realized=_profits(source),
        predictions=set(),
    )
    _check_predictions(part)
    part.check_order()
    return part


def _no_part(source: _Source) -> Part:
    nothing = np.zeros(0)
    return Part(
        source=source,
        times=np.zeros(0, dtype=np.int64),
        codes=np.zeros(0, dtype=np.intp),
        names=[],
        traded=nothing,
        prices=nothing,
        fees=nothing,
        is_maker=np.zeros(0, dtype=bool),
        realized=nothing,
        predictions=set(),
    )


# ---------------------------------------------------------------------- columns
def _columns_of(feed: str, given: Any, kinds: tuple[type, ...]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    if hasattr(type(given), "columns"):  # of the type: a lazy frame would work them out
        import narwhals as nw

        frame: Any = nw.from_native(given, eager_only=True, pass_through=True)
        if isinstance(frame, nw.DataFrame):
            columns = zip(frame.columns, frame.iter_columns(), strict=True)
            return {str(name): column.to_native() for name, column in columns}
    accepted = f"a list of {' or of '.join(kind.__name__ for kind in kinds)}, or a frame"
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"{feed} must be {accepted}; was {checks.show(given)}")
    records = list(given)
    if not records:
        return {}
    kind = next((k for k in kinds if isinstance(records[0], k)), kinds[0])
    if set(map(type, records)) != {kind}:
        for row, record in enumerate(records):
            if not isinstance(record, kind):
                raise TypeError(f"{feed} must be {accepted}; row {row} was {checks.show(record)}")
    names = {Fill: _ENGINE, VenueFill: _VENUE}.get(kind, _SETTLED)
    attributes = ["size" if kind is Fill and name == "quantity" else name for name in names]
    # A column at a time: 100,000 tuples would wake the garbage collector again and again.
    values = (list(map(attrgetter(attribute), records)) for attribute in attributes)
    return dict(zip(names, values, strict=True))


def _is_column(values: Any) -> bool:
    if isinstance(values, (str, bytes, Mapping)) or getattr(values, "ndim", 1) != 1:
        return False
    return hasattr(values, "__len__") and hasattr(values, "__getitem__")


def _listed(values: Any) -> list[Any]:
    for method in ("to_list", "to_pylist", "tolist"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    return list(values)


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _is_size(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (values > 0.0) & (values <= checks.LARGEST)


def _is_held(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    size: NDArray[np.float64] = np.abs(values)
    is_held: NDArray[np.bool_] = (values != 0.0) & (size <= checks.LARGEST)
    return is_held


def _is_price(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (values >= 0.0) & (values <= checks.LARGEST)


def _profits(source: _Source) -> NDArray[np.float64]:
    if "realized_pnl" not in source.columns:
        return np.full(source.length, np.nan)
    return source.numbers("realized_pnl", "a finite number or none", lambda v: ~np.isinf(v))


def _flags(source: _Source) -> NDArray[np.bool_]:
    if "is_maker" not in source.columns:
        return np.zeros(source.length, dtype=bool)
    values = _listed(source.columns["is_maker"])
    if not set(map(type, values)) <= {bool, np.bool_}:
        for row, value in enumerate(values):
            if not isinstance(value, (bool, np.bool_)):
                raise source.refuse(row, "is_maker", "True or False")
    return np.array(values, dtype=bool)


def _word(*accepted: str) -> Callable[[Any], str]:
    """Read a side: an enum, its value, or the way that pandas writes an enum to a file."""

    def read(value: Any) -> str:
        word = value.value if isinstance(value, Enum) else value
        if isinstance(word, str):
            word = word.lower().removeprefix("orderside.").removeprefix("side.")
        return checks.one_of("side", word, accepted)

    return read


# ---------------------------------------------------------------------- markets
def _market_id(value: Any) -> str:
    name = canonical_id(checks.market_id("market_id", value))
    base, _ = split_side(name)
    class_of_id(base)
    return name


def market_of(name: str) -> str:
    """Return the market of a position: an id without the mark of the NO side."""
    return name.removesuffix(NO_SUFFIX)


def _with_sides(
    source: _Source,
    codes: NDArray[np.intp],
    names: list[str],
    kinds: NDArray[np.intp],
    words: list[str],
) -> tuple[NDArray[np.intp], list[str], set[str]]:
    """Name the positions that engine words mean: NO of X is X:no."""
    pairs = codes * len(words) + kinds
    uniques, firsts, pair_codes = np.unique(pairs, return_index=True, return_inverse=True)
    positions: list[str] = []
    predictions: set[str] = set()
    for pair, first in zip(uniques.tolist(), firsts.tolist(), strict=True):
        name, word = names[pair // len(words)], words[pair % len(words)]
        if word != "long":
            if name.endswith(NO_SUFFIX):
                raise source.refuse(first, "market_id", f"the market itself where side is {word!r}")
            name = name + NO_SUFFIX if word == "no" else name
            predictions.add(name)
        positions.append(name)
    # YES and Long of one id are one position.
    distinct = list(dict.fromkeys(positions))
    number = {name: i for i, name in enumerate(distinct)}
    by_pair = np.array([number[name] for name in positions], dtype=np.intp)
    return by_pair[pair_codes], distinct, predictions


def _check_predictions(part: Part) -> None:
    is_one = [name in part.predictions or name.endswith(NO_SUFFIX) for name in part.names]
    bad = np.array(is_one)[part.codes] & (part.prices > 1.0)
    if bad.any():
        raise part.source.refuse(
            int(np.argmax(bad)), "price", "between 0 and 1 in a prediction market"
        )
