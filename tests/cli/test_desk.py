"""``horizon desk`` without a server: what it asks for, and what it finds before it serves."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import horizon as hz
from horizon.cli import desk_page, desk_server
from horizon.cli.desk_plan import VARIABLE, Plan, checked, make_desk
from horizon.types import AssetClass
from tests.cli.conftest import Run

pytestmark = pytest.mark.filterwarnings("ignore:There is no current event loop:DeprecationWarning")

BARS = (
    "date,open,high,low,close\n"
    "2024-01-02,100,101,99,100.5\n2024-01-03,100.5,103,100,102\n2024-01-04,102,102,98,99\n"
)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Plan, dict[str, Any]]]:
    """What would be served, in place of a server."""
    calls: list[tuple[Plan, dict[str, Any]]] = []

    def serve(plan: Plan, **options: Any) -> bool:
        calls.append((plan, options))
        return False

    monkeypatch.setattr(desk_server, "serve", serve)
    return calls


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------------ what is asked for
def test_by_default_it_is_the_made_up_desk_on_this_machine(
    horizon: Run, served: list[tuple[Plan, dict[str, Any]]]
) -> None:
    assert horizon("desk") == (0, "", "")
    ((plan, options),) = served
    assert plan == Plan()
    assert options == {"ip": "127.0.0.1", "port": None, "theme": "light", "opens": True}


def test_options_arrive(
    horizon: Run, served: list[tuple[Plan, dict[str, Any]]], tmp_path: Path
) -> None:
    write("bars.csv", BARS)
    code, _, err = horizon(
        *("desk", "--data", "bars.csv", "--market", "AAPL", "--speed", 60, "--cash", 2500),
        *("--fee-bps", 5, "--layout", "my.json", "--dark", "--no-browser", "--port", 9000),
        *("--ip", "0.0.0.0", "--column", "price=close"),
    )
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("AAPL: a share, since its id names nothing else and prices go above 1;")
    ((plan, options),) = served
    assert plan == Plan(
        data=str(tmp_path / "bars.csv"),
        market="AAPL",
        columns={"price": "close"},
        speed=60.0,
        cash=2500.0,
        fee_bps=5.0,
        layout=str(tmp_path / "my.json"),
        kinds={"AAPL": "Equity"},
    )
    assert options == {"ip": "0.0.0.0", "port": 9000, "theme": "dark", "opens": False}
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    "arguments",
    [
        ["--market", "AAPL"],
        ["--column", "price=mid"],
        ["--kind", "crypto"],
        ["--kind", "bond", "--data", "bars.csv"],
        ["--kind", "=perp", "--data", "bars.csv"],
        ["--kind", "perp", "--kind", "crypto", "--data", "bars.csv"],
        ["--column", "price", "--data", "bars.csv"],
        ["--dark", "--theme", "light"],
        ["--layout", "desk.txt"],
        ["--port", "70000"],
        ["--speed", "0"],
        ["--speed", "inf"],
        ["--data", "none.csv"],
    ],
)
def test_options_that_cannot_be(
    horizon: Run, served: list[tuple[Plan, dict[str, Any]]], arguments: list[str]
) -> None:
    write("bars.csv", BARS)
    code, _, err = horizon("desk", *arguments)
    assert code == 2
    assert len(err.splitlines()) == 2
    assert served == []


# ------------------------------------------------------------------------ found before
@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        ("date,mid\n2024-01-02,5\n", [], "has no column 'price'; it has 'date', 'mid'"),
        ("date,mid\n2024-01-02,5\n", [], "Say which is meant by --column price=COLUMN"),
        ("date,price\n2024-01-02,5\n2024-01-03,-1\n", [], "row 1: price must be a number from 0"),
        ("date,price\n2024-01-03,5\n2024-01-02,5\n", [], "row 1"),
        ("date,price\n", [], "data.csv has no row with a price: there is nothing to play"),
        ("a,b\n1,2\n1,2,3\n", [], "data.csv cannot be read: "),
        (
            "date,price\n2024-01-02,5\n",
            ["--kind", "prediction", "--market", "A"],
            "--kind prediction: a prediction market pays 1, and A has a price of 5",
        ),
        (
            "date,price\n2024-01-02,5\n",
            ["--kind", "equity", "--market", "BTC-PERP"],
            "--kind equity: BTC-PERP is a perpetual by its id",
        ),
        (
            "date,price\n2024-01-02,5\n",
            ["--kind", "B=equity", "--market", "A"],
            "--kind names 'B'; the data has A",
        ),
        (
            "date,price,market_id\n2024-01-02,5,A\n2024-01-02,5,BTC/USD\n",
            ["--kind", "equity"],
            "BTC/USD is a cryptocurrency by its id; for some markets only: --kind ID=KIND",
        ),
        ("date,price\n2024-01-02,5\n", ["--books"], "books must have a column 'bid_px_1'"),
        ("date,price,market_id\n2024-01-02,5,A\n", ["--market", "B"], "names its markets itself"),
    ],
)
def test_bad_data_is_told_before_anything_is_served(
    horizon: Run,
    served: list[tuple[Plan, dict[str, Any]]],
    text: str,
    arguments: list[str],
    says: str,
) -> None:
    write("data.csv", text)
    code, out, err = horizon("desk", "--data", "data.csv", *arguments)
    assert (code, out) == (1, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert served == []


def test_bad_layout_is_told_before_anything_is_served(
    horizon: Run, served: list[tuple[Plan, dict[str, Any]]]
) -> None:
    write("desk.json", "{}")
    for name, says in (("desk.json", "holds no layout"), ("none/desk.json", "in a folder that")):
        code, _, err = horizon("desk", "--layout", name)
        assert code == 1
        assert says in err
    assert served == []


def test_without_voila_it_says_what_to_install(
    horizon: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_server.importlib.util, "find_spec", lambda name: None)
    assert horizon("desk") == (
        1,
        "",
        "horizon: horizon desk needs voila: pip install 'horizon-workbench[desk]'\n",
    )


def test_port_that_is_taken(horizon: Run) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, out, err = horizon("desk", "--port", port, "--no-browser")
        assert (code, out) == (1, "")
        assert f"port {port} is taken; give another, or none for one that is free" in err
        # Without one that was asked for, the next is taken.
        with desk_server._listening("127.0.0.1", range(port, port + 20)) as found:
            assert found.getsockname()[1] in range(port + 1, port + 20)


def test_address_that_is_not_ours(horizon: Run) -> None:
    code, _, err = horizon("desk", "--ip", "192.0.2.1", "--port", 0, "--no-browser")
    assert code == 1
    assert "cannot listen on 192.0.2.1, port 0" in err


# ------------------------------------------------------------------------ the desk itself
def test_speed_of_a_file_is_two_rows_a_second(tmp_path: Path) -> None:
    daily, quick = tmp_path / "daily.csv", tmp_path / "quick.csv"
    daily.write_text(BARS)
    # A day in half a second.
    assert checked(Plan(data=str(daily))).speed == 172_800.0
    quick.write_text("ts,price\n0,0.5\n0.1,0.6\n0.2,0.5\n")
    assert checked(Plan(data=str(quick))).speed == 1.0
    assert checked(Plan(data=str(quick), speed=3.0)).speed == 3.0


def test_markets_are_what_their_ids_and_prices_say(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    frame = pd.DataFrame(
        {
            "ts": [0, 0, 0, 1, 1, 1],
            "market_id": ["rain", "AAPL", "BTC-PERP"] * 2,
            # Both begin at or below 1; one is odds, the other a share.
            "price": [0.4, 0.9, 0.5, 1.0, 1.1, 0.6],
        }
    )
    frame.to_csv(path, index=False)
    assert checked(Plan(data=str(path))).kinds == {
        "rain": "Prediction",
        "AAPL": "Equity",
        "BTC-PERP": "Perp",
    }


def test_what_markets_were_taken_for_is_told_with_the_reason(
    horizon: Run, served: list[tuple[Plan, dict[str, Any]]]
) -> None:
    names = ["AAPL", "BTC-PERP", "BTC-USD", "BTC/USD", "DOGE-USD", "SHIB-USD", "rain"]
    prices = [150.0, 60_000.0, 60_000.0, 60_000.0, 0.2, 0.1, 0.4]
    pd.DataFrame({"ts": 0, "market_id": names, "price": prices}).to_csv("many.csv", index=False)
    code, _, err = horizon("desk", "--data", "many.csv", "--kind", "DOGE-USD=crypto")
    assert code == 0
    share = "a share, since its id names nothing else and prices go above 1; if not so, give --kind"
    odds = "a prediction market, since all prices lie between 0 and 1; if not so, give --kind"
    assert err.splitlines() == [
        f"AAPL, BTC-USD: {share}.",
        "BTC-PERP: a perpetual, by its id.",
        "BTC/USD: a cryptocurrency, by its id.",
        "DOGE-USD: a cryptocurrency, by --kind.",
        f"SHIB-USD, rain: {odds}.",
    ]
    ((plan, _),) = served
    assert plan.kinds == dict(
        zip(
            names,
            ["Equity", "Perp", "Equity", "Crypto", "Crypto", "Prediction", "Prediction"],
            strict=True,
        )
    )


def test_kind_is_for_all_markets_that_are_not_named(
    horizon: Run, served: list[tuple[Plan, dict[str, Any]]]
) -> None:
    names = [f"COIN{n}" for n in range(10)]
    pd.DataFrame({"ts": 0, "market_id": names, "price": 0.5}).to_csv("many.csv", index=False)
    given = ("--kind", "Crypto", "--kind", "COIN9=perp")
    code, _, err = horizon("desk", "--data", "many.csv", *given)
    assert code == 0
    assert err.splitlines() == [
        f"{', '.join(names[:8])} and 1 more: a cryptocurrency, by --kind.",
        "COIN9: a perpetual, by --kind.",
    ]
    ((plan, _),) = served
    assert list(plan.kinds.values()) == ["Crypto"] * 9 + ["Perp"]


def test_desk_is_of_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(BARS)

    async def look(plan: Plan) -> dict[str, Any]:
        desk = make_desk(plan, play=False)
        try:
            venue = desk.ex.engine.venue
            return {
                "name": venue.name,
                "cash": desk.ex.balance().cash,
                "kinds": {m.id: m.asset_class for m in venue.account.markets.values()},
                "feeds": [(feed.name, feed.speed) for feed in desk.feeds],
            }
        finally:
            desk.close()

    plan = checked(Plan(data=str(path), market="AAPL", cash=50.0))
    assert asyncio.run(look(plan)) == {
        "name": "paper",
        "cash": 50.0,
        "kinds": {"AAPL": AssetClass.Equity},
        "feeds": [("bars.csv", 172_800.0)],
    }
    made_up = asyncio.run(look(Plan(speed=5.0)))
    assert [speed for _, speed in made_up["feeds"]] == [5.0] * 3
    books = asyncio.run(look(Plan(books=True, market="snow", cash=7.0)))
    assert (books["name"], books["cash"], books["feeds"]) == ("book", 7.0, [("snow", 1.0)])


def test_recorded_books_are_replayed(tmp_path: Path) -> None:
    path = tmp_path / "books.csv"
    path.write_text(
        "timestamp,bid_px_1,bid_sz_1,ask_px_1,ask_sz_1\n0,99.5,10,100.5,5\n60,99,10,100,5\n"
    )
    plan = checked(Plan(data=str(path), books=True, market="ACME"))
    assert (plan.kinds, plan.speed) == ({"ACME": "Equity"}, 120.0)


@pytest.mark.parametrize("books", [False, True], ids=["rows", "books"])
def test_desk_of_a_file_lives_in_the_time_of_the_file(tmp_path: Path, books: bool) -> None:
    """1.5 billion seconds is 14 July 2017, 02:40 UTC; the rows are a minute apart."""
    path = tmp_path / "old.csv"
    if books:
        head, levels = "timestamp,bid_px_1,bid_sz_1,ask_px_1,ask_sz_1", ",99.5,10,100.5,5"
    else:
        head, levels = "timestamp,bid,ask", ",99.5,100.5"
    rows = [f"{1_500_000_000 + 60 * row}{levels}" for row in range(3)]
    path.write_text("\n".join([head, *rows]) + "\n")

    minute = datetime(2017, 7, 14, 2, 41, tzinfo=UTC)

    async def look(plan: Plan) -> None:
        desk = make_desk(plan, play=False)
        ex, (feed,) = desk.ex, desk.feeds
        try:
            assert ex.time == 1_500_000_000.0  # before a row was sent
            assert await feed.play(ex, speed=float("inf"), n=2) == 2
            order = ex.buy("ACME", 1, market=True)
            # Between two rows it is the time of the last one.
            assert (ex.time, order.submitted_at) == (1_500_000_060.0, minute)
            # A second pass goes on from there: what was done cannot be taken back.
            assert await feed.play(ex, speed=float("inf")) == 3
            assert ex.time == 1_500_000_180.0
            assert [fill.timestamp for fill in ex.fills()] == [1_500_000_060.0]
        finally:
            desk.close()

    asyncio.run(look(checked(Plan(data=str(path), market="ACME", books=books))))


def test_page_says_why_there_is_no_desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that has gone since the server began."""
    shown: list[str] = []
    monkeypatch.setenv(VARIABLE, Plan(data=str(tmp_path / "<gone>.csv")).to_json())
    monkeypatch.setattr("IPython.display.display", lambda made: shown.append(made.data))
    assert desk_page.open_desk() is None
    assert "The desk could not be opened: data: there is no file" in shown[0]
    assert "&lt;gone&gt;" in shown[0]
    assert "<gone>" not in shown[0]


