"""Make the pictures of the README, of the course and of the reference, in a real browser.

    python scripts/picture.py                     the README's: desk, execution, tearsheet
    python scripts/picture.py desk                one of them
    python scripts/picture.py course              docs/course/NN.png, one for each notebook
    python scripts/picture.py course 00 03        those of two notebooks
    python scripts/picture.py front-ends          docs/pictures/*.png
    python scripts/picture.py front-ends ladder   one of them

It needs Chromium, as the browser tests do. Nothing is drawn here: the desk is a real one in
JupyterLab, traded for half a minute, in light and in dark; the execution figure is a TWAP on real
prices; the tearsheet is that of the notebook on tearsheets; a notebook's picture is the output of
its cell with the tag `picture`, once the cells up to it have run.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pandas as pd
import plotly.graph_objects as go

import horizon as hz

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for the browser that the tests drive, and the files beside this one

from scripts import png  # noqa: E402
from tests.browser.lab import JS_SHUTDOWN, JS_THEME, Lab, Server, is_outside  # noqa: E402
from tests.browser.server import find_chromium, open_browser, serve_lab  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

DOCS, NOTEBOOKS = ROOT / "docs", ROOT / "notebooks"
COURSE, PICTURES = DOCS / "course", DOCS / "pictures"
TAG = "picture"
README_CAP, SMALL_CAP = 300_000, 120_000  # bytes
COURSE_WIDTH = 1_000  # pixels
SESSIONS, SHARES, DAY = 20, 200_000, 86_400
WIDTH, HEIGHT = 1_000, 620


def bars() -> pd.DataFrame:
    """Twenty-one sessions of IBM, one a day on the clock, so that weekends take no slice."""
    with resources.files("bokeh_sampledata").joinpath("_data/stocks.csv.gz").open("rb") as source:
        stocks = pd.read_csv(source, compression="gzip", parse_dates=["Date"])
    stocks.columns = stocks.columns.str.lower()
    ibm = stocks[stocks["ticker"] == "IBM"].set_index("date").loc["2012-08-01":]
    rows = ibm[["open", "high", "low", "close", "volume"]].iloc[: SESSIONS + 1]
    days = pd.to_timedelta(range(len(rows)), unit="D")
    return rows.reset_index(drop=True).assign(timestamp=pd.Timestamp("2012-01-01", tz="UTC") + days)


# Order books, for the ladder; three columns that fit on one screen.
DESK_CELLS = (
    """import horizon as hz

ex = hz.connect("book", initial_cash=100_000)
feeds = [
    hz.feeds.SyntheticBooks(
        3, market_id="rain-tomorrow", start=0.42, tick_size=0.002, depth=150, volatility=1.5
    ),
    hz.feeds.SyntheticBooks(4, market_id="rate-cut-in-june", start=0.66),
    hz.feeds.SyntheticBooks(5, market_id="home-win", start=0.52),
]


def column(width, *panels):
    return {"width": width, "stacks": [{"panels": [panel]} for panel in panels]}


desk = hz.workbench(
    ex,
    feeds,
    market="rain-tomorrow",
    layout={
        "columns": [
            column(0.9, "ticket"),
            column(1.4, "chart", "algos", "positions"),
            column(0.9, "book"),
        ]
    },
)
desk""",
    """ex.buy("rate-cut-in-june", 40, market=True)
ex.sell("home-win", 25, market=True)
ex.sell("rain-tomorrow", 15, market=True)
algo = ex.twap("rain-tomorrow", 120, duration_secs=100, num_slices=20)""",
    """best = ex.quote("rain-tomorrow")
