"""The ticket's form: which fields an order has, and what can be read from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.instruments import Market, Perp, Prediction
from horizon.types import AssetClass
from horizon.widgets.fields import FieldError
from horizon.widgets.ticket.draft import Draft, field_of, read
from horizon.widgets.ticket.form import DEFAULTS, fields, kind_of

RAIN = Market("rain", Prediction)
PERP = Market("BTC-PERP", Perp)


def known_to(*markets: Market) -> Callable[[str], Market | None]:
    """What a venue knows that has these markets."""
    by_id = {market.id: market for market in markets}
    return lambda text: by_id.get(text.removesuffix(":no"))


NOTHING = known_to()


def filled(**texts: str) -> dict[str, str]:
    """A form for 10 shares of ACME at 99, but for what is said."""
    return {**DEFAULTS, "market": "ACME", "quantity": "10", "limit": "99", **texts}


def draft(known: Callable[[str], Market | None] = NOTHING, **texts: str) -> Draft:
    return read(filled(**texts), known)


def error(known: Callable[[str], Market | None] = NOTHING, **texts: str) -> tuple[str, str]:
    """The field that is wrong, and what is said of it; the field is one of the form's."""
    values = filled(**texts)
    with pytest.raises(FieldError) as caught:
        read(values, known)
    assert caught.value.field in names(values, known)
    return caught.value.field, str(caught.value)


def names(values: dict[str, str], known: Callable[[str], Market | None] = NOTHING) -> list[str]:
    return [field["name"] for field in fields(values, kind_of(values, known), [], "USD")]


def labels(kind: AssetClass, **texts: str) -> dict[str, str]:
    shown = fields(filled(**texts), kind, [], "USD")
    return {field["name"]: field["label"] for field in shown}


# ------------------------------------------------------------------------- which fields
ALWAYS = ["market", "kind", "side", "order", "size_by", "quantity"]


@pytest.mark.parametrize(
    ("order", "more"),
    [
        ("limit", ["limit", "tif", "post_only", "reduce_only"]),
        ("market", ["reduce_only"]),
        ("twap", ["limit", "duration", "slices", "reduce_only"]),
        ("vwap", ["limit", "duration", "profile", "reduce_only"]),
        ("iceberg", ["limit", "show", "reduce_only"]),
    ],
)
def test_each_order_type_has_its_fields(order: str, more: list[str]) -> None:
    assert names(filled(order=order)) == [*ALWAYS, *more]


def test_each_kind_of_market_has_its_fields() -> None:
    assert names(filled(kind="prediction")) == [
        *("market", "kind", "outcome", "side", "order", "size_by", "quantity", "limit"),
        *("tif", "post_only", "reduce_only"),
    ]
    assert names(filled(kind="perp", order="market")) == [*ALWAYS, "leverage", "reduce_only"]
    assert "leverage" not in names(filled(kind="perp", order="twap"))  # children have none
    assert "leverage" not in names(filled(kind="crypto"))
    assert names(filled(kind="option", market="")) == [
        *("market", "kind", "underlying", "expiry", "right", "strike", "side", "order"),
        *("size_by", "quantity", "limit", "tif", "post_only", "reduce_only"),
    ]
    # A symbol says its terms itself.
    assert "strike" not in names(filled(kind="option", market="AAPL250117C00180000"))


@pytest.mark.parametrize(
    ("kind", "unit", "limit"),
    [
        (AssetClass.Equity, "shares", "Limit price, USD"),
        (AssetClass.Crypto, "coins", "Limit price, USD"),
        (AssetClass.Perp, "contracts", "Limit price, USD"),
        (AssetClass.Prediction, "contracts", "Limit price, USD, 0 to 1"),
        (AssetClass.Option, "contracts", "Limit price, USD per unit of the underlying"),
    ],
)
def test_labels_say_the_unit_of_every_number(kind: AssetClass, unit: str, limit: str) -> None:
    plain = labels(kind)
    assert (plain["quantity"], plain["limit"]) == (f"Quantity, {unit}", limit)
    assert labels(kind, order="iceberg")["show"] == f"Shown at a time, {unit}"
    timed = labels(kind, order="twap")
    assert timed["duration"] == "Duration, seconds of market time"
    assert timed["slices"] == "Slices, number"
    assert timed["limit"].startswith("Price limit, optional, USD")
    assert labels(AssetClass.Perp)["leverage"] == "Leverage, times (optional)"
    assert labels(AssetClass.Option, market="")["strike"] == "Strike, USD"