def test_notebook_and_template_are_in_the_package() -> None:
    folder = Path(hz.__file__).parent / "cli" / "jupyter"
    notebook = json.loads((folder / "desk.ipynb").read_text(encoding="utf-8"))
    assert notebook["metadata"]["title"] == "Horizon"
    assert [cell["outputs"] for cell in notebook["cells"]] == [[]]
    template = folder / "voila" / "templates" / "horizon"
    for name in ("conf.json", "index.html.j2", "spinner.macro.html.j2"):
        text = (template / name).read_text(encoding="utf-8")
        assert "http" not in text  # nothing is asked of other hosts


def test_import_of_horizon_brings_no_command_line() -> None:
    code = "import horizon, sys; print('horizon.cli' in sys.modules, 'click' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False False\n"


def test_kernel_that_no_page_comes_back_to_ends() -> None:
    since: dict[str, float] = {}

    def look(now: float, **connections: int) -> list[str]:
        models = [{"id": name, "connections": count} for name, count in connections.items()]
        return desk_server.abandoned(models, since, now)

    assert look(0.0, a=1, b=0) == []
    assert look(599.0, a=0, b=0) == []
    assert look(600.0, a=0, b=0) == ["b"]
    assert look(700.0, a=1) == []  # it has come back, and b has gone
    assert since == {}
    assert look(1_300.0, a=0) == []
    assert look(1_900.0, a=0) == ["a"]