ex.buy("rain-tomorrow", 60, limit=round(best.bid - 0.008, 3))
ex.sell("rain-tomorrow", 40, limit=round(best.ask + 0.012, 3))""",
)


def shoot_desk(chromium: str, folder: Path) -> None:
    """Trade on a desk for half a minute, and shoot it with an order under preview."""
    with lab_page(chromium, folder, scale=1.5) as lab:
        lab.page.set_viewport_size({"width": 1560, "height": 1500})
        lab.open_cells(*DESK_CELLS)
        lab.run_cell(0)
        lab.page.wait_for_timeout(8_000)
        lab.run_cell(1)
        lab.page.wait_for_timeout(20_000)
        lab.run_cell(2)
        lab.page.wait_for_timeout(2_000)
        lab.find("combobox", "Order type").select_option("Market")
        quantity = lab.find("textbox", "Quantity, contracts")
        quantity.fill("250")
        quantity.press("Enter")
        lab.page.get_by_text("BUY +250 rain-tomorrow YES").first.wait_for()
        # Without the cell's prompt and border: the desk alone.
        desk = lab.output(0).locator(".hz-desk").first
        for name, path in (("Light", DOCS / "desk.png"), ("Dark", DOCS / "desk-dark.png")):
            lab.page.evaluate(JS_THEME, f"JupyterLab {name}")
            lab.page.wait_for_timeout(800)
            check_clean(lab)
            keep(lab, desk, path, README_CAP)


@contextlib.contextmanager
def lab_page(chromium: str, folder: Path, *, scale: float = 1.0) -> Iterator[Lab]:
    """A page of a JupyterLab of our own, with as many points to a pixel as `scale` says."""
    with serve_lab(folder / "home") as server, open_browser(chromium) as browser:
        yield from _page(browser, server, folder, scale)


def _page(browser: Browser, server: Server, folder: Path, scale: float) -> Iterator[Lab]:
    context = browser.new_context(
        viewport={"width": 1400, "height": 900}, device_scale_factor=scale
    )
    context.set_default_timeout(30_000)
    context.route(is_outside, lambda route: route.abort())
    lab = Lab(context.new_page(), server, folder)
    yield lab
    lab.page.evaluate(JS_SHUTDOWN)
    context.close()


def keep(lab: Lab, part: Locator, path: Path, cap: int) -> None:
    """Shoot a part of a page, and keep the picture small."""
    save(lab.page, part.screenshot(animations="disabled", caret="hide"), path, cap)


def save(page: Any, shot: bytes, path: Path, cap: int) -> None:
    """Write what a page was shot as with a palette, and say its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = png.write(path, png.pixels(page, shot))
    width, height = png.size_of(path.read_bytes())
    print(f"{path.relative_to(ROOT)}: {width} x {height}, {size / 1000:.0f} kB", flush=True)
    if size > cap:
        sys.exit(f"{path.name} has {size:,} bytes, over the cap of {cap:,}")


def check_clean(lab: Lab) -> None:
    """End the script if anything went wrong on the page."""
    for problem in lab.problems():
        # A notebook asks for its own picture, which is only about to be made.
        if "status of 404" in problem and "/docs/course/" in problem:
            continue
        sys.exit(f"the page has a problem: {problem}")


def shoot_execution(chromium: str, folder: Path) -> None:
    """Work the order, draw it, shoot it."""
    rows = bars()
    start = rows["timestamp"].iloc[0].timestamp()
    ex = hz.connect(
        "paper",
        initial_cash_usd=60_000_000,
        fee_bps=1,
        bar_fill_mode="touch",
        clock=lambda: start,
    )
    twap = ex.twap("IBM", SHARES, duration_secs=SESSIONS * DAY, num_slices=SESSIONS)
    hz.feeds.Replay(rows, market_id="IBM").run(ex)
    figure = hz.figures.algo_schedule(twap.progress, ex.fills_frame(), prices=rows, elapsed=True)
    figure.update_layout(height=HEIGHT)
    shoot_figure(figure, DOCS / "execution.png", chromium, folder)


def shoot_tearsheet(chromium: str, folder: Path) -> None:
    """Run the notebook as far as its tearsheet, draw that, shoot it."""
    cells = nbformat.read(NOTEBOOKS / "06_tearsheets.ipynb", 4).cells
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in cells:
            if cell.cell_type == "code" and "sheet" not in names:
                exec(cell.source, names)
    shoot_figure(names["sheet"].figure(), DOCS / "tearsheet.png", chromium, folder)


def shoot_figure(figure: go.Figure, target: Path, chromium: str, folder: Path) -> None:
    """Draw a figure in a page of its own and shoot it."""
    figure.update_layout(width=WIDTH, paper_bgcolor="white")
    page_file = folder / "figure.html"
    figure.write_html(page_file, include_plotlyjs=True, config={"displayModeBar": False})
    with open_browser(chromium) as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": figure.layout.height})
        page.goto(page_file.as_uri())
        page.wait_for_selector(".main-svg")
        page.wait_for_timeout(500)
        shot = page.locator(".plotly-graph-div").screenshot()
        # A page from a file may not unpack pictures; an empty one may.
        page.goto("about:blank")
        save(page, shot, target, README_CAP)


