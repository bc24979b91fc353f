"""``horizon tearsheet``: what an equity curve, a file of returns or a saved run is worth."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from horizon.cli.hints import Hinting
from horizon.cli.numbers import Number
from horizon.cli.output import (
    FORMATS,
    form_of,
    metrics_csv,
    metrics_json,
    page_path,
    write_page,
)
from horizon.cli.tables import CurveFile

if TYPE_CHECKING:
    from horizon.analytics.tearsheet import Tearsheet

__all__ = ["tearsheet"]

#: Usual names of a benchmark's column.
_BENCHMARK = ("equity", "price", "close")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _separator(ctx: click.Context, param: click.Parameter, sign: str | None) -> str | None:
    if sign in ("tab", "\\t"):
        return "\t"
    if sign is not None and sign not in (";", "|", ",", "\t"):
        raise click.BadParameter(f"must be ';', '|', ',' or tab, was {sign!r}", ctx, param)
    return sign


#: Options that are called otherwise here.
_INSTEAD: Final = {
    "--column": "columns are named by --time, --equity and --returns",
    "--columns": "columns are named by --time, --equity and --returns",
    "--data": "FILE stands without an option: horizon tearsheet equity.csv",
    "--delimiter": "--separator SIGN says what stands between the columns",
    "--html": "-o FILE.html writes the page",
    "--sep": "--separator SIGN says what stands between the columns",
}


@click.command(
    cls=Hinting,
    instead=_INSTEAD,
    short_help="Metrics and a page of an equity curve, of returns or a saved run.",
)
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--time", metavar="COLUMN", help="Times, where they are not called time or date.")
@click.option("--equity", metavar="COLUMN", help="Equity, in USD, where it is not called equity.")
@click.option(
    "--returns",
    metavar="COLUMN",
    help="Simple returns as fractions (0.01 is 1 %), each at the end of its period, where they "
    "are not called return or returns.",
)
@click.option(
    "--percent",
    is_flag=True,
    help="The returns are percent numbers: 2.09 (or 2.09%) is 2.09 %. They are divided by 100.",
)
@click.option(
    "--separator",
    callback=_separator,
    metavar="SIGN",
    help="What stands between the columns of FILE, where it is no comma: ';', '|' or tab.",
)
@click.option(
    "--benchmark",
    type=_FILE,
    metavar="FILE",
    help="Prices (equity, price or close) or returns of what to compare with.",
)
@click.option(
    "--benchmark-percent", is_flag=True, help="The benchmark's returns are percent numbers."
)
@click.option(
    "--benchmark-separator",
    callback=_separator,
    metavar="SIGN",
    help="As --separator, for the benchmark.",
)
@click.option("--benchmark-column", metavar="COLUMN", help="The benchmark's prices or equity.")
@click.option(
    "--initial-capital",
    type=Number("usd", above=0),
    help="What the account began with; left out, the first equity, and 1 for returns.",
)
@click.option(
    "--periods-per-year",
    type=Number("number", above=0),
    help="Returns in a year, for what is annualised; left out, counted from the times.",
)
@click.option(
    "--risk-free",
    type=Number("rate", above=-1, below=1),
    default=0.0,
    help="Annual rate as a fraction: 0.04 is 4 %. Default 0.",
)
@click.option("--title", help="Title; by default the file's name.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="What is printed. Default text.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=page_path,
    metavar="FILE.html",
    help="Write it as one page with its figure (some 5 MB) that needs no network; an older file "
    "of that name is replaced.",
)
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", help="Of the page.")
@click.option("--open", "opens", is_flag=True, help="Show the page in a browser.")
@click.pass_context
def tearsheet(
    ctx: click.Context,
    file: Path,
    time: str | None,
    equity: str | None,
    returns: str | None,
    percent: bool,
    separator: str | None,
    benchmark: Path | None,
    benchmark_percent: bool,
    benchmark_separator: str | None,
    benchmark_column: str | None,
    initial_capital: float | None,
    periods_per_year: float | None,
    risk_free: float,
    title: str | None,
    form: str | None,
    as_json: bool,
    output: Path | None,
    theme: str,
    opens: bool,
) -> None:
    """Print what an equity curve is worth: return, risk, drawdowns, ratios.

    FILE is a CSV or Parquet file with a column of times and one of equity or of returns, or a
    folder that a backtest was saved in. Columns are found by their names: time, timestamp, date,
    datetime or ts; equity; return or returns. Equity is taken where both are there. Times are
    ISO dates or seconds since 1970, UTC where no zone is given, and must be in order: nothing is
    sorted, filled or left out.

    \b
    Examples:
      horizon tearsheet equity.csv
      horizon tearsheet equity.csv -o report.html --open
      horizon tearsheet fund.csv --time Date --returns "Net return" --risk-free 0.04
      horizon tearsheet equity.csv --benchmark index.csv --json
      horizon tearsheet runs/momentum

    Text, JSON and CSV go to the standard output; JSON and CSV have every digit, fractions as
    fractions. What JSON has no number for is text: "inf", "nan".
    """
    form = form_of(form, as_json)
    if equity is not None and returns is not None:
        raise click.UsageError("give --equity or --returns, not both")
    for option, value in (
        ("--benchmark-column", benchmark_column),
        ("--benchmark-percent", benchmark_percent or None),
        ("--benchmark-separator", benchmark_separator),
    ):
        if benchmark is None and value is not None:
            raise click.UsageError(f"{option} needs --benchmark")
    if output is not None and output.exists() and output.samefile(file):
        raise click.UsageError("-o must not be FILE itself")
    beside = None
    if benchmark is not None:
        beside = CurveFile(
            benchmark,
            equity=benchmark_column,
            values=_BENCHMARK,
            options=("--benchmark-column",) * 2,
            separator=benchmark_separator,
            separator_option="--benchmark-separator",
            percent=benchmark_percent,
            percent_option="--benchmark-percent",
        ).curve()
    name = "Benchmark" if benchmark is None else benchmark.stem
    saved = _folder_of(file)
    if saved is not None:
        for option, given in (
            ("--time", time),
            ("--equity", equity),
            ("--returns", returns),
            ("--percent", percent or None),
            ("--separator", separator),
            ("--initial-capital", initial_capital),
            ("--periods-per-year", periods_per_year),
        ):
            if given is not None:
                raise click.UsageError(f"{option} is for a table; a saved run has its own")
        from horizon.backtesting import load_result

        sheet = load_result(saved).tearsheet(
            benchmark=beside, benchmark_name=name, risk_free=risk_free, title=title
        )
    else:
        from horizon.analytics import generate_tearsheet

        source = CurveFile(
            file, time=time, equity=equity, returns=returns, separator=separator, percent=percent
        )
        curve = source.curve(initial_capital)
        if note := source.note(curve):
            click.echo(f"note: {note}", err=True)
        sheet = generate_tearsheet(
            curve,
            periods_per_year=periods_per_year,
            risk_free=risk_free,
            benchmark=beside,
            benchmark_name=name,
            title=title or file.name.split(".")[0] or file.name,
        )
    _print(sheet, form)
    if output is None and opens:
        output = Path(tempfile.mkdtemp(prefix="horizon-"), "tearsheet.html")
    if output is not None:
        write_page(sheet, output, theme)
        if opens and not webbrowser.open(output.absolute().as_uri()):
            click.echo(f"no browser was found; the page is {output}", err=True)


def _folder_of(path: Path) -> Path | None:
    """The folder of a saved run; None for a table."""
    if path.is_dir():
        return path
    return path.parent if path.name == "result.json" else None


def _print(sheet: Tearsheet, form: str) -> None:
    if form == "json":
        text = metrics_json(sheet, sheet.cautions, sheet.metrics)
    elif form == "csv":
        text = metrics_csv(sheet.metrics, sheet.currency)
    else:
        text = repr(sheet)
    click.echo(text)
