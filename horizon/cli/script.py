"""A user's Python file that says what a backtest is made of."""

from __future__ import annotations

import inspect
import io
import sys
import tokenize
import types
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from horizon import checks
from horizon.cli.problems import Failed, is_of_script, script_traceback
from horizon.cli.settings import Noted, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horizon.backtesting import BacktestResult

__all__ = ["Script", "has_its_own", "load_script", "show_script_errors"]

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
    settings : dict
        Those of `params` that ``--set`` has given another value.
    read : set of str
        Those that the factory, or a stage by the factory's own, has read so far.
    """

    path: Path
    result: BacktestResult | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    factory: Callable[..., Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def made(self) -> dict[str, Any]:
        """Return the arguments of a run, its pipeline and strategies made anew."""
        given = {**self.arguments, **({"params": dict(self.params)} if self.params else {})}
        given.setdefault("name", self.path.stem)
        factory = self.factory
        if factory is None:
            return given
        from horizon.walkforward.tasks import make_pipeline

        pipeline, strategies = make_pipeline(
            lambda params: factory(Noted(params, self.read)), self.params
        )
        return {**given, "pipeline": pipeline, "strategies": strategies or None}


def load_script(path: Path, settings: Mapping[str, str]) -> Script:
    """Run a script, and take what it leaves.

    Parameters
    ----------
    path : Path
    settings : mapping of str to str
        Texts of ``--set``, by parameter. They are put into the script's ``params`` as soon as it
        has them, before its next line. What is to run must then be made by `pipeline_factory`: of
        a pipeline that stands there nobody knows what it was made of.

    Raises
    ------
    Failed
        If it leaves nothing that can be run, or raises: then with its own traceback.
    """
    given = Settings(path, settings)
    names = _namespace(path, given)
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
        raise Failed(
            f"--set {next(iter(settings))}: {path} has made its {runs[0]} already, with the values "
            "that stand in it. Leave a function pipeline_factory(params) that makes and returns "
            f"what is to run, in place of {' and '.join(runs)}"
        )
    given.require_all(own.get("params"))
    params = own.pop("params", None)
    if params is None:
        params = {}
    if not isinstance(params, Mapping):
        raise Failed(f"{path}: params must be a dict, was {checks.show(params)}")
    return Script(path, None, own, factory, dict(params), given.values)


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


def _namespace(path: Path, settings: Settings) -> dict[str, Any]:
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
            code = settings.compiled(source, module.__dict__)
        except (SyntaxError, ValueError) as error:
            raise Failed(f"{path} is no Python:\n{script_traceback(error)}") from error
        exec(code, module.__dict__)
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}