# The course


def shoot_course(chromium: str, folder: Path, names: list[str]) -> None:
    """Shoot the tagged output of each notebook, or of those whose numbers are given."""
    chosen = notebooks_of(NOTEBOOKS, names)
    with lab_page(chromium, folder) as lab:
        for path in chosen:
            place = tagged_cell(path)
            if place is None:
                print(f"{path.name}: no cell with the tag {TAG!r}, left out")
                continue
            if lab.page.url.startswith("http"):  # not the first one
                lab.put_away()
            # Lab's own margins and prompts take some 160 pixels beside an output.
            lab.page.set_viewport_size({"width": COURSE_WIDTH + 140, "height": 2_400})
            lab.open(path)
            for cell in range(place + 1):
                lab.run_cell(cell)
            output = widest_output(lab, place)
            output.scroll_into_view_if_needed()
            lab.page.mouse.move(0, 0)
            lab.page.wait_for_timeout(2_500)  # figures lay themselves out, feeds play
            check_clean(lab)  # before a traceback is taken for a picture
            target = COURSE / f"{path.stem.partition('_')[0]}.png"
            keep(lab, output, target, SMALL_CAP)
            width, _ = png.size_of(target.read_bytes())
            if width > COURSE_WIDTH:
                sys.exit(f"{target.name} is {width} pixels wide, over {COURSE_WIDTH}")


def notebooks_of(folder: Path, names: list[str]) -> list[Path]:
    """The notebooks of a folder, or those that begin with one of these numbers."""
    paths = sorted(folder.glob("*.ipynb"))
    for name in names:
        if not any(path.stem.startswith(name) for path in paths):
            sys.exit(f"no notebook begins with {name!r}; there are {[p.stem for p in paths]}")
    return [p for p in paths if not names or p.stem.startswith(tuple(names))]


def tagged_cell(path: Path) -> int | None:
    """Which cell has the tag `picture`, counted from 0; None if none has."""
    cells = nbformat.read(path, 4).cells
    found = [n for n, cell in enumerate(cells) if TAG in cell.metadata.get("tags", [])]
    if len(found) > 1:
        sys.exit(f"{path.name}: {len(found)} cells have the tag {TAG!r}; one is wanted")
    if found and cells[found[0]].cell_type != "code":
        sys.exit(f"{path.name}: the cell with the tag {TAG!r} is no code, and shows nothing")
    return found[0] if found else None


def widest_output(lab: Lab, place: int) -> Locator:
    """Of what a cell shows, the part that takes the most room."""
    shown = lab.output(place).locator(
        ".hz-face, .js-plotly-plot, .jp-RenderedHTMLCommon, .jp-RenderedText"
    )
    shown.first.wait_for()
    lab.page.wait_for_timeout(500)
    sizes = [shown.nth(n).bounding_box() or {} for n in range(shown.count())]
    areas = [box.get("width", 0) * box.get("height", 0) for box in sizes]
    return shown.nth(areas.index(max(areas)))


# The front ends

