"""How the figures write numbers, and what they leave out of a long series."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from horizon.errors import DataError
from horizon.figures.series import thinned, times_of
from horizon.figures.words import amount, moment, money, plain


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [
        (0.0, "0"),
        (25.0, "25"),
        (20_000.0, "20,000"),
        (18_333.333333, "18,333.33"),
        (0.125, "0.125"),
        (1 / 3, "0.333333"),
        (1e-9, "1e-09"),
        (-40.5, "-40.5"),
    ],
)
def test_amounts_lose_zeros_and_keep_digits(quantity: float, shown: str) -> None:
    assert amount(quantity) == shown


def test_money_has_cents_and_more_below_one() -> None:
    assert money(1234.5, "USD") == "1,234.50 USD"
    assert money(0.5512, "USD") == "0.5512 USD"


def test_moments_are_written_to_the_second() -> None:
    assert moment(np.datetime64("2012-02-03T14:30:05.9")) == "3 Feb 2012, 14:30:05"


def test_every_mark_that_could_be_read_as_more_than_text_is_taken() -> None:
    drawn = plain("<b a='1' c=\"2\">&amp; $x$ %{y}")
    assert not set(drawn) & set("<>\"'$%{}")
    assert plain("ACME-24 (new), 5:no") == "ACME-24 (new), 5:no"


def test_what_cannot_be_seen_is_spelled_out() -> None:
    assert plain("A\u202eB\u200b") == "A⟨U+202E⟩B⟨U+200B⟩"
    # Once is enough: what is spelled out can be seen.
    assert plain(plain("A\u202eB")) == plain("A\u202eB")


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([1.5, 2.0], [1.5, 2.0]),
        (["1970-01-01T00:00:01", "1970-01-01T01:00:02+01:00"], [1.0, 2.0]),
        ([datetime(1970, 1, 1, 0, 0, 1), datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)], [1.0, 2.0]),
        (np.array([1, 2], dtype="datetime64[s]"), [1.0, 2.0]),
        (pd.to_datetime([1, 2], unit="s", utc=True).tz_convert("Asia/Tokyo"), [1.0, 2.0]),
    ],
    ids=["seconds", "text", "datetimes", "datetime64", "pandas"],
)
def test_times_of_any_kind_are_utc(values: Any, seconds: list[float]) -> None:
    assert (times_of(values).astype(np.int64) / 1e9).tolist() == seconds


def test_a_time_that_is_none_is_named_by_its_row() -> None:
    with pytest.raises(DataError, match=r"times row 1: timestamp must be a time .*, was 'noon'"):
        times_of([1.0, "noon"])


def test_thinning_keeps_first_last_lowest_and_highest() -> None:
    values = np.zeros(1001)
    values[0], values[400], values[401], values[-1] = 3.0, -9.0, 9.0, 4.0
    kept = thinned(values, most=50)
    assert len(kept) <= 50
    assert {0, 400, 401, 1000} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()


def test_thinning_passes_over_what_is_not_a_number() -> None:
    values = np.full(1000, np.nan)
    values[700] = 1.0
    assert 700 in thinned(values, most=100)


def test_short_series_are_not_thinned() -> None:
    assert thinned(np.arange(7.0), most=7).tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_seconds_keep_their_nanoseconds() -> None:
    assert times_of([1.000000001]).astype(np.int64).tolist() == [1_000_000_001]
