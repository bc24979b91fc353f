"""Finished runs on disk, so that the same search is not made twice."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from horizon import checks
from horizon.walkforward.code import own_code
from horizon.walkforward.codec import decode, encode
from horizon.walkforward.keys import Fingerprint, fingerprint
from horizon.walkforward.source import Source

if TYPE_CHECKING:
    from horizon.walkforward.tasks import Outcome, Plan, Task

__all__ = ["Store"]

_SUFFIX: Final = ".run"


class Store:
    """The finished runs of one plan in a folder, which holds those of other plans too.

    A run is found again by the fingerprint of what it depends on: rows and books, the code of the
    factory with all that it closes over or calls, its parameters, its stretch of time, every
    argument, the objective, and the library's own code. A change in any of them is a new key;
    nothing is ever changed or deleted. What code takes from elsewhere as it runs (files, the
    environment, the clock, a network) is not seen: it belongs into the parameters, or into what
    the factory closes over. Files are written beside their place and moved
    there whole, so that several processes may share a folder and an interrupt leaves no half.

    Parameters
    ----------
    folder : path
        Made if it does not exist.
    plan : Plan
        Of its settings, each task counts its own only: a larger grid finds what is done.

    Raises
    ------
    TypeError, ValueError
        If `folder` is no path, a file, or cannot be made; if the plan holds something that cannot
        be told from another of its kind, such as a lock, an open file, or code that imports
        modules by names that it makes up as it runs.
    """

    def __init__(self, folder: str | os.PathLike[str], plan: Plan) -> None:
        self.folder = _folder(folder)
        self._base = _base(plan)
        self._is_writable = True
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:  # the latter for a path with a zero byte in it
            raise _refusal(folder, str(error)) from error

    def key(self, task: Task, setting: Mapping[str, Any]) -> str:
        """The fingerprint of all that a run depends on, as 40 hexadecimal digits.

        Raises
        ------
        TypeError
            If a parameter cannot be told from another of its kind.
        """
        # Its number, and its setting's, are where it stands in this search; not what it does.
        own = {name: value for name, value in task._asdict().items() if name not in _PLACES}
        try:
            return fingerprint(self._base, own, dict(setting))
        except TypeError as error:
            raise TypeError(f"cache cannot be used with these parameters: {error}") from error

    def path(self, task: Task, setting: Mapping[str, Any]) -> Path:
        """Where a run's outcome is kept, or would be."""
        key = self.key(task, setting)
        return self.folder / key[:2] / f"{key}{_SUFFIX}"

    def load(self, task: Task, setting: Mapping[str, Any]) -> Outcome | None:
        """Return what came of a run, or None where it is not known.

        A file that is torn, altered or cannot be read is not used; a warning names it.
        """
        path = self.path(task, setting)
        try:
            content = path.read_bytes()
            return replace(decode(content), task=task)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            warnings.warn(
                f"cache: {path} cannot be used ({error}); its run is made again",
                RuntimeWarning,
                stacklevel=2,
            )
            return None

    def save(self, outcome: Outcome, setting: Mapping[str, Any]) -> None:
        """Keep what came of a run.

        A full or write-protected disk does not end a search: it is said once, and the search
        goes on without its cache.
        """
        if not self._is_writable:
            return
        path = self.path(outcome.task, setting)
        content = encode(outcome)
        try:
            path.parent.mkdir(exist_ok=True)
            _write(path, content)
        except OSError as error:
            self._is_writable = False
            warnings.warn(
                f"cache: {path} cannot be written ({error}); nothing more is kept",
                RuntimeWarning,
                stacklevel=2,
            )


def _folder(folder: object) -> Path:
    """The path of a cache, which need not exist."""
    if not isinstance(folder, (str, os.PathLike)):
        raise TypeError(
            f"cache must be the path of a folder, was {checks.show(folder)} "
            f"({type(folder).__name__})"
        )
    name = os.fspath(folder)
    if not isinstance(name, str) or not name.strip():
        raise _refusal(folder, "it names none")
    try:
        is_file = os.path.exists(name) and not os.path.isdir(name)
    except (OSError, ValueError) as error:
        raise _refusal(folder, str(error)) from error
    if is_file:
        raise ValueError(f"cache must be a folder, {name!r} is a file")
    return Path(name)


def _refusal(folder: object, why: str) -> ValueError:
    return ValueError(
        "cache must be the path of a folder that exists or can be made, "
        f"was {checks.show(folder)} ({why})"
    )


#: What of a task is its place in a search.
_PLACES: Final = ("number", "setting")


def _base(plan: Plan) -> str:
    """The fingerprint of what all runs of a plan depend on."""
    made = Fingerprint()
    made.update(own_code())
    for one in fields(plan):
        if one.name == "settings":
            continue
        value = getattr(plan, one.name)
        try:
            made.update(one.name, value.digest() if isinstance(value, Source) else value)
        except TypeError as error:
            name = _ARGUMENTS.get(one.name, one.name)
            raise TypeError(f"cache cannot be used with this {name}: {error}") from error
    return made.hexdigest()


#: What users call what a plan calls otherwise.
_ARGUMENTS: Final = {
    "source": "data",
    "factory": "pipeline_factory",
    "arguments": "set of backtest arguments",
}


def _write(path: Path, content: bytes) -> None:
    """Put a file in its place whole, or not at all."""
    handle, beside = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