#: What the front ends below are made from.
FRONT_CELLS = """import numpy as np
import horizon as hz
from horizon import widgets

rng = np.random.default_rng(7)
hours = np.arange(3_000)
price = 0.5 + 0.05 * np.sin(hours / 15) + np.cumsum(rng.normal(0, 0.002, 3_000))
ticks = {"timestamp": 1_700_000_000 + 3_600.0 * hours, "price": np.round(price, 3)}


def make(params):
    def quoter(ctx):
        fair = 0.7 * ctx.feed.price + 0.3 * 0.5
        fair -= 0.0005 * ctx.inventory
        return hz.quotes(fair, spread=params["spread"], size=params["size"])

    return [quoter]


data = {"data": ticks, "markets": ["election"], "initial_capital": 1_000}
result = hz.backtest("market maker", pipeline=make({"spread": 0.04, "size": 10}), **data)
search = hz.walk_forward(
    pipeline_factory=make,
    param_grid={"spread": [0.02, 0.04, 0.06], "size": [5, 10]},
    n_splits=4,
    purge_gap=3_600.0,
    **data,
)
chances = rng.random(2_000)
came = rng.random(2_000) < 0.5 + 0.85 * (chances - 0.5)  # a little too sure of itself

ex = hz.connect("book", initial_cash=100_000)
feed = hz.feeds.SyntheticBooks(
    3, market_id="rain", start=0.42, tick_size=0.002, depth=150, volatility=1.5
)
desk = hz.workbench(ex, feed)  # plays the feed; not shown
run = hz.run(
    "market maker",
    feeds={"rain": hz.feeds.Synthetic(2, market_id="rain", start=0.42, interval=0.2)},
    pipeline=make({"spread": 0.02, "size": 10}),
    background=True,
)"""
#: Orders for the front ends of an account, when its books have come.
FRONT_TRADES = """best = ex.quote("rain")
ex.buy("rain", 40, market=True)
ex.buy("rain", 60, limit=round(best.bid - 0.008, 3))
ex.sell("rain", 40, limit=round(best.ask + 0.012, 3))
algo = ex.twap("rain", 60, duration_secs=12, num_slices=6)"""
EXPLORED = "{'spread': [0.02, 0.03, 0.04, 0.06], 'size': [5, 10, 20]}"
#: The front ends by the names of their pictures: the cell that makes each, and the width, in
#: pixels, of the page that it is shot in.
FRONT_ENDS = {
    "explorer": (
        f"widgets.BacktestExplorer(params={EXPLORED}, pipeline_factory=make, **data)",
        1240,
    ),
    "walk-forward": ("widgets.WalkForwardView(search)", 1140),
    "tearsheet-view": ("widgets.TearsheetView(result)", 1140),
    "calibration-view": ("widgets.CalibrationView(chances, came)", 1140),
    "run-monitor": ("widgets.RunMonitor(run)", 1140),
    "ticket": ("widgets.OrderTicket(ex, market='rain')", 620),
    "ladder": ("widgets.BookLadder(ex, market='rain')", 780),
    "blotter": ("widgets.Blotter(ex)", 1140),
    "chart": ("widgets.PriceChart(ex, market='rain')", 1040),
}


def shoot_front_ends(chromium: str, folder: Path, names: list[str]) -> None:
    """Shoot each front end by itself, or those that are named."""
    for name in names:
        if name not in FRONT_ENDS:
            sys.exit(f"no front end {name!r}; there are {', '.join(FRONT_ENDS)}")
    chosen = {name: FRONT_ENDS[name] for name in FRONT_ENDS if not names or name in names}
    with lab_page(chromium, folder) as lab:
        lab.open_cells(FRONT_CELLS, FRONT_TRADES, *(code for code, _ in chosen.values()))
        lab.run_cell(0)
        lab.page.wait_for_timeout(8_000)
        lab.run_cell(1)
        for cell, (name, (_, width)) in enumerate(chosen.items(), start=2):
            lab.page.set_viewport_size({"width": width, "height": 2_400})
            lab.run_cell(cell)
            lab.page.wait_for_timeout(8_000)  # a first run, a figure
            if name == "explorer":  # with two runs to compare
                fields = lab.output(cell).locator("input:not([type=range], [type=checkbox])")
                fields.first.fill("0.04")
                fields.first.press("Tab")
                lab.page.wait_for_timeout(8_000)
            check_clean(lab)  # before a traceback is taken for a picture
            face = lab.output(cell).locator(".hz-face").first
            lab.page.get_by_text("Starting the grid").wait_for(state="hidden", timeout=60_000)
            keep(lab, face, PICTURES / f"{name}.png", SMALL_CAP)


def main(argv: list[str] | None = None) -> int:
    """Shoot what is named; the README's pictures if nothing is."""
    readme: dict[str, Callable[[str, Path], None]] = {
        "desk": shoot_desk,
        "execution": shoot_execution,
        "tearsheet": shoot_tearsheet,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=[*readme, "course", "front-ends"])
    parser.add_argument("names", nargs="*", help="of notebooks (00, 03) or front ends (ladder)")
    args = parser.parse_args(argv)
    if args.names and args.what not in ("course", "front-ends"):
        parser.error(f"{args.what} takes no further names")
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium on PATH, and none named in HORIZON_CHROMIUM")
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "course":
            shoot_course(chromium, Path(folder), args.names)
        elif args.what == "front-ends":
            shoot_front_ends(chromium, Path(folder), args.names)
        else:
            for name, shoot in readme.items():
                if args.what in (None, name):
                    (Path(folder) / name).mkdir()
                    shoot(chromium, Path(folder) / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
