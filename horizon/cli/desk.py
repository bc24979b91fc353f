"""``horizon desk``: a desk to trade by hand, in the browser, for people who write no code."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from horizon.cli.column_options import columns_given, in_options
from horizon.cli.hints import Hinting
from horizon.cli.numbers import Number
from horizon.errors import DataError

__all__ = ["desk"]

_KINDS: Final = {
    "prediction": "Prediction",
    "equity": "Equity",
    "crypto": "Crypto",
    "perp": "Perp",
}


def _kinds(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for one in given:
        market, _, word = one.rpartition("=")
        kind = _KINDS.get(word.lower())
        if kind is None or one.startswith("="):
            names = ", ".join(_KINDS)
            raise click.BadParameter(f"must be one of {names}, or ID=KIND, was {one!r}", ctx, param)
        if kinds.setdefault(market, kind) != kind:
            of = market or "all markets"
            raise click.BadParameter(f"is given twice for {of}, and not the same", ctx, param)
    return kinds


def _layout_file(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix != ".json":
        raise click.BadParameter(f"must end with .json, was {str(path)!r}", ctx, param)
    return path


#: Options that are called otherwise here.
_INSTEAD: Final = {
    "--file": "--data FILE names what is replayed",
    "--initial-capital": "--cash USD is the paper money at the start",
    "--sep": "a CSV is read with commas between its columns",
    "--separator": "a CSV is read with commas between its columns",
}


@click.command(cls=Hinting, instead=_INSTEAD, short_help="A desk to trade by hand, in the browser.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port of the page; left out, the first that is free from 8866 on.",
)
@click.option(
    "--ip",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="Address to listen on. Default 127.0.0.1: this machine only. On any other, whoever has "
    "the page's address can open a desk and see the files given here, and what is sent can be "
    "read on the way.",
)
@click.option("--no-browser", is_flag=True, help="Do not show it in a browser.")
@click.option(
    "--theme", type=click.Choice(["light", "dark"]), help="Colours of the page. Default light."
)
@click.option("--dark", is_flag=True, help="Short for --theme dark.")
@click.option(
    "--layout",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_layout_file,
    metavar="FILE.json",
    help="Where the panels stand: read from this file if it is there, and kept in it.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="CSV or Parquet to replay: timestamp and price, or bid and ask, or open, high, low and "
    "close; with --books, order books. The account then lives in the file's time: chart, orders "
    "and fills bear its dates.",
)
@click.option("--market", metavar="ID", help="What the market is called, such as AAPL.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="[ID=]KIND",
    callback=_kinds,
    help="What the markets of --data are: prediction, equity, crypto or perp; ID=KIND is for one "
    "of several, and can be given several times. Left out, it is read from ids and prices.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=COLUMN",
    callback=columns_given,
    help="What the file calls a column, such as price=mid. Can be given several times.",
)
@click.option(
    "--speed",
    type=Number("times", above=0),
    help="Seconds of the market in one second: 60 plays a minute in a second. Left out, made-up "
    "markets play at 1, and a file so that its rows come about twice a second, or as they came if "
    "that is faster.",
)
@click.option(
    "--books", is_flag=True, help="Orders meet order books: made-up ones, or those of --data."
)
@click.option(
    "--cash",
    type=Number("usd", above=0),
    default=100_000.0,
    help="Paper money at the start, in USD. Default 100000.",
)
@click.option(
    "--fee-bps",
    type=Number("bps", least=0, below=10_000),
    default=0.0,
    help="Fee of each fill in basis points of its value: 10 is 0.1 %. Default 0.",
)
@click.pass_context
def desk(
    ctx: click.Context,
    port: int | None,
    ip: str,
    no_browser: bool,
    theme: str | None,
    dark: bool,
    layout: Path | None,
    data: Path | None,
    market: str | None,
    kinds: dict[str, str],
    columns: dict[str, str],
    speed: float | None,
    books: bool,
    cash: float,
    fee_bps: float,
) -> None:
    """Open a desk to trade by hand: order ticket, chart, book, positions, live in the browser.

    It is a paper account: no real money, no broker. Without --data it plays three made-up
    prediction markets. Each page that is opened has an account and a Python process of its own,
    which end when it is closed or loaded again. Ctrl-C in the terminal ends all.

    \b
    Examples:
      horizon desk
      horizon desk --data prices.csv --market AAPL --speed 60 --fee-bps 5
      horizon desk --data quotes.parquet --column timestamp=ts --column price=mid
      horizon desk --books --dark --layout desk.json --cash 25000
    """
    from horizon.cli import desk_server
    from horizon.cli.desk_plan import Plan, checked, told
    from horizon.cli.group import INTERRUPTED
    from horizon.cli.problems import Failed, unreadable

    if market is not None and data is None and not books:
        raise click.UsageError("--market names the market of --data or --books")
    if kinds and data is None:
        raise click.UsageError("--kind is for the markets of --data")
    if columns and (data is None or books):
        raise click.UsageError("--column is for the rows of --data")
    if dark and theme == "light":
        raise click.UsageError("give --dark or --theme light, not both")
    desk_server.require_voila()
    plan = Plan(
        data=None if data is None else str(data.resolve()),
        market=market,
        columns=columns,
        speed=speed,
        books=books,
        cash=cash,
        fee_bps=fee_bps,
        layout=None if layout is None else str(layout.resolve()),
        asked=kinds,
    )
    try:
        plan = checked(plan)
    except Exception as error:
        if (reason := unreadable(error)) is not None:
            raise Failed(f"{data} cannot be read: {reason}") from error
        if isinstance(error, DataError) and "columns=" in str(error):
            raise Failed(in_options(error)) from error
        raise
    for line in told(plan):
        click.echo(line, err=True)
    interrupted = desk_server.serve(
        plan, ip=ip, port=port, theme="dark" if dark else theme or "light", opens=not no_browser
    )
    if interrupted:
        ctx.exit(INTERRUPTED)
