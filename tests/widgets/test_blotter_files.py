"""The values of a blotter's rows as CSV, JSON and frames."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest

from horizon.widgets.blotter.files import as_csv, as_frame, as_json, file_name, iso_time

FIELDS = {"id": "text", "size": "number", "at": "time", "own": "flag", "note": "text"}
AT = 1_767_366_245_123_456_789


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"],
    ids=ascii,
)
def test_a_text_that_is_a_formula_to_a_spreadsheet_is_made_a_text(text: str) -> None:
    content = as_csv(FIELDS, [(text, -1.5, AT, True, f" {text}")]).decode()
    (_, row) = csv.reader(io.StringIO(content, newline=""))
    assert row[0] == f"'{text}"
    # What does not begin with it is left alone, and so is a number.
    assert row[1] == "-1.5"
    assert row[4] == f" {text}"


def test_csv_has_every_digit_and_quotes_what_needs_it() -> None:
    rows = [
        ('a"b,c\nd', 0.1 + 0.2, AT, True, None),
        ("plain", None, AT, False, ""),
        ("nan", math.nan, 0, False, "é"),
    ]
    assert as_csv(FIELDS, rows).decode() == (
        "id,size,at,own,note\r\n"
        '"a""b,c\nd",0.30000000000000004,2026-01-02T15:04:05.123456789Z,true,\r\n'
        "plain,,2026-01-02T15:04:05.123456789Z,false,\r\n"
        "nan,,1970-01-01T00:00:00.000000000Z,false,é\r\n"
    )
    assert as_csv(FIELDS, []) == b"id,size,at,own,note\r\n"


def test_json_is_json() -> None:
    rows = [("=1", 1e300, AT, True, None), ("b", math.nan, -1, False, "\u2028</script>")]

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    assert json.loads(as_json(FIELDS, rows), parse_constant=refuse) == [
        {
            "id": "=1",
            "size": 1e300,
            "at": "2026-01-02T15:04:05.123456789Z",
            "own": True,
            "note": None,
        },
        {
            "id": "b",
            "size": None,
            "at": "1969-12-31T23:59:59.999999999Z",
            "own": False,
            "note": "\u2028</script>",
        },
    ]


def test_a_frame_has_the_same_types_with_and_without_rows() -> None:
    full = as_frame(FIELDS, [("a", None, AT, True, None)])
    empty = as_frame(FIELDS, [])
    assert full.index.name == "id"
    assert full["at"].iloc[0] == pd.Timestamp("2026-01-02T15:04:05.123456789Z")
    assert math.isnan(full["size"].iloc[0])
    assert full.dtypes.equals(empty.dtypes)


@pytest.mark.parametrize("ns", [0, AT, -1, -86_400_000_000_000, 4_102_444_800_000_000_000])
def test_times_are_those_of_pandas(ns: int) -> None:
    assert pd.Timestamp(iso_time(ns)).value == ns


def test_a_file_is_named_by_its_table_and_its_time_in_utc() -> None:
    at = datetime(2026, 1, 2, 16, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert file_name("orders", "csv", at) == "horizon-orders-20260102T150405Z.csv"
    assert file_name("fills", "json", at.astimezone(UTC)) == "horizon-fills-20260102T150405Z.json"
