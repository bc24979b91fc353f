"""The desk: what it is made of, and what it stops when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances

import horizon as hz
from horizon import Market, Prediction
from horizon.feeds import Replay, Synthetic
from horizon.widgets import PANELS, Palette, Workbench, workbench
from horizon.widgets import live as live_module
from horizon.widgets.chart import PriceChart
from horizon.widgets.face import Face
from horizon.widgets.ladder import BookLadder
from tests.widgets.notebook import (
    Page,
    account,
    do,
    in_a_notebook,
    passing,
    timers,
    turns,
)
from tests.widgets.tickets import confirm, edit, preview


def rows(*times: float, market: str = "ACME") -> Replay:
    prices = [float(i + 1) for i in range(len(times))]
    return Replay({"ts": list(times), "price": prices}, market_id=market)


def acme() -> hz.ImperativeClient:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    return ex


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Say which cell runs now, and which run of it this is."""

    def run(name: str, number: str) -> None:
        monkeypatch.setattr(live_module, "_cell", lambda: (name, number))

    return run


# ------------------------------------------------------------------------- what it is
@in_a_notebook
async def test_a_desk_of_its_own_has_money_and_markets_that_tick() -> None:
    own = workbench()
    assert own.ex.balance().cash == 100_000.0
    assert len(own.feeds) == 3
    await passing(2.2)  # a row at 0, 0.5, 1.0, 1.5 and 2.0
    assert [feed.position for feed in own.feeds] == [5, 5, 5]
    names = [row["cells"][0] for row in own.panel("prices").shown["rows"]]
    assert names == [feed.name for feed in own.feeds]
    assert all(own.ex.engine.venue.market(name).asset_class is Prediction for name in names)
    assert own.panel("ticket").shown["values"]["market"] == names[0]
    assert own.panel("chart").market == names[0]
    assert "PAPER" in str(own.panel("ticket").shown) or "PAPER" in str(own._faces()[0].shown)


@in_a_notebook
async def test_an_account_that_is_given_is_left_to_its_own_ticks() -> None:
    ex = acme()
    given = workbench(ex)
    assert given.ex is ex
    assert (given.feeds, given.deck) == ((), None)
    ex.tick("ACME", 101.0, 1.0)
    await passing(0.3)
    assert given.panel("prices").shown["rows"][0]["cells"][1] == "101.00"


@in_a_notebook
async def test_prices_of_the_made_up_markets_lie_on_their_grid_between_bid_and_ask() -> None:
    own = workbench(play=False)
    for feed in own.feeds:
        for row in islice(feed, 5_000):
            ticks = [round(price * 1_000) / 1_000 for price in (row.bid, row.price, row.ask)]
            assert [row.bid, row.price, row.ask] == ticks
            assert row.bid < row.price < row.ask


@in_a_notebook
async def test_all_of_a_desk_on_books_calls_the_price_by_one_name() -> None:
    ex = hz.connect("book", clock=lambda: 0.0)
    ex.declare(Market("rain", Prediction, tick_size=0.01))
    ex.take_book("rain", [(0.40, 5.0)], [(0.44, 3.0)], 0.0, trade=0.40)
    desk = workbench(ex)
    prices = desk.panel("prices").shown
    # The mid is no trade: the ladder tells the last one apart from it.
    assert [prices["columns"][1]["label"], prices["rows"][0]["cells"][1]] == ["Mark, USD", "0.420"]
    assert ["Mark", "0.42"] in desk.panel("ticket").shown["quote"]
    assert desk.panel("chart").shown["y"][3] == "Mark of YES, USD"
    ladder = dict(desk.panel("book").shown["facts"])
    assert (ladder["Mid, USD"], ladder["Last, USD"]) == ("0.42", "0.40")


