"""Fixtures that show notebooks in a real JupyterLab, in a headless Chromium.

The server is private: the running interpreter, a loopback port, a throw-away home. Tests open
copies of notebooks. Requests to other hosts are refused and listed, so an empty list shows that
a notebook works offline. The browser is the first of chromium, chromium-browser and
google-chrome on PATH, or the one named in HORIZON_CHROMIUM; without one the tests are skipped.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SERVER_START = 60.0  # seconds
NOTEBOOK_RUN = 180.0
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # The copy under test is not written to while it runs.
    "docmanager-extension/plugin": {"autosave": False},
    # All cells in the page: by default those out of sight, and their outputs, are not there.
    "notebook-extension/tracker": {"windowingMode": "none", "maxNumberOutputs": 5000},
}
# A healthy start of Lab logs these.
HARMLESS = re.compile(r"/favicon\.ico|GPU stall due to ReadPixels")
BROKEN_WIDGET = re.compile(
    r"Loading widget\.\.\.|Error (displaying|creating|rendering)[ \w]* widget"
    r"|Failed to load (model|view) class"
)
JS_OPEN = """async path => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = await app.commands.execute('docmanager:open',
    {path, factory: 'Notebook', kernel: {name: 'python3'}});
  window.horizonPanel = panel;
  await panel.revealed; await panel.context.ready; await panel.sessionContext.ready;
  app.shell.collapseLeft(); app.shell.collapseRight();
  await panel.sessionContext.session.kernel.info;
}"""
JS_RUN = """() => {
  window.jupyterapp.shell.activateById(window.horizonPanel.id);
  window.horizonRun = 'running';
  window.jupyterapp.commands.execute('notebook:run-all-cells')
    .then(() => { window.horizonRun = ''; }, error => { window.horizonRun = ''; });
}"""
JS_BUSY = """() => {
  const kernel = window.horizonPanel.sessionContext.session?.kernel;
  if (!kernel) return 'no kernel';
  if (window.horizonRun) return 'cells are running';
  return kernel.status === 'idle' ? '' : 'kernel is ' + kernel.status;
}"""
JS_ERRORS = """() => window.horizonPanel.content.widgets.flatMap((cell, index) =>
  cell.model.type !== 'code' ? [] : cell.model.outputs.toJSON()
    .filter(output => output.output_type === 'error')
    .map(output => `cell ${index}: ${output.ename}: ${output.evalue}`))"""
JS_HEIGHT = """() => window.horizonPanel.content.widgets
  .reduce((sum, cell) => sum + cell.node.getBoundingClientRect().height + 12, 160)"""
JS_SHUTDOWN = "async () => { await window.horizonPanel?.sessionContext.shutdown(); }"


class Server(NamedTuple):
    """A running JupyterLab; notebooks are copied into `root`."""

    url: str
    token: str
    root: Path


class Lab:
    """One page of JupyterLab, with what went wrong in it."""

    def __init__(self, page: Page, server: Server, screenshots: Path) -> None:
        self.page = page
        self.server = server
        self.screenshots = screenshots
        self.outside_requests: list[str] = []
        self._console: list[str] = []
        page.context.route(_is_outside, lambda route: route.abort())
        page.on("request", self._on_request)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._console.append(f"uncaught: {error}"))

    def _on_request(self, request: Any) -> None:
        if _is_outside(request.url):
            self.outside_requests.append(request.url)

    def _on_console(self, message: Any) -> None:
        if message.type == "error":
            self._console.append(f"{message.text} [{(message.location or {}).get('url', '')}]")

    def open(self, notebook: Path) -> None:
        """Open a copy of `notebook` in a fresh workspace, with a kernel of its own."""
        name = f"{notebook.stem}-{secrets.token_hex(4)}.ipynb"
        shutil.copyfile(notebook, self.server.root / name)
        self.page.goto(f"{self.server.url}/lab?reset&token={self.server.token}")
        self.page.wait_for_function("() => !!window.jupyterapp")
        self.page.evaluate(JS_OPEN, name)

    def run_all(self, timeout: float = NOTEBOOK_RUN) -> None:
        """Run all cells and wait until the kernel has rested and the widgets are drawn."""
        self.page.evaluate(JS_RUN)
        self._wait(lambda: self.page.evaluate(JS_BUSY), timeout)
        # A widget that stays undrawn is reported by broken_widgets().
        self.page.wait_for_timeout(200)
        end = time.monotonic() + 15
        while self.broken_widgets() and time.monotonic() < end:
            self.page.wait_for_timeout(100)

    def _wait(self, why_not: Any, timeout: float) -> None:
        end, reason, calm = time.monotonic() + timeout, "", 0
        while time.monotonic() < end:
            reason = why_not()
            calm = 0 if reason else calm + 1
            if calm == 2:
                return
            self.page.wait_for_timeout(60)
        pytest.fail(f"notebook not done after {timeout:.0f} s: {reason}")

    def cell_errors(self) -> list[str]:
        return self.page.evaluate(JS_ERRORS)

    def console_errors(self) -> list[str]:
        return [
            text.replace(self.server.token, "TOKEN")
            for text in self._console
            if not HARMLESS.search(text)
        ]

    def broken_widgets(self) -> list[str]:
        outputs = self.page.locator(".jp-NotebookPanel .jp-Cell-outputWrapper").all_inner_texts()
        return [match.group() for text in outputs for match in BROKEN_WIDGET.finditer(text)]

    def problems(self) -> list[str]:
        """All that went wrong, one line each; empty if nothing did."""
        return [
            *(f"cell error: {text}" for text in self.cell_errors()),
            *(f"broken widget: {text}" for text in self.broken_widgets()),
            *(f"console: {text}" for text in self.console_errors()),
            *(f"outside request: {url}" for url in self.outside_requests),
        ]

    def screenshot(self, name: str) -> Path:
        """A PNG of the whole notebook, in the test's temporary directory."""
        path = self.screenshots / f"{name}.png"
        height = min(max(int(self.page.evaluate(JS_HEIGHT)), 900), 15_000)
        self.page.set_viewport_size({"width": 1400, "height": height})
        # A run leaves the notebook at its last cell.
        self.page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        self.page.wait_for_timeout(400)  # figures lay themselves out anew
        self.page.screenshot(path=path)
        return path


