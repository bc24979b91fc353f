"""The book of levels that live feeds keep, against a plain dictionary and by hand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.feeds.level_book import LevelBook, LevelSide


def two_sided() -> LevelBook:
    book = LevelBook()
    book.replace(bids=[(0.48, 30.0), (0.50, 15.0), (0.49, 20.0)], asks=[(0.53, 60.0), (0.52, 25.0)])
    return book


def test_snapshot_in_any_order_is_shown_best_first() -> None:
    assert two_sided().levels == (
        ([0.50, 0.49, 0.48], [15.0, 20.0, 30.0]),
        ([0.52, 0.53], [25.0, 60.0]),
    )


def test_best_prices_sizes_and_mid() -> None:
    book = two_sided()
    assert (book.bids.best, book.bids.best_size) == (0.50, 15.0)
    assert (book.asks.best, book.asks.best_size) == (0.52, 25.0)
    assert book.mid == 0.51  # (0.50 + 0.52) / 2
    assert (len(book.bids), len(book.asks)) == (3, 2)


def test_set_changes_adds_and_takes_away_a_level() -> None:
    book = two_sided()
    book.bids.set(0.49, 5.0)
    book.bids.set(0.51, 7.0)
    book.asks.set(0.52, 0.0)
    assert book.levels == (
        ([0.51, 0.50, 0.49, 0.48], [7.0, 15.0, 5.0, 30.0]),
        ([0.53], [60.0]),
    )


def test_taking_away_a_level_that_is_not_there_changes_nothing() -> None:
    book = two_sided()
    before = book.levels
    book.bids.set(0.10, 0.0)
    assert book.levels == before


def test_levels_given_out_stay_as_they_were() -> None:
    book = two_sided()
    bids, asks = book.levels
    book.bids.set(0.50, 1.0)
    book.bids.set(0.47, 1.0)
    assert bids == ([0.50, 0.49, 0.48], [15.0, 20.0, 30.0])
    assert book.asks.levels is asks  # a side that did not change is not copied again


def test_zero_size_in_a_snapshot_is_no_level_and_the_later_of_two_counts() -> None:
    side = LevelSide(is_bid=False)
    side.replace([(0.6, 0.0), (0.7, 1.0), (0.7, 2.0)])
    assert side.levels == ([0.7], [2.0])


def test_add_counts_up_and_down_and_drops_an_empty_level() -> None:
    side = LevelSide(is_bid=True)
    # 0.1 + 0.2 is 0.30000000000000004 as floats: the level must go all the same.
    assert side.add(0.40, 0.1) == 0.1
    assert side.add(0.40, 0.2) == 0.3
    assert side.add(0.40, -0.3) == 0.0
    assert side.levels == ([], [])


@pytest.mark.parametrize("price", [0.40, 0.41], ids=["known level", "unknown level"])
def test_taking_more_than_is_there_says_so_and_changes_nothing(price: float) -> None:
    side = LevelSide(is_bid=True)
    side.add(0.40, 5.0)
    assert side.add(price, -6.0) == (-1.0 if price == 0.40 else -6.0)
    assert side.levels == ([0.40], [5.0])


def test_empty_book_has_no_best_and_no_mid() -> None:
    book = two_sided()
    book.clear()
    assert book.levels == (([], []), ([], []))
    for number in (book.mid, book.bids.best, book.asks.best, book.bids.best_size):
        assert number != number
    assert not book.is_crossed
    assert repr(book) == "<LevelBook none / none, 0 bids and 0 asks>"


def test_one_sided_book_has_no_mid() -> None:
    book = two_sided()
    book.asks.clear()
    assert book.mid != book.mid
    assert repr(book) == "<LevelBook 0.5 × 15 / none, 3 bids and 0 asks>"


@pytest.mark.parametrize(
    ("bid", "crossed"), [(0.51, False), (0.52, True), (0.53, True)], ids=["below", "at", "above"]
)
def test_book_is_crossed_from_the_best_ask_on(bid: float, crossed: bool) -> None:
    book = two_sided()
    book.bids.set(bid, 1.0)
    assert book.is_crossed is crossed


TICKS = st.integers(min_value=1, max_value=60)
SIZES = st.integers(min_value=0, max_value=3)


@pytest.mark.no_cover
@given(
    start=st.lists(st.tuples(st.booleans(), TICKS, SIZES), max_size=30),
    changes=st.lists(st.tuples(st.booleans(), TICKS, SIZES), max_size=80),
)
def test_any_run_of_changes_gives_the_levels_of_a_plain_dictionary(
    start: list[tuple[bool, int, int]], changes: list[tuple[bool, int, int]]
) -> None:
    model: dict[bool, dict[int, int]] = {True: {}, False: {}}
    book = LevelBook()
    snapshot: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for is_bid, tick, size in start:
        model[is_bid][tick] = size
        snapshot[is_bid].append((tick / 100, float(size)))
    book.replace(snapshot[True], snapshot[False])
    for is_bid, tick, size in changes:
        model[is_bid][tick] = size
        (book.bids if is_bid else book.asks).set(tick / 100, float(size))
        for side, levels in zip((True, False), book.levels, strict=True):
            ticks = sorted((t for t, s in model[side].items() if s), reverse=side)
            assert levels[0] == [t / 100 for t in ticks]
            assert levels[1] == [float(model[side][t]) for t in ticks]


@pytest.mark.no_cover
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(-400, 500)), max_size=80))
def test_added_cents_are_the_exact_decimal_sums(changes: list[tuple[int, int]]) -> None:
    model: dict[int, Decimal] = {}
    side = LevelSide(is_bid=False)
    for tick, cents in changes:
        change = Decimal(cents) / 100
        total = model.get(tick, Decimal(0)) + change
        assert side.add(tick / 10, float(change)) == float(total)
        if total >= 0:
            model[tick] = total
    rest = {tick: size for tick, size in model.items() if size}
    assert side.levels == ([t / 10 for t in sorted(rest)], [float(rest[t]) for t in sorted(rest)])
