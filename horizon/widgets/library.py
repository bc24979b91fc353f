"""JavaScript libraries out of installed Python packages, for a page that must load nothing."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from horizon.widgets.face import Face, Verb

__all__ = ["Library"]


class Library:
    """A library that the page asks for with the verb ``"library"``, once.

    Parameters
    ----------
    name : str
    version, source : callable
        Its version, and its text as an ES module; asked for when it is first used.
    """

    def __init__(self, name: str, version: Callable[[], str], source: Callable[[], str]) -> None:
        self._name = name
        self._version = version
        self._source = source
        self._packed: Future[bytes] | None = None

    @property
    def key(self) -> str:
        """What the page knows it by."""
        return f"{self._name} {self._version()}"

    def prepare(self) -> Future[bytes]:
        """Begin to pack it: a server lets no message of five megabytes pass.

        That takes a tenth of a second, and is begun while the page gets ready to ask for it.
        """
        if self._packed is None:
            worker = ThreadPoolExecutor(1)
            self._packed = worker.submit(lambda: zlib.compress(self._source().encode(), 1))
            worker.shutdown(wait=False)
        return self._packed

    def sender(self, face: Face) -> Verb:
        """Return the verb that sends it to a widget's pages."""
        return lambda _: face.send({"library": self.key}, buffers=[self.prepare().result()])