def _is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser."""
    asked = os.environ.get("HORIZON_CHROMIUM")
    for name in [asked] if asked else ["chromium", "chromium-browser", "google-chrome"]:
        if found := shutil.which(name):
            return found
    pytest.skip(f"no browser at HORIZON_CHROMIUM={asked}" if asked else "no Chromium on PATH")


@pytest.fixture(scope="session")
def lab_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A private JupyterLab of the running interpreter, for all tests."""
    home = tmp_path_factory.mktemp("lab")
    root = home / "notebooks"
    for name in ("config", "data", "runtime", "workspaces", "ipython", "notebooks"):
        (home / name).mkdir()
    for name, value in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", secrets.token_hex(16), root)

    environment = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    environment |= {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_TOKEN": server.token,
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}",
        "--ServerApp.terminals_enabled=False",
        "--LabApp.expose_app_in_browser=True",  # window.jupyterapp
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    log = home / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        )
    try:
        _wait_for(server, process, log)
        yield server
    finally:
        process.terminate()  # the server then shuts its kernels down, which a kill would leave
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _wait_for(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SERVER_START
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{server.url}/api?token={server.token}", timeout=2):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return  # it answers, which is all we ask
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync"],
        )
        yield browser
        browser.close()


@pytest.fixture
def lab(browser: Browser, lab_server: Server, tmp_path: Path) -> Iterator[Lab]:
    """A fresh page; its kernel ends with the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield Lab(page, lab_server, tmp_path)
    page.evaluate(JS_SHUTDOWN)
    context.close()
