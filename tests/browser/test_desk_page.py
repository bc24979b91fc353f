"""``horizon desk`` as its user meets it: the page in a browser, and what is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lab import HARMLESS, is_outside

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

_START = 60.0  # seconds
_END = 20.0
_TWO_DESKS = (
    "-c",
    "import sys; from horizon.cli import desk_server, main; desk_server._DESKS = 2; "
    "sys.exit(main())",
)


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
def desk(home: Path, *options: str, program: Sequence[str] = ("-m", "horizon")) -> Iterator[Desk]:
    """Start one in an empty home, on a port of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    environment |= {"HOME": str(home), "PYTHONUNBUFFERED": "1"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    log = home / "errors.txt"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, *program, "desk", "--no-browser", "--port", "0", *options],
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
            found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)
            assert found, log.read_text()
            yield Desk(process, found.group())
            assert log.read_text() == ""  # nothing is said where all is well
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(_END)
            process.stdout.close()


@contextmanager
def page_of(browser: Browser, url: str) -> Iterator[tuple[Page, list[str]]]:
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
def test_desk_is_traded_by_hand_light_and_dark(browser: Browser, tmp_path: Path) -> None:
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
        with page_of(browser, f"{served.url}&theme=dark") as (page, problems):
            orders = page.get_by_role("group", name=re.compile("^Orders")).first
            expect(orders).to_have_attribute("data-theme", "dark", timeout=_START * 1_000)
            expect(orders).not_to_contain_text("0.02")
            kernels = served.kernels()
            assert len(kernels) == 1
            # What is previewed can be confirmed without scrolling to it.
            ticket = page.get_by_role("group", name=re.compile("^Order ticket")).first
            page.evaluate("document.body.style.paddingTop = '600px'")
            ticket.get_by_label(re.compile("^Quantity")).fill("1")
            price = ticket.get_by_label(re.compile("^Limit price"))
            price.fill("0.02")
            page.evaluate("window.scrollTo(0, 0)")
            price.press("Enter")
            preview = ticket.get_by_role("group", name="Preview", exact=True)
            expect(preview.get_by_role("button").first).to_be_in_viewport(ratio=1)
            # Nobody here has a cell to run, or code to write.
            algos = page.get_by_role("group", name=re.compile("^Algorithms")).first
            expect(algos).to_contain_text("Choose TWAP, VWAP or Iceberg in a ticket.")
            page.get_by_role("button", name="More of the feed").click()
            feed = page.get_by_role("group", name="Feed", exact=True)
            feed.get_by_role("button", name="Begin again at the first row").click()
            expect(feed).to_contain_text("for a fresh one, load this page again.")
            assert page.get_by_text(re.compile(r"\bex\.|\bcells?\b|notebook")).count() == 0
            assert page.get_by_text("nothing here is live").count() == 0
            # The server ends under an open page, and leaves no kernel behind.
            assert served.end(signal.SIGTERM) == 0
            assert gone(kernels)
            said = page.get_by_text("The server has ended: nothing here is live.")
            expect(said).to_be_in_viewport(ratio=1)
            assert page.locator("#rendered_cells").evaluate("cells => cells.inert")


def test_interrupt_ends_the_server_with_130(tmp_path: Path) -> None:
    with desk(tmp_path, "--books", "--dark") as served:
        assert served.end(signal.SIGINT) == 130


def answer(url: str, **headers: str) -> tuple[int, str]:
    """Ask for an address as another program would; return status and body."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=names)) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@needs_proc
def test_other_pages_and_programs_are_kept_out(browser: Browser, tmp_path: Path) -> None:
    with desk(tmp_path) as served:
        base, _, token = served.url.partition("?token=")
        other = base.replace("127.0.0.1", "localhost")
        for url, headers in (
            (base, {}),
            (f"{base}?token=wrong", {}),
            (served.url, {"Host": "evil.example"}),
            (served.url, {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}),
            (f"{base}voila/static/voila.js", {}),
        ):
            status, text = answer(url, **headers)
            assert status == 403, (url, headers)
            assert 'role="alert"' in text
        assert served.kernels() == []

        with page_of(browser, served.url) as (page, _):
            orders = page.get_by_role("group", name=re.compile("^Orders")).first
            expect(orders).to_be_visible(timeout=_START * 1_000)
            known = {cookie["name"]: cookie for cookie in page.context.cookies()}
            cookie = known[f"horizon-desk-{base.rpartition(':')[2].rstrip('/')}"]
            assert (cookie["value"], cookie["httpOnly"]) == (token, True)
            assert cookie["sameSite"] == "Strict"
            kernel = page.evaluate(
                "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
            )
            kernels = f"{base}api/kernels/{kernel}"
            mine = {"Cookie": f"{cookie['name']}={token}"}
            assert answer(kernels, **mine)[0] == 200
            assert answer(kernels)[0] == 403
            assert answer(kernels, **mine, Host="evil.example")[0] == 403
            upgrade = {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec_WebSocket_Version": "13",
                "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            }
            channels = f"{kernels}/channels"
            for headers in (
                {"Origin": "http://evil.example"},
                {"Origin": "http://evil.example", "Host": "evil.example"},
                {"Origin": other.rstrip("/")},
            ):
                assert answer(channels, **mine, **upgrade, **headers)[0] == 403
            # The browser comes back without the token, by its cookie, and reloads.
            page.goto(base, wait_until="commit")
            expect(orders).to_be_visible(timeout=_START * 1_000)
            page.reload(wait_until="commit")
            expect(orders).to_be_visible(timeout=_START * 1_000)
            # Another page of the same browser gets nothing.
            blank = page.context.new_page()
            blank.route("http://evil.example/", lambda route: route.fulfill(body="<p>"))
            blank.goto("http://evil.example/")
            before = served.kernels()
            blank.evaluate(
                """async (url) => {
                    await new Promise((done) => {
                        const image = new Image();
                        image.onload = image.onerror = done;
                        image.src = url;
                    });
                    await fetch(url, { mode: "no-cors", credentials: "include" }).catch(() => 0);
                }""",
                served.url,
            )
            assert served.kernels() == before


@needs_proc
def test_desks_are_no_more_than_the_cap(tmp_path: Path) -> None:
    """Two, here: each is a process. The number is the server's own."""
    with desk(tmp_path, program=_TWO_DESKS) as served:
        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(answer, [served.url] * 4))
        assert [status for status, _ in answers] == [200, 200, 503, 503]
        assert "desks are open already" in answers[2][1]
        assert len(served.kernels()) == 2
