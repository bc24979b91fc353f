"""``--set``: other values for a script's params, put there while the script is run."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any, Final

from horizon import checks
from horizon.cli.problems import Failed

__all__ = ["Noted", "Settings", "parse_settings"]

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

    A value is put into the script's ``params`` once, after the line ``params = {...}`` that makes
    it. So it is there for all that the script works out of it from then on, by this or another
    name. Where `params` comes to be in another way, or is changed back, somebody may have read
    another value: that is refused.

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
        #: What is in the way, by parameter: told at the end, past all that catches errors.
        self._problems: dict[str, str] = {}

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
        names[_HOOK] = lambda line, is_own: self._put_into(names.get("params"), line, is_own)
        tree.body = _followed(tree.body)
        return compile(tree, str(self._path), "exec", dont_inherit=True)

    def _put_into(self, params: object, line: int, is_own: bool) -> None:
        """Give the values to params that a line has made, where it has not had them yet."""
        if not isinstance(params, dict):
            return
        for name, text in self._texts.items():
            if name not in params or name in self.values or name in self._problems:
                continue
            if not is_own:
                self._problems[name] = (
                    f"line {line} of {self._path} makes params and more at once, so that the "
                    "value there may have been used already: give params a line of its own, "
                    "params = {...}"
                )
                continue
            try:
                self.values[name] = params[name] = _value(name, text, params[name])
            except Failed as error:
                self._problems[name] = str(error)

    def require_all(self, params: object) -> None:
        """Refuse settings that found no place, or have lost it.

        Raises
        ------
        Failed
            If the script has left no such parameter, or another value in it.
        """
        there = list(map(str, params)) if isinstance(params, Mapping) else []
        for name in self._texts:
            if name in self._problems:
                problem = self._problems[name]
                raise Failed(problem if problem.startswith("--set") else f"--set {name}: {problem}")
            if name not in there:
                raise Failed(
                    f"--set {name}: {self._path} has no such parameter in params; it has "
                    f"{', '.join(there) or 'none'}{checks.suggestion(name, there)}"
                )
            if name not in self.values:
                kind = type(params).__name__
                raise Failed(f"--set {name}: params must be a dict, {self._path} has a {kind}")
            assert isinstance(params, Mapping)
            if params[name] is not self.values[name]:
                raise Failed(
                    f"--set {name}: {self._path} gives it another value afterwards, "
                    f"{checks.show(params[name])}; leave it as params = {{...}} has made it"
                )


class Noted(dict[str, Any]):
    """Params that note which of them are read.

    Parameters
    ----------
    params : mapping of str to object
    read : set of str
        Names are added to it as they are read.
    """

    def __init__(self, params: Mapping[str, Any], read: set[str]) -> None:
        super().__init__(params)
        self._read = read

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._read.add(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        self._read.add(name)
        return super().pop(name, *default)

    def __iter__(self) -> Iterator[str]:
        # Whoever walks it, or copies it, may read each of them. That this is not dict's own also
        # keeps dict(params) and f(**params) from taking a way around.
        self._read.update(super().keys())
        return super().__iter__()

    def keys(self) -> Any:
        self._read.update(super().keys())
        return super().keys()

    def values(self) -> Any:
        self._read.update(super().keys())
        return super().values()

    def items(self) -> Any:
        self._read.update(super().keys())
        return super().items()

    def copy(self) -> dict[str, Any]:
        return dict(self.items())

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.copy()


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
        told: list[ast.expr] = [ast.Constant(node.lineno), ast.Constant(_makes_params(node))]
        call = ast.Expr(ast.Call(ast.Name(_HOOK, ast.Load()), told, []))
        found.append(ast.fix_missing_locations(ast.copy_location(call, node)))
    return found


def _makes_params(node: ast.stmt) -> bool:
    """Whether a statement makes params, or a part of it, and nothing else."""
    if isinstance(node, ast.Assign):
        return len(node.targets) == 1 and _is_params(node.targets[0])
    if isinstance(node, ast.AnnAssign):
        return _is_params(node.target)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # params.update(...)
        called = node.value.func
        return isinstance(called, ast.Attribute) and _is_params(called.value)
    return False


def _is_params(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name) and node.id == "params"


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