@in_a_notebook
async def test_ticket_chart_and_book_begin_with_one_market() -> None:
    def begin(desk: Workbench) -> set[str | None]:
        ticket, chart, book = (desk.panel(name) for name in ("ticket", "chart", "book"))
        found = {ticket.shown["values"]["market"], chart.market, book.market}
        desk.close()
        return found

    # What a feed will bring first.
    books = hz.connect("book", clock=lambda: 0.0)
    assert begin(workbench(books, hz.feeds.SyntheticBooks(1, market_id="rain"))) == {"rain"}
    assert begin(workbench(account(), rows(0, 10, market="A"), play=False)) == {"A"}
    assert begin(workbench(acme(), rows(0, 10, market="B"), play=False)) == {"B"}
    # The first of an account that has a price; one that was only declared has none.
    ex = account()
    ex.declare(hz.Market("later", hz.Equity))
    assert begin(workbench(ex)) == {"", None}
    ex.tick("ACME", 100.0, 0.0)
    ex.tick("other", 5.0, 0.0)
    assert begin(workbench(ex)) == {"ACME"}


@in_a_notebook
async def test_a_ticket_knows_what_the_market_of_a_book_feed_is_before_it_plays() -> None:
    ex = hz.connect("book", clock=lambda: 0.0)
    feed = hz.feeds.SyntheticBooks(1, market_id="rain")
    ticket = workbench(ex, feed, play=False).panel("ticket")
    assert ex.engine.venue.market("rain").asset_class is Prediction
    assert "Quantity, contracts" in [field["label"] for field in ticket.shown["fields"]]
    assert "outcome" in [field["name"] for field in ticket.shown["fields"]]


@in_a_notebook
async def test_a_desk_that_begins_with_a_no_side_has_a_ticket_for_it() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    desk = workbench(ex, market="rain:no")
    values = desk.panel("ticket").shown["values"]
    assert (values["market"], values["outcome"], desk.panel("book").market) == (
        *("rain", "no", "rain:no"),
    )


@in_a_notebook
async def test_a_market_that_nothing_here_will_ever_know_is_refused() -> None:
    own = "market must be one that is known here: 'rain-tomorrow', 'rate-cut-in-june', 'home-win'"
    with pytest.raises(ValueError, match=own):
        workbench(market="nope")
    with pytest.raises(ValueError, match=r"'hoem-win'\. Did you mean 'home-win'\? One whose"):
        workbench(market="hoem-win")
    ex = acme()
    with pytest.raises(ValueError, match=r"known here: 'ACME'; was 'nope'.*ex\.declare"):
        workbench(ex, market="nope")
    assert ex.is_connected
    # What a feed brings is known, though no row of it has come.
    with pytest.raises(ValueError, match="known here: 'ACME', 'B'; was 'C'"):
        workbench(ex, rows(0, 10, market="B"), market="C")
    workbench(ex, rows(0, 10, market="B"), market="B").close()
    ex.declare(hz.Market("C", hz.Prediction))
    workbench(ex, market="C:no").close()

    # A fresh account takes any name, and so does a feed that does not say what it brings.
    workbench(account(), market="whatever").close()

    class Mute(hz.feeds.Feed):
        total = 1

        def batches(self) -> Any:
            yield [("C", 0, 1.0, *(None,) * 8)]

    workbench(acme(), Mute(name="mute"), market="C").close()


@pytest.mark.parametrize("layout", [[], [[]], ()])
@in_a_notebook
async def test_a_layout_without_a_panel_is_refused(layout: Any) -> None:
    with pytest.raises(ValueError, match="layout must place at least one panel, placed none"):
        workbench(layout=layout)


@in_a_notebook
async def test_a_desk_whose_panels_were_all_hidden_can_be_had_again() -> None:
    ex = acme()
    desk = workbench(ex, panels=["orders"])
    desk.layout = {"columns": [], "hidden": ["orders"]}
    kept = desk.layout
    desk.close()
    assert workbench(ex, panels=["orders"], layout=kept).layout == kept


