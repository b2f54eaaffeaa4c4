# SPDX-License-Identifier: Apache-2.0
"""Rows in bulk: whatever the values, the table holds just them, in their order, and no text is read as anything but text."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearwell.ground.storage import database
from clearwell.ground.storage.bulk import insertion
from clearwell.ground.storage.database import NOBODY, Transaction, as_json
from clearwell.vocabulary.errors import Conflict, Invalid
from hub import Hub

COLUMNS = {
    "number": "bigint", "words": "text", "body": "jsonb", "at": "timestamptz", "day": "date", "flag": "boolean",
    "share": "double precision", "bytes": "bytea", "names": "text[]", "counts": "integer[]",
}  # fmt: skip
TEXT = st.text(
    st.one_of(st.sampled_from('"\\,{}\x1e\n\t\r%;NULu0'), st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=12
)
WHEN = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]))
VALUES = st.tuples(
    TEXT | st.none(),
    st.dictionaries(TEXT, TEXT | st.integers(-10, 10) | st.lists(TEXT, max_size=2), max_size=3) | st.none(),
    WHEN | st.none(),
    st.dates(date(1900, 1, 1), date(2200, 1, 1)) | st.none(),
    st.booleans() | st.none(),
    st.floats(allow_nan=False) | st.none(),
    st.binary(max_size=6) | st.none(),
    st.lists(TEXT, max_size=3) | st.none(),
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3) | st.none(),
)


def _table(tx: Transaction) -> None:
    told = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    tx.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS kept ({told}) ON COMMIT DROP")


def _written(hub: Hub, rows: list[tuple[Any, ...]]) -> tuple[int, list[tuple[Any, ...]]]:
    with hub.house.database.transaction(NOBODY) as tx:
        _table(tx)
        given = [
            tuple(as_json(value) if name == "body" and value is not None else value for name, value in zip(COLUMNS, row, strict=True))
            for row in rows
        ]
        touched = tx.insert_many("kept", tuple(COLUMNS), given)
        found = tx.rows("SELECT * FROM kept ORDER BY number")
    return touched, [tuple(row.values()) for row in found]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES, max_size=6))
def test_what_is_written_in_bulk_is_read_back_as_it_was(hub: Hub, values: list[tuple[Any, ...]]) -> None:
    rows = [(number, *row) for number, row in enumerate(values)]

    touched, found = _written(hub, rows)

    assert touched == len(rows)
    assert found == rows


def test_rows_that_are_all_the_same_are_written_as_often_as_they_are_given(hub: Hub) -> None:
    row = (7, 'say "\\', None, datetime(2026, 11, 2, tzinfo=UTC), None, True, 0.5, b"\0\xff", ["a,b", "{}"], [1])

    touched, found = _written(hub, [row, row, row])

    assert touched == 3
    assert found == [row, row, row]


def test_long_rows_go_in_more_than_one_statement(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(number, f"{number}" * 40, *[None] * 8) for number in range(21)]
    sizes = []
    monkeypatch.setattr(database, "_LONGEST", 200)
    monkeypatch.setattr(Transaction, "execute", _noting(Transaction.execute, sizes))

    touched, found = _written(hub, rows)

    assert touched == 21
    assert found == rows
    assert max(sizes) <= 200


def _noting(execute: Any, sizes: list[int]) -> Any:
    def noted(tx: Transaction, statement: str, **values: Any) -> int:
        sizes.append(sum(len(value) for value in values.values() if isinstance(value, str)))
        return int(execute(tx, statement, **values))

    return noted


def test_more_rows_than_one_statement_takes_are_all_written(hub: Hub) -> None:
    touched, found = _written(hub, [(number, *[None] * 9) for number in range(2_001)])

    assert touched == len(found) == 2_001


def test_a_failing_row_leaves_none(hub: Hub) -> None:
    with pytest.raises(Conflict), hub.house.database.transaction(NOBODY) as tx:
        tx.execute("CREATE TEMPORARY TABLE one_of_each (name text UNIQUE) ON COMMIT DROP")
        tx.insert_many("one_of_each", ("name",), [("a",), ("b",), ("a",)])


def test_conflicts_are_left_to_the_statement_and_counted(hub: Hub) -> None:
    with hub.house.database.transaction(NOBODY) as tx:
        tx.execute("CREATE TEMPORARY TABLE one_of_each (name text UNIQUE) ON COMMIT DROP")
        assert tx.insert_many("one_of_each", ("name",), [("a",), ("b",), ("a",)], "ON CONFLICT DO NOTHING") == 2


def test_a_nul_is_refused_where_it_stands_as_text(hub: Hub) -> None:
    with pytest.raises(Invalid, match="NUL"):
        _written(hub, [(1, "a\0b", *[None] * 8), (2, "c", *[None] * 8)])


@pytest.mark.parametrize("text", ["\0", "\\u0000", "\\\0", "\\\\u0000", "a\0\0\\u0000\\\\\0"])
def test_json_shows_a_nul_and_leaves_the_six_characters_that_spell_one_alone(hub: Hub, text: str) -> None:
    (row,) = _written(hub, [(1, None, {"said": text}, *[None] * 7)])[1]

    assert row[2] == {"said": text.replace("\0", "␀")}


@pytest.mark.parametrize("column", [[1, "1"], [object(), object()], [1.5, True]])
def test_values_of_several_types_or_of_one_that_is_not_known_are_refused(column: list[Any]) -> None:
    with pytest.raises(TypeError, match="cannot be written in bulk"):
        insertion("kept", ("words",), [(value,) for value in column])
