"""Fixtures that show notebooks in a real JupyterLab, in a headless Chromium.

The server is private: the running interpreter, a loopback port, a throw-away home. Tests open
copies of notebooks. Requests to other hosts are refused and listed, so an empty list shows that
a notebook works offline. The browser is the first of chromium, chromium-browser and
google-chrome on PATH, or the one named in HORIZON_CHROMIUM; without one the tests are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import Lab, Server
from tests.browser.server import find_chromium, open_browser, open_page, serve_lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser."""
    if (found := find_chromium()) is not None:
        return found
    asked = os.environ.get("HORIZON_CHROMIUM")
    pytest.skip(f"no browser at HORIZON_CHROMIUM={asked}" if asked else "no Chromium on PATH")


@pytest.fixture(scope="session")
def lab_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A private JupyterLab of the running interpreter, for all tests."""
    with serve_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests."""
    with open_browser(chromium) as browser:
        yield browser


@pytest.fixture
def lab(browser: Browser, lab_server: Server, tmp_path: Path) -> Iterator[Lab]:
    """A fresh page; its kernel ends with the test."""
    with open_page(browser, lab_server, tmp_path) as lab:
        yield lab