@in_a_notebook
async def test_given_feeds_play_to_the_account() -> None:
    ex = account()
    feeds = [rows(0, 10, market="A"), rows(0, 10, market="B")]
    given = workbench(ex, feeds, market="B")
    assert given.feeds == tuple(feeds)
    await passing(0.5)
    assert [feed.position for feed in feeds] == [1, 1]
    assert given.panel("chart").market == "B"
    await given.done()
    assert [feed.status for feed in feeds] == ["done", "done"]


@in_a_notebook
async def test_a_feed_for_an_account_of_its_own() -> None:
    own = workbench(None, Synthetic(7, market_id="rain", start=0.4))
    await passing(0.5)
    assert own.ex.quote("rain").price == 0.4
    assert own.panel("ticket").shown["values"]["market"] == "rain"


@in_a_notebook
async def test_the_feed_may_wait_for_its_button() -> None:
    own = workbench(play=False)
    await passing(5.0)
    assert {feed.status for feed in own.feeds} == {"idle"}
    await do(own.deck, "play")
    assert {feed.status for feed in own.feeds} == {"playing"}


@in_a_notebook
async def test_every_panel_is_there_by_its_name() -> None:
    own = workbench(play=False)
    assert [type(own.panel(name)).__name__ for name in PANELS] == [
        *("OrderTicket", "Balance", "PriceChart", "BookLadder", "Prices", "AlgoMonitor"),
        "Positions",
        *("Orders", "Fills", "Blotter"),
    ]
    with pytest.raises(ValueError, match=r"name must be one of 'ticket', .*was 'tape'"):
        own.panel("tape")
    with pytest.raises(ValueError, match="name must be one of 'orders'; was 'ticket'"):
        workbench(acme(), panels=["orders"]).panel("ticket")


@pytest.mark.parametrize("name", PANELS)
@in_a_notebook
async def test_one_panel_is_enough(name: str) -> None:
    own = workbench(acme(), panels=[name])
    assert list(own._parts) == [name]
    assert len(own._faces()) == 2
    await passing(0.3)
    assert [face.ended for face in own._faces()] == ["", ""]


@in_a_notebook
async def test_panels_stand_in_their_order_and_once() -> None:
    own = workbench(acme(), panels=iter(["fills", "ticket", "fills", "chart"]))
    assert list(own._parts) == ["ticket", "chart", "fills"]
    assert list(workbench(acme(), panels=[])._parts) == []


@in_a_notebook
async def test_one_face_says_how_things_stand_for_all() -> None:
    own = workbench(acme(), rows(0, 1), play=False)
    assert [face.quiet for face in own._faces()].count(False) == 1


@in_a_notebook
async def test_the_palette_is_that_of_every_part() -> None:
    own = workbench(acme(), palette=Palette("#111111", "#222222"))
    assert {face.colours["light"]["buy"] for face in own._faces()} == {"#111111"}


@in_a_notebook
async def test_it_shows_itself_as_a_widget_and_in_words() -> None:
    own = workbench(acme())
    bundle = own._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == (
        "<Workbench on paper, live; a cell with its name alone shows it, its own cell begins anew>"
    )
    own.close()
    assert repr(own) == "<Workbench on paper, ended: it was closed; run its cell to use it>"
    assert own._repr_html_().startswith("<code>&lt;Workbench on paper, ended")


