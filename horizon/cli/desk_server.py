"""Voilà as the desk's server: its own page, behind a gate, gone without a trace."""

from __future__ import annotations

import contextlib
import errno
import functools
import html
import importlib.util
import logging
import os
import shutil
import signal
import socket
import threading
import webbrowser
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from horizon.cli.desk_gate import Gate
from horizon.cli.desk_plan import VARIABLE, Plan
from horizon.cli.problems import Failed

__all__ = ["PORT", "require_voila", "serve"]

#: Where the first desk is, if the port is free.
PORT: Final = 8866
#: How many ports are tried from there.
_PORTS: Final = 50
#: The notebook, and below it the template where Jupyter looks for one.
_FOLDER: Final = Path(__file__).parent / "jupyter"
#: What draws widgets. Other extensions of JupyterLab do nothing here, or log errors.
_EXTENSIONS: Final = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
]
#: Seconds after which a kernel ends that no page is connected to. A page that is closed ends its
#: own at once; this is for one whose browser was killed, or that has lost its way here.
_ABANDONED: Final = 600.0
_LOOK: Final = 30.0
#: Desks that are open at once, each with a process.
_DESKS: Final = 10
_FULL: Final = (
    f"{_DESKS} desks are open already, each with a Python process of its own. Close one, and load "
    "this page again. One whose browser was lost ends after ten minutes."
)


def require_voila() -> None:
    """Say what to install where there is no server."""
    if importlib.util.find_spec("voila") is None:
        raise Failed("horizon desk needs voila: pip install 'horizon-workbench[desk]'")