@pytest.mark.parametrize("kind", list(AssetClass), ids=lambda kind: kind.name)
@pytest.mark.parametrize("order", ["limit", "market", "twap", "vwap", "iceberg"])
def test_what_is_seen_of_a_label_is_its_beginning_and_the_unit_is_in_it(
    kind: AssetClass, order: str
) -> None:
    # Whoever speaks what is seen, or is read the whole name, means the same field.
    for market in ("X", ""):
        given = filled(order=order, market=market)
        for field in fields(given, kind, [], "USD"):
            if "brief" in field:
                assert field["label"].startswith(field["brief"])
                assert field["brief"] != field["label"]
                assert field["unit"] in field["label"]
    sizes = next(f for f in fields(filled(), kind, [], "USD") if f["name"] == "size_by")
    unit = labels(kind)["quantity"].removeprefix("Quantity, ")
    assert [text for _, text, _ in sizes["options"]] == [unit, "USD", "% of power"]


def test_sides_are_told_by_word_and_sign() -> None:
    side = next(f for f in fields(filled(), AssetClass.Equity, [], "USD") if f["name"] == "side")
    assert side["options"] == [["buy", "BUY +", "buy"], ["sell", "SELL −", "sell"]]


def test_the_currency_is_a_name_from_outside() -> None:
    shown = fields(filled(), AssetClass.Equity, ["rain"], "US\u202eD")
    texts = {field["name"]: field["label"] for field in shown}
    assert texts["limit"] == "Limit price, US⟨U+202E⟩D"
    assert shown[0]["suggestions"] == ["rain"]


# ------------------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10", 10.0),
        (" 12.5 ", 12.5),
        ("+3", 3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("1e15", 1e15),
        ("007", 7.0),
        ("0.0000015", 0.0000015),
    ],
)
def test_numbers_are_read_as_they_stand(text: str, number: float) -> None:
    assert draft(quantity=text).quantity == number
    assert draft(limit=text).limit == number


WRONG_NUMBERS = [
    *("", " ", "abc", "nan", "inf", "-inf", "Infinity", "-1", "−1", "0", "0.0", "-0", "1e400"),
    *("1e-400", "1e16", "1,000", "1 000", "1'000", "1_000", "0x10", "１２", "١٢", "²", "½"),
    *("12.5.1", "1e", "e5", "--1", "1-", "5%", "$5", "1/2", "=1+1", "1\x00", "1\u202e", "None"),
    *("true", "\ud800", "9" * 400, "x" * 1000, "<img src=x onerror=alert(1)>"),
]


@pytest.mark.parametrize("text", WRONG_NUMBERS, ids=lambda text: ascii(text[:12]))
def test_what_is_no_number_above_zero_is_refused_at_its_field(text: str) -> None:
    for field, called, more in (
        ("quantity", "quantity", {}),
        ("limit", "limit price", {}),
        ("duration", "duration", {"order": "twap"}),
        ("slices", "slices", {"order": "twap"}),
        ("show", "size shown", {"order": "iceberg"}),
    ):
        wrong, said = error(**{**more, field: text})
        assert wrong == field
        assert said.startswith(called)
        assert said.isprintable()


@pytest.mark.parametrize("text", ["1,000", "1 000", "1'000"])
def test_digits_in_groups_are_refused_and_the_fix_is_named(text: str) -> None:
    assert "without a comma or blank" in error(quantity=text)[1]


@pytest.mark.parametrize("text", ["1.5", "1e2", "+5", "1234567890", "-1", "ten"])
def test_slices_are_a_whole_number(text: str) -> None:
    assert error(order="twap", slices=text)[0] == "slices"
    assert draft(order="twap", slices="12").slices == 12


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("1, 2, 1", (1.0, 2.0, 1.0)),
        ("1;2;1", (1.0, 2.0, 1.0)),
        (" 0.5  0  .5 ", (0.5, 0.0, 0.5)),
        ("3", (3.0,)),
    ],
)
def test_a_profile_is_a_list_of_weights(text: str, weights: tuple[float, ...]) -> None:
    assert draft(order="vwap", profile=text).profile == weights


@pytest.mark.parametrize(
    "text", ["", " , ", "0, 0", "1, -2", "1, x", "1, nan", "1e400", "1\u200b2", "１ ２"], ids=ascii
)
def test_a_profile_that_is_none_is_refused_at_its_field(text: str) -> None:
    assert error(order="vwap", profile=text)[0] == "profile"


@given(st.text(max_size=40))
def test_any_text_is_a_number_as_python_reads_it_or_is_refused(text: str) -> None:
    wrong = None
    try:
        number = draft(quantity=text).quantity
    except FieldError as caught:
        wrong = caught
    if wrong is None:
        assert 0.0 < number <= 1e15
        assert number == float(text.strip())
    else:
        assert wrong.field == "quantity"
        assert str(wrong).isprintable()