# ------------------------------------------------------------------------- wrong arguments
@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"ex": 5}, TypeError, "ex must be a client"),
        ({"ex": "paper"}, TypeError, "ex must be a client"),
        ({"feed": 5}, TypeError, r"feed must be a feed such as hz.feeds.Replay\(data\), was 5"),
        ({"feed": ["x"]}, TypeError, "feed must hold feeds"),
        ({"feed": []}, ValueError, "feed must hold one feed or more"),
        ({"market": 5}, TypeError, "market must be text"),
        ({"market": ""}, ValueError, "market must have 1 to 256 characters"),
        ({"market": "a\nb"}, ValueError, "market must not contain control characters"),
        ({"play": "yes"}, TypeError, "play must be True or False"),
        ({"play": 1}, TypeError, "play must be True or False"),
        ({"panels": "ticket"}, TypeError, "panels must be a list of names"),
        ({"panels": 5}, TypeError, "panels must be a list of names"),
        ({"panels": ["tiket"]}, ValueError, "panels must be one of .*Did you mean 'ticket'"),
        ({"panels": [5]}, TypeError, "panels must be one of"),
        ({"palette": "blue"}, ValueError, "palette must be one of"),
        ({"palette": 5}, TypeError, "palette must be one of"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
@in_a_notebook
async def test_a_wrong_argument_is_named_and_nothing_is_left(
    arguments: dict[str, Any], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        workbench(**arguments)
    await passing(1.0)
    assert await timers() == 0


@in_a_notebook
async def test_an_unknown_keyword_and_a_closed_account_are_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'pannels'"):
        workbench(pannels=["ticket"])  # type: ignore[call-arg]
    ex = acme()
    ex.close()
    with pytest.raises(hz.VenueError, match="closed"):
        workbench(ex)


def test_without_a_notebook_it_says_what_it_needs() -> None:
    with pytest.raises(RuntimeError, match="needs a running event loop"):
        workbench()


@in_a_notebook
async def test_a_part_that_cannot_be_made_leaves_no_other_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object, **__: object) -> Face:
        raise LookupError("no such part")

    monkeypatch.setattr("horizon.widgets.desk.assembly.Fills", fails)
    ex = acme()
    feed = rows(0, 10)
    with pytest.raises(LookupError, match="no such part"):
        workbench(ex, feed)
    await passing(1.0)
    assert await timers() == 0
    assert ex.engine.venue.apply is ex.engine.venue.account
    assert (feed.status, ex.is_connected) == ("idle", True)


# ------------------------------------------------------------------------- data
@in_a_notebook
async def test_frames_follow_the_account_and_stay_after_the_end() -> None:
    own = workbench(play=False)
    name = own.feeds[0].name
    assert list(own.orders.index) == []
    own.ex.tick(name, 0.4)
    own.ex.buy(name, 10, market=True)
    own.ex.buy(name, 5, limit=0.2)
    assert list(own.orders["status"]) == ["filled", "new"]
    assert list(own.fills["quantity"]) == [10.0]
    assert list(own.positions.index) == [name]
    own.close()
    assert list(own.orders["status"]) == ["filled", "new"]
    mine = own.orders
    mine["status"] = "mine"  # a copy: the desk keeps what it saw
    assert list(own.orders["status"]) == ["filled", "new"]
    assert (len(own.fills), len(own.positions)) == (1, 1)


@in_a_notebook
async def test_frames_of_a_given_account_go_on_with_it() -> None:
    ex = acme()
    given = workbench(ex)
    ex.buy("ACME", 1, limit=99.0)
    given.close()
    ex.buy("ACME", 2, limit=99.0)
    assert list(given.orders["quantity"]) == [1.0, 2.0]


# ------------------------------------------------------------------------- its end
@in_a_notebook
async def test_close_stops_all_that_the_desk_has_begun() -> None:
    own = workbench()
    await passing(0.3)
    pages = [Page(face) for face in own._faces()]
    own.close()
    own.close()
    await passing(5.0)
    assert own.is_closed
    assert {face.ended for face in own._faces()} == {"it was closed"}
    assert {feed.status for feed in own.feeds} == {"stopped"}
    assert not own.ex.is_connected
    assert await timers() == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for page in pages:  # a last picture perhaps, and then the end
        assert [*page.updates[-1]] == ["ended"]
        assert sum("ended" in update for update in page.updates) == 1
    assert own.ex.engine.venue.apply is own.ex.engine.venue.account


@in_a_notebook
async def test_close_cancels_the_algorithms_of_its_ticket_and_no_other() -> None:
    ex = acme()
    elsewhere = ex.twap("ACME", 10, duration_secs=60, num_slices=2)
    given = workbench(ex)
    await preview(given.panel("ticket"), market="ACME", order="twap", quantity="100")
    await confirm(given.panel("ticket"))
    ex.tick("ACME", 100.0, 1.0)
    mine = ex.algo_history[-1]
    given.close()
    assert (mine.status, elsewhere.status) == ("canceled", "running")
    assert [order.metadata["intent"] for order in ex.open_orders()] == ["algo a1"]
    assert ex.is_connected


@in_a_notebook
async def test_a_listener_that_fails_does_not_keep_the_desk_from_closing() -> None:
    ex = acme()
    given = workbench(ex)
    for _ in range(2):
        await preview(given.panel("ticket"), market="ACME", order="twap", quantity="100")
        await confirm(given.panel("ticket"))

    def fails(progress: Any) -> None:
        if progress.is_done:
            raise ValueError("the listener's own")

    ex.algos[0].subscribe(fails)
    with pytest.raises(ValueError, match="the listener's own"):
        given.close()
    assert given.is_closed
    assert [algo.status for algo in ex.algo_history] == ["canceled", "canceled"]


@in_a_notebook
async def test_a_given_account_stays_open_with_its_orders() -> None:
    ex = acme()
    given = workbench(ex)
    await preview(given.panel("ticket"), market="ACME", quantity="10", limit="99")
    await confirm(given.panel("ticket"))
    given.close()
    assert ex.is_connected
    assert [order.id for order in ex.open_orders()] == ["p1"]
    ex.tick("ACME", 99.0, 1.0)
    assert ex.balance().cash == 100_000.0 - 990.0


@in_a_notebook
async def test_a_click_on_no_turns_nothing_that_shows_its_market_to_yes() -> None:
    markets = [Market(name, Prediction, tick_size=0.01) for name in ("rain", "snow")]
    ex = hz.connect("book", markets=markets, clock=lambda: 0.0)
    for name in ("rain", "snow"):
        ex.take_book(name, [(0.40, 5.0)], [(0.45, 3.0)], 0.0)
    desk = workbench(ex, market="snow", panels=["ticket", "chart", "book"])
    ladder, ticket, chart = (desk.panel(name) for name in ("book", "ticket", "chart"))
    assert isinstance(ladder, BookLadder)
    assert isinstance(chart, PriceChart)
    # YES is bid at 0.40, so NO is asked at 0.60 and bid at 0.55.
    ladder.show("rain:no")
    await turns()
    for _ in range(2):  # a second click on the same place means the same
        await do(ladder, "price", row="55", side="buy", take=False, of=["rain", "no", "1"])
        form = ticket.shown["values"]
        assert [form[name] for name in ("market", "outcome", "side", "limit")] == [
            *("rain", "no", "buy", "0.55"),
        ]
        assert (ladder.market, ladder.shown["error"]) == ("rain:no", None)
    # The chart takes prices of NO as well; the ladder comes along to that side.
    ladder.show("snow")
    await edit(ticket, market="snow")
    chart.show("rain")
    await do(chart, "side", side="no")
    await do(chart, "price", price=0.55, market="rain", side="no")
    assert (ladder.market, chart.market, chart.shown["side"]) == ("rain:no", "rain", "no")
    # A market that is written into the ticket comes with YES.
    await edit(ticket, market="snow")
    assert (ladder.market, chart.market) == ("snow", "snow")
    desk.close()


@in_a_notebook
async def test_a_cell_that_is_run_again_ends_its_former_desk(
    cell: Callable[[str, str], None],
) -> None:
    ex = acme()
    feed = rows(0, 10, 20)
    cell("here", "1")
    first = workbench(ex, feed)
    await preview(first.panel("ticket"), market="ACME", order="twap", quantity="100")
    await confirm(first.panel("ticket"))
    cell("there", "2")
    beside = workbench(ex, panels=["orders"])
    cell("here", "3")
    await passing(0.5)
    again = workbench(ex, rows(0, 10, 20))
    await turns()
    assert first.is_closed
    assert {face.ended for face in first._faces()} == {"its cell was run again"}
    assert feed.status == "stopped"
    assert not beside.is_closed
    assert {face.ended for face in again._faces()} == {""}
    # The work goes on: what an account does is not the cell's.
    assert [algo.status for algo in ex.algos] == ["running"]
    assert ex.is_connected


@in_a_notebook
async def test_a_former_desk_s_own_account_is_closed_with_it(
    cell: Callable[[str, str], None],
) -> None:
    cell("here", "1")
    first = workbench()
    await passing(0.5)
    cell("here", "2")
    again = workbench()
    await passing(0.5)
    assert (first.ex.is_connected, again.ex.is_connected) == (False, True)
    assert {feed.status for feed in first.feeds} == {"stopped"}
    assert {feed.status for feed in again.feeds} == {"playing"}
    assert len(first.orders) == 0


@in_a_notebook
async def test_a_wrong_argument_in_a_cell_that_is_run_again_leaves_its_desk_alone(
    cell: Callable[[str, str], None],
) -> None:
    cell("here", "1")
    first = workbench(acme())
    cell("here", "2")
    with pytest.raises(ValueError, match="palette"):
        workbench(acme(), palette="blue")
    assert not first.is_closed


@in_a_notebook
async def test_a_part_that_fails_ends_alone_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    own = workbench(acme())

    def fails(_: object) -> None:
        raise ArithmeticError("no balance")

    monkeypatch.setattr(type(own.panel("balance")), "picture", fails)
    await passing(0.5)
    assert own.panel("balance").ended.startswith("an error stopped it")
    assert not own.panel("balance").quiet  # the head does not speak for it any more
    others = [face for face in own._faces() if face is not own.panel("balance")]
    assert {face.ended for face in others} == {""}


@in_a_notebook
async def test_a_part_whose_last_picture_fails_keeps_nothing_from_ending(
    monkeypatch: pytest.MonkeyPatch, cell: Callable[[str, str], None]
) -> None:
    cell("here", "1")
    own = workbench()
    await passing(0.5)

    def fails(_: object) -> None:
        raise ArithmeticError("no balance")

    monkeypatch.setattr(type(own.panel("balance")), "picture", fails)
    cell("here", "2")
    again = workbench(acme(), panels=["orders"])
    assert own.is_closed
    assert all(face.ended for face in own._faces())
    assert not own.ex.is_connected
    assert not again.is_closed
    monkeypatch.undo()


@in_a_notebook
async def test_the_chart_follows_the_market_of_the_ticket() -> None:
    ex = acme()
    ex.tick("other", 5.0, 0.0)
    own = workbench(ex, market="ACME")
    assert own.panel("chart").market == "ACME"
    await edit(own.panel("ticket"), market="other")
    assert own.panel("chart").market == "other"
    await edit(own.panel("ticket"), market="nothing")
    assert own.panel("chart").market == "other"


@in_a_notebook
async def test_a_closed_account_ends_its_desk() -> None:
    ex = acme()
    own = workbench(ex)
    ex.close()
    await passing(0.5)
    assert own.is_closed
    assert (
        repr(own) == "<Workbench on paper, ended: its account was closed; run its cell to use it>"
    )
    own.close()


@in_a_notebook
async def test_an_ended_desk_that_nobody_sees_is_given_back_whole() -> None:
    own = workbench()
    await passing(0.3)
    own.close()
    before = len(_instances)
    # What stands behind another panel was never on the page, and goes all the same.
    faces = [*own._faces(), own._dock]
    await do(own._dock, "left")
    await passing(6.0)
    assert all(face.comm is None for face in faces)
    # Each had a layout.
    assert len(_instances) <= before - 2 * len(faces)
    assert own._repr_mimebundle_() == {"text/plain": repr(own)}
    assert len(own.orders) == 0


@in_a_notebook
async def test_an_error_of_the_desk_is_shown_at_its_head() -> None:
    own = workbench(acme())
    own.fail(ValueError("the desk's own"))
    assert own._faces()[0].shown["error"] == "the desk's own"
    own.broken(ValueError("another"))
    assert own._faces()[0].shown["error"] == "another"
    assert not own.is_closed
    assert isinstance(own, Workbench)
