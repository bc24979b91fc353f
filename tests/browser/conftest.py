"""Fixtures that show notebooks in a real JupyterLab, in a headless Chromium.

The server is private: the running interpreter, a loopback port, a throw-away home. Tests open
copies of notebooks. Requests to other hosts are refused and listed, so an empty list shows that
a notebook works offline. The browser is the first of chromium, chromium-browser and
google-chrome on PATH, or the one named in HORIZON_CHROMIUM; without one the tests are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import Lab, Server
from tests.browser.server import find_chromium, open_browser, open_page, serve_lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


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


class KeptPage:
    """One page of Lab for test after test: starting another takes seconds.

    A page in which a test has failed is not used again.
    """

    def __init__(self, browser: Browser, server: Server) -> None:
        self._browser, self._server = browser, server
        self._stack = ExitStack()
        self._lab: Lab | None = None

    def take(self, folder: Path) -> Lab:
        if self._lab is None:
            page = open_page(self._browser, self._server, folder)
            self._lab = self._stack.enter_context(page)
        self._lab.folder = folder
        return self._lab

    def put_away(self) -> None:
        try:
            if self._lab is not None:
                self._lab.put_away()
        except Exception:
            self.drop()
            raise

    def drop(self) -> None:
        self._lab = None
        self._stack.close()


@pytest.fixture(scope="session")
def kept_page(browser: Browser, lab_server: Server) -> Iterator[KeptPage]:
    page = KeptPage(browser, lab_server)
    yield page
    page.drop()


@pytest.fixture
def lab(kept_page: KeptPage, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A page of Lab, perhaps that of the test before; its notebook and kernel end with the test."""
    lab = kept_page.take(tmp_path)
    yield lab
    if FAILED in request.node.stash:
        kept_page.drop()
    else:
        kept_page.put_away()


@pytest.fixture
def fresh_lab(browser: Browser, lab_server: Server, tmp_path: Path) -> Iterator[Lab]:
    """A page of Lab in which nothing was open before; its kernel ends with the test."""
    with open_page(browser, lab_server, tmp_path) as lab:
        yield lab
