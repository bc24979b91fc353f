"""The live desk as its user meets it: by names, roles and words, never by its classes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.lab import Lab

# For a slow machine; what holds is seen at once.
expect.set_options(timeout=20_000)

#: An account whose time stands still, at 10:00, and whose prices come from the test alone.
OWN = """
import horizon as hz
ex = hz.connect("paper", fee_bps=10, clock=lambda: 36_000.0)
desk = hz.workbench(ex)
desk
"""


class Desk:
    """A desk in the output of one cell, with the account `ex` behind it."""

    def __init__(self, lab: Lab, cell: int = 0) -> None:
        self.lab = lab
        self.page = lab.page
        self.output = lab.output(cell)

    def part(self, name: str) -> Locator:
        """A widget by the beginning of its name."""
        return self.output.get_by_role("group", name=re.compile(rf"^{name}"))

    def button(self, part: str, name: str) -> Locator:
        """A button by the beginning of its name."""
        quoted = json.dumps(name, ensure_ascii=False)
        return self.part(part).locator(f"button[aria-label^={quoted}]")

    def expect_state(self, state: str) -> None:
        """Wait until every part is "live", "note", "stale" or "dead"."""
        faces = self.output.locator(".hz-face")
        expect(faces.and_(self.page.locator(f"[data-state={state}]"))).to_have_count(faces.count())

    def eventually(self, read: Callable[[], Any], wanted: Any, seconds: float = 20.0) -> None:
        """Wait until `read` returns what is wanted."""
        end = time.monotonic() + seconds
        while (found := read()) != wanted and time.monotonic() < end:
            self.page.wait_for_timeout(50)
        assert found == wanted, f"{found!r} is not {wanted!r}"

    # The ticket

    @property
    def ticket(self) -> Locator:
        return self.part("Order ticket")

    @property
    def preview(self) -> Locator:
        return self.ticket.get_by_role("group", name="Preview", exact=True)

    @property
    def confirm(self) -> Locator:
        return self.preview.get_by_role("button").first

    def field(self, label: str) -> Locator:
        return self.ticket.get_by_label(re.compile(rf"^{label}"))

    def write(self, **texts: str) -> None:
        """Write into text fields and choose from lists, by the first words of their labels."""
        for label, text in texts.items():
            field = self.field(label.replace("_", " ").capitalize())
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(text)
            else:
                field.fill(text)

    def look(self, **texts: str) -> None:
        """Write into the ticket, and ask for a preview."""
        self.write(**texts)
        self.field("Quantity").press("Enter")

    def facts(self) -> dict[str, str]:
        """The preview's facts by their labels."""
        return self.preview.locator("dl > div").evaluate_all(
            "all => Object.fromEntries(all.map(e => [...e.children].map(c => c.textContent)))"
        )

    # Tables

    def rows(self, table: str) -> list[list[str]]:
        """The texts of a table, without those of its buttons."""
        return (
            self.part(table)
            .locator("tbody tr")
            .evaluate_all(
                "rows => rows.map(row => [...row.querySelectorAll('bdi')].map(e => e.textContent))"
            )
        )

    def row(self, table: str, text: str) -> Locator:
        """The rows of a table that have a cell of just this text."""
        cell = self.page.get_by_text(text, exact=True)
        return self.part(table).locator("tbody").get_by_role("row").filter(has=cell)

    def expect_rows(self, table: str, *rows: list[str]) -> None:
        """Wait until a table has just these rows."""
        self.eventually(lambda: self.rows(table), list(rows))

    # The kernel

    def tick(self, market: str, *prices: float) -> None:
        """Let a market have these prices, one after the other."""
        self.lab.kernel_exec(f"for price in {prices!r}: ex.tick({market!r}, price)")

    def orders(self) -> list[list[Any]]:
        """Market, side, quantity, limit and status of each order that the account has had."""
        order = "[o.market_id, o.side, o.quantity, o.price, o.status]"
        code = f"import json; print(json.dumps([{order} for o in ex.orders()]))"
        return json.loads(self.lab.kernel_exec(code))


def assert_no_problems(lab: Lab) -> None:
    problems = lab.problems()
    assert not problems, "\n".join(problems)
