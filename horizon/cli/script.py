"""A user's Python file that says what a backtest is made of."""

from __future__ import annotations

import ast
import inspect
import io
import math
import sys
import tokenize
import types
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from horizon import checks
from horizon.cli.problems import Failed, is_of_script, script_traceback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horizon.backtesting import BacktestResult

__all__ = ["Script", "has_its_own", "load_script", "parse_settings", "show_script_errors"]

#: What its module is called; so a part of it under ``if __name__ == "__main__":`` does not run.
_MODULE = "horizon_script"
_HELP = "horizon backtest --help says what a script can hold"


@dataclass(frozen=True, slots=True)
class Script:
    """What a script has left.

    Attributes
    ----------
    path : Path
    result : BacktestResult or None
        A run that the script has made itself.
    arguments : dict
        Arguments of `hz.backtest`, by name.
    factory : callable or None
        Makes pipeline and strategies of `params`.
    params : dict
    """

    path: Path
    result: BacktestResult | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    factory: Callable[..., Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def made(self) -> dict[str, Any]:
        """Return the arguments of a run, its pipeline and strategies made anew."""
        given = {**self.arguments, **({"params": dict(self.params)} if self.params else {})}
        given.setdefault("name", self.path.stem)
        if self.factory is None:
            return given
        from horizon.walkforward.tasks import make_pipeline

        pipeline, strategies = make_pipeline(self.factory, self.params)
        return {**given, "pipeline": pipeline, "strategies": strategies or None}


def load_script(path: Path, settings: Mapping[str, str]) -> Script:
    """Run a script, and take what it leaves.

    Parameters
    ----------
    path : Path
    settings : mapping of str to str
        Texts of ``--set``, by parameter.

    Raises
    ------
    Failed
        If it leaves nothing that can be run, or raises: then with its own traceback.
    """
    names = _namespace(path)
    result = names.get("result")
    from horizon.backtesting import BacktestResult, backtest

    accepted = tuple(inspect.signature(backtest).parameters)
    own = {
        name: names[name]
        for name in accepted
        # A script imports horizon's parts, of which some have the names of arguments.
        if name in names and not isinstance(names[name], types.ModuleType)
    }
    factory = names.get("pipeline_factory")
    runs = [name for name in ("pipeline", "strategies") if name in own]
    if isinstance(result, BacktestResult):
        if settings:
            raise Failed(has_its_own(path, "--set"))
        return Script(path, result=result)
    if factory is not None and runs:
        raise Failed(f"{path} has pipeline_factory and {runs[0]}; leave one of them")
    if factory is not None and not callable(factory):
        raise Failed(f"{path}: pipeline_factory must be a function, was {checks.show(factory)}")
    if factory is None and not runs:
        raise Failed(_nothing(path, names, result))
    if factory is None and settings:
        # Read while it was loaded or by ctx.params: nothing tells one from the other for sure.
        raise Failed(
            f"--set {next(iter(settings))}: {path} has made its {runs[0]} already, with the values "
            "that stand in it. Leave a function pipeline_factory(params) that makes and returns "
            f"what is to run, in place of {' and '.join(runs)}"
        )
    for name in settings:
        line = _used_at_load(path, name)
        if line is not None:
            raise Failed(
                f"--set {name}: {path} has used it while it was loaded (line {line}), with the "
                "value that stands there; use it in pipeline_factory alone"
            )
    params = own.pop("params", None)
    if params is None:
        params = {}
    if not isinstance(params, Mapping):
        raise Failed(f"{path}: params must be a dict, was {checks.show(params)}")
    return Script(path, None, own, factory, _with_settings(path, dict(params), settings))


def _used_at_load(path: Path, name: str) -> int | None:
    """Find the line on which a script uses a parameter outside its functions; None if none does.

    One that hands all of `params` to something counts, for what that uses cannot be seen.
    """
    waiting: list[ast.AST] = [ast.parse(path.read_bytes())]
    found = []
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            continue
        if _uses(node, name):
            found.append(getattr(node, "lineno", 1))
        waiting += ast.iter_child_nodes(node)
    return min(found, default=None)


def _uses(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Subscript):
        is_read = isinstance(node.ctx, ast.Load)
        return is_read and _is_params(node.value) and _is_text(node.slice, name)
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr == "get" and _is_params(called.value):
        return bool(node.args) and _is_text(node.args[0], name)
    if isinstance(called, ast.Name) and called.id in ("dict", "print"):
        return False
    return any(map(_is_params, [*node.args, *(keyword.value for keyword in node.keywords)]))


def _is_params(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "params"


def _is_text(node: ast.AST, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def has_its_own(path: Path, option: str) -> str:
    """Say why an option cannot be obeyed for a script that has made its result itself."""
    return (
        f"{path} has run its backtest itself (it left one in `result`), so {option} comes too "
        'late. Put that call under if __name__ == "__main__": and leave its arguments by name'
    )


def _nothing(path: Path, names: Mapping[str, Any], result: object) -> str:
    if result is not None:
        return (
            f"{path}: result must be a BacktestResult, as hz.backtest returns it; it is a "
            f"{type(result).__name__}"
        )
    wanted = ("pipeline", "strategies", "pipeline_factory", "result")
    own = [name for name, value in names.items() if not isinstance(value, types.ModuleType)]
    near = next((hint for name in own if (hint := checks.suggestion(name, wanted))), "")
    return (
        f"{path} leaves nothing to run: it needs pipeline, strategies, pipeline_factory or "
        f"result{near} ({_HELP})"
    )


# ------------------------------------------------------------------------ running it
@contextmanager
def show_script_errors(path: Path) -> Iterator[None]:
    """Tell what goes wrong in a user's own code with its traceback, without our part of it."""
    try:
        yield
    except Failed:
        raise
    except SystemExit as error:
        said = "" if error.code in (None, 0) else f" (sys.exit({error.code!r}))"
        raise Failed(f"{path} ended itself before there was something to run{said}") from error
    except Exception as error:
        if not is_of_script(error):
            raise
        raise Failed(f"an error in {path}:\n{script_traceback(error)}") from error


def _namespace(path: Path) -> dict[str, Any]:
    """Run a file as a module of its own, and return its names."""
    raw = path.read_bytes()
    module = types.ModuleType(_MODULE)
    module.__file__ = str(path)
    # Its dataclasses and pickles look for it there, and its imports beside it.
    sys.modules[_MODULE] = module
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    with show_script_errors(path):
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
            source = raw.decode(encoding)
            code = compile(source, str(path), "exec")
        except (SyntaxError, ValueError) as error:
            raise Failed(f"{path} is no Python:\n{script_traceback(error)}") from error
        exec(code, module.__dict__)
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


# ------------------------------------------------------------------------ --set
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


def _with_settings(
    path: Path, params: dict[str, Any], settings: Mapping[str, str]
) -> dict[str, Any]:
    for name, text in settings.items():
        if name not in params:
            there = ", ".join(map(str, params)) or "none"
            raise Failed(
                f"--set {name}: {path} has no such parameter in params; it has {there}"
                f"{checks.suggestion(name, [str(one) for one in params])}"
            )
        params[name] = _value(name, text, params[name])
    return params


def _value(name: str, text: str, default: object) -> Any:
    """Read a value as JSON; as it stands where the parameter is text."""
    import json

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
