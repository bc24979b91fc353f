"""The blotter: every order, fill and position of an account in one grid.

Ten thousand rows do not fit into a picture ten times a second. So each row has a version, a page
says up to which it knows a table, and the kernel sends what has changed since, in pieces. The
texts of a row are made when it is sent, and not before.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from horizon import checks, words
from horizon.widgets.access import client_of, text_of, venue_of
from horizon.widgets.blotter.described import (
    MOST,
    counted,
    describe,
    names_of,
    numbers_of,
    usual_columns,
)
from horizon.widgets.blotter.files import FORMATS, as_csv, as_frame, as_json, file_name
from horizon.widgets.blotter.grid import GRID, require_grid
from horizon.widgets.blotter.orders import OrderSheet
from horizon.widgets.blotter.sheets import FillSheet, PositionSheet, Sheet
from horizon.widgets.face import Face, Verb
from horizon.widgets.palette import Palette
from horizon.widgets.row_words import ended_words, say_refused

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "Blotter"]

_SHEETS: Final[Mapping[str, type[Sheet[Any]]]] = {
    sheet.name: sheet for sheet in (OrderSheet, FillSheet, PositionSheet)
}
#: The tables of a blotter, in the order of their tabs.
TABLES: Final = tuple(_SHEETS)
_DENSITIES: Final = {"compact": "Compact rows", "roomy": "Roomy rows"}
#: Rows that are written and sent at once; the rest follows with the next paints.
_PIECE: Final = 1_000
#: A message of more rows is packed.
_BARE: Final = 60


class Blotter(Face):
    """Orders, fills and positions of an account, to be sorted, filtered, acted on and exported.

    Each table is a tab. A click on a heading sorts by true values, Shift and a click by a further
    column. Filters stand under the headings, and one over all: texts by what they contain,
    numbers by ``>100``, ``<=0.5``, ``10..20`` or what they contain. Rows are cancelled, amended
    and flattened where they stand, and many at once when they were selected or filtered. While
    the pointer is over the rows, none moves: what is new waits.

    Parameters
    ----------
    ex : ImperativeClient, Engine or RunHandle
        The account. A run's blotter stays readable after its end.
    tabs : iterable of str
        Which tables, and in what order: ``"orders"``, ``"fills"``, ``"positions"``.
    columns : mapping of str to iterable of str, optional
        By table, the names of the columns to show; the page's user can change it. Left out, the
        usual ones.
    density : {"compact", "roomy"}
        How high rows are.
    visible_rows : int
        How many rows are seen without scrolling, where the page leaves the height open.
    most : int
        Rows of a table that are kept, the newest; open orders are kept besides. At most 25,000.
    on_amend : callable, optional
        Called with an order's id when its button "Amend" is pressed; without it there is none.
    palette : str or Palette
        Colours of buying and selling.

    Raises
    ------
    ModuleNotFoundError
        If the package that the grid comes with is not installed.
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    In a notebook, ``hz.widgets.Blotter(ex)`` as the last line of a cell shows it.

    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> _ = ex.tick("ACME", 10.0, 0.0)
    >>> order = ex.buy("ACME", 100, market=True)
    >>> blotter = hz.widgets.Blotter(ex, tabs=["orders", "fills"])
    >>> print(blotter.frame("fills")[["market_id", "quantity", "price"]].to_string(index=False))
    market_id  quantity  price
         ACME     100.0   10.0
    >>> blotter.close()
    """

    script = (
        "library.js",
        "blotter_rows.js",
        "blotter_cells.js",
        "blotter_keys.js",
        "blotter_view.js",
        "blotter_grid.js",
        "blotter.js",
    )
    style = ("blotter.css",)
    private: ClassVar[frozenset[str]] = frozenset(
        {"library", "rows", "export", "columns", "density"}
    )
    risky: ClassVar[frozenset[str]] = frozenset({"flatten", "flatten many", "flatten all"})
    #: Verbs that a page may ask for after the end: it still shows, sorts and exports what was.
    lasting: ClassVar[frozenset[str]] = frozenset({"library", "rows", "export"})

    def __init__(
        self,
        ex: object,
        *,
        tabs: Iterable[str] = TABLES,
        columns: Mapping[str, Iterable[str]] | None = None,
        density: str = "compact",
        visible_rows: int = 12,
        most: int = 20_000,
        on_amend: Callable[[str], object] | None = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._ex = client_of(ex)
        venue_of(self._ex)
        chosen = names_of("tabs", tabs, TABLES)
        if not chosen:
            raise ValueError("tabs must name at least one table, named none")
        most = checks.integer("most", most)
        if most > MOST:
            raise ValueError(f"most must be at most {MOST:,}, was {most:,}")
        self._sheets = {name: _SHEETS[name](most) for name in chosen}
        self._columns = {name: usual_columns(sheet) for name, sheet in self._sheets.items()}
        if columns is not None:
            self._columns |= self._checked_columns(columns)
        self._density = checks.one_of("density", density, tuple(_DENSITIES))
        self._visible_rows = checks.integer("visible_rows", visible_rows, least=3)
        if on_amend is not None and not callable(on_amend):
            raise TypeError(f"on_amend must be callable, was {checks.show(on_amend)}")
        self._on_amend = on_amend
        # Up to which version the pages that know least have been told.
        self._told: dict[str, int] = {}
        self._said = (0, "")
        require_grid()
        GRID.prepare()
        super().__init__(palette=palette)

    # ------------------------------------------------------------------ as arguments
    @property
    def on_amend(self) -> Callable[[str], object] | None:
        """What is called with an order's id by its button "Amend"; None is no button."""
        return self._on_amend

    @on_amend.setter
    def on_amend(self, call: Callable[[str], object] | None) -> None:
        if call is not None and not callable(call):
            raise TypeError(f"on_amend must be callable, was {checks.show(call)}")
        if (call is None) is not (self._on_amend is None) and "orders" in self._sheets:
            self._sheets["orders"].store.touch()
        self._on_amend = call

    def _checked_columns(self, columns: object) -> dict[str, tuple[str, ...]]:
        if not isinstance(columns, Mapping):
            raise TypeError(
                f"columns must map a table to the names of columns, was {checks.show(columns)}"
            )
        chosen = {}
        for table, names in columns.items():
            sheet = self._sheet("columns", table)
            known = tuple(column.name for column in sheet.columns)
            picked = names_of(f"columns[{table!r}]", names, known)
            if not picked:
                raise ValueError(f"columns[{table!r}] must name at least one column, named none")
            chosen[sheet.name] = tuple(name for name in known if name in picked)
        return chosen

    def _sheet(self, argument: str, table: object) -> Sheet[Any]:
        return self._sheets[checks.one_of(argument, table, tuple(self._sheets))]

    # ------------------------------------------------------------------ data
    def frame(self, table: str) -> pd.DataFrame:
        """Return one table's values as a frame: all rows that the blotter keeps.

        Parameters
        ----------
        table : {"orders", "fills", "positions"}

        Returns
        -------
        pandas.DataFrame
            Indexed by order id, fill id or market id, oldest first. Times are UTC. Numbers are
            as the account has them; what is missing is NaN or None.

        Raises
        ------
        ValueError
            If the blotter has no such tab.
        """
        sheet = self._sheet("table", table)
        if not self.ended:
            self._look()
        store = sheet.store
        found = (store.get(number) for number in store.numbers())
        return as_frame(sheet.fields, [sheet.record(row) for row in found if row is not None])

    # ------------------------------------------------------------------ paint
    def paint(self) -> None:
        """Look at the account, send the picture, and what pages have not been told yet."""
        if self.ended:
            return
        self._look()
        super().paint()
        # With the last paint all that is left must go.
        self._tell(everything=bool(self.ended))

    def _look(self) -> None:
        venue = self._ex.engine.venue
        with venue.lock:
            for sheet in self._sheets.values():
                sheet.look(venue.account)

    def _tell(self, *, everything: bool = False) -> None:
        for name in self._told:
            sheet = self._sheets[name]
            while self._told[name] < sheet.store.version:
                self._send_piece(sheet)
                if not everything:
                    break

    def _send_piece(self, sheet: Sheet[Any]) -> None:
        diff = sheet.store.since(self._told[sheet.name], _PIECE)
        self._told[sheet.name] = diff.end
        message: dict[str, Any] = {
            "rows": sheet.name,
            "from": diff.start,
            "to": diff.end,
            "newest": sheet.store.version,
            "whole": diff.is_whole,
            "gone": diff.gone,
        }
        written = [self._written(sheet, number, row) for number, row in diff.rows]
        if len(written) <= _BARE:
            self.send({**message, "data": written})
            return
        packed = zlib.compress(json.dumps(written, separators=(",", ":")).encode(), 1)
        self.send(message, buffers=[packed])

    def _written(self, sheet: Sheet[Any], number: int, row: Any) -> list[Any]:
        """A row for the page: number, group, whether it is over, cells, buttons."""
        actions = sheet.actions(row, can_amend=self._on_amend is not None)
        return [number, sheet.group_of(row), sheet.is_over(row), sheet.cells(row), actions]

    def picture(self) -> dict[str, Any]:
        """The tabs, their columns and counts; the rows come by themselves."""
        currency = words.name(self._ex.engine.venue.currency)
        return {
            "name": "Blotter",
            "library": GRID.key,
            "tables": [
                describe(sheet, self._columns[sheet.name], currency)
                for sheet in self._sheets.values()
            ],
            "density": self._density,
            "densities": [[name, label] for name, label in _DENSITIES.items()],
            "visible": self._visible_rows,
            "amends": self._on_amend is not None,
            "said": {"number": self._said[0], "text": self._said[1]},
        }

    # ------------------------------------------------------------------ what the page asks
    def verbs(self) -> dict[str, Verb]:
        """Rows, files, and what changes the account."""
        return {
            "library": GRID.sender(self),
            "rows": self._take_request,
            "columns": self._choose_columns,
            "density": self._choose_density,
            "export": self._export,
            "cancel": self._cancel,
            "cancel many": self._cancel_many,
            "amend": self._amend,
            "flatten": lambda given: say_refused(self._ex.flatten(text_of(given, "id"))),
            "flatten many": self._flatten_many,
            "flatten all": lambda _: say_refused(self._ex.flatten_all()),
        }

    def _take_request(self, given: Mapping[str, Any]) -> None:
        sheet = self._sheet("table", given.get("table"))
        have = checks.integer("have", given.get("have"), least=0)
        # Pages that know more are told again, which does no harm.
        known = self._told.get(sheet.name, have)
        self._told[sheet.name] = min(known, have if have <= sheet.store.version else 0)
        if self.ended:
            self._tell(everything=True)

    def _choose_columns(self, given: Mapping[str, Any]) -> None:
        self._columns |= self._checked_columns({given.get("table"): given.get("names")})

    def _choose_density(self, given: Mapping[str, Any]) -> None:
        self._density = checks.one_of("density", given.get("density"), tuple(_DENSITIES))

    def _export(self, given: Mapping[str, Any]) -> None:
        sheet = self._sheet("table", given.get("table"))
        form = checks.one_of("format", given.get("format"), tuple(FORMATS))
        found = [sheet.store.get(number) for number in numbers_of(given)]
        records = [sheet.record(row) for row in found if row is not None]
        write = as_csv if form == "csv" else as_json
        content = write(sheet.fields, records)
        self.send_file(file_name(sheet.name, form, datetime.now(UTC)), FORMATS[form], content)
        left = len(found) - len(records)
        more = f"; {left:,} had gone before" if left else ""
        self._say(f"{counted(len(records), 'row')} of {sheet.name} exported{more}.")

    def _cancel(self, given: Mapping[str, Any]) -> None:
        order_id = text_of(given, "id")
        if not self._ex.cancel(order_id):
            order = self._ex.order(order_id)
            raise ValueError(f"order {order_id} was not cancelled: it is {ended_words(order)}")

    def _cancel_many(self, given: Mapping[str, Any]) -> None:
        sheet = self._sheet("table", "orders")
        asked = [sheet.store.get(number) for number in numbers_of(given)]
        ids = [row.id for row in asked if row is not None]
        done = sum(self._ex.cancel(order_id) for order_id in ids)
        left = len(asked) - done
        account = self._ex.engine.venue.account
        travels = any(it in account.open_orders for it in ids)
        when = f", as soon as {'its cancel arrives' if done == 1 else 'the cancels arrive'}"
        more = f"; {left:,} had ended before" if left else ""
        self._say(f"{counted(done, 'order')} cancelled{when if travels else ''}{more}.")

    def _amend(self, given: Mapping[str, Any]) -> None:
        order_id = text_of(given, "id")
        if self._on_amend is None:
            raise ValueError("nothing here amends an order: the blotter has no on_amend")
        self._on_amend(self._ex.order(order_id).id)

    def _flatten_many(self, given: Mapping[str, Any]) -> None:
        sheet = self._sheet("table", "positions")
        asked = [sheet.store.get(number) for number in numbers_of(given)]
        ids = [row.market_id for row in asked if row is not None]
        orders = [order for market_id in ids for order in self._ex.flatten(market_id)]
        self._say(f"{counted(len(orders), 'closing order')} sent.")
        say_refused(orders)

    def _say(self, text: str) -> None:
        self._said = self._said[0] + 1, text
