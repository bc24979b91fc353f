"""A private JupyterLab server and a headless Chromium, for tests, benchmarks and pictures."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.lab import JS_SHUTDOWN, Lab, Server, is_outside

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DOCS = Path(__file__).resolve().parents[2] / "docs"
SERVER_START = 60.0  # seconds
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # The copy under test is not written to while it runs.
    "docmanager-extension/plugin": {"autosave": False},
    # All cells in the page: by default those out of sight, and their outputs, are not there.
    "notebook-extension/tracker": {"windowingMode": "none", "maxNumberOutputs": 5000},
}
#: What any Jupyter server is told.
JUPYTER_SERVER = (
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port={port}",
    "--ServerApp.port_retries=0",
    "--ServerApp.root_dir={root}",
    "--ServerApp.terminals_enabled=False",
)


def find_chromium() -> str | None:
    """Path of the browser: the one named in HORIZON_CHROMIUM, or the first on PATH."""
    asked = os.environ.get("HORIZON_CHROMIUM")
    names = [asked] if asked else ["chromium", "chromium-browser", "google-chrome"]
    return next((found for name in names if (found := shutil.which(name))), None)


@contextmanager
def serve_lab(home: Path) -> Iterator[Server]:
    """A private JupyterLab of the running interpreter, with `home` for its home."""
    lab = (
        "-m",
        "jupyterlab",
        "--LabApp.expose_app_in_browser=True",  # window.jupyterapp
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        *JUPYTER_SERVER,
    )
    with serve(home, *lab) as server:
        yield server


@contextmanager
def serve(home: Path, *arguments: str) -> Iterator[Server]:
    """A private server, started with these arguments of Python, with `home` for its home.

    In an argument, ``{port}`` and ``{root}`` stand for its port and the folder that it serves.
    """
    root = home / "root"
    for name in ("config", "data", "runtime", "workspaces", "ipython", "root/notebooks"):
        (home / name).mkdir(parents=True, exist_ok=True)
    # Notebooks show pictures of ../docs; the server refuses a link that leaves its root.
    shutil.copytree(DOCS, root / "docs")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(
        f"http://127.0.0.1:{port}", secrets.token_hex(16), root, settings=home / "settings"
    )
    for name, values in SETTINGS.items():
        server.set_setting(name, values)

    environment = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    environment |= {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(server.settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_TOKEN": server.token,
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    given = [argument.format(port=port, root=root) for argument in arguments]
    command = [sys.executable, *given]
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
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")


@contextmanager
def open_browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync"],
        )
        yield browser
        browser.close()


@contextmanager
def open_page(browser: Browser, server: Server, folder: Path) -> Iterator[Lab]:
    """A fresh page that reaches this machine only; its kernel ends with it."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(30_000)
    context.route(is_outside, lambda route: route.abort())
    lab = Lab(context.new_page(), server, folder)
    yield lab
    lab.page.evaluate(JS_SHUTDOWN)
    context.close()
