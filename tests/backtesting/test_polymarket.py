"""A week of 198 resolved prediction markets in one run, against a count made by hand-written loops.

The data lies beside the repository, not in it; without it these tests are skipped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz

DATA = Path(__file__).parents[3] / "shared" / "data" / "prediction-market-ticks"
DAYS = "2026-07-10_to_2026-07-17"
TICKS = DATA / f"polymarket_top_of_book_{DAYS}.parquet"
OUTCOMES = DATA / f"polymarket_outcomes_{DAYS}.csv.gz"
COLUMNS = {"timestamp": "ts", "market_id": "slug", "price": "mid"}

pytestmark = [
    pytest.mark.skipif(
        not (TICKS.exists() and OUTCOMES.exists()), reason=f"no recorded data in {DATA}"
    ),
    pytest.mark.no_cover,  # the same few lines a million times
]

CAPITAL = 1_000_000.0
SIZE = 5.0
MAKER, TAKER = 0.0005, 0.002


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.read_parquet(TICKS).sort_values("ts", kind="stable").reset_index(drop=True)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, float]:
    table = pd.read_csv(OUTCOMES)
    return dict(zip(table["slug"], table["outcome_yes"].astype(float), strict=True))


def model(ctx: Any) -> float:
    return float(ctx.feed.price)


def quoter(ctx: Any, fair: float) -> Any:
    return hz.quotes(fair, 0.02, SIZE)


def play(frame: pd.DataFrame, outcomes: dict[str, float], matching: str, **how: Any) -> Any:
    return hz.backtest(
        name="a week",
        data=frame,
        columns=COLUMNS,
        pipeline=[model, quoter],
        outcomes=outcomes,
        matching=matching,
        initial_capital=CAPITAL,
        paper_maker_fee_rate=MAKER,
        paper_taker_fee_rate=TAKER,
        bad_rows="drop",
        **how,
    )


# ---------------------------------------------------------------------------- the same by hand
@dataclass
class Leg:
    """One side of the quote that rests in one market."""

    sign: int
    price: float = math.nan
    is_taker: bool = False


@dataclass
class Counted:
    """What a loop over the rows of every market finds."""

    fills: list[tuple[Any, ...]] = field(default_factory=list)
    unsent: int = 0


def reached(price: float, leg: Leg) -> bool:
    return leg.sign * (price - leg.price) <= 1e-9 * abs(leg.price)


def count(frame: pd.DataFrame, matching: str) -> Counted:
    """Quote a cent either side of the last mid at every row; see what the next row meets."""
    found = Counted()
    by_quotes = matching == "quotes"
    legs: dict[str, tuple[Leg, Leg]] = {}
    last: dict[str, float] = {}
    stamps = frame["ts"].to_numpy().astype("datetime64[ns]").astype(np.int64) // 1_000_000_000
    rows = zip(
        stamps.tolist(),
        frame["slug"].astype(str),
        frame["bid"].tolist(),
        frame["ask"].tolist(),
        frame["mid"].tolist(),
        strict=True,
    )
    for time, market, bid, ask, mid in rows:
        if bid > ask:
            continue  # crossed: dropped
        if mid == mid:
            last[market] = mid
        if market not in last:
            continue  # it has had no price yet
        price = last[market]
        is_quoted = by_quotes and (bid == bid or ask == ask)
        both = legs.setdefault(market, (Leg(1), Leg(-1)))
        for leg in both:
            meets = (ask if leg.sign > 0 else bid) if is_quoted else mid
            if reached(meets, leg):  # nan reaches nothing
                found.fills.append((time, market, leg.sign, leg.price, leg.is_taker, leg.fair))
                leg.price = math.nan
        for leg in both:
            wanted = price - leg.sign * 0.02 / 2.0
            if not 0.0 < wanted < 1.0:
                found.unsent += 1
                leg.price = math.nan
            elif wanted != leg.price:
                leg.price = wanted
                meets = (ask if leg.sign > 0 else bid) if is_quoted else price
                leg.is_taker = reached(meets, leg)
            leg.fair = price  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("matching", [pytest.param("price", marks=pytest.mark.long), "quotes"])
def test_every_fill_of_a_week_is_the_one_counted_by_hand(
    matching: str, frame: pd.DataFrame, outcomes: dict[str, float]
) -> None:
    found = count(frame, matching)
    result = play(frame, outcomes, matching)

    # ---- what was replayed
    assert len(result.markets) == 198
    assert sum(sum(reasons.values()) for reasons in result.dropped.values()) == 6
    assert {reason for reasons in result.dropped.values() for reason in reasons} == {"crossed"}

    # ---- fill by fill, market by market
    columns = ["time", "market", "sign", "price", "taker", "fair"]
    wanted = pd.DataFrame(found.fills, columns=columns).sort_values(
        ["market", "time"], kind="stable"
    )
    fills = result.fills_frame()
    fills["sign"] = np.where(fills["order_side"] == "buy", 1, -1)
    mine = fills.sort_values(["market_id", "timestamp"], kind="stable")
    assert len(mine) == len(wanted) > 5_000
    seconds = mine["timestamp"].dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    np.testing.assert_array_equal(seconds.astype(np.int64), wanted["time"])
    np.testing.assert_array_equal(mine["market_id"].astype(str), wanted["market"])
    np.testing.assert_array_equal(mine["sign"], wanted["sign"])
    np.testing.assert_array_equal(mine["price"], wanted["price"])
    np.testing.assert_array_equal(mine["fair_value"], wanted["fair"])
    np.testing.assert_array_equal(~mine["is_maker"], wanted["taker"])
    assert (mine["size"] == SIZE).all()
    assert dict(result.rejections) == {"price_bounds": found.unsent}

    # ---- the money, from prices and outcomes alone
    paid = SIZE * wanted["price"]
    fees = paid * np.where(wanted["taker"], TAKER, MAKER)
    np.testing.assert_allclose(mine["fee"], fees, rtol=1e-12)
    outcome = wanted["market"].map(outcomes)
    gain = wanted["sign"] * SIZE * (outcome - wanted["price"]) - fees
    near = 1e-11 * (CAPITAL + paid.sum())
    metrics = result.metrics
    assert metrics.total_return == pytest.approx(gain.sum(), abs=near)
    assert metrics.total_fees == pytest.approx(fees.sum(), abs=near)
    assert metrics.total_trades == len(wanted)
    by_market = gain.groupby(wanted["market"]).sum().to_dict()
    for market, pnl in result.pnl_by_market().items():
        assert pnl == pytest.approx(by_market.get(market, 0.0), abs=near)
    assert result.positions == []
    end = frame["ts"].iloc[-1].timestamp()
    assert {row.timestamp for row in result.settlements} == {end}
    assert result.outcomes == outcomes

    # ---- the scores
    assert metrics.brier_score == pytest.approx(((wanted["price"] - outcome) ** 2).mean(), abs=1e-9)
    assert metrics.model_brier_score == pytest.approx(
        ((wanted["fair"] - outcome) ** 2).mean(), abs=1e-9
    )
    assert metrics.avg_edge == pytest.approx(0.01, abs=1e-9)
    curve = result.calibration()
    assert curve.brier_score == pytest.approx(metrics.brier_score, abs=1e-9)


def test_markets_that_settle_when_their_quotes_end(
    frame: pd.DataFrame, outcomes: dict[str, float]
) -> None:
    some = sorted(outcomes)[:60]
    part = frame[frame["slug"].astype(str).isin(some)]
    ends = {slug: rows["ts"].iloc[-1] for slug, rows in part.groupby(part["slug"].astype(str))}
    known = {slug: outcomes[slug] for slug in ends}
    at_end = play(part, known, "price")
    at_once = play(part, known, "price", resolutions=ends)

    # Nothing trades after a market's last quote, so its settlement may come then or at the end.
    assert at_once.fills_frame().equals(at_end.fills_frame())
    assert at_once.metrics.total_return == pytest.approx(at_end.metrics.total_return, abs=1e-6)
    assert at_once.metrics.brier_score == at_end.metrics.brier_score
    when = {row.market_id: row.timestamp for row in at_once.settlements}
    assert when == {slug: ends[slug].timestamp() for slug in when}
    assert len(when) > 40


def test_half_of_the_week_knows_nothing_of_its_outcomes(
    frame: pd.DataFrame, outcomes: dict[str, float]
) -> None:
    some = sorted(outcomes)[:60]
    part = frame[frame["slug"].astype(str).isin(some)]
    middle = part["ts"].iloc[len(part) // 2]
    ends = {slug: rows["ts"].iloc[-1] for slug, rows in part.groupby(part["slug"].astype(str))}
    known = {slug: outcomes[slug] for slug in ends}
    whole = play(part, known, "price", resolutions=ends)
    half = part[part["ts"] <= middle]
    there = set(half["slug"].astype(str))
    early = play(
        half,
        {slug: value for slug, value in known.items() if slug in there},
        "price",
        resolutions={slug: time for slug, time in ends.items() if slug in there},
    )

    n = len(early.fills_frame())
    assert n > 300
    columns = ["timestamp", "market_id", "order_side", "price", "fee"]
    assert early.fills_frame()[columns].equals(whole.fills_frame()[columns].iloc[:n])
    open_then = {slug for slug in there if ends[slug] > middle}
    assert open_then
    assert set(early.outcomes) == there - open_then
