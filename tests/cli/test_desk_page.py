"""``horizon desk`` as its user meets it: the page in a browser, and what is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import browser, chromium  # noqa: F401  fixtures
from tests.browser.lab import HARMLESS, is_outside

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

_START = 60.0  # seconds
_END = 20.0


class Desk:
    """A running ``horizon desk``."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def kernels(self) -> list[int]:
        """The processes that it has started and that still run."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended meanwhile
            if int(fields[1]) == self.process.pid and fields[0] != "Z":
                found.append(int(folder.name))
        return found

    def end(self, number: int) -> int:
        """Send a signal, and wait for the end; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(_END)


@contextmanager
def desk(home: Path, *options: str) -> Iterator[Desk]:
    """Start one in an empty home, on a port of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    environment |= {"HOME": str(home), "PYTHONUNBUFFERED": "1"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    log = home / "errors.txt"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "horizon", "desk", "--no-browser", "--port", "0", *options],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found, log.read_text()
            yield Desk(process, found.group())
            assert log.read_text() == ""  # nothing is said where all is well
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(_END)
            process.stdout.close()


@contextmanager
def page_of(browser: Browser, url: str) -> Iterator[tuple[Page, list[str]]]:  # noqa: F811
    """A page, with what went wrong in it and what it asked of others."""
    problems: list[str] = []
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.on(
        "request", lambda r: problems.append(f"request: {r.url}") if is_outside(r.url) else None
    )
    page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    try:
        page.goto(url, wait_until="commit")
        yield page, problems
        problems[:] = [text for text in problems if not HARMLESS.search(text)]
    finally:
        context.close()


def gone(pids: list[int]) -> bool:
    """Whether none of these runs any more."""
    end = time.monotonic() + _END
    while time.monotonic() < end:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.1)
    return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


@needs_proc
def test_desk_is_traded_by_hand_light_and_dark(browser: Browser, tmp_path: Path) -> None:  # noqa: F811
    with desk(tmp_path, "--cash", "5000") as served:
        with page_of(browser, served.url) as (page, problems):
            expect(page).to_have_title("Horizon")
            ticket = page.get_by_role("group", name=re.compile("^Order ticket")).first
            expect(ticket).to_have_attribute("data-theme", "light", timeout=_START * 1_000)
            expect(page.get_by_text("nothing here is real money")).to_be_visible()
            expect(page.get_by_text("5,000.00").first).to_be_visible()
            ticket.get_by_label(re.compile("^Quantity")).fill("7")
            price = ticket.get_by_label(re.compile("^Limit price"))
            price.fill("0.02")
            price.press("Enter")
            preview = ticket.get_by_role("group", name="Preview", exact=True)
            expect(preview).to_contain_text("BUY +7 rain-tomorrow YES at 0.02 USD")
            preview.get_by_role("button").first.click()
            orders = page.get_by_role("group", name=re.compile("^Orders")).first
            expect(orders).to_contain_text("rain-tomorrow")
            expect(orders).to_contain_text("0.02")
            first = served.kernels()
            assert len(first) == 1
            page.goto("about:blank")
            # Its kernel goes with the page; the next page has an account of its own.
            assert gone(first)
        assert problems == []
        with page_of(browser, f"{served.url}?theme=dark") as (page, problems):
            orders = page.get_by_role("group", name=re.compile("^Orders")).first
            expect(orders).to_have_attribute("data-theme", "dark", timeout=_START * 1_000)
            expect(orders).not_to_contain_text("0.02")
            kernels = served.kernels()
            assert len(kernels) == 1
            # The server ends under an open page, and leaves no kernel behind.
            assert served.end(signal.SIGTERM) == 0
            assert gone(kernels)


def test_interrupt_ends_the_server_with_130(tmp_path: Path) -> None:
    with desk(tmp_path, "--books", "--dark") as served:
        assert served.end(signal.SIGINT) == 130
