"""What runs in the kernel of a page: the desk that was asked for, or why there is none."""

from __future__ import annotations

import html
import os
from typing import TYPE_CHECKING

from horizon.cli.desk_plan import VARIABLE, Plan, make_desk
from horizon.errors import HorizonError

if TYPE_CHECKING:
    from horizon.widgets import Workbench

__all__ = ["open_desk"]


def open_desk() -> Workbench | None:
    """Make the page's desk, which shows itself as the value of its cell."""
    from IPython.display import HTML, display

    try:
        desk = make_desk(Plan.from_json(os.environ[VARIABLE]))
    except (HorizonError, ValueError, TypeError, OSError) as error:
        # It was fine when the server began: a file has changed, or has gone.
        text = html.escape(f"The desk could not be opened: {error}")
        display(HTML(f'<p class="horizon-paper" role="alert">{text}</p>'))  # type: ignore[no-untyped-call]
        return None
    display(  # type: ignore[no-untyped-call]
        HTML(  # type: ignore[no-untyped-call]
            '<p class="horizon-paper">Paper account: nothing here is real money. It ends when this '
            "page is closed or loaded again.</p>"
        )
    )
    return desk
