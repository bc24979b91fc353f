"""``--set``: other values for a script's params, put there while the script is run."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import CodeType
from typing import Any, Final

from horizon import checks
from horizon.cli.problems import Failed

__all__ = ["Settings", "parse_settings"]

#: What a script's module calls the function that looks after its params.
_HOOK: Final = "__horizon_settings__"
#: Statements whose parts are run in their order, as those of the module itself.
_BLOCKS: Final = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.TryStar, ast.Match)


def parse_settings(given: Iterable[str]) -> dict[str, str]:
    """Take NAME=VALUE apart.

    Raises
    ------
    ValueError
        For one that is not of this form, or a name that comes twice.
    """
    settings: dict[str, str] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name.strip():
            raise ValueError(f"must be NAME=VALUE, was {one!r}")
        if name.strip() in settings:
            raise ValueError(f"{name.strip()!r} is set twice")
        settings[name.strip()] = value
    return settings


class Settings:
    """What ``--set`` gives the params of a script.

    The values are put into the script's ``params`` after the line that makes it, and again after
    any line that changes them back. So they are there for all that reads them from there, in a
    function or not, by this or another name: nothing has to be known of how it is read.

    Parameters
    ----------
    path : Path
        The script.
    texts : mapping of str to str
        Values as they were written, by parameter.
    """

    def __init__(self, path: Path, texts: Mapping[str, str]) -> None:
        self._path = path
        self._texts = texts
        #: The values, by parameter, as far as the script has had their parameters yet.
        self.values: dict[str, Any] = {}

    def compiled(self, source: str, names: dict[str, Any]) -> CodeType:
        """Compile a script so that the values are put in while it runs.

        Parameters
        ----------
        source : str
        names : dict
            What it will be run with.

        Raises
        ------
        SyntaxError, ValueError
            If it is no Python.
        """
        if not self._texts:
            return compile(source, str(self._path), "exec", dont_inherit=True)
        tree = ast.parse(source, str(self._path))
        names[_HOOK] = lambda: self.put_into(names.get("params"))
        tree.body = _followed(tree.body)
        return compile(tree, str(self._path), "exec", dont_inherit=True)

    def put_into(self, params: object) -> None:
        """Give the values to a script's params, where they have other ones."""
        if not isinstance(params, dict):
            return
        for name, text in self._texts.items():
            if name not in params or params[name] is self.values.get(name, self):
                continue
            self.values[name] = params[name] = _value(name, text, params[name])

    def require_all(self, params: object) -> None:
        """Refuse settings that found no place.

        Raises
        ------
        Failed
            If the script has left no such parameter.
        """
        self.put_into(params)
        there = list(map(str, params)) if isinstance(params, Mapping) else []
        for name in self._texts:
            if name not in there:
                raise Failed(
                    f"--set {name}: {self._path} has no such parameter in params; it has "
                    f"{', '.join(there) or 'none'}{checks.suggestion(name, there)}"
                )
            if name not in self.values:
                kind = type(params).__name__
                raise Failed(f"--set {name}: params must be a dict, {self._path} has a {kind}")


def _followed(body: list[ast.stmt]) -> list[ast.stmt]:
    """Let the hook be called after each statement of a block, and in the blocks within it.

    Not after those that have to stand first, a docstring and what comes from ``__future__``, nor
    in functions and classes, which have names of their own.
    """
    found: list[ast.stmt] = []
    for node in body:
        found.append(node)
        if isinstance(node, _BLOCKS):
            parts: list[Any] = [node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())]
            for part in parts:
                for name in ("body", "orelse", "finalbody"):
                    if getattr(part, name, None):
                        setattr(part, name, _followed(getattr(part, name)))
        is_first = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if is_first or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        call = ast.Expr(ast.Call(ast.Name(_HOOK, ast.Load()), [], []))
        found.append(ast.fix_missing_locations(ast.copy_location(call, node)))
    return found


def _value(name: str, text: str, default: object) -> Any:
    """Read a value as JSON; as it stands where the parameter is text."""

    def refuse(word: str) -> float:
        raise ValueError(f"{word} is no number")

    def finite(digits: str) -> float:
        number = float(digits)
        if math.isfinite(number):
            return number
        raise OverflowError(digits)

    try:
        value = json.loads(text, parse_constant=refuse, parse_float=finite)
        if isinstance(default, float) and isinstance(value, int):
            float(value)  # may be beyond every float as well
    except OverflowError:
        if isinstance(default, str):
            return text
        raise Failed(f"--set {name}={text}: it must be finite, and is beyond every float") from None
    except ValueError:
        if isinstance(default, str):
            return text
        raise Failed(
            f"--set {name}={text}: the value must be JSON, such as 12, 0.5, true, null, [1, 2] or "
            '"text" (with its quotes)'
        ) from None
    if isinstance(default, str) and not isinstance(value, str):
        return text  # a code such as 007 stays what it is
    if isinstance(default, bool):
        fits, what = isinstance(value, bool), "true or false"
    else:  # true counts as a number to Python, and to nobody else
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits, what = is_number or not isinstance(default, (int, float)), "a number"
    if not fits:
        raise Failed(f"--set {name}={text} must be {what}: the script has {default!r} there")
    if isinstance(default, int) and isinstance(value, float):
        if not value.is_integer():
            raise Failed(
                f"--set {name}={text} must be a whole number: the script has {default!r} there "
                f"({float(default)!r} in the script would take others)"
            )
        value = int(value)
    return tuple(value) if isinstance(default, tuple) and isinstance(value, list) else value
