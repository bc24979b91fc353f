"""The page of a tearsheet and its summary: every number, no way out, names as text."""

import html
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from horizon import figures
from horizon.analytics import report
from horizon.analytics.metrics import GROUPS
from horizon.analytics.report import MOST_ROWS, html_page, html_summary
from horizon.analytics.tearsheet import Tearsheet, generate_tearsheet

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'</title></style>{{7*7}}"
DAY = 86_400
T0 = 1_325_376_000  # 1 January 2012, a Sunday
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """A page taken apart: tags, texts by tag, tables by caption; refuses tags left open."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data) -> None:
        if not self.open:
            return
        self.texts[self.open[-1]][-1] += data
        if self.open[-1] == "caption":
            self._caption += data
        elif self.open[-1] in ("td", "th"):
            self._rows[-1][-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def curve(*equity: float) -> list[tuple[float, float]]:
    return [(T0 + DAY * i, value) for i, value in enumerate(equity)]


def walk(n: int) -> list[tuple[float, float]]:
    moves = np.random.default_rng(0).normal(0.0003, 0.01, n - 1)
    return curve(1000.0, *(1000.0 * np.cumprod(1.0 + moves)).tolist())


def trips(count: int, market: str = "ACME") -> pd.DataFrame:
    """Bought at 5 and sold at 6, `count` times, a fee of 0.5 for each fill."""
    n = 2 * count
    return pd.DataFrame(
        {
            "timestamp": T0 + 3600.0 * np.arange(n),
            "market_id": market,
            "side": ["buy", "sell"] * count,
            "quantity": 10.0,
            "price": [5.0, 6.0] * count,
            "fee": 0.5,
        }
    )


@pytest.fixture(scope="module")
def sheet() -> Tearsheet:
    return generate_tearsheet(walk(400), trips(2), title="Four hundred days", currency="EUR")


@pytest.fixture(scope="module")
def page(sheet) -> Page:
    return Page(html_page(sheet, figure=False))


# ------------------------------------------------------------------------ what it holds
def test_every_metric_is_in_the_table_of_its_group(sheet, page) -> None:
    for group in GROUPS:
        rows = [[row.label, row.shown] for row in sheet.rows() if row.group == group]
        if rows:
            assert page.tables[group] == [["Metric", "Value"], *rows]
    assert sum(len(page.tables.get(group, [])[1:]) for group in GROUPS) == len(sheet.rows())


def test_months_and_years_are_in_percent(page, sheet) -> None:
    months = page.tables["Returns by month and year, %"]
    assert months[0] == ["Year", *sheet.monthly_table.columns[:12], "Whole year"]
    january = sheet.monthly_returns["2012-01"] * 100.0
    assert months[1][0] == "2012"
    assert months[1][1] == f"{january:.1f}".replace("-", "−")
    # The curve ends in February 2013.
    assert months[2][3:13] == [""] * 10
    whole = sheet.yearly_returns["2012"] * 100.0
    assert page.tables["Returns by year"][1] == ["2012", f"{whole:.2f} %".replace("-", "−")]


def test_drawdowns_are_told() -> None:
    # 100 to 80 is 20 %, made good a day later; 110 to 99 is 10 %, not yet.
    table = Page(html_page(generate_tearsheet(curve(100, 80, 100, 110, 99)), figure=False)).tables[
        "Largest drawdowns; times are UTC"
    ]
    assert table[0][2] == "Depth, USD"
    assert table[1:] == [
        ["1", "−20.00 %", "−20.00", "2012-01-01", "2012-01-02", "2012-01-03", "2 d", "1 d"],
        ["2", "−10.00 %", "−11.00", "2012-01-04", "2012-01-05", "not yet", "1 d", "–"],
    ]


def test_a_recovery_within_a_day_is_told_to_the_second() -> None:
    # Peaks and troughs are at midnight, the recovery is at noon of the second day.
    points = [(T0, 100.0), (T0 + DAY, 80.0), (T0 + 1.5 * DAY, 100.0), (T0 + 2 * DAY, 100.0)]
    table = Page(html_page(generate_tearsheet(points), figure=False)).tables[
        "Largest drawdowns; times are UTC"
    ]
    assert table[1][3:6] == ["2012-01-01 00:00:00", "2012-01-02 00:00:00", "2012-01-02 12:00:00"]


def test_monthly_returns_have_means_by_month_of_the_year_and_none_by_weekday() -> None:
    # From the end of January: 100, 110, 121 and so on for 24 months: 10 % each.
    ends = pd.date_range("2012-01-31", periods=25, freq="ME")
    equity = [100.0 * 1.1**i for i in range(25)]
    page = html_page(generate_tearsheet(pd.Series(equity, index=ends)), figure=False)
    tables = Page(page).tables
    assert "Mean return of a day by weekday, UTC" not in tables
    rows = tables["Mean return of a month by month of the year"]
    assert rows[0] == ["Month", "Mean return"]
    # The first January is before all returns, so each month has two but for the first and last.
    assert rows[2] == ["Feb", "10.0000 %"]
    assert rows[-1] == ["Dec", "10.0000 %"]
    assert "24 monthly returns" in page


def test_daily_closes_of_a_zone_with_summer_time_have_no_hours() -> None:
    # Four in the afternoon in New York is 20:00 or 21:00 UTC.
    closes = pd.date_range("2012-01-02 16:00", periods=300, freq="B", tz="America/New_York")
    sheet = generate_tearsheet(pd.Series([e for _, e in walk(300)], index=closes))
    tables = Page(html_page(sheet, figure=False)).tables
    assert "Mean return of an hour by hour of day, UTC" not in tables
    assert "Mean return of a day by weekday, UTC" in tables


def test_cautions_stand_before_the_numbers() -> None:
    sheet = generate_tearsheet(curve(100.0, 101.0, 102.0))
    assert sheet.cautions  # three days say little of a year
    for text in (html_page(sheet, figure=False), html_summary(sheet)):
        for caution in sheet.cautions:
            assert 0 < text.index(html.escape(caution)) < text.index("Total return")


def test_round_trips_and_profit_by_market_are_told(page) -> None:
    # 10 units from 5 to 6 are 10, less two fees of 0.5 are 9; two of these.
    table = page.tables["Round trips, from flat to flat; times are UTC"]
    assert table[0][-3:] == ["Gross, EUR", "Fees, EUR", "Net, EUR"]
    assert table[1] == [
        "ACME",
        "long",
        "10",
        "5.00",
        "6.00",
        "2012-01-01 00:00:00",
        "2012-01-01 01:00:00",
        "1 h",
        "+10.00",
        "1.00",
        "+9.00",
    ]
    assert len(table) == 3
    assert page.tables["Realised profit and loss by market, after fees"] == [
        ["Market", "Profit or loss, EUR"],
        ["ACME", "+18.00"],
    ]


def test_weekdays_are_told(page, sheet) -> None:
    table = page.tables["Mean return of a day by weekday, UTC"]
    monday = f"{sheet.by_weekday[0] * 100.0:.4f} %".replace("-", "−")
    assert table[1] == ["Monday", monday]
    # One return a day is of one hour: there is nothing to compare.
    assert "Mean return of an hour by hour of day, UTC" not in page.tables


def test_hours_are_told_where_there_are_several() -> None:
    hourly = [(T0 + 3600 * i, 100.0 + i % 5) for i in range(100)]
    tables = Page(html_page(generate_tearsheet(hourly), figure=False)).tables
    assert tables["Mean return of an hour by hour of day, UTC"][1][0] == "00:00 to 01:00"


def test_long_tables_are_cut_and_say_so() -> None:
    many = pd.concat([trips(1, f"M{i:03d}") for i in range(MOST_ROWS + 5)]).sort_values("timestamp")
    text = html_page(generate_tearsheet(walk(400), many), figure=False)
    tables = Page(text).tables
    assert len(tables["Round trips, from flat to flat; times are UTC"]) == MOST_ROWS + 1
    assert f"{MOST_ROWS} of {MOST_ROWS + 5} round trips: the first." in text
    assert f"{MOST_ROWS} of {MOST_ROWS + 5} markets: the largest, either way." in text


def test_figure_is_the_sheets_own(sheet) -> None:
    page = Page(html_page(sheet, theme="dark"))
    drawn = [
        json.loads(text)
        for attrs, text in zip(page.of("script"), page.texts["script"], strict=True)
        if attrs.get("type") == "application/json"
    ]
    # The dark one for the screen, and its light twin for paper.
    for given, theme in zip(drawn, ("dark", "light"), strict=True):
        assert given["data"] == json.loads(figures.tearsheet(sheet, theme=theme).to_json())["data"]
    assert len(Page(html_page(sheet)).of("script")) == 3


def test_figure_leaves_title_and_notes_to_the_page(sheet) -> None:
    page = Page(html_page(sheet))
    (drawn,) = (
        json.loads(text)["layout"]
        for attrs, text in zip(page.of("script"), page.texts["script"], strict=True)
        if attrs.get("type") == "application/json"
    )
    whole = figures.tearsheet(sheet).layout
    assert "title" not in drawn
    # What the title took is gone above the panels, and they are as high as before.
    assert drawn["height"] - drawn["margin"]["t"] == whole.height - whole.margin.t
    assert drawn["margin"]["t"] < whole.margin.t


def test_thinning_is_said_in_words() -> None:
    sheet = generate_tearsheet([(T0 + 60 * i, 100.0 + i % 50) for i in range(9_000)])
    assert figures.tearsheet(sheet).notes[0] in html_page(sheet)


# ------------------------------------------------------------------------ safe, alone
@pytest.mark.parametrize("figure", [True, False])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_reaches_for_nothing_outside(sheet, theme, figure) -> None:
    page = Page(html_page(sheet, theme=theme, figure=figure))
    for _, attrs in page.tags:
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            assert name not in attrs
    assert not re.search(r"url\(|@import|https?:", "".join(page.texts["style"]))
    policy = [a["content"] for a in page.of("meta") if "http-equiv" in a]
    assert policy[0].startswith("default-src 'none'")


def test_names_from_outside_are_text() -> None:
    sheet = generate_tearsheet(
        walk(60),
        trips(1, HOSTILE),
        benchmark=walk(60),
        benchmark_name=HOSTILE,
        title=HOSTILE,
        currency="<b>$x",
    )
    page = Page(html_page(sheet))
    assert page.texts["title"][0] == page.texts["h1"][0] == HOSTILE
    assert page.tables["Realised profit and loss by market, after fees"][1][0] == HOSTILE
    assert {"img", "b"}.isdisjoint(page.texts)
    assert len(page.of("script")) == 3
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    summary = Page(html_summary(sheet))
    assert summary.texts["strong"] == [HOSTILE]
    assert {"script", "img", "b"}.isdisjoint(tag for tag, _ in summary.tags)


def test_unseen_letters_of_names_are_spelled_out() -> None:
    sheet = generate_tearsheet(walk(60), title="a\u202eb")
    assert Page(html_page(sheet, figure=False)).texts["h1"] == ["a⟨U+202E⟩b"]
    assert "⟨U+202E⟩" in html_summary(sheet)


def test_equal_sheets_give_equal_pages() -> None:
    pages = [html_page(generate_tearsheet(walk(60), trips(2)), theme="dark") for _ in range(2)]
    assert pages[0] == pages[1]


def test_page_is_no_larger_than_it_must_be(sheet) -> None:
    assert len(html_page(sheet, theme="dark").encode()) < 6_000_000
    assert len(html_page(sheet, figure=False).encode()) < 60_000


# ------------------------------------------------------------------------ for everybody
def test_page_says_what_it_is(page) -> None:
    assert page.of("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in page.of("meta")
    assert page.texts["h1"] == ["Four hundred days"]
    assert len(page.texts["caption"]) == len(page.of("table"))
    assert {attrs.get("scope") for attrs in page.of("th")} == {"col", "row"}


def test_wide_tables_can_be_scrolled_by_keys(page) -> None:
    for attrs in page.of("section"):
        if attrs["class"] == "wide":
            assert attrs["tabindex"] == "0"
            assert attrs["role"] == "region"
            assert attrs["aria-label"] in page.tables


def test_without_javascript_there_is_a_sketch_and_every_table(sheet) -> None:
    page = Page(html_page(sheet))
    assert "needs JavaScript" in page.texts["p"][-1] + "".join(page.texts["p"])
    assert "svg" in page.texts
    assert page.tables.keys() == Page(html_page(sheet, figure=False)).tables.keys()


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_on_the_page_on_tints_and_on_paper(sheet, theme) -> None:
    style = Page(html_page(sheet, theme=theme, figure=False)).texts["style"][0]
    screen, _, printed = style.partition("@media print")
    for part, paper in (
        (screen, {"light": "#ffffff", "dark": "#1c1c1c"}[theme]),
        (printed, "#ffffff"),
    ):
        colours = dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", part))
        assert colours["paper"] == paper
        assert contrast(colours["muted"], paper) >= 4.5
        for name, colour in colours.items():
            if name.startswith(("gain", "loss", "paper")):
                assert contrast(colours["ink"], colour) >= 4.5, name


# ------------------------------------------------------------------------ the summary
def test_summary_has_the_numbers_and_a_line(sheet) -> None:
    summary = Page(html_summary(sheet))
    shown = {row.name: row.shown for row in sheet.rows()}
    for name in ("total_return_pct", "sharpe_ratio", "max_drawdown_pct", "win_rate"):
        assert shown[name] in summary.texts["dd"]
    (svg,) = summary.of("svg")
    assert svg["role"] == "img"
    assert svg["aria-label"] == summary.texts["title"][0]
    assert svg["aria-label"].startswith("Equity from 1,000.00 EUR to ")
    assert "script" not in summary.texts


def test_summary_takes_the_colours_of_its_surroundings(sheet) -> None:
    text = html_summary(sheet)
    assert "currentColor" in text
    assert not re.search(r"#[0-9a-f]{3,6}\b|rgb\(|white|black", text)


def test_summary_of_a_long_curve_is_short_and_keeps_its_extremes() -> None:
    equity = [100.0] * 50_000
    equity[12_345], equity[40_000] = 300.0, 50.0
    text = html_summary(generate_tearsheet([(T0 + i, e) for i, e in enumerate(equity)]))
    assert len(text) < 40_000
    # The drawing is 640 wide and the equity's part of it 80 high, from 84 up to 4.
    heights = {y for path in re.findall(r'd="M([^"]+)"', text) for y in path.split()}
    assert any(h.startswith("4.0") for h in heights)
    assert any(h.startswith("84.0") for h in heights)


@pytest.mark.parametrize(
    "points",
    [[], curve(100.0), curve(100.0, 101.0), curve(*[100.0] * 50), curve(100.0, 20.0, -50.0)],
    ids=["empty", "one", "two", "flat", "negative"],
)
def test_degenerate_sheets_have_pages_and_summaries(points) -> None:
    sheet = generate_tearsheet(points)
    page = Page(html_page(sheet))
    assert page.tables["Round trips, from flat to flat; times are UTC"] == [
        ["No position was opened and closed again."]
    ]
    if len(points) < 2:
        assert page.tables["Returns by month and year, %"] == [["No month has a return yet."]]
    for text in (html_page(sheet, figure=False), html_summary(sheet)):
        Page(text)
        assert "nan" not in re.findall(r"\bnan\b", text.lower())


@pytest.mark.parametrize(
    ("points", "line"),
    [
        ([(T0, 1e308), (T0 + 1, -1e308), (T0 + 4, 0.0)], "M0.0 4.0L160.0 84.0L640.0 44.0"),
        ([(-9.2e9, 1.0), (0, 3.0), (9.2e9, 2.0)], "M0.0 84.0L320.0 4.0L640.0 44.0"),
        ([(T0, 1.0), (T0 + 1e-6, 2.0), (T0 + 4e-6, 1.5)], "M0.0 84.0L"),
    ],
    ids=["huge", "centuries", "microseconds"],
)
def test_extreme_curves_can_be_sketched(points, line) -> None:
    # 640 wide; the lowest at 84, the highest at 4.
    assert f'd="{line}' in html_summary(generate_tearsheet(points))


def test_a_moment_of_several_points_can_be_sketched() -> None:
    Page(html_summary(generate_tearsheet([(T0, 100.0), (T0, 110.0), (T0, 90.0)])))


# ------------------------------------------------------------------------ errors
@pytest.mark.parametrize("missing", ["jinja2", "plotly"])
def test_what_is_not_installed_is_named(sheet, monkeypatch, missing) -> None:
    report._template.cache_clear()
    for name in [n for n in sys.modules if n.startswith(("horizon.figures", f"{missing}."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install 'horizon-workbench\[lab\]'"):
        html_page(sheet)


def test_arguments_are_checked(sheet) -> None:
    with pytest.raises(ValueError, match="theme"):
        html_page(sheet, theme="sepia")
    with pytest.raises(TypeError, match="figure"):
        html_page(sheet, figure="yes")
