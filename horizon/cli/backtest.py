"""``horizon backtest``: the strategy of a Python file, over history."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from horizon.cli.output import FORMATS, metrics_csv, metrics_json, page_path, write_page
from horizon.cli.problems import Failed, unreadable
from horizon.cli.script import (
    Script,
    has_its_own,
    load_script,
    parse_settings,
    show_script_errors,
)

if TYPE_CHECKING:
    from horizon.backtesting import BacktestResult

__all__ = ["backtest"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _settings(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    try:
        return parse_settings(given)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command(short_help="Run the strategy of a Python file over history.")
@click.argument("script", type=_FILE)
@click.option(
    "--data",
    type=_FILE,
    metavar="FILE",
    help="CSV or Parquet rows to replay, in place of the script's data.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_settings,
    help="Give a parameter of the script's params another value for pipeline_factory, as JSON: 12, "
    '0.5, true, "text". Can be given several times.',
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
    default="text",
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
    settings: dict[str, str],
    output: Path | None,
    overwrite: bool,
    html: Path | None,
    theme: str,
    form: str,
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
            _check(loaded, data, shows)
            # What stages have kept of those runs must not be in the one that counts.
            loaded = load_script(script, settings)
        result = _run(loaded, data, shows, is_asked=progress is not None)
    if as_json:
        form = "json"
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
    from horizon.backtesting.result_saving import FACTS, require_pyarrow

    require_pyarrow()
    if path.is_dir() and any(path.iterdir()) and not path.joinpath(FACTS).is_file():
        raise click.UsageError(
            f"-o: {str(path)!r} holds no saved result but other files, which are never replaced"
        )
    there = next(place for place in path.absolute().parents if place.is_dir())
    if not os.access(there, os.W_OK):
        raise click.UsageError(f"-o: nothing can be written in {str(there)!r}")


def _say_taken(loaded: Script, data: Path | None) -> None:
    """Say which names were taken: one that was meant for something else shows there."""
    names = [name for name in loaded.arguments if not (name == "data" and data is not None)]
    if loaded.factory is not None:
        names.insert(0, "pipeline_factory")
    elif loaded.params:
        names.append("params")  # which of them the stages use is not known
    taken = f"taken from {loaded.path}: {', '.join(names)}"
    if loaded.params and loaded.factory is not None:
        from horizon.walkforward.tasks import setting_text

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


def _arguments(loaded: Script, data: Path | None) -> dict[str, Any]:
    with show_script_errors(loaded.path):
        given = loaded.made()
    if data is not None:
        if given.get("book_data") is not None:
            raise Failed(
                f"--data would be traded against the books that {loaded.path} has in book_data, "
                "which are of other rows: change the data in the script"
            )
        given["data"] = str(data)
    if given.get("data") is None and given.get("book_data") is None:
        raise Failed(
            f"there is nothing to replay: give --data FILE, or leave data in {loaded.path}"
        )
    return given


def _run(loaded: Script, data: Path | None, shows: bool, *, is_asked: bool) -> BacktestResult:
    from horizon.backtesting import backtest as run

    given = _arguments(loaded, data)
    if is_asked or "progress" not in given:
        given["progress"] = shows
    with show_script_errors(loaded.path), _name_file(data):
        return run(**given)


def _check(loaded: Script, data: Path | None, shows: bool) -> None:
    """Look for look-ahead; end here if there is one."""
    from horizon.backtesting import check_lookahead as check

    given = _arguments(loaded, data) | {"progress": shows}
    replayed, note = given.pop("data", None), ""
    pipeline, strategies = given.pop("pipeline", None), given.pop("strategies", None)
    if loaded.factory is None:
        parts: dict[str, Any] = {"pipeline": pipeline, "strategies": strategies}
    else:
        parts = {
            "pipeline_factory": (lambda data: loaded.made()["pipeline"]) if pipeline else None,
            "strategies": (lambda data: loaded.made()["strategies"]) if strategies else None,
        }
        note = (
            "pipeline_factory was called anew for each run, but what the script itself had taken "
            "from its data before could not be cut."
        )
    with show_script_errors(loaded.path), _name_file(data):
        report = check(replayed, **parts, **given)
    if not report.ok:
        raise Failed(f"the look-ahead check of {loaded.path}:\n{report}")
    click.echo(f"{report}" + (f"\n{note}" if note else ""), err=True)


class _name_file:  # noqa: N801  a context manager, used as a function
    """Name the file of ``--data`` where a library could not read it."""

    def __init__(self, data: Path | None) -> None:
        self._data = data

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Say which file it was."""
        if error is not None and self._data is not None:
            reason = unreadable(error)
            if reason is not None:
                raise Failed(f"{self._data} cannot be read: {reason}") from error
