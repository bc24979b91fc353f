"""Stretches of time by name and by their ends, and the part of a curve that lies in one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from horizon.analytics import generate_tearsheet, monthly_returns
from horizon.analytics.curves import Curve, curve_of
from horizon.analytics.spans import SPANS, Span, span_between, span_named, within
from horizon.widgets.views.choices import period_chosen


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.mark.parametrize(
    ("name", "last", "start"),
    [
        ("mtd", "2024-05-31T12:00", "2024-05-01"),
        ("ytd", "2024-05-31T12:00", "2024-01-01"),
        # 31 February does not exist: its last day, and the day after.
        ("3m", "2024-05-31T12:00", "2024-03-01"),
        ("3m", "2024-05-10", "2024-02-11"),
        ("1y", "2024-05-31T12:00", "2023-06-01"),
        # A year before 29 February is 28 February.
        ("1y", "2024-02-29", "2023-03-01"),
        ("1y", "2023-12-31", "2023-01-01"),
    ],
)
def test_a_named_span_counts_back_from_the_last_point(name: str, last: str, start: str) -> None:
    assert span_named(name, ns(last)) == Span(start_ns=ns(start))


def test_all_leaves_nothing_out_and_an_unknown_name_is_told_of_the_others() -> None:
    assert span_named("all", 0).is_all
    with pytest.raises(ValueError, match=r"period.*'2y'") as refusal:
        span_named("2y", 0)
    assert all(name in str(refusal.value) for name in SPANS)


def test_a_date_as_an_end_is_the_whole_day_and_a_time_is_that_moment() -> None:
    assert span_between("2024-01-02", "2024-01-03") == Span(ns("2024-01-02"), ns("2024-01-04"))
    assert span_between("2024-01-02 09:30", "2024-01-02 16:00") == Span(
        ns("2024-01-02T09:30"), ns("2024-01-02T16:00")
    )
    at = datetime(2024, 1, 2, tzinfo=UTC)
    assert span_between(at, at.timestamp() + 1.0) == Span(
        ns("2024-01-02"), ns("2024-01-02") + 10**9
    )
    assert span_between() == Span()


def test_a_datetime_without_a_zone_is_local_and_text_is_utc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        naive = datetime(2024, 3, 1)
        assert span_between(naive) == Span(ns("2024-03-01T05:00"))
        assert span_between("2024-03-01") == Span(ns("2024-03-01"))
        # A view's form has it as text, which is read again.
        for at in (naive, datetime(2024, 3, 1, 0, 0, 0, 250_000)):
            text = period_chosen(None, {"start": at})["start"]
            assert span_between(text) == span_between(at)
    time.tzset()


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2024-01-03", "2024-01-02", "end must be after start, was '2024-01-02'"),
        ("soon", None, "start must be a date as 2024-03-31.*was 'soon'"),
        (None, "2024-02-30", "end must be a date.*was '2024-02-30'"),
        (None, "", "end must be a date.*was ''"),
    ],
    ids=["backwards", "no time", "no such day", "nothing"],
)
def test_what_is_no_span_is_refused(start: str | None, end: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        span_between(start, end)


def test_a_span_says_its_days_and_the_last_one_is_within() -> None:
    assert str(span_between("2024-01-02", "2024-01-03")) == "2024-01-02 to 2024-01-03 UTC"
    assert str(span_between("2024-01-02 09:30")) == "from 2024-01-02 09:30:00 UTC"
    assert str(span_between(None, "2024-01-03")) == "until 2024-01-03 UTC"
    assert str(Span()) == "the whole time"


DAYS = [
    ("2024-01-30", 100.0),
    ("2024-01-31", 110.0),
    ("2024-02-01", 99.0),
    ("2024-02-29", 108.9),
    ("2024-03-01", 119.79),
]


def test_a_part_begins_with_the_last_point_before_it_at_its_own_time() -> None:
    part = within(curve_of(DAYS), span_between("2024-02-01", "2024-02-29"))
    assert part.equity.tolist() == [110.0, 99.0, 108.9]
    assert part.times.astype("datetime64[D]").astype(str).tolist() == [
        "2024-01-31",
        "2024-02-01",
        "2024-02-29",
    ]
    # The month's return is what the whole says of it: 108.9 / 110 − 1.
    assert monthly_returns(part) == {"2024-02": pytest.approx(-0.01)}
    assert monthly_returns(curve_of(DAYS))["2024-02"] == pytest.approx(-0.01)


def test_a_point_at_midnight_belongs_to_the_day_that_begins_there() -> None:
    before = within(curve_of(DAYS), span_between(None, "2024-01-31"))
    after = within(curve_of(DAYS), span_between("2024-02-01"))
    assert (before.final, after.initial, len(before), len(after)) == (110.0, 110.0, 2, 4)


def test_the_start_of_a_curve_is_the_start_of_its_first_part() -> None:
    curve = curve_of(DAYS, 90.0)  # 90, then a return to 100 that took no time
    assert within(curve, span_between("2024-01-01", "2024-01-30")).equity.tolist() == [90.0, 100.0]
    assert within(curve, span_between("2020-01-01")) is curve


def test_a_span_without_a_point_is_refused_and_says_where_there_are_some() -> None:
    said = "lies in the period 2024-02-02 to 2024-02-03 UTC: it goes from 2024-01-30"
    with pytest.raises(ValueError, match=said):
        within(curve_of(DAYS), span_between("2024-02-02", "2024-02-03"))
    with pytest.raises(ValueError, match="no point"):
        within(curve_of(DAYS), span_between(None, "2024-01-29"))
    with pytest.raises(ValueError, match="no point"):
        within(curve_of(DAYS), span_between("2024-03-02"))


def test_a_curve_without_a_return_has_no_parts() -> None:
    single = Curve(np.array([5]), np.array([1.0]))
    assert within(single, span_between("2024-01-01")) is single


@pytest.mark.parametrize("seed", range(5))
def test_parts_that_follow_each_other_make_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = ns("2024-01-01") + np.sort(rng.integers(0, 40 * 86_400, 400)) * 10**9
    curve = Curve(times, 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 400))))
    whole = generate_tearsheet(curve, sampling="points")
    cuts = ["2024-01-01", "2024-01-09", "2024-01-22", "2024-02-10"]
    parts = [within(curve, Span(ns(start), ns(end))) for start, end in pairwise(cuts)]
    growth = np.prod([part.final / part.initial for part in parts])
    assert growth == pytest.approx(curve.final / curve.initial, rel=1e-12)
    assert sum(part.span_secs for part in parts) == pytest.approx(curve.span_secs, rel=1e-12)
    returns = np.concatenate([np.diff(part.equity) / part.equity[:-1] for part in parts])
    np.testing.assert_allclose(returns, whole.returns, rtol=1e-12, atol=1e-15)


def test_a_span_made_by_hand_ends_after_its_start() -> None:
    for end in (5, 10):
        with pytest.raises(ValueError, match=f"^end_ns must be after start_ns, was {end} for a st"):
            Span(10, end)
    assert (Span(10, 11).first_ns, Span(10, 11).stop_ns) == (10, 11)
    assert type(Span(np.int64(10)).start_ns) is int
    for bad in (1.5, True, "2024-01-01"):
        with pytest.raises(TypeError, match=r"^end_ns must be whole nanoseconds.*span_between"):
            Span(None, bad)
    with pytest.raises(ValueError, match="between the years 1678 and 2262"):
        Span(2**63)