# ------------------------------------------------------------------------- what is read
def test_only_the_fields_of_its_order_type_are_read() -> None:
    everything = {
        "tif": "ioc",
        "post_only": "yes",
        "reduce_only": "yes",
        "leverage": "5",
        "duration": "30",
        "slices": "3",
        "show": "2",
    }
    limit = draft(**everything)
    assert (limit.limit, limit.tif, limit.post_only, limit.reduce_only) == (99.0, "ioc", True, True)
    assert (limit.is_market, limit.algo, limit.leverage, limit.duration) == (False, None, None, 0.0)
    market = draft(order="market", **everything)
    assert (market.is_market, market.limit) == (True, None)
    assert (market.tif, market.post_only, market.reduce_only) == ("gtc", False, True)
    iceberg = draft(order="iceberg", **everything)
    assert (iceberg.algo, iceberg.show, iceberg.limit, iceberg.tif) == ("iceberg", 2.0, 99.0, "gtc")
    twap = draft(order="twap", **everything)
    assert (twap.algo, twap.duration, twap.slices, twap.profile) == ("twap", 30.0, 3, ())
    assert draft(order="vwap", **everything).profile == (1.0, 2.0, 3.0, 2.0, 1.0)


def test_the_price_limit_of_a_scheduled_order_may_be_left_out() -> None:
    assert draft(order="twap", limit=" ").limit is None
    assert draft(order="twap", limit="98.5").limit == 98.5
    assert error(order="iceberg", limit="")[0] == "limit"
    assert error(limit="")[0] == "limit"


def test_leverage_is_read_for_a_perpetual_alone() -> None:
    assert draft(market="X-PERP", leverage="5").leverage == 5.0
    assert draft(market="X-PERP", leverage="").leverage is None
    assert draft(market="X-PERP", leverage="5", order="twap").leverage is None
    assert error(market="X-PERP", leverage="0")[0] == "leverage"


@pytest.mark.parametrize(
    ("field", "text", "more"),
    [
        ("side", "hold", {}),
        ("side", "BUY", {}),
        ("order", "stop", {}),
        ("tif", "day", {}),
        ("kind", "bond", {}),
        ("post_only", "true", {}),
        ("reduce_only", "no", {}),
        ("outcome", "No", {"market": "rain", "kind": "prediction"}),
        ("right", "both", {"market": "", "kind": "option"}),
    ],
)
def test_a_choice_that_there_is_not_is_refused_and_never_read_as_another(
    field: str, text: str, more: dict[str, str]
) -> None:
    option = {"underlying": "AAPL", "expiry": "2025-01-17", "strike": "180"}
    wrong, said = error(**{**option, **more, field: text})
    assert wrong == field
    assert text in said


# ------------------------------------------------------------------------- which market
@pytest.mark.parametrize(
    ("market", "kind", "read_as"),
    [
        ("AAPL", "auto", AssetClass.Equity),
        ("BTC/USD", "auto", AssetClass.Crypto),
        ("BTC-PERP", "auto", AssetClass.Perp),
        ("AAPL250117C00180000", "auto", AssetClass.Option),
        ("rain:no", "auto", AssetClass.Prediction),
        ("rain", "prediction", AssetClass.Prediction),
        ("BTC-PERP", "equity", AssetClass.Equity),  # a ticker may be called anything
        ("", "option", AssetClass.Option),
        ("", "auto", AssetClass.Equity),
    ],
)
def test_the_kind_is_what_was_chosen_or_what_the_name_says(
    market: str, kind: str, read_as: AssetClass
) -> None:
    assert kind_of(filled(market=market, kind=kind), NOTHING) is read_as


def test_what_the_venue_knows_of_a_market_counts_first() -> None:
    known = known_to(RAIN, PERP)
    assert kind_of(filled(market="rain"), known) is AssetClass.Prediction
    assert draft(known, market="rain", limit="0.4").target == "rain"
    wrong, said = error(known, market="rain", kind="equity")
    assert wrong == "kind"
    assert "rain" in said


def test_a_new_market_is_named_with_its_kind() -> None:
    new = draft(market="rain", kind="prediction", limit="0.4")
    assert new.target == RAIN
    assert new.name == "rain YES"


def test_a_side_of_a_prediction_is_spelled_out() -> None:
    known = known_to(RAIN)
    yes = draft(known, market="rain", limit="0.4")
    no = draft(known, market="rain", outcome="no", limit="0.4")
    named = draft(known, market="rain:no", outcome="no", limit="0.4")
    assert (yes.target, yes.name) == ("rain", "rain YES")
    assert (no.target, no.name) == ("rain:no", "rain NO")
    assert (named.target, named.name) == ("rain:no", "rain NO")
    assert draft(market="snow", kind="prediction", outcome="no", limit="0.4").target == "snow:no"


def test_a_name_of_the_no_side_is_never_bought_as_yes() -> None:
    wrong, said = error(known_to(RAIN), market="rain:no", outcome="yes", limit="0.4")
    assert wrong == "outcome"
    assert said == "outcome must be NO for rain:no, which names that side"


