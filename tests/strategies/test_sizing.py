"""Sizers: how much to hold, by hand, by simulation of what they maximise, and whatever comes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.instruments import Equity, Market, Option, Perp, Prediction
from horizon.strategies.signals import Signal
from horizon.strategies.sizing import (
    EqualWeight,
    FixedNotional,
    Kelly,
    Sizer,
    SizingAccount,
    VolTarget,
)
from horizon.strategies.views import View

ACME, RAIN = Market("ACME", Equity), Market("rain", Prediction)
CALL = Market("CALL", Option, strike=100.0)
THOUSAND = SizingAccount(equity=1_000.0, drawdown=0.0, market_count=4)
YEAR = 365 * 86_400.0
SIZERS: list[Sizer] = [FixedNotional(100), EqualWeight(), VolTarget(), Kelly()]
each = pytest.mark.parametrize("sizer", SIZERS, ids=lambda sizer: type(sizer).__name__)


def view(edge_bps: float, price: float, market: Market = ACME, **fields: Any) -> View:
    """A view of one signal, whose edge may have either sign."""
    if edge_bps == 0.0:
        signal = Signal.flatten(market, **fields)
    else:
        make = Signal.increase if edge_bps > 0.0 else Signal.decrease
        signal = make(market, edge_bps=abs(edge_bps), **fields)
    return View.of(market, [("tests", signal)], price)


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-13)


# ---------------------------------------------------------------- by hand
def test_fixed_notional_is_money_over_price() -> None:
    sizer = FixedNotional(1_000)
    assert sizer.target(view(30, 100.0), THOUSAND) == 10.0
    assert sizer.target(view(-30, 100.0), THOUSAND) == -10.0
    # An option contract is of 100: 5.00 costs 500.
    assert sizer.target(view(30, 5.0, CALL), THOUSAND) == 2.0
    # Half the confidence, half the size.
    assert sizer.target(view(30, 100.0, confidence=0.5), THOUSAND) == 5.0


def test_short_of_a_prediction_costs_what_no_costs() -> None:
    # YES at 0.20 costs 0.20; a short of it is NO at 0.80.
    assert FixedNotional(80).target(view(100, 0.20, RAIN), THOUSAND) == close(400.0)
    assert FixedNotional(80).target(view(-100, 0.20, RAIN), THOUSAND) == close(-100.0)


def test_equal_weight_shares_the_equity_among_the_markets() -> None:
    # 1,000 over four markets: 250 each, 500 at twice the gross; by default 95 % of that.
    assert EqualWeight(gross=1).target(view(30, 50.0), THOUSAND) == 5.0
    assert EqualWeight().target(view(30, 50.0), THOUSAND) == 4.75
    assert EqualWeight(gross=2).target(view(-30, 50.0), THOUSAND) == -10.0
    assert EqualWeight(gross=1).target(view(-100, 0.75, RAIN), THOUSAND) == -1_000.0


def test_volatility_target_scales_by_the_root_of_time() -> None:
    # 200 bps over 1/100 of a year are 20 % a year; 10 % of equity wanted: half the equity, 500.
    seen = view(30, 50.0, expected_vol_bps=200, horizon=YEAR / 100)
    assert VolTarget(0.10).target(seen, THOUSAND) == close(10.0)
    assert VolTarget(0.05).target(seen, THOUSAND) == close(5.0)
    # 40 % wanted: twice the equity, cut to 95 % of it, or to 1.5 of it.
    assert VolTarget(0.40).target(seen, THOUSAND) == close(19.0)
    assert VolTarget(0.40, max_weight=1.5).target(seen, THOUSAND) == close(30.0)
    # A day of 365: 100 bps are 19.1 % a year.
    daily = view(-30, 50.0, expected_vol_bps=100, horizon=86_400)
    assert VolTarget().target(daily, THOUSAND) == close(-20.0 * 0.10 / (0.01 * math.sqrt(365)))


def test_volatility_of_a_prediction_is_of_its_payout() -> None:
    # 500 bps: 0.05 a contract over 1/4 year, 0.10 over a year. 10 % of 1,000 is moved by 1,000
    # contracts either way; those of NO cost 600 at 0.60.
    seen = view(-100, 0.40, RAIN, expected_vol_bps=500, horizon=YEAR / 4)
    assert VolTarget(max_weight=9).target(seen, THOUSAND) == close(-1_000.0)
    assert VolTarget(max_weight=0.3).target(seen, THOUSAND) == close(-500.0)


def test_kelly_stakes_edge_over_odds_on_a_prediction() -> None:
    # p = 0.50, q = 0.60: (0.6 - 0.5) / 0.5 = 20 % of 1,000, a quarter of it: 50, at 0.50.
    assert Kelly().target(view(1_000, 0.50, RAIN), THOUSAND) == close(100.0)
    assert Kelly(fraction=1).target(view(1_000, 0.50, RAIN), THOUSAND) == close(400.0)
    # p = 0.80, q = 0.60: (0.8 - 0.6) / 0.8 = 25 % in NO at 0.20: 250 buy 1,250.
    assert Kelly(fraction=1).target(view(-2_000, 0.80, RAIN), THOUSAND) == close(-1_250.0)
    # Sure of it: q = 1, all of the equity; cut to 95 %, or to a half.
    assert Kelly(fraction=1).target(view(5_000, 0.50, RAIN), THOUSAND) == close(1_900.0)
    assert Kelly(1.0, 0.5).target(view(5_000, 0.50, RAIN), THOUSAND) == close(1_000.0)


def test_kelly_stakes_mean_over_variance_elsewhere() -> None:
    # mu = 0.01, sigma = 0.2: 0.25 of the equity; a quarter: 62.50, at 50.
    seen = view(100, 50.0, expected_vol_bps=2_000)
    assert Kelly().target(seen, THOUSAND) == close(1.25)
    assert Kelly(fraction=1).target(seen, THOUSAND) == close(5.0)
    # mu = 0.01, sigma = 0.05: 4 times the equity; one of it at a quarter; 95 % where it is cut.
    much = view(-100, 50.0, Market("X-PERP", Perp), expected_vol_bps=500)
    assert Kelly(max_weight=9).target(much, THOUSAND) == close(-20.0)
    assert Kelly(fraction=1).target(much, THOUSAND) == close(-19.0)
    assert Kelly(fraction=1, max_weight=9).target(much, THOUSAND) == close(-80.0)
    # sigma = 0.025: 16 times the equity, a quarter of that is 4; then it is cut to 95 %.
    calm = view(100, 50.0, expected_vol_bps=250)
    assert Kelly().target(calm, THOUSAND) == close(19.0)


def test_kelly_stakes_nothing_where_nothing_can_be_won() -> None:
    # An edge too small to be seen beside a price at the payout.
    assert Kelly().target(view(1e-13, 1.0, RAIN), THOUSAND) == 0.0


# ---------------------------------------------------------------- Kelly's own claim
@pytest.mark.parametrize("price, fair", [(0.3, 0.45), (0.8, 0.83), (0.6, 0.2), (0.05, 0.01)])
def test_full_kelly_makes_wealth_grow_fastest_on_a_prediction(price: float, fair: float) -> None:
    units = Kelly(fraction=1).target(view((fair - price) * 10_000, price, RAIN), THOUSAND)

    def growth(held: float) -> float:
        # Contracts paid at the price; YES pays 1 with probability q. NO is -1 YES and 1 in cash.
        wins, loses = 1.0 - price, -price
        return fair * math.log1p(held * wins / 1_000) + (1 - fair) * math.log1p(
            held * loses / 1_000
        )

    assert growth(units) > 0.0
    assert growth(units) > max(growth(0.99 * units), growth(1.01 * units))


def test_full_kelly_makes_wealth_grow_fastest_on_gaussian_returns() -> None:
    units = Kelly(fraction=1, max_weight=9).target(
        view(2.0, 100.0, expected_vol_bps=100.0), THOUSAND
    )
    weight = units * 100.0 / 1_000.0
    # Gauss-Hermite: the mean of log wealth over returns of mean 2 bps and deviation 100 bps.
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    returns, weights = 2e-4 + 1e-2 * nodes, weights / weights.sum()

    def growth(stake: float) -> float:
        return float(weights @ np.log1p(stake * returns))

    # mu / sigma² is the optimum of small steps: near enough that 5 % either way is worse.
    assert growth(weight) > max(growth(0.95 * weight), growth(1.05 * weight))


# ---------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "sizer, fields, words",
    [
        (VolTarget(), {}, "VolTarget needs expected_vol_bps= in the signals on 'ACME'; none of"),
        (VolTarget(), {"expected_vol_bps": 5}, r"VolTarget needs horizon= .* gives it \(tests\)"),
        (Kelly(), {"horizon": 5}, "Kelly needs expected_vol_bps= in the signals on 'ACME'"),
    ],
    ids=["no volatility", "no horizon", "kelly"],
)
def test_missing_numbers_are_named(sizer: Sizer, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sizer.target(view(5, 50.0, **fields), THOUSAND)
    # To hold nothing takes no number.
    assert sizer.target(view(0, 50.0, **fields), THOUSAND) == 0.0


@pytest.mark.parametrize("edge_bps, price", [(1_100, 0.9), (-1_100, 0.1)])
def test_edge_past_the_payout_is_refused(edge_bps: float, price: float) -> None:
    with pytest.raises(ValueError, match=r"Kelly cannot size 'rain': edge_bps of .* means a fair"):
        Kelly().target(view(edge_bps, price, RAIN), THOUSAND)
    # Up to it, all is staked.
    assert Kelly(1.0, 1.0).target(view(5_000, 0.5, RAIN), THOUSAND) == close(2_000.0)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: FixedNotional(0), "notional must be above 0, was 0"),
        (lambda: EqualWeight(-1), "gross must be above 0, was -1"),
        (lambda: EqualWeight(math.nan), "gross must be a finite number"),
        (lambda: VolTarget(0), "annual_vol must be above 0, was 0"),
        (lambda: VolTarget(0.1, 0), "max_weight must be above 0, was 0"),
        (lambda: Kelly(0), "fraction must be above 0, was 0"),
        (lambda: Kelly(1.5), "fraction must be at most 1, was 1.5"),
        (lambda: Kelly(max_weight="1"), "max_weight must be a number, was '1'"),
        (lambda: SizingAccount(math.nan, 0.0, 1), "equity must be a finite number"),
        (lambda: SizingAccount(1.0, -0.1, 1), "drawdown must be 0 or more"),
        (lambda: SizingAccount(1.0, 0.0, 0), "market_count must be 1 or more"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_settings_are_refused(make: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        make()


def test_anything_with_a_target_is_a_sizer() -> None:
    class One:
        def target(self, view: View, account: SizingAccount) -> float:
            return 1.0

    assert isinstance(One(), Sizer)
    assert all(isinstance(sizer, Sizer) for sizer in SIZERS)
    assert not isinstance(5, Sizer)
    assert "fraction" in Kelly()._repr_html_()


# ---------------------------------------------------------------- whatever comes
@each
@pytest.mark.parametrize(
    "seen, account",
    [
        (view(0, 50.0), THOUSAND),
        (view(10, 0.0, RAIN, expected_vol_bps=5, horizon=5), THOUSAND),
        (view(-10, 1.0, RAIN, expected_vol_bps=5, horizon=5), THOUSAND),
        (view(10, 0.0, CALL, expected_vol_bps=5, horizon=5), THOUSAND),
    ],
    ids=["no edge", "YES for nothing", "NO for nothing", "option for nothing"],
)
def test_no_size_where_none_can_be_told(sizer: Sizer, seen: View, account: SizingAccount) -> None:
    assert sizer.target(seen, account) == 0.0


@pytest.mark.parametrize("equity", [0.0, -50.0])
def test_nothing_is_wanted_without_equity(equity: float) -> None:
    poor = SizingAccount(equity, 0.5, 1)
    seen = view(10, 50.0, expected_vol_bps=50, horizon=60)
    assert [sizer.target(seen, poor) for sizer in SIZERS[1:]] == [0.0, 0.0, 0.0]


edges = st.floats(1e-3, 5_000.0)
vols = st.one_of(st.floats(0.1, 1e4), st.sampled_from([5e-324, 1e-300, 1e15]))


@pytest.mark.no_cover
@given(
    sizer=st.sampled_from(SIZERS),
    edge=edges,
    share=st.floats(1e-3, 0.999),
    vol=vols,
    horizon=st.one_of(st.floats(1.0, 1e8), st.sampled_from([5e-324, 1e15])),
    confidence=st.floats(0.01, 1.0),
    equity=st.floats(1.0, 1e9),
    market=st.sampled_from([ACME, RAIN, CALL]),
)
def test_targets_have_the_edges_sign_and_keep_their_limits(
    sizer: Sizer,
    edge: float,
    share: float,
    vol: float,
    horizon: float,
    confidence: float,
    equity: float,
    market: Market,
) -> None:
    price = share if market is RAIN else 100.0 * share
    # Kelly refuses a fair price beyond the payout.
    edge = min(edge, 9_999.0 * min(share, 1.0 - share))
    account = SizingAccount(equity, 0.0, 3)
    fields: dict[str, Any] = {"expected_vol_bps": vol, "horizon": horizon}
    sizes = {}
    for sign in (1, -1):
        sure = sizer.target(view(sign * edge, price, market, **fields), account)
        less = sizer.target(
            view(sign * edge, price, market, confidence=confidence, **fields), account
        )
        assert math.isfinite(sure)
        assert sign * sure >= 0.0
        assert less == pytest.approx(confidence * sure, rel=1e-12)
        cost = 1.0 - price if market is RAIN and sign < 0 else price
        staked = abs(sure) * cost * (market.multiplier or 1.0)
        if isinstance(sizer, (VolTarget, Kelly)):
            assert staked <= equity * sizer.max_weight * (1.0 + 1e-12)
        sizes[sign] = sure
    if market is not RAIN:
        assert sizes[1] == -sizes[-1]
    else:
        # A prediction turned round: YES at p is NO at 1 - p.
        mirrored = sizer.target(view(-edge, 1.0 - price, market, **fields), account)
        assert mirrored == pytest.approx(-sizes[1], rel=1e-9)
