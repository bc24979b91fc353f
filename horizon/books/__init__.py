"""Order books through time: snapshots of one market or of many, as arrays."""

from __future__ import annotations

from horizon.books.reader import JudgedBooks, read_book_data, read_books
from horizon.books.snapshots import Books

__all__ = ["Books", "JudgedBooks", "read_book_data", "read_books"]