def test_an_option_is_built_from_its_terms() -> None:
    terms = {"market": "", "kind": "option", "underlying": " aapl ", "expiry": "2025-01-17"}
    # Root, yymmdd, C or P, the strike in thousandths on eight digits.
    assert draft(**terms, right="call", strike="180").target == "AAPL250117C00180000"
    assert draft(**terms, right="put", strike="182.5").target == "AAPL250117P00182500"
    assert draft(**terms, right="put", strike="182.5").name == "AAPL250117P00182500"


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("expiry", ""),
        ("expiry", "2025-02-30"),
        ("expiry", "17.01.2025"),
        ("expiry", "1999-01-17"),
        ("expiry", "２０２５-01-17"),
        ("strike", ""),
        ("strike", "0"),
        ("strike", "180.0005"),
        ("strike", "100000"),
        ("underlying", "TOO-LONG"),
        ("underlying", "A APL"),
        ("underlying", "<b>"),
    ],
)
def test_a_wrong_term_is_refused_at_its_field(term: str, text: str) -> None:
    terms = {"underlying": "AAPL", "expiry": "2025-01-17", "strike": "180"}
    assert error(market="", kind="option", **{**terms, term: text})[0] == term


def test_an_option_needs_a_symbol_or_its_terms() -> None:
    assert error(market="", kind="option")[0] == "market"
    assert error(market="weekly call", kind="option")[0] == "market"  # that names no strike
    assert error(market="AAPL251317C00180000")[0] == "market"  # there is no month 13


@pytest.mark.parametrize(
    "market",
    ["", "  ", "a\nb", "a\x00b", "\ud800", "a\u2028b", "x" * 257, "x" * 1000],
    ids=ascii,
)
def test_a_name_that_no_market_can_have_is_refused_at_its_field(market: str) -> None:
    wrong, said = error(market=market, outcome="no")
    assert wrong == "market"
    assert said.isprintable()


@pytest.mark.parametrize(
    ("market", "shown"),
    [
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("A\u202eLPAA", "A⟨U+202E⟩LPAA"),
        ("A\u200bAPL", "A⟨U+200B⟩APL"),
        ("x" * 256, "x" * 256),
    ],
    ids=ascii,
)
def test_a_hostile_name_is_shown_for_what_it_is(market: str, shown: str) -> None:
    read_draft = draft(market=market, kind="equity")
    assert isinstance(read_draft.target, Market)
    assert read_draft.target.id == market
    assert read_draft.name == shown


# ------------------------------------------------------------------------- the core's words
@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("quantity must be a multiple of lot size 10 in 'ACME', was 25.0", "quantity"),
        ("size must be a multiple of lot size 10 in 'ACME', was 25.0", "quantity"),
        ("limit price must lie strictly between 0 and 1 for Prediction 'rain', was 5.0", "limit"),
        ("price_limit must be a multiple of tick size 0.05 in 'rain', was 0.42", "limit"),
        ("leverage of 'X-PERP' is 5 while it has a position or open orders, was 3", "leverage"),
        ("duration_secs must lie between 1e-9 and 3.2e8, was 1e+14", "duration"),
        ("num_slices must be at most 1,000,000, was 2,000,000", "slices"),
        ("volume_profile must not be empty", "profile"),
        ("show_size must make at most 1,000,000 children of 1e+09, was 1", "show"),
        ("market 'rain' is known as Prediction; it cannot be used as Equity", "market"),
        ("market_id 'a:no:no' names the NO side of no market", "market"),
        ("expiry must be a day that exists, was '2025-02-30'", "expiry"),
        ("notional must be at most 1e15, was 1e+30", None),
        ("the market is closed", None),
    ],
)
def test_the_core_s_words_find_their_field(message: str, field: str | None) -> None:
    assert field_of(message) == field


choices: dict[str, Any] = {
    "market": st.sampled_from(["", "ACME", "rain", "rain:no", "BTC-PERP", "BTC/USD", "a\nb"]),
    "kind": st.sampled_from(["auto", "equity", "prediction", "option", "perp", "crypto", "?"]),
    "order": st.sampled_from(["limit", "market", "twap", "vwap", "iceberg", "?"]),
    "outcome": st.sampled_from(["yes", "no", "?"]),
}
texts = st.sampled_from(["", "1", "0.5", "yes", "call", "buy", "gtc", "x", "2025-01-17", "1, 2"])


@given(st.fixed_dictionaries({name: choices.get(name, texts) for name in DEFAULTS}))
def test_every_error_belongs_to_a_field_that_is_there(values: dict[str, str]) -> None:
    known = known_to(RAIN, PERP)
    shown = names(values, known)
    assert len(set(shown)) == len(shown)
    assert set(shown) <= set(DEFAULTS)
    field = shown[0]
    try:
        read(values, known)
    except FieldError as wrong:
        field = wrong.field
    assert field in shown
