"""How numbers, times and names are written, to the last digit and at the edges."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon import checks, words

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (10.0, "10"),
        (0.5, "0.5"),
        (-40.5, "-40.5"),
        (999.5, "999.5"),
        (1_000.0, "1,000"),
        (20_000.0, "20,000"),
        (18_333.333333, "18,333.33"),
        (1 / 3, "0.333333"),
        (1e-9, "1e-09"),
        (-1e-9, "-1e-09"),
        (1e15, "1,000,000,000,000,000"),
        (NAN, "–"),
        (INF, "∞"),
        (-INF, "−∞"),
    ],
)
def test_amounts_lose_zeros_and_keep_digits(quantity: float, shown: str) -> None:
    assert words.amount(quantity) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (10.0, "10"),
        (0.1, "0.1"),
        (1234.567, "1,234.567"),  # an amount would round it to the cent
        (99_999.999, "99,999.999"),
        (0.0000015, "0.0000015"),
        (0.1234567891, "0.1234567891"),
        (1e-9, "0.000000001"),
        (1e-10, "1e-10"),
        (1e15, "1,000,000,000,000,000"),
        (-2.5, "-2.5"),
        (NAN, "–"),
        (INF, "∞"),
    ],
)
def test_what_somebody_has_given_keeps_every_digit(value: float, shown: str) -> None:
    assert words.exact(value) == shown


@given(st.integers(1, 10**12 - 1), st.integers(0, 9))
def test_a_number_of_as_many_digits_as_people_type_can_be_read_back(
    digits: int, decimals: int
) -> None:
    value = float(f"{digits}e-{decimals}")
    assert float(words.exact(value).replace(",", "")) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [(99.0, "99.00"), (0.2, "0.20"), (49_999.9999, "49,999.9999"), (0.0, "0.00")],
)
def test_a_given_price_has_two_decimals_at_least(value: float, shown: str) -> None:
    assert words.exact(value, decimals=2) == shown


@pytest.mark.parametrize(
    "value", [100.0 / 3.0, 200.0 / 3.0, 2e9 / 3.0, 0.12345678901234, 123_456.1234567, 0.2 / 3.0]
)
def test_more_digits_are_cut_and_never_rounded(value: float) -> None:
    shown = words.exact(value)
    assert shown.endswith("…")
    digits = shown.removesuffix("…").replace(",", "")
    assert len(digits) >= 8
    assert repr(value).startswith(digits)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1 + 0.2, "0.3"), (0.7 * 3.0, "2.1"), (1.1 * 3.0, "3.3"), (4.35 * 100.0, "435")],
)
def test_noise_of_a_sum_is_not_shown(value: float, shown: str) -> None:
    assert words.exact(value) == shown
    assert words.signed(-value) == f"−{shown}"


@pytest.mark.parametrize("value", [1e12 + 1.0, 1e15 - 1.0, 123_456_789_012_345.0])
def test_a_whole_number_is_never_cut(value: float) -> None:
    assert words.exact(value) == f"{int(value):,}"


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (10.0, "+10"),
        (-10.0, "−10"),  # a minus sign, which stands out as a hyphen does not
        (1_234.5, "+1,234.5"),
        (-1e-9, "−0.000000001"),
        (NAN, "–"),
    ],
)
def test_signed_amounts_have_their_sign_and_zero_has_none(quantity: float, shown: str) -> None:
    assert words.signed(quantity) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (NAN, "–"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (100.0, "100.00"),
        (0.5, "0.50"),
        (0.125, "0.125"),
        (99.995, "99.995"),
        (1_234_567.891, "1,234,567.891"),
        (0.1234567, "0.123457"),  # six decimals
        (0.1, "0.10"),
        (0.05, "0.05"),
        (0.00012345678, "0.000123457"),  # a small one has six digits that matter
        (0.00001234, "0.00001234"),
        (1e-300, "1e-300"),
        (1e15, "1,000,000,000,000,000.00"),
    ],
)
def test_prices_have_two_decimals_or_as_many_as_they_need(value: float | None, shown: str) -> None:
    assert words.price(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (NAN, "–"),
        (0.0, "0.00 USD"),
        (-0.0, "0.00 USD"),
        (1_234.5, "1,234.50 USD"),
        (-1_234.5, "−1,234.50 USD"),
        (0.995, "0.99 USD"),  # the float lies below 0.995
        (1.996, "2.00 USD"),
        (0.004, "0.004 USD"),  # not nothing
        (-0.00123, "−0.0012 USD"),
        (1e15, "1,000,000,000,000,000.00 USD"),
        (INF, "unlimited"),
        (-INF, "−unlimited"),
    ],
)
def test_cash_is_written_to_the_cent_and_never_rounded_to_nothing(
    value: float | None, shown: str
) -> None:
    assert words.cash(value, "USD") == shown


def test_a_gain_may_have_its_plus_and_nothing_has_none() -> None:
    assert words.cash(5.0, "USD", sign=True) == "+5.00 USD"
    assert words.cash(-5.0, "USD", sign=True) == "−5.00 USD"
    assert words.cash(0.0, "USD", sign=True) == "0.00 USD"
    assert words.cash(5.0, "USD") == "5.00 USD"


@pytest.mark.parametrize("dust", [4.9e-17, -2.8e-17, 1.5e-11, -1.5e-11])
def test_rounding_dust_is_no_money(dust: float) -> None:
    assert words.cash(dust, "USD", sign=True) == "0.00 USD"


def test_a_currency_is_a_name_from_outside() -> None:
    assert words.cash(1.0, "US\u202eD") == "1.00 US⟨U+202E⟩D"


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.0, "0 %"),
        (-0.0, "0 %"),
        (-0.00001, "0 %"),
        (0.255, "25.5 %"),
        (0.5, "50 %"),
        (1 / 3, "33.3 %"),
        (0.995, "99.5 %"),
        (0.9994, "99.9 %"),
        (0.9999, "99.9 %"),  # 99.99 would round to 100
        (math.nextafter(1.0, 0.0), "99.9 %"),
        (1.0, "100 %"),
        (1.5, "150 %"),
        (-0.5, "-50 %"),
        (NAN, "–"),
        (INF, "–"),
    ],
)
def test_percent_reaches_100_with_the_whole_and_not_before(fraction: float, shown: str) -> None:
    assert words.percent(fraction) == shown


@given(st.floats(0.0, 1.0, exclude_max=True))
def test_no_part_is_written_as_the_whole(fraction: float) -> None:
    assert not words.percent(fraction).startswith("100")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (NAN, "–"),
        (INF, "–"),
        (0.0, "0.0 bps"),
        (0.04, "0.0 bps"),
        (-0.04, "0.0 bps"),
        (0.05, "0.1 bps worse"),  # the float lies above 0.05
        (12.34, "12.3 bps worse"),
        (-12.36, "12.4 bps better"),
        (12_345.0, "12,345.0 bps worse"),
    ],
)
def test_slippage_says_for_whom_it_is(value: float | None, shown: str) -> None:
    assert words.bps(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 s"),
        (-5.0, "0 s"),
        (0.25, "0.25 s"),
        (1.0, "1 s"),
        (1.2, "2 s"),  # what is left is not over yet
        (59.0, "59 s"),
        (59.5, "1 min"),
        (60.0, "1 min"),
        (90.0, "1 min 30 s"),
        (3_599.0, "59 min 59 s"),
        (3_600.0, "1 h"),
        (3_660.0, "1 h 1 min"),
        (3_659.0, "1 h 59 s"),
        (86_400.0, "1 d"),
        (90_000.0, "1 d 1 h"),  # 86,400 + 3,600
        # 3,703 x 86,400 = 319,939,200; 60,800 s are 16 x 3,600 + 53 x 60 + 20.
        (3.2e8, "3,703 d 16 h 53 min 20 s"),
        (NAN, "–"),
        (INF, "–"),
    ],
)
def test_durations_are_told_to_the_second_in_the_units_that_they_need(
    seconds: float, shown: str
) -> None:
    assert words.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "time", "day"),
    [
        (None, "–", "–"),
        (NAN, "–", "–"),
        (0.0, "00:00:00", "1970-01-01 00:00:00"),
        (59.999, "00:00:59", "1970-01-01 00:00:59"),
        # 86,400 x 18,262 days from 1970-01-01 to 2020-01-01, and half a day.
        (86_400.0 * 18_262 + 43_200, "12:00:00", "2020-01-01 12:00:00"),
        (-1.0, "23:59:59", "1969-12-31 23:59:59"),
    ],
)
def test_times_are_utc_to_the_second_begun(seconds: float | None, time: str, day: str) -> None:
    assert words.clock(seconds) == time
    assert words.clock(seconds, date=True) == day


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("AAPL", "AAPL"),
        ("", ""),
        ("Será que chove?", "Será que chove?"),
        ("明日は雨", "明日は雨"),
        ("rain 🌧 tomorrow", "rain 🌧 tomorrow"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),  # the page's part
        ("AAPL\u202eLPAA", "AAPL⟨U+202E⟩LPAA"),
        ("A\u200bAPL", "A⟨U+200B⟩APL"),
        ("A\u2060B\ufeffC", "A⟨U+2060⟩B⟨U+FEFF⟩C"),
        ("a\nb\tc\x00", "a⟨U+000A⟩b⟨U+0009⟩c⟨U+0000⟩"),
        ("a\u2028b\u2029", "a⟨U+2028⟩b⟨U+2029⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("A\xa0B", "A⟨U+00A0⟩B"),  # no blank but the plain one
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
    ],
)
def test_names_show_what_cannot_be_seen(text: str, shown: str) -> None:
    assert words.name(text) == shown


@pytest.mark.parametrize(
    "point",
    [
        *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x180B, 0x180E, 0x200B, 0x200D),
        *(0x200F, 0x202A, 0x2066, 0x2800, 0x3000, 0x3164, 0xFE0F, 0xFFA0, 0xE0001, 0xE0100),
    ],
    ids=hex,
)
def test_nothing_that_is_drawn_as_nothing_makes_a_twin_of_a_name(point: int) -> None:
    assert words.name(f"ACME{chr(point)}") == f"ACME⟨U+{point:04X}⟩"


@pytest.mark.no_cover
@given(st.text())
def test_shown_names_have_nothing_hidden_and_can_be_sent(text: str) -> None:
    shown = words.name(text)
    shown.encode("utf-8")
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert words.name(shown) == shown


class Mute(Exception):
    def __str__(self) -> str:
        raise LookupError("no words")


class Unsaid(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]  # what no text is


@pytest.mark.parametrize(
    ("error", "text", "whole"),
    [
        (ValueError("no room"), "no room", "ValueError: no room"),
        (KeyError("spread"), "'spread'", "KeyError: 'spread'"),
        (ValueError(), "", "ValueError"),
        (
            Mute(),
            "(its text cannot be read: LookupError)",
            "Mute: (its text cannot be read: LookupError)",
        ),
        (
            Unsaid(),
            "(its text cannot be read: TypeError)",
            "Unsaid: (its text cannot be read: TypeError)",
        ),
    ],
)
def test_an_exception_is_said_whatever_its_text(error: Exception, text: str, whole: str) -> None:
    assert checks.error_text(error) == text
    assert words.raised(error) == whole
