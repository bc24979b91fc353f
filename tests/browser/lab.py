"""One page of a real JupyterLab, as a test or a reader drives it."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page, Request

NOTEBOOK_RUN = 180.0  # seconds
THEME = "apputils-extension/themes"
WINDOW = {"width": 1400, "height": 900}
# A healthy start of Lab logs these.
HARMLESS = re.compile(r"/favicon\.ico|GPU stall due to ReadPixels")
BROKEN_WIDGET = re.compile(
    r"Loading widget\.\.\.|Error (displaying|creating|rendering)[ \w]* widget"
    r"|Failed to load (model|view) class"
)
# A kernel that runs for this path already, another page's, is the one that is used.
JS_OPEN = """async path => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = await app.commands.execute('docmanager:open',
    {path, factory: 'Notebook', kernel: {name: 'python3'}});
  window.horizonPanel = panel;
  window.horizonRuns = 0;
  await panel.revealed; await panel.context.ready; await panel.sessionContext.ready;
  app.shell.collapseLeft(); app.shell.collapseRight();
  await panel.sessionContext.session.kernel.info;
}"""
JS_RUN = """([command, index]) => {
  const {shell, commands} = window.jupyterapp, panel = window.horizonPanel;
  shell.activateById(panel.id);
  if (index !== null) {
    panel.content.deselectAll();
    panel.content.activeCellIndex = index;
  }
  const done = () => { window.horizonRuns -= 1; };
  window.horizonRuns += 1;
  commands.execute(command).then(done, done);
}"""
JS_BUSY = """() => {
  const kernel = window.horizonPanel.sessionContext.session?.kernel;
  if (!kernel) return 'no kernel';
  if (window.horizonRuns) return 'cells are running';
  return kernel.status === 'idle' ? '' : 'kernel is ' + kernel.status;
}"""
JS_BEGUN = """() => {
  const kernel = window.horizonPanel.sessionContext.session?.kernel;
  return !window.horizonRuns || kernel?.status === 'busy' ? '' : 'cell has not begun';
}"""
JS_EXECUTE = """async ([code, seconds]) => {
  const kernel = window.horizonPanel.sessionContext.session.kernel;
  const future = kernel.requestExecute(
    {code, store_history: false, stop_on_error: false, allow_stdin: false});
  const text = [];
  let error = '';
  future.onIOPub = ({header, content}) => {
    if (header.msg_type === 'stream') text.push(content.text);
    if (header.msg_type === 'execute_result') text.push(content.data['text/plain']);
    if (header.msg_type === 'error') error = `${content.ename}: ${content.evalue}`;
  };
  const late = new Promise(done => setTimeout(() => done('late'), 1000 * seconds));
  if (await Promise.race([future.done, late]) === 'late') {
    future.dispose();
    error = `no answer in ${seconds} s`;
  }
  return [text.join(''), error];
}"""
JS_RESTART = "() => window.horizonPanel.sessionContext.restartKernel()"
JS_INTERRUPT = "() => window.horizonPanel.sessionContext.session.kernel.interrupt()"
# Nothing is asked, whatever is not saved.
JS_PUT_AWAY = """async () => {
  await window.horizonPanel?.sessionContext.shutdown();
  for (const widget of [...window.jupyterapp.shell.widgets('main')]) widget.dispose();
  window.horizonPanel = undefined;
}"""
JS_THEME = """async name => {
  const {commands} = window.jupyterapp;
  if (document.body.dataset.jpThemeName !== name)
    await commands.execute('apputils:change-theme', {theme: name});
}"""
JS_SHUTDOWN = "async () => { await window.horizonPanel?.sessionContext.shutdown(); }"
JS_SAVE = "() => window.horizonPanel.context.save()"
JS_ERRORS = """() => window.horizonPanel.content.widgets.flatMap((cell, index) =>
  cell.model.type !== 'code' ? [] : cell.model.outputs.toJSON()
    .filter(output => output.output_type === 'error')
    .map(output => `cell ${index}: ${output.ename}: ${output.evalue}`))"""
JS_HEIGHT = """() => window.horizonPanel.content.widgets
  .reduce((sum, cell) => sum + cell.node.getBoundingClientRect().height + 12, 160)"""


class KernelError(Exception):
    """What a kernel answered to `Lab.kernel_exec`."""


class Server(NamedTuple):
    """A running JupyterLab; it serves the files under `root`."""

    url: str
    token: str
    root: Path
    settings: Path

    def set_setting(self, plugin: str, values: dict[str, Any]) -> None:
        """Set what a page opened from now on finds, `apputils-extension/themes` for example."""
        path = self.settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


class Lab:
    """One page of JupyterLab, with what went wrong in it."""

    def __init__(self, page: Page, server: Server, folder: Path) -> None:
        self.page = page
        self.server = server
        self.folder = folder
        self.outside_requests: list[str] = []
        self._notebook = ""
        self._dark = False
        self._console: list[str] = []
        page.on("request", self._on_request)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._console.append(f"uncaught: {error}"))

    def _on_request(self, request: Request) -> None:
        if is_outside(request.url):
            self.outside_requests.append(request.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._console.append(f"{message.text} [{(message.location or {}).get('url', '')}]")

    # Opening

    def open(self, notebook: Path, *, dark: bool = False) -> None:
        """Open a copy of `notebook`, with a kernel of its own."""
        name = f"{notebook.stem}-{secrets.token_hex(4)}.ipynb"
        shutil.copyfile(notebook, self.server.root / "notebooks" / name)
        self._show(f"notebooks/{name}", dark)

    def open_cells(self, *sources: str, dark: bool = False) -> None:
        """Open a notebook made of these code cells."""
        self.open(write_notebook(self.folder / "cells.ipynb", *sources), dark=dark)

    def second_page(self) -> Lab:
        """The same notebook as it stands, with the same kernel, in one more tab."""
        self.save()
        other = Lab(self.page.context.new_page(), self.server, self.folder)
        other._show(self._notebook, self._dark)
        return other

    def reload(self) -> None:
        """Reload the page; outputs that were not saved are gone then."""
        self.page.reload()
        self._await_lab()

    def save(self) -> None:
        self.page.evaluate(JS_SAVE)

    def _show(self, notebook: str, dark: bool) -> None:
        self._notebook, self._dark = notebook, dark
        theme = f"JupyterLab {'Dark' if dark else 'Light'}"
        self.server.set_setting(THEME, {"theme": theme})
        if self.page.evaluate("() => !!window.jupyterapp"):
            self.page.evaluate(JS_THEME, theme)
        else:
            workspace = f"lab/workspaces/{secrets.token_hex(4)}"
            self.page.goto(f"{self.server.url}/{workspace}?reset&token={self.server.token}")
        self._await_lab()

    def put_away(self) -> None:
        """Close all that is open, unsaved, and end its kernel; the page opens another then."""
        for page in self.page.context.pages:
            if page is not self.page:
                page.close()
        self.close_dialogs()
        self.page.evaluate(JS_PUT_AWAY)
        self.page.mouse.move(0, 0)
        self.page.set_viewport_size(WINDOW)
        self.outside_requests.clear()
        self._console.clear()

    def _await_lab(self) -> None:
        self.page.wait_for_function("() => !!window.jupyterapp")
        self.page.evaluate(JS_OPEN, self._notebook)
        light = "false" if self._dark else "true"
        self.page.wait_for_function("x => document.body.dataset.jpThemeLight === x", arg=light)
        self._await_widgets()

    def _await_widgets(self) -> None:
        # A widget that stays undrawn is reported by broken_widgets().
        self.page.wait_for_timeout(200)
        end = time.monotonic() + 15
        while self.broken_widgets() and time.monotonic() < end:
            self.page.wait_for_timeout(100)

    # Cells and kernel

    def run_all(self, timeout: float = NOTEBOOK_RUN) -> None:
        """Run all cells and wait until the kernel has rested and the widgets are drawn."""
        self._run("notebook:run-all-cells", None)
        self.wait_idle(timeout)

    def run_cell(self, index: int, *, wait: bool = True, timeout: float = NOTEBOOK_RUN) -> None:
        """Run one cell, counted from 0, and wait as `run_all` does, or only for its begin."""
        self._run("notebook:run-cell", index)
        if wait:
            self.wait_idle(timeout)
        else:
            self._wait(lambda: self.page.evaluate(JS_BEGUN), timeout, calm=1)

    def _run(self, command: str, index: int | None) -> None:
        self.page.bring_to_front()  # a page behind another one takes seconds to start a cell
        self.page.evaluate(JS_RUN, [command, index])

    def wait_idle(self, timeout: float = NOTEBOOK_RUN) -> None:
        """Wait until no cell runs, the kernel has rested and the widgets are drawn."""
        self._wait(lambda: self.page.evaluate(JS_BUSY), timeout)
        self._await_widgets()

    def _wait(self, why_not: Callable[[], str], timeout: float, calm: int = 2) -> None:
        end, reason, quiet = time.monotonic() + timeout, "", 0
        while time.monotonic() < end:
            reason = why_not()
            quiet = 0 if reason else quiet + 1
            if quiet == calm:
                return
            self.page.wait_for_timeout(60)
        pytest.fail(f"notebook not done after {timeout:.0f} s: {reason}")

    def interrupt(self) -> None:
        """Interrupt the running cell, and wait until the kernel rests.

        A cell that awaits hears of it with the next event of the kernel's loop.
        """
        self.page.evaluate(JS_INTERRUPT)
        self.wait_idle()

    def restart_kernel(self) -> None:
        """Restart the kernel, without the question that Lab asks; outputs stay."""
        self.page.evaluate(JS_RESTART)
        self._wait(lambda: self.page.evaluate(JS_BUSY), NOTEBOOK_RUN)

    def shut_down_kernel(self) -> None:
        """End the kernel; the page stays."""
        self.page.evaluate(JS_SHUTDOWN)

    def kernel_exec(self, code: str, timeout: float = 60.0) -> str:
        """Execute `code` in the kernel, outside of any cell, and return what it prints.

        It waits its turn behind a running cell, and raises KernelError where the code raises.
        """
        text, error = self.page.evaluate(JS_EXECUTE, [code, timeout])
        if error:
            raise KernelError(error)
        return text.strip()

    def kernel_memory(self) -> int:
        """The kernel's resident memory after a collection, in bytes."""
        code = "__import__('gc').collect(); print(__import__('psutil').Process().memory_info().rss)"
        return int(self.kernel_exec(code))

    # What the page shows

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-NotebookPanel .jp-Notebook-cell").nth(index)

    def output(self, index: int) -> Locator:
        """The outputs of one cell, counted from 0."""
        return self.cell(index).locator(".jp-Cell-outputWrapper")

    def find(self, role: Any, name: str | re.Pattern[str] | None = None) -> Locator:
        """What has this ARIA role and name in an output, never in Lab's own menus and bars."""
        outputs = self.page.locator(".jp-NotebookPanel .jp-Cell-outputWrapper")
        return outputs.get_by_role(role, name=name, exact=isinstance(name, str))

    def close_dialogs(self) -> None:
        """Answer Lab's dialogs with their default, that of a kernel that died for example."""
        dialogs = self.page.locator("dialog.jp-Dialog")
        while dialogs.count():
            dialogs.last.locator("button.jp-mod-accept").last.click()
            self.page.wait_for_timeout(100)

    def axe(self, selector: str) -> list[str]:
        """What axe-core holds against the elements under `selector`, one line each."""
        from axe_playwright_python.sync_playwright import Axe

        # It passes over the contrast of what it takes for hidden: what is scrolled out of sight,
        # and all of Lab, whose body clips its overflow and has no height of its own.
        size = self.page.viewport_size
        self._unroll()
        self.page.evaluate("document.body.style.minHeight = '100vh'")
        rules = Axe().run(self.page, selector).response["violations"]
        self.page.evaluate("document.body.style.minHeight = ''")
        if size:
            self.page.set_viewport_size(size)
        return [_axe_line(rule, node) for rule in rules for node in rule["nodes"]]

    def js_heap(self) -> int:
        """JavaScript heap in use after a collection, in bytes."""
        session = self.page.context.new_cdp_session(self.page)
        for _ in range(2):  # what a finaliser lets go is gone with the second
            session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")["usedSize"]
        session.detach()
        return int(used)

    # What went wrong

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
        path = self.folder / f"{name}.png"
        self._unroll()
        self.page.screenshot(path=path)
        return path

    def _unroll(self) -> None:
        """Make the window as high as the notebook."""
        width = (self.page.viewport_size or {"width": 1400})["width"]
        height = min(max(int(self.page.evaluate(JS_HEIGHT)), 900), 15_000)
        self.page.set_viewport_size({"width": width, "height": height})
        # A run leaves the notebook at its last cell.
        self.page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        self.page.wait_for_timeout(400)  # figures lay themselves out anew


def write_notebook(path: Path, *sources: str) -> Path:
    """Write a notebook of these code cells, and return its path."""
    # By hand: importing nbformat takes seconds, in every run of the tests.
    empty = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"display_name": "Python 3", "name": "python3"}},
        "cells": [{**empty, "id": f"cell-{n}", "source": s} for n, s in enumerate(sources)],
    }
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def is_outside(url: str) -> bool:
    """Whether a request to `url` would leave this machine."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1"


def _axe_line(rule: dict[str, Any], node: dict[str, Any]) -> str:
    found = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    target = " ".join(str(part) for part in node["target"])
    return f"{rule['id']} ({rule['impact']}) at {target}: {'; '.join(found)}"