def serve(plan: Plan, *, ip: str, port: int | None, theme: str, opens: bool) -> bool:
    """Serve desks until a signal ends it; return whether that was an interrupt.

    Parameters
    ----------
    plan : Plan
        What each page's kernel makes, from its environment.
    ip : str
        The address to listen on.
    port : int or None
        The port, 0 for any; None for the first that is free from `PORT` on.
    theme : {"light", "dark"}
    opens : bool
        Show it in a browser.
    """
    listening = _listening(ip, [port] if port is not None else range(PORT, PORT + _PORTS))
    gate = Gate(ip, listening.getsockname()[1])
    paths = [str(_FOLDER), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    with _environment({VARIABLE: plan.to_json(), "JUPYTER_PATH": os.pathsep.join(paths)}):
        app = _server_class()(
            notebook_path=str(_FOLDER / "desk.ipynb"),
            ip=ip,
            port=gate.port,
            config_file_paths=[],  # what was set up for another server is not meant here
            log_level="ERROR",
        )
        app.listening, app.open_browser, app.gate = listening, opens, gate
        app.config.VoilaConfiguration.update(
            {
                "template": "horizon",
                "theme": theme,
                "allow_template_override": "NO",
                "extension_allowlist": _EXTENSIONS,
                "file_allowlist": [],
                "show_tracebacks": True,
            }
        )
        # It says with each page that one of its own settings was set by the other package.
        logging.getLogger("tornado.general").setLevel(logging.ERROR)
        # A page that there is no room for is told so there, and its address has the token.
        logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
        app.initialize([])
        app.start()
    return bool(app.interrupted)


def _listening(ip: str, ports: Sequence[int]) -> socket.socket:
    """Listen on the first of these ports that is free."""
    for port in ports:
        try:
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            found = socket.create_server((ip, port), family=family, backlog=128)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            is_name = isinstance(error, socket.gaierror)
            reason = "no such address" if is_name else os.strerror(error.errno or 0)
            raise Failed(f"cannot listen on {ip}, port {port}: {reason}") from error
        if port != ports[0]:
            click.echo(f"Port {ports[0]} is taken.", err=True)
        found.setblocking(False)
        return found
    if len(ports) == 1:
        raise Failed(f"port {ports[0]} is taken; give another, or none for one that is free")
    raise Failed(f"ports {ports[0]} to {ports[-1]} are all taken; give another by --port")


def abandoned(
    models: Iterable[Mapping[str, Any]], since: dict[str, float], now: float
) -> list[str]:
    """Return the kernels that no page has been connected to for long enough.

    Parameters
    ----------
    models : iterable of mapping
        The kernels, as Jupyter lists them: ``id`` and ``connections``.
    since : dict of str to float
        When each was first seen without a page; kept up to date here.
    now : float
        Seconds on the same clock.
    """
    alone = {model["id"] for model in models if not model["connections"]}
    for kernel in since.keys() - alone:
        del since[kernel]
    return [name for name in alone if now - since.setdefault(name, now) >= _ABANDONED]


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _plain_page(text: str) -> str:
    """Return a page of one sentence."""
    return (
        '<!doctype html><html lang="en"><title>Horizon</title>'
        f'<p role="alert" style="font: 16px/1.5 sans-serif">{html.escape(text)}</p></html>'
    )


def _server_class() -> Any:
    """Make the class of the server, which needs Voilà."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_core.utils import ensure_async, run_sync
    from tornado.httpserver import HTTPServer
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
    from tornado.ioloop import IOLoop, PeriodicCallback
    from tornado.routing import AnyMatches, Matcher, Rule, RuleRouter
    from tornado.web import HTTPError
    from voila.app import Voila  # type: ignore[import-untyped]
    from voila.tornado.handler import TornadoVoilaHandler  # type: ignore[import-untyped]

    class OwnKernel(KernelSpecManager):
        """Knows the Python that runs this, whatever else is registered as ``python3``."""

        def _kernel_dirs_default(self) -> list[str]:
            return []

        def get_kernel_spec(self, kernel_name: str) -> Any:
            spec = super().get_kernel_spec(kernel_name)
            spec.argv = [*spec.argv, "--log-level=ERROR"]  # its warnings are for server admins
            return spec

    class Page(TornadoVoilaHandler):  # type: ignore[misc]
        """The page, with the cookies by which it is known and may end its kernel."""

        async def prepare(self, *args: Any, **kwargs: Any) -> Any:
            ready = await super().prepare(*args, **kwargs)
            _ = self.xsrf_token  # asking for it sets it; Voilà's own page goes without
            gate = self.settings["voila"].gate
            if gate.has_token(self.request.uri):
                self.set_cookie(gate.cookie, gate.token, httponly=True, samesite="Strict")
            return ready

        def write_error(self, status_code: int, **kwargs: Any) -> None:
            if status_code != 503:
                super().write_error(status_code, **kwargs)
                return
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.finish(_plain_page(_FULL))

    class Refused(Matcher):
        """Matches what the gate refuses."""

        def __init__(self, gate: Gate) -> None:
            self._gate = gate

        def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
            return None if self._gate.refusal(request.uri or "", request.headers) is None else {}

    def refuse(gate: Gate, request: HTTPServerRequest) -> None:
        page = _plain_page(gate.refusal(request.uri or "", request.headers) or "").encode()
        headers = HTTPHeaders(
            {
                "Content-Type": "text/html; charset=utf-8",
                "Content-Length": str(len(page)),
                "Cache-Control": "no-store",
            }
        )
        assert request.connection is not None
        start = ResponseStartLine("HTTP/1.1", 403, "Forbidden")
        request.connection.write_headers(start, headers, page)
        request.connection.finish()

    class Server(Voila):  # type: ignore[misc]
        """Voilà, told where to listen and when to end."""

        listening: socket.socket
        gate: Gate
        interrupted = False

        def initialize(self, argv: list[str] | None = None) -> None:
            super().initialize(argv)
            self._alone: dict[str, float] = {}
            self.voila_configuration.kernel_spec_manager_class = OwnKernel
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                if hasattr(signal, name):  # a terminal that is closed hangs up
                    signal.signal(getattr(signal, name), self._handle_signal_stop)

        def _handle_signal_stop(self, sig: int, frame: object) -> None:
            self.interrupted = sig == signal.SIGINT
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a second one is in earnest
            IOLoop.current().add_callback_from_signal(IOLoop.current().stop)

        def init_settings(self) -> dict[str, Any]:
            settings: dict[str, Any] = super().init_settings()
            start, self._starting = self.kernel_manager.start_kernel, 0

            async def start_if_room(*args: Any, **kwargs: Any) -> Any:
                # Counted here, where nothing is awaited between the count and the start.
                if len(self.kernel_manager.list_kernel_ids()) + self._starting >= _DESKS:
                    raise HTTPError(503)
                self._starting += 1
                try:
                    return await ensure_async(start(*args, **kwargs))
                finally:
                    self._starting -= 1

            self.kernel_manager.start_kernel = start_if_room
            return settings

        def init_handlers(self) -> list[Any]:
            handlers = super().init_handlers()
            return [
                (where, Page, *rest) if kind is TornadoVoilaHandler else (where, kind, *rest)
                for where, kind, *rest in handlers
            ]

        def listen(self) -> None:
            """Take the sockets that were opened for it, and stay until a signal comes."""
            gated = RuleRouter(
                [
                    Rule(Refused(self.gate), functools.partial(refuse, self.gate)),
                    Rule(AnyMatches(), self.app),
                ]
            )
            HTTPServer(gated).add_socket(self.listening)
            try:
                PeriodicCallback(self._end_abandoned, 1_000 * _LOOK).start()
                self._announce()
                IOLoop.current().start()
            finally:
                self.stop()

        async def _end_abandoned(self) -> None:
            kernels = self.kernel_manager.list_kernels()
            for name in abandoned(kernels, self._alone, IOLoop.current().time()):
                await self.kernel_manager.shutdown_kernel(name)

        def _announce(self) -> None:
            url = self.gate.address
            click.echo(f"The desk is at {url}")
            click.echo(
                "A paper account for each page: nothing there is real money. Ctrl-C stops it."
            )
            if not self.gate.is_local:
                click.echo(
                    f"It listens on {self.ip}: whoever has this address and reaches this machine "
                    "can use it, and what is sent can be read on the way.",
                    err=True,
                )
            if self.open_browser:
                # A browser of the terminal stays in front until it is left.
                threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

        def stop(self) -> None:
            """End the kernels, and remove what they were reached by."""
            try:
                run_sync(self.kernel_manager.shutdown_all)()
            finally:
                shutil.rmtree(self.connection_dir, ignore_errors=True)

    return Server
