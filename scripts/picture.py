"""Make the README's pictures with the library itself, shot in a browser.

python scripts/picture.py [desk] [execution] [tearsheet]

It needs Chromium, as the browser tests do.

The desk is a real one in JupyterLab, traded for half a minute; the execution figure is a TWAP on
real prices; the tearsheet is that of the notebook on tearsheets.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import plotly.graph_objects as go

import horizon as hz

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for the browser that the tests drive

from tests.browser.server import find_chromium, open_browser, open_page, serve_lab  # noqa: E402

EXECUTION, DESK = ROOT / "docs" / "execution.png", ROOT / "docs" / "desk.png"
TEARSHEET, NOTEBOOK = ROOT / "docs" / "tearsheet.png", ROOT / "notebooks" / "06_tearsheets.ipynb"
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


DESK_CELLS = (
    "import horizon as hz\n\ndesk = hz.workbench()\ndesk",
    """ex = desk.ex
ex.buy("rate-cut-in-june", 40, limit=0.66)
ex.sell("home-win", 25, limit=0.60)
ex.buy("rain-tomorrow", 50, limit=0.45)
ex.sell("rain-tomorrow", 20, limit=0.43)
algo = ex.twap("rain-tomorrow", 120, duration_secs=40, num_slices=12)""",
)


def shoot_desk(chromium: str, folder: Path) -> None:
    """Trade on a desk for half a minute, and shoot it with an order under preview."""
    with (
        serve_lab(folder / "home") as server,
        open_browser(chromium) as browser,
        open_page(browser, server, folder) as lab,
    ):
        lab.page.set_viewport_size({"width": 1360, "height": 1750})
        lab.open_cells(*DESK_CELLS)
        lab.run_cell(0)
        lab.page.wait_for_timeout(6_000)
        lab.run_cell(1)
        lab.page.wait_for_timeout(22_000)
        lab.find("textbox", "Quantity, contracts").fill("100")
        price = lab.find("textbox", "Limit price, USD, 0 to 1")
        price.fill("0.41")
        price.press("Enter")
        lab.page.get_by_text("BUY +100 rain-tomorrow YES").first.wait_for()
        lab.page.wait_for_timeout(400)
        # Without the cell's prompt and border: the desk alone.
        lab.output(0).locator(".hz-desk").first.screenshot(path=DESK)
        for problem in lab.problems():
            sys.exit(f"the desk has a problem: {problem}")


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
    shoot_figure(figure, EXECUTION, chromium, folder)


def shoot_tearsheet(chromium: str, folder: Path) -> None:
    """Run the notebook as far as its tearsheet, draw that, shoot it."""
    cells = nbformat.read(NOTEBOOK, 4).cells
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in cells:
            if cell.cell_type == "code" and "sheet" not in names:
                exec(cell.source, names)
    shoot_figure(names["sheet"].figure(), TEARSHEET, chromium, folder)


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
        page.locator(".plotly-graph-div").screenshot(path=target)


def main() -> None:
    """Shoot them all, or those that are named: desk, execution, tearsheet."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium on PATH, and none named in HORIZON_CHROMIUM")
    EXECUTION.parent.mkdir(exist_ok=True)
    for shoot, target in (
        (shoot_desk, DESK),
        (shoot_execution, EXECUTION),
        (shoot_tearsheet, TEARSHEET),
    ):
        if sys.argv[1:] and target.stem not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            shoot(chromium, Path(folder))
        print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
