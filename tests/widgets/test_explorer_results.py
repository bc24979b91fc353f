"""What an explorer keeps, compares, draws, explains and saves."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.widgets.explorer import BacktestExplorer
from horizon.widgets.explorer.kept import Shelf, size_of
from horizon.widgets.explorer.runs import Ran
from horizon.widgets.explorer.tables import FillPages, compared, memory, moment
from horizon.widgets.explorer.views import Desired, price_figure
from tests.backtesting.scenes import buy, sell, ticks
from tests.widgets.notebook import Page, assert_fit_to_show, do, in_a_notebook
from tests.widgets.test_explorer import explorer, make, profits, until

HOSTILE = "<img src=x onerror=alert(1)>‮=cmd"


def bought(size: float, **options: Any) -> hz.BacktestResult:
    """A run that buys so many at 0.5 and ends at 0.75."""
    return hz.backtest(
        data=ticks(0.25, 0.5, 0.75),
        markets=["m"],
        pipeline=make({"size": size}),
        **{"paper_fee_rate": 0.0, **options},
    )


def shelf_of(*sizes: float, most: int = 5) -> Shelf:
    shelf = Shelf(most)
    for size in sizes:
        shelf.add({"size": size}, Ran(bought(size), 0.5, 0.4))
    return shelf


# ------------------------------------------------------------------------ the shelf
def test_the_oldest_goes_that_is_not_pinned() -> None:
    shelf = shelf_of(1, 2, 3, most=3)
    shelf.pin(shelf.get("Run 1"), True)
    shelf.add({"size": 4}, Ran(bought(4), 0.5, 0.4))

    assert [one.name for one in shelf] == ["Run 1", "Run 3", "Run 4"]


def test_what_is_compared_goes_after_the_others() -> None:
    shelf = shelf_of(1, 2, 3, most=3)
    shelf.get(1).is_compared = True
    shelf.add({"size": 4}, Ran(bought(4), 0.5, 0.4))
    assert [one.number for one in shelf] == [1, 3, 4]
    shelf.get(3).is_compared = shelf.get(4).is_compared = True
    shelf.add({"size": 5}, Ran(bought(5), 0.5, 0.4))
    assert [one.number for one in shelf] == [3, 4, 5]


def test_pins_leave_a_place_for_the_next() -> None:
    shelf = shelf_of(1, 2, 3, most=3)
    shelf.pin(shelf.get(1), True)
    shelf.pin(shelf.get(2), True)
    shelf.pin(shelf.get(2), True)  # again at no risk
    with pytest.raises(ValueError, match="at most 2 of 3 results can be pinned"):
        shelf.pin(shelf.get(3), True)


def test_names_are_single_and_said_where_they_are_not_known() -> None:
    shelf = shelf_of(1, 2)
    shelf.rename(shelf.get("Run 1"), "base")
    with pytest.raises(ValueError, match="that no other result has, was 'base'"):
        shelf.rename(shelf.get("Run 2"), "base")
    with pytest.raises(ValueError, match=r"\('base', 'Run 2'\), was 'Base'. Did you mean 'base'"):
        shelf.get("Base")
    with pytest.raises(ValueError, match="was True"):
        shelf.get(True)
    shelf.rename(shelf.get("Run 2"), "Run 3")
    assert shelf.add({"size": 3}, Ran(bought(3), 0.5, 0.4)).name == "Run 4"  # Run 3 is taken


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ({"size": 2}, "Run 2"),
        ({"size": 2.0}, None),
        ({"size": True}, None),
        ({"size": 1, "more": 1}, None),
    ],
    ids=["same", "float", "flag", "more"],
)
def test_a_setting_is_known_again(setting: dict[str, Any], name: str | None) -> None:
    found = shelf_of(1, 2).of_setting(setting)

    assert (None if found is None else found.name) == name


def test_arrays_among_parameters_are_compared_element_by_element() -> None:
    shelf = Shelf(3)
    shelf.add({"weights": np.array([1.0, 2.0])}, Ran(bought(1), 0.5, 0.4))

    assert shelf.of_setting({"weights": np.array([1.0, 2.0])}) is not None
    assert shelf.of_setting({"weights": np.array([1.0, 3.0])}) is None
    assert shelf.of_setting({"weights": np.array([1.0, 2.0, 3.0])}) is None


def test_memory_counts_what_a_result_holds_beside_the_data() -> None:
    rows = {"timestamp": np.arange(1000.0), "price": np.full(1000, 0.5)}
    result = hz.backtest(data=rows, pipeline=[lambda ctx: None])

    # 1,000 points of equity, 8 bytes each: their times are the data's own.
    assert size_of(result) == 8_000
    more = hz.backtest(
        data=rows, pipeline=[lambda ctx: hz.quotes(0.5, spread=0.1, size=1)], latency_ms=0.0
    )
    orders = len(more.record.orders)
    assert size_of(more) >= size_of(result) + 64 * orders
    assert [memory(999), memory(250_000), memory(2_500_000)] == ["1 kB", "250 kB", "2.5 MB"]


# ------------------------------------------------------------------------ side by side
def test_metrics_stand_beside_each_other_with_what_they_differ_by() -> None:
    shelf = shelf_of(2, 4)
    table = compared(list(shelf), every=False)
    rows = {row["id"]: row["cells"] for row in table["rows"]}

    assert [head["name"] for head in table["heads"]] == ["Run 1", "Run 2"]
    # 2 × 0.25 and 4 × 0.25, of 1,000.
    assert rows["total_return"] == [["0.50 USD", None], ["1.00 USD", "+0.50 USD"]]
    assert rows["total_return_pct"] == [["0.05 %", None], ["0.10 %", "+0.05 pp"]]
    assert rows["total_trades"] == [["1", None], ["1", "="]]
    assert "brier_score" not in rows  # none has outcomes


def test_what_is_less_has_a_minus_and_what_is_absent_a_dash() -> None:
    shelf = shelf_of(4)
    outcome = bought(2, outcomes={"m": 1.0})
    shelf.add({"size": 2}, Ran(outcome, 0.5, 0.4))
    rows = {row["id"]: row["cells"] for row in compared(list(shelf), every=False)["rows"]}

    # It settles at 1: 2 × (1 − 0.5) = 1, as much as 4 × 0.25; the Brier score is 0.5².
    assert rows["total_return"] == [["1.00 USD", None], ["1.00 USD", "="]]
    assert rows["brier_score"] == [["–", None], ["0.250", "–"]]
    back = compared([shelf.get(2), *shelf_of(1)], every=False)
    assert back["rows"][0]["cells"][1] == ["0.25 USD", "−0.75 USD"]


def test_counts_and_durations_fall_with_a_minus_too() -> None:
    def held(ctx: Any) -> Any:
        return buy(2, market="m") if ctx.timestamp == 0.0 else None

    # Bought at 0.5: under water from 1 s (the start) to 4 s in the first, never in the second.
    deep = hz.backtest(data=ticks(0.5, 0.5, 0.4, 0.4, 0.5), markets=["m"], pipeline=[held])
    idle = hz.backtest(data=ticks(0.5, 0.5), markets=["m"], pipeline=[lambda ctx: None])
    shelf = Shelf(2)
    shelf.add({"a": 1}, Ran(deep, 0.1, 0.1))
    shelf.add({"a": 2}, Ran(idle, 0.1, 0.1))
    rows = {row["id"]: row["cells"] for row in compared(list(shelf), every=False)["rows"]}

    assert rows["total_trades"] == [["1", None], ["0", "−1"]]
    longest = rows["max_drawdown_duration_secs"]
    assert longest[0][0] != "0 s"
    assert longest[1] == ["0 s", f"−{longest[0][0]}"]


def test_all_metrics_stand_in_their_groups() -> None:
    rows = compared(list(shelf_of(1)), every=True)["rows"]

    assert len(rows) > 40
    groups = [row["group"] for row in rows if row["group"]]
    assert groups == [
        "Result",
        "Reward for risk",
        "Risk",
        "Drawdowns",
        "Periods",
        "Trades",
        "Costs",
    ]


@in_a_notebook
async def test_the_result_before_stands_beside_until_others_are_ticked() -> None:
    made = explorer()
    await made.done()
    assert [one.name for one in made.on_show.columns] == ["Run 1"]
    await made.run(size=2)
    await made.run(size=4)
    assert [one.name for one in made.on_show.columns] == ["Run 2", "Run 3"]
    assert "differences are from that" in made.shown["compare"]["told"]
    await do(made, "compare", id="1")
    assert [one.name for one in made.on_show.columns] == ["Run 1", "Run 3"]
    rows = {row["id"]: row["cells"] for row in made.shown["compare"]["rows"]}
    assert rows["total_return"][1] == ["1.00 USD", "+0.75 USD"]
    await do(made, "compare", id="2")
    await do(made, "compare", id="1")
    assert [one.name for one in made.on_show.columns] == ["Run 2", "Run 3"]


@in_a_notebook
async def test_no_more_is_ticked_than_fits() -> None:
    made = explorer(params={"size": [1, 2, 3, 4, 5, 6]})
    await made.done()
    for size in (2, 3, 4, 5, 6):
        await made.run(size=size)
    for number in range(1, 5):
        await do(made, "compare", id=str(number))
    await do(made, "compare", id="5")

    assert "at most 4 results can be ticked" in made.shown["error"]
    assert len(made.on_show.columns) == 5


@in_a_notebook
async def test_choosing_naming_pinning_and_dropping_on_the_page() -> None:
    made = explorer(keep=3)
    await made.done()
    await made.run(size=2)
    await do(made, "show", id="1")
    assert made.setting == {"size": 1}
    assert made.shown["form"]["values"] == {"p1": "1"}
    await do(made, "name", id="1", name=f" {HOSTILE[:40]} ")
    await do(made, "pin", id="1")
    row = made.shown["kept"]["rows"][1]
    assert (row["shown"], row["pinned"], row["name"][:4]) == (True, True, "<img")
    assert made.shown["shown"]["name"] == HOSTILE[:40]  # as it was written, to be changed
    assert "⟨U+202E⟩" in row["name"]
    await do(made, "drop", id="1")
    assert list(made.results) == ["Run 2"]
    assert made.result is made.results["Run 2"]
    await do(made, "drop", id="2")
    assert made.result is None
    assert made.shown["shown"] is None
    await do(made, "drop", id="2")
    assert "result must be one that is kept (none yet), was 2" in made.shown["error"]
    await made.run(size=4)  # and on it goes
    assert made.shown["shown"]["title"] == "Run 3"


@in_a_notebook
async def test_names_in_python_do_the_same() -> None:
    made = explorer()
    await made.done()
    await made.run(size=4)
    made.rename("Run 1", "base")
    made.pin("base")
    made.show("base")

    assert made.result is made.results["base"]
    comparison = made.compare("base", "Run 2")
    assert comparison.differences.loc["total_return", "Run 2"] == 0.75
    with pytest.raises(ValueError, match="compare needs two or more results, had 1"):
        made.compare("base")
    made.drop("base")
    assert list(made.results) == ["Run 2"]


@in_a_notebook
async def test_the_frame_has_parameters_and_metrics() -> None:
    made = explorer(params={"size": [1, 2, 4], "sharpe_ratio": 3})
    await made.done()
    await made.run(size=4)
    frame = made.frame()

    assert frame.index.tolist() == ["Run 1", "Run 2"]
    assert frame["size"].tolist() == [1, 4]
    assert frame["total_return"].tolist() == [0.25, 1.0]
    assert frame["sharpe_ratio"].tolist() == [3, 3]  # the parameter of that name
    assert "sharpe_ratio (metric)" in frame.columns
    assert np.isnan(frame["brier_score"]).all()


# ------------------------------------------------------------------------ fills
def trader(ctx: Any) -> Any:
    """Buy YES, then NO, of two markets."""
    if ctx.timestamp == 0.0:
        return buy(3, market="a")
    if ctx.timestamp == 1.0:
        return hz.OrderRequest("b", hz.Side.No, hz.OrderSide.Buy, 2)
    return sell(1, market="a") if ctx.timestamp == 2.0 else None


def two_markets() -> hz.BacktestResult:
    rows = ticks(0.3, 0.4, 0.45, 0.6)
    return hz.backtest(
        data={"a": rows, "b": rows},
        feeds={"a": "a", "b": "b"},
        pipeline=[lambda ctx: trader(ctx) if ctx.market.id == "a" else None],
        paper_fee_rate=0.0,
    )


def test_a_page_of_fills_newest_first() -> None:
    pages = FillPages(two_markets().record, "", newest=True)
    rows = pages.picture(0, "p2")

    assert len(pages) == 3
    # YES of a at 0.4; NO of b at 1 − 0.45; one of three a sold at 0.6, 0.2 above its cost.
    assert [row["cells"][1:5] for row in rows] == [
        ["a YES", ["SELL −", "sell"], "1", "0.60"],
        ["b NO", ["BUY +", "buy"], "2", "0.55"],
        ["a YES", ["BUY +", "buy"], "3", "0.40"],
    ]
    assert rows[0]["cells"][7] == "+0.20"
    assert [row["order"] for row in rows] == ["p3", "p2", "p1"]
    assert [row["chosen"] for row in rows] == [False, True, False]
    assert rows[1]["what"] == "00:00:02 UTC: bought 2 b NO at 0.55"
    only = FillPages(two_markets().record, "b", newest=False)
    assert [row["order"] for row in only.picture(0, None)] == ["p2"]
    assert (only.page_of("p2"), only.page_of("p1")) == (0, None)


def test_many_fills_are_turned_page_by_page() -> None:
    rows = ticks(*[0.5] * 121)
    result = hz.backtest(data=rows, pipeline=[lambda ctx: buy(1, market="m")], markets=["m"])
    pages = FillPages(result.record, "", newest=False)

    # 121 orders, the last of which meets no row.
    assert (len(pages), pages.pages) == (120, 3)
    assert [len(pages.picture(page, None)) for page in range(3)] == [50, 50, 20]
    assert pages.page_of("p51") == 1
    assert FillPages(bought(1).record, "nowhere", newest=True).pages == 1


def test_times_have_their_day_where_there_are_several() -> None:
    assert moment(1_500_000_000, date=False) == "00:00:01.500"
    assert moment(86_400_000_000_000, date=True) == "1970-01-02 00:00:00"
    days = ticks(0.25, 0.5, 0.75, 0.5, step=86_400.0)
    result = hz.backtest(
        data=days,
        markets=["m"],
        pipeline=[lambda ctx: buy(1, market="m") if ctx.timestamp < 1e5 else None],
    )
    rows = FillPages(result.record, "", newest=False).picture(0, None)
    assert [row["cells"][0] for row in rows] == ["1970-01-02 00:00:00", "1970-01-03 00:00:00"]


def test_the_price_chart_has_the_markets_prices_and_its_fills() -> None:
    figure = price_figure(two_markets(), "b", "light")
    prices, fills = figure.data

    assert list(prices.y) == [0.3, 0.4, 0.45, 0.6]
    # NO bought at 0.55 stands as YES sold at 0.45.
    assert (fills.name, list(fills.y), list(fills.customdata)) == ("sold", [0.45], ["p2"])
    assert "b: 1 fill" in figure.layout.title.text


@in_a_notebook
async def test_a_click_on_a_fill_explains_its_order() -> None:
    made = explorer()
    await made.done()
    await do(made, "tab", tab="fills")
    await until(lambda: "price" in made.parts)
    await do(made.parts["price"], "point", trace=1, x=0, y=0.5, customdata="p1")
    await until(lambda: made.on_show.explanation)
    made.paint()
    explained = made.shown["fills"]["explained"]

    assert explained["order"] == "p1"
    assert explained["head"][0].startswith("Order p1: buy 1 YES of m")
    assert any("filled 1 at 0.50" in line for line in explained["rows"])
    assert made.shown["fills"]["rows"][0]["chosen"]
    assert_fit_to_show(made)
    # A click on the price line means nothing.
    await do(made.parts["price"], "point", trace=0, x=0, y=0.5, customdata=None)
    assert made.on_show.order == "p1"
    for wrong in ("abc", "1", "p0", "p1.5"):
        with pytest.raises(ValueError, match="order_id must be that of an order of the run"):
            made.explain(wrong)
    assert made.on_show.order == "p1"
    await do(made, "close")
    assert made.shown["fills"]["explained"]["told"] == "Choose a fill, here or in the chart."


@in_a_notebook
async def test_a_click_on_the_chart_of_a_former_result_explains_nothing() -> None:
    made = explorer()
    await made.done()
    await do(made, "tab", tab="fills")
    await until(lambda: "price" in made.parts)
    former = made.on_show._price_of
    made.on_show._price_of = former - 1  # the next one is on show, its chart still to come
    await do(made.parts["price"], "point", trace=1, x=0, y=0.5, customdata="p1")
    assert made.on_show.order is None
    assert "a run that is not on show any more" in made.parts["price"].shown["error"]


@in_a_notebook
async def test_the_table_turns_to_the_order_that_is_explained() -> None:
    made = BacktestExplorer(
        ticks(*[0.5] * 121),
        lambda params: [lambda ctx: buy(params["size"], market="m")],
        {"size": [1, 2, 4]},
        markets=["m"],
    )
    await made.done()
    made.explain("p3")

    # 120 fills, the newest first: that of p3 is the 118th.
    assert made.on_show.page == 2
    assert [row["order"] for row in made.shown["fills"]["rows"] if row["chosen"]] == ["p3"]


@in_a_notebook
async def test_of_two_wishes_the_newest_is_made() -> None:
    made = explorer(begin=False)
    desired = Desired(made._live, made)
    put: list[str] = []
    first = threading.Event()
    desired.want(1, lambda: first.wait(20.0) and "one", put.append)
    desired.want(2, lambda: "two", put.append)
    desired.want(2, lambda: "two again", put.append)
    assert desired.is_busy
    first.set()
    await until(lambda: put)
    desired.want(2, lambda: "two again", put.append)  # it is there

    assert not desired.is_busy
    assert put == ["two"]


@in_a_notebook
async def test_an_order_that_there_is_not_is_said_in_its_place() -> None:
    made = explorer()
    await made.done()
    made.explain("p99")
    await until(lambda: made.on_show.explained.problem)
    made.paint()

    assert "p99" in made.shown["fills"]["explained"]["told"]
    assert made.shown["error"] is None


@in_a_notebook
async def test_markets_pages_and_order_are_chosen_on_the_page() -> None:
    made = BacktestExplorer(
        {HOSTILE: ticks(0.3, 0.4, 0.5), "b": ticks(0.3, 0.4, 0.5)},
        lambda params: [lambda ctx: hz.quotes(0.4, spread=0.001, size=params["size"])],
        {"size": [1, 2, 4]},
        feeds={HOSTILE: HOSTILE, "b": "b"},
    )
    await made.done()
    await do(made, "tab", tab="fills")
    fills = made.shown["fills"]
    assert fills["markets"][0] == ["", "all markets"]
    assert "⟨U+202E⟩" in fills["markets"][1][1]
    await do(made, "market", market="b")
    assert made.on_show.drawn_market == "b"
    await do(made, "order")
    assert not made.shown["fills"]["newest"]
    await do(made, "page", number=99)
    assert made.on_show.page == made.shown["fills"]["pages"] - 1
    await do(made, "market", market="zzz")
    assert "'zzz' is not one of the run's" in made.shown["error"]
    await do(made, "page", number=-1)
    assert "page must be 0 or more" in made.shown["error"]
    await do(made, "market", market=HOSTILE)
    await until(lambda: "price" in made.parts)
    assert "&#60;img" in made.parts["price"].figure.layout.title.text
    made.paint()
    shown = SimpleNamespace(shown=dict(made.shown))
    # What a list sends back is the market's id as it stands.
    shown.shown["fills"] = {**made.shown["fills"], "markets": [], "market": ""}
    assert_fit_to_show(shown)


# ------------------------------------------------------------------------ figures
@in_a_notebook
async def test_figures_follow_the_page_from_light_to_dark() -> None:
    made = explorer()
    await made.done()
    await until(lambda: "equity" in made.parts)
    figure = made.parts["equity"]
    light = figure.figure.layout.template.layout.font.color
    made._hear(made, {"do": "theme", "dark": True})
    await until(lambda: figure.figure.layout.template.layout.font.color != light)

    assert made.parts["equity"] is figure  # drawn anew in its place


@in_a_notebook
async def test_only_the_open_tab_is_made() -> None:
    made = explorer()
    await made.done()
    await until(lambda: "equity" in made.parts)
    assert set(made.parts) == {"equity"}
    assert made.shown["fills"] is None
    await do(made, "tab", tab="nowhere")
    assert "tab must be one of 'compare', 'fills'" in made.shown["error"]


@in_a_notebook
async def test_tearsheet_and_calibration_show_the_result() -> None:
    made = explorer(outcomes={"m": 1.0})
    await made.done()
    for tab in ("tearsheet", "calibration"):
        await do(made, "tab", tab=tab)
        assert tab in made.parts
    first = dict(made.parts)
    await made.run(size=4)
    assert made.parts["calibration"] is first["calibration"]
    assert made.shown["error"] is None


# ------------------------------------------------------------------------ files
async def saved(made: BacktestExplorer, page: Page, what: str) -> tuple[str, bytes]:
    page.asked.clear()
    page.files.clear()
    await do(made, "export", what=what)
    await until(lambda: page.asked or made.saved.problem)
    assert made.saved.problem == ""
    return page.asked[-1]["file"], page.files[-1]


class FilePage(Page):
    """A page that keeps what is sent to it as a file."""

    def __init__(self, face: Any) -> None:
        super().__init__(face)
        self.files: list[bytes] = []

    def _take(self, data: dict[str, Any], **more: Any) -> None:
        if data["method"] == "custom" and "file" in data["content"]:
            self.files.append(bytes(more["buffers"][0]))
        super()._take(data, **more)


@in_a_notebook
async def test_what_is_kept_can_be_saved() -> None:
    made = explorer(params={"size": [1, 2, 4], "label": "x"})
    await made.done()
    await made.run(size=4, label="=1+1")
    page = FilePage(made)

    name, content = await saved(made, page, "metrics")
    table = pd.read_csv(io.BytesIO(content))
    assert name == "explorer-metrics.csv"
    assert table["result"].tolist() == ["Run 1", "Run 2"]
    assert table["total_return"].tolist() == [0.25, 1.0]
    assert table["label"].tolist() == ["x", "'=1+1"]  # no formula to a spreadsheet

    name, content = await saved(made, page, "fills")
    assert name == "Run-2-fills.csv"
    assert pd.read_csv(io.BytesIO(content))["size"].tolist() == [4.0]
    _, content = await saved(made, page, "equity")
    assert pd.read_csv(io.BytesIO(content))["equity"].tolist()[-1] == 1001.0
    _, content = await saved(made, page, "orders")
    assert pd.read_csv(io.BytesIO(content))["status"].tolist() == ["filled"]

    name, content = await saved(made, page, "summary")
    told = json.loads(content)
    assert told["parameters"] == {"size": 4, "label": "=1+1"}
    assert told["metrics"]["total_return"] == 1.0
    assert told["arguments"]["progress"] is True


@in_a_notebook
async def test_the_whole_result_is_saved_as_it_can_be_loaded(tmp_path: Any) -> None:
    made = explorer()
    await made.done()
    name, content = await saved(made, FilePage(made), "result")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    again = hz.load_result(tmp_path / "result")

    assert name == "Run-1-result.zip"
    assert again.equity_curve == made.result.equity_curve
    assert again.trades == made.result.trades


@in_a_notebook
async def test_nothing_is_saved_before_there_is_a_result() -> None:
    made = explorer(begin=False)
    await do(made, "export", what="fills")
    assert made.shown["error"] == "there is no result to export yet"
    await made.run()
    await do(made, "export", what="passwords")
    assert "what must be one of 'metrics'" in made.shown["error"]


@in_a_notebook
async def test_infinite_metrics_are_saved_as_text() -> None:
    made = explorer()
    await made.done()
    _, content = await saved(made, FilePage(made), "summary")

    # A gain without a loss has an infinite Sortino ratio, for which JSON has no number.
    assert json.loads(content)["metrics"]["sortino_ratio"] == "inf"
    assert b"Infinity" not in content
    assert b"NaN" not in content
    assert profits(made) == [0.25]
