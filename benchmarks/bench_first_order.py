"""Time a new user: from a fresh clone to the first order, in a real JupyterLab.

python benchmarks/bench_first_order.py [--ref HEAD] [--rounds 1]     # needs git, make and Chromium

Does what the README says, as a user would: clones, `make lab`, opens the page that it names, runs
the first cell of the workbench, types a quantity and a limit, previews, confirms; and waits for
the order's row. Prints the seconds of each step. Setting up downloads some 200 packages unless
pip has them in its cache: `--cold` makes it start with an empty one.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.server import find_chromium  # noqa: E402

ADDRESS = re.compile(r"http://(?:127\.0\.0\.1|localhost):\d+/\S*token=\w+")
SETUP = 900.0  # seconds
STEPS = (
    "git clone",
    "make lab: packages",
    "make lab: server",
    "the page shows the notebook",
    "Shift+Enter: the desk is live",
    "quantity, limit, Enter: the preview",
    "Enter: the order's row",
)


def main() -> None:
    """Print one table, a column a round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ref", default="HEAD", help="what is cloned")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--cold", action="store_true", help="with an empty cache of packages")
    args = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium on PATH, and none named in HORIZON_CHROMIUM")
    rounds = []
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(first_order(Path(folder), args.ref, args.cold, chromium))
    for name, *seconds in zip(STEPS, *rounds, strict=True):
        print(f"{name:40}", *(f"{value:8.1f} s" for value in seconds))
    print(f"{'from nothing to the first order':40}", *(f"{sum(r):8.1f} s" for r in rounds))


def first_order(folder: Path, ref: str, cold: bool, chromium: str) -> list[float]:
    """Seconds of each step."""
    marks = [time.perf_counter()]
    clone, home = folder / "horizon", folder / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "checkout", "--quiet", "--detach", commit(ref)], cwd=clone, check=True)
    marks.append(time.perf_counter())

    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "VIRTUAL"))}
    if cold:
        environment["PIP_CACHE_DIR"] = str(folder / "pip")
    lab = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    log = folder / "log"
    with log.open("wb") as sink:
        make = subprocess.Popen(
            ["make", "lab", f"LAB_ARGS={' '.join(lab)}"],
            cwd=clone, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
            start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: (clone / ".venv" / ".ready").exists(), make, log)
        marks.append(time.perf_counter())
        wait_until(lambda: ADDRESS.search(log.read_text(errors="replace")), make, log)
        marks.append(time.perf_counter())
        address = ADDRESS.search(log.read_text(errors="replace"))
        assert address is not None
        marks += trade(address.group(), chromium)
    finally:
        os.killpg(make.pid, signal.SIGTERM)
        make.wait(30)
    return [later - former for former, later in itertools.pairwise(marks)]


def commit(ref: str) -> str:
    found = subprocess.run(["git", "rev-parse", ref], cwd=ROOT, check=True, capture_output=True)
    return found.stdout.decode().strip()


def wait_until(done: object, make: subprocess.Popen[bytes], log: Path) -> None:
    assert callable(done)
    end = time.monotonic() + SETUP
    while not done():
        if make.poll() is not None or time.monotonic() > end:
            sys.exit(f"make lab ended:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.05)


def trade(address: str, chromium: str) -> list[float]:
    """When the page was there, the desk live, the preview shown, the order's row there."""
    marks = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        page.goto(address)
        first = page.locator(".jp-CodeCell").first
        first.wait_for()
        page.get_by_text("(ipykernel) | Idle").wait_for()  # a cell run before is passed over
        marks.append(time.perf_counter())
        first.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        ticket = page.get_by_role("group", name=re.compile("^Order ticket"))
        quantity = ticket.get_by_role("textbox", name=re.compile("Quantity"))
        quantity.wait_for()
        expect(page.get_by_text(re.compile("playing: ")).first).to_be_visible()
        marks.append(time.perf_counter())
        quantity.fill("10")
        limit = ticket.get_by_role("textbox", name=re.compile("^Limit price"))
        limit.fill("0.05")
        limit.press("Enter")
        ticket.get_by_role("button", name=re.compile("^Confirm")).wait_for()
        marks.append(time.perf_counter())
        page.wait_for_timeout(400)  # a second Enter that comes at once is taken for a slip
        limit.press("Enter")
        orders = page.get_by_role("group", name=re.compile("^Orders"))
        expect(orders.get_by_role("row").filter(has_text="0.05")).to_have_count(1)
        marks.append(time.perf_counter())
        browser.close()
    return marks


if __name__ == "__main__":
    main()
