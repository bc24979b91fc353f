"""Make the README's picture: a TWAP on real prices, drawn by the library and shot in a browser.

python scripts/picture.py        # needs Chromium, as the browser tests do
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path

import pandas as pd
from playwright.sync_api import sync_playwright

import horizon as hz

TARGET = Path(__file__).resolve().parents[1] / "docs" / "execution.png"
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


def main() -> None:
    """Work the order, draw it, shoot it."""
    chromium = os.environ.get("HORIZON_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.exit("no Chromium on PATH, and none named in HORIZON_CHROMIUM")
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
    figure.update_layout(width=WIDTH, height=HEIGHT, paper_bgcolor="white")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "figure.html"
        figure.write_html(page_file, include_plotlyjs=True, config={"displayModeBar": False})
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(page_file.as_uri())
        page.wait_for_selector(".main-svg")
        page.wait_for_timeout(500)
        TARGET.parent.mkdir(exist_ok=True)
        page.locator(".plotly-graph-div").screenshot(path=TARGET)
        browser.close()
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
