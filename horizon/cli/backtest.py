"""``horizon backtest``: the strategy of a Python file, over history."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from horizon.cli.column_options import columns_given, in_options, in_script
from horizon.cli.hints import Hinting
from horizon.cli.output import (
    FORMATS,
    form_of,
    metrics_csv,
    metrics_json,
    page_path,
    write_page,
)
from horizon.cli.problems import Failed, unreadable
from horizon.cli.script import Script, has_its_own, load_script, show_script_errors
from horizon.cli.settings import parse_settings
from horizon.errors import DataError

if TYPE_CHECKING:
    from horizon.backtesting import BacktestResult

__all__ = ["backtest"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _settings(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    try:
        return parse_settings(given)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


#: Options that are called otherwise here, or that a script says.
_INSTEAD: Final = {
    "--cash": "the script's initial_capital is what the account begins with, in USD",
    "--fee-bps": "the script's paper_fee_rate is the fee, as a fraction: 0.0005 is 5 bps",
    "--initial-capital": "the script's initial_capital is what the account begins with, in USD",
    "--market": "the script's markets says which there are: markets = ['ACME']",
    "--param": "--set NAME=VALUE gives a parameter another value",
    "--params": "--set NAME=VALUE gives a parameter another value",
    "--script": "SCRIPT stands without an option: horizon backtest momentum.py",
    "--sep": "a CSV is read with commas between its columns; the script can read others into data",
    "--separator": "a CSV is read with commas between its columns; the script can read others into "
    "data",
}


@click.command(
    cls=Hinting, instead=_INSTEAD, short_help="Run the strategy of a Python file over history."
)
@click.argument("script", type=_FILE)
@click.option(
    "--data",
    type=_FILE,
    metavar="FILE",
    help="CSV or Parquet rows to replay, in place of the script's data.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=COLUMN",
    callback=columns_given,
    help="What the file of --data calls a column, such as price=mid, in place of the script's "
    "columns. Can be given several times.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_settings,
    help="Give a parameter in the script's params another value, as JSON: 12, 0.5, true, "
    '"text". pipeline_factory is called with it. Can be given several times.',
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Save the result: Parquet tables and a JSON file, which hz.load_result and horizon "
    "tearsheet read. Folders above it that do not exist are made.",
)
@click.option("--overwrite", is_flag=True, help="Replace a result that was saved there before.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=page_path,
    metavar="FILE.html",
    help="Write the tearsheet as one page (some 5 MB) that needs no network.",
)
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", help="Of the page.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="What is printed. Default text.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option(
    "--check-lookahead",
    is_flag=True,
    help="First look for decisions that used data from their future (hz.check_lookahead, some ten "
    "runs more). If there is one it is shown, nothing is saved, and the exit code is 1.",
)
@click.option(
    "--progress/--no-progress",
    default=None,
    help="A progress bar on the error output; left out, where that is a terminal.",
)
def backtest(
    script: Path,
    data: Path | None,
    columns: dict[str, str],
    settings: dict[str, str],
    output: Path | None,
    overwrite: bool,
    html: Path | None,
    theme: str,
    form: str | None,
    as_json: bool,
    check_lookahead: bool,
    progress: bool | None,
) -> None:
    """Run the strategy of SCRIPT, a Python file, over history, and print what came of it.

    The file is run once, and the names that it leaves are taken: those that are arguments of
    hz.backtest (pipeline, strategies, data, book_data, markets, feeds, risk, initial_capital in
    USD, matching, ...). In place of pipeline and strategies it can have a function
    pipeline_factory(params) that returns them, as for hz.walk_forward; its parameters stand in
    params = {...}, and --set changes them. Or it runs the backtest itself and leaves it in
    result. What was taken is said on the error output.

    Paths in the script are relative to the folder in which the command is run. Its name is not
    "__main__", so that a part under if __name__ == "__main__": does not run here.

    A stage of a pipeline is a function of ctx: ctx.feed has the last row (price, bid, ask, ...),
    ctx.inventory what is held, ctx.market_id and ctx.timestamp where and when it is. It runs for
    each row. What the last stage returns is traded: quotes, which rest until it returns
    others (None withdraws them), hz.OrderRequest (without a price: a market order), or a list of
    these.

    \b
    A whole script; it buys 10 at the market, and quotes both sides from then on:
      import horizon as hz
      data = [{"timestamp": 60.0 * i, "price": 100.0 + i % 5} for i in range(50)]
      markets = [hz.Market("ACME", hz.Equity)]
      initial_capital = 10_000.0
      params = {"spread": 1.0, "size": 5}
      def pipeline_factory(params):
          def trade(ctx):
              if ctx.timestamp == 0:
                  return hz.OrderRequest("ACME", hz.Side.Long, hz.OrderSide.Buy, size=10)
              return hz.quotes(ctx.feed.price, spread=params["spread"], size=params["size"])
          return [trade]

    \b
    Examples:
      horizon backtest momentum.py
      horizon backtest momentum.py --data prices.csv --set window=20 --set size=5
      horizon backtest momentum.py -o runs/momentum --html momentum.html
      horizon backtest momentum.py --check-lookahead --json > metrics.json
    """
    form = form_of(form, as_json)
    if columns and data is None:
        raise click.UsageError("--column is for the rows of --data")
    if overwrite and output is None:
        raise click.UsageError("--overwrite needs -o")
    if output is not None:
        _check_folder(output, overwrite)
    loaded = load_script(script, settings)
    if loaded.result is not None:
        for option, is_given in (("--data", data), ("--check-lookahead", check_lookahead)):
            if is_given:
                raise Failed(has_its_own(script, option))
        result = loaded.result
    else:
        shows = sys.stderr.isatty() if progress is None else progress
        _say_taken(loaded, data)
        if check_lookahead:
            _check(loaded, data, columns, shows)
            # What stages have kept of those runs must not be in the one that counts.
            loaded = load_script(script, settings)
        result = _run(loaded, data, columns, shows, is_asked=progress is not None)
    if form == "text":
        click.echo(_without_hint(result.summary()))
    elif form == "json":
        cautions = [_without_hint(caution) for caution in result.cautions]
        click.echo(metrics_json(result.tearsheet(), cautions, result.metrics))
    else:
        click.echo(metrics_csv(result.metrics, result.record.currency))
    if output is not None:  # last, since a long run's numbers are to be seen in any case
        output.absolute().parent.mkdir(parents=True, exist_ok=True)
        result.save(output, overwrite=overwrite)
        click.echo(f"saved {output}", err=True)
    if html is not None:
        write_page(result.tearsheet(), html, theme)


def _without_hint(text: str) -> str:
    """Leave out where to ask on: there is no result here, and a saved one has not its rows."""
    return text.replace("; explain(order_id) says why", "")


def _check_folder(path: Path, overwrite: bool) -> None:
    """Find out before the run, which may be long, whether it can be saved there."""
    for place in (path, *path.absolute().parents):
        if place.exists() and not place.is_dir():
            raise click.UsageError(f"-o must be a folder, {str(place)!r} is a file")
    if path.is_dir() and any(path.iterdir()) and not overwrite:
        raise click.UsageError(
            f"-o: {str(path)!r} has something in it; --overwrite replaces a saved result"
        )
    from horizon.backtesting.result_saving import require_pyarrow

    require_pyarrow()
    if path.is_dir() and (others := _others_in(path)):
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise click.UsageError(
            f"-o: {str(path)!r} has other files than a saved result, which are never replaced: "
            f"{', '.join(others[:3])}{more}"
        )
    there = next(place for place in path.absolute().parents if place.is_dir())
    if not os.access(there, os.W_OK):
        raise click.UsageError(f"-o: nothing can be written in {str(there)!r}")


def _others_in(folder: Path) -> list[str]:
    """Name the files that saving would refuse to replace; none of a whole saved result."""
    from horizon.backtesting.result_decisions import DECISION_TABLES
    from horizon.backtesting.result_saving import FACTS, FORMAT, TABLES

    there = sorted(each.name for each in folder.iterdir())
    try:
        facts = json.loads(folder.joinpath(FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        facts = None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        return there
    return [name for name in there if name not in (FACTS, *TABLES, *DECISION_TABLES)]


def _say_taken(loaded: Script, data: Path | None) -> None:
    """Say which names were taken: one that was meant for something else shows there."""
    names = [name for name in loaded.arguments if not (name == "data" and data is not None)]
    if loaded.factory is not None:
        names.insert(0, "pipeline_factory")
    elif loaded.params:
        names.append("params")  # which of them the stages use is not known
    taken = f"taken from {loaded.path}: {', '.join(names)}"
    from horizon.walkforward.tasks import setting_text

    if loaded.params and loaded.factory is not None:
        taken += f"; params: {setting_text(loaded.params)}"
    click.echo(taken, err=True)
    own = loaded.arguments.get("data")
    if data is not None and own is not None and not isinstance(own, (str, Path)):
        # A frame that the script has read may have been worked on already.
        click.echo(
            f"note: what {loaded.path} has made of its own data while it was loaded, signals for "
            "example, stays as it is; what stages work out of ctx follows --data",
            err=True,
        )


def _arguments(loaded: Script, data: Path | None, columns: dict[str, str]) -> dict[str, Any]:
    with show_script_errors(loaded.path):
        given = loaded.made()
    if data is not None:
        if given.get("book_data") is not None:
            raise Failed(
                f"--data would be traded against the books that {loaded.path} has in book_data, "
                "which are of other rows: change the data in the script"
            )
        given["data"] = str(data)
    if columns:
        given["columns"] = columns
    if given.get("data") is None and given.get("book_data") is None:
        raise Failed(
            f"there is nothing to replay: give --data FILE, or leave data in {loaded.path}"
        )
    return given


def _run(
    loaded: Script, data: Path | None, columns: dict[str, str], shows: bool, *, is_asked: bool
) -> BacktestResult:
    from horizon.backtesting import backtest as run

    given = _arguments(loaded, data, columns)
    if is_asked or "progress" not in given:
        given["progress"] = shows
    with show_script_errors(loaded.path), _name_file(data, loaded.path):
        result = run(**given)
    for name in loaded.settings:
        if name not in loaded.read:
            click.echo(
                f"note: pipeline_factory of {loaded.path} has not read {name!r} from its params: "
                f"--set changes nothing where no stage reads it by ctx.params[{name!r}]",
                err=True,
            )
    return result


def _check(loaded: Script, data: Path | None, columns: dict[str, str], shows: bool) -> None:
    """Look for look-ahead; end here if there is one."""
    from horizon.backtesting import check_lookahead as check

    given = _arguments(loaded, data, columns) | {"progress": shows}
    replayed = given.pop("data", None)
    notes = [
        "Compared was what was decided up to the last cut. The run that is shown goes on to the "
        "end of the data: its trades are all of its fills."
    ]
    pipeline, strategies = given.pop("pipeline", None), given.pop("strategies", None)
    if loaded.factory is None:
        parts: dict[str, Any] = {"pipeline": pipeline, "strategies": strategies}
    else:
        parts = {
            "pipeline_factory": (lambda data: loaded.made()["pipeline"]) if pipeline else None,
            "strategies": (lambda data: loaded.made()["strategies"]) if strategies else None,
        }
        notes.append(
            "pipeline_factory was called anew for each run, but what the script itself had taken "
            "from its data before could not be cut."
        )
    with show_script_errors(loaded.path), _name_file(data, loaded.path):
        report = check(replayed, **parts, **given)
    if not report.ok:
        raise Failed(f"the look-ahead check of {loaded.path}:\n{report}")
    click.echo("\n".join([str(report), *notes]), err=True)


class _name_file:  # noqa: N801  a context manager, used as a function
    """Say of data that cannot be read whose it is, and how a column is named here."""

    def __init__(self, data: Path | None, script: Path) -> None:
        self._data = data
        self._script = script

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Say which file it was."""
        if error is None:
            return
        if self._data is not None and (reason := unreadable(error)) is not None:
            raise Failed(f"{self._data} cannot be read: {reason}") from error
        if isinstance(error, DataError) and "columns=" in str(error):
            if self._data is None:
                raise Failed(in_script(error, self._script)) from error
            raise Failed(f"{self._data}: {in_options(error)}") from error
