"""Writes many rows with one statement whose text never changes: each column is one array.

A statement for each row costs several times as much, here and in PostgreSQL. COPY is refused under row-level security.
Callers pass rows in the order of their keys, as all writers do, so that none waits for another in a circle.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, Insert, insert
from sqlalchemy.types import TypeEngine

Row = Mapping[str, Any]


class BulkInsert:
    """Inserts rows of one table; `same` are the columns that have one value for all of them."""

    def __init__(
        self, table: Table, each: Sequence[str], *, same: Sequence[str] = ("account_id",)
    ) -> None:
        self._each = tuple(each)
        values = select(
            *(bindparam(name, type_=table.c[name].type) for name in same),
            *_columns_of_arrays(table, each),
        )
        self.insert: Insert = insert(table).from_select([*same, *each], values)
        self._key = list(table.primary_key.columns)

    def updating(self, *names: str, **values: ColumnElement[Any]) -> Insert:
        """Return the statement that gives a row that exists the new values of these columns, and other `values`."""
        new = {name: self.insert.excluded[name] for name in names}
        return self.insert.on_conflict_do_update(index_elements=self._key, set_={**new, **values})

    def parameters(self, rows: Sequence[Row], **same: Any) -> dict[str, Any]:
        """Return the parameters of the statement for these rows."""
        return {**same, **{name: [row[name] for row in rows] for name in self._each}}


def array_text(values: Iterable[int | str]) -> str:
    """Return PostgreSQL's text of an array. `unnest` would take an array of arrays apart to the last value."""
    quoted = (
        str(value)
        if isinstance(value, int)
        else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for value in values
    )
    return "{" + ",".join(quoted) + "}"


def _columns_of_arrays(table: Table, names: Sequence[str]) -> list[ColumnElement[Any]]:
    """Return the columns of the rows that arrays of these names make; JSON and arrays are sent as texts."""
    arrays = [bindparam(name, type_=ARRAY(_sent_as(table.c[name].type))) for name in names]
    rows = func.unnest(*arrays).table_valued(*names, name="rows").render_derived()
    return [_cast(rows.c[name], table.c[name].type) for name in names]


def _cast(column: ColumnElement[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    return column if _sent_as(kind) is kind else cast(column, kind)


def _sent_as(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return _TEXT if isinstance(kind, ARRAY | JSONB) else kind


_TEXT = Text()
