"""Where a notebook with widgets can run: JupyterLab, Notebook 7 and Voilà, driven alike.

Nothing is executed in the kernel from outside: Voilà lets nobody, and readers do not either.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lab import HARMLESS, NOTEBOOK_RUN, THEME, Server, is_outside, write_notebook
from tests.browser.server import JUPYTER_SERVER, serve, serve_lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

# As in `tests.browser.desk`: for a slow machine; what holds is seen at once.
expect.set_options(timeout=20_000)

#: Hosts that can be driven here, by the module that each needs.
HOSTS = {"lab": "jupyterlab", "notebook": "notebook", "voila": "voila"}
# Voilà's own template asks a CDN for an icon font; this one does not.
_TEMPLATE = """{%- extends 'lab/index.html.j2' -%}
{%- block notebook_css -%}
{{ resources.include_js("static/voila-style.js") }}{{ super.super() }}
{%- endblock -%}
"""
# Notebook 7.6 logs this with any notebook that it opens, widgets or none.
_NOTEBOOK_SAYS = "uncaught: Cannot read properties of undefined (reading 'schema')"
_JS_RUN_ALL = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.revealed; await panel.context.ready; await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  await app.commands.execute('notebook:run-all-cells');
}"""


class Host:
    """One page of a host, with what went wrong in it."""

    def __init__(self, name: str, page: Page, server: Server) -> None:
        self.name = name
        self.page = page
        self.server = server
        self.outside: list[str] = []
        self._console: list[str] = []
        page.on("request", self._on_request)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._console.append(f"uncaught: {error}"))

    def _on_request(self, request: Request) -> None:
        if is_outside(request.url):
            self.outside.append(request.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._console.append(f"{message.text} [{(message.location or {}).get('url', '')}]")

    def show(self, *cells: str, dark: bool = False) -> None:
        """Show a notebook of these cells, all of them run."""
        path = write_notebook(self.server.root / "notebooks" / "cells.ipynb", *cells)
        url, token = self.server.url, self.server.token
        if self.name == "voila":
            # The theme comes in the address; a page shows what its notebook's own run made.
            chosen = "dark" if dark else "light"
            self.page.goto(f"{url}/voila/render/notebooks/{path.name}?theme={chosen}")
            self.page.locator("#rendered_cells").wait_for(timeout=NOTEBOOK_RUN * 1_000)
            return
        theme = f"JupyterLab {'Dark' if dark else 'Light'}"
        self.server.set_setting(THEME, {"theme": theme})
        if self.name == "lab":
            self.page.goto(f"{url}/lab/tree/notebooks/{path.name}?reset&token={token}")
        else:
            self.page.goto(f"{url}/notebooks/notebooks/{path.name}?token={token}")
        self.page.wait_for_function("() => !!window.jupyterapp?.shell?.currentWidget?.context")
        self.page.evaluate(_JS_RUN_ALL)

    def face(self, name: str) -> Locator:
        """A widget by the beginning of its name; of several the first in the notebook."""
        return self.page.get_by_role("group", name=re.compile(rf"^{name}")).first

    def problems(self) -> list[str]:
        """What went wrong, but for what the host itself is known for."""
        console = [text for text in self._console if not HARMLESS.search(text)]
        if self.name == "notebook":
            console = [text for text in console if text != _NOTEBOOK_SAYS]
        errors = self.page.locator(".jp-RenderedText[data-mime-type*=stderr], .jp-OutputArea-error")
        return [
            *(f"console: {text}" for text in console),
            *(f"outside request: {url}" for url in self.outside),
            *(f"cell: {text}" for text in errors.all_inner_texts()),
        ]


@contextmanager
def serve_host(name: str, home: Path) -> Iterator[Server]:
    """A private server of a host; the test is skipped where its package is not there."""
    if importlib.util.find_spec(HOSTS[name]) is None:
        pytest.skip(f"the package {HOSTS[name]} is not installed")
    if name == "lab":
        with serve_lab(home) as server:
            yield server
        return
    template = home / "data" / "voila" / "templates" / "offline"
    template.mkdir(parents=True)
    (template / "conf.json").write_text('{"base_template": "lab"}', encoding="utf-8")
    (template / "index.html.j2").write_text(_TEMPLATE, encoding="utf-8")
    arguments = {
        "notebook": (
            "-m",
            "notebook",
            # Both read what the page is told out of one place.
            "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            *JUPYTER_SERVER,
        ),
        "voila": (
            "-m",
            "voila",
            "--no-browser",
            "--Voila.ip=127.0.0.1",
            "--Voila.port={port}",
            "--Voila.port_retries=0",
            "--Voila.root_dir={root}",
            "--ServerApp.token=",
            "--template=offline",
            "--VoilaConfiguration.allow_theme_override=YES",
            # An extension for JupyterLab, which Notebook 7 brings along and Voilà cannot load.
            "--VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension",
            "{root}",
        ),
    }
    with serve(home, *arguments[name]) as server:
        yield server


@contextmanager
def open_host(browser: Browser, name: str, home: Path) -> Iterator[Host]:
    """A page of a host with a server of its own; both end with it."""
    with serve_host(name, home) as server:
        context = browser.new_context(
            viewport={"width": 1400, "height": 900}, accept_downloads=True
        )
        context.set_default_timeout(30_000)
        context.route(is_outside, lambda route: route.abort())
        try:
            yield Host(name, context.new_page(), server)
        finally:
            context.close()
