"""Many rows in one statement: every value arrives as it was given."""

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, MetaData, Table, Text, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.bulk import BulkInsert, array_text
from app.db.session import Database
from tests.support.sessions import as_owner

METADATA = MetaData()
THINGS = Table(
    "things",
    METADATA,
    Column("account_id", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    Column("labels", ARRAY(Text)),
    Column("numbers", ARRAY(BigInteger)),
    Column("document", JSONB),
    Column("digest", LargeBinary),
    Column("at", DateTime(timezone=True)),
)
ROWS = BulkInsert(THINGS, ("id", "labels", "numbers", "document", "digest", "at"))
NAMES = ("labels", "numbers", "document", "digest", "at")
# PostgreSQL stores no NUL; quotes, braces, commas, backslashes and the word null mean something in its text of arrays.
LABELS = st.text(st.characters(exclude_characters="\0", codec="utf-8")) | st.sampled_from(
    ["", "null", "NULL", '"', "\\", "{a,b}", ' a ", \\"', "a\nb"]
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(labels=st.lists(st.lists(LABELS, max_size=4), max_size=4))
async def test_arrays_of_any_texts_are_stored_as_they_are(
    database: Database, labels: list[list[str]]
):
    rows = [
        {
            "id": place,
            "labels": array_text(given_labels),
            "numbers": array_text([place, -(2**62)]),
            "document": '{"a": [1, null]}',
            "digest": b"\x00\xff" if place else None,
            "at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        for place, given_labels in enumerate(labels)
    ]
    async with as_owner(database) as session:
        await session.run_sync(METADATA.create_all)
        await session.execute(ROWS.insert, ROWS.parameters(rows, account_id="hp"))
        stored = (await session.execute(select(THINGS).order_by(THINGS.c.id))).all()
        await session.run_sync(METADATA.drop_all)
    assert [row.labels for row in stored] == labels
    for place, row in enumerate(stored):
        assert row.numbers == [place, -(2**62)]
        assert row.document == {"a": [1, None]}
        assert (row.digest, row.at) == (rows[place]["digest"], rows[place]["at"])


async def test_a_row_that_exists_gets_the_new_values_of_the_named_columns_only(database: Database):
    update = ROWS.updating("labels")
    first = dict.fromkeys(NAMES) | {"id": 1, "labels": "{a}", "digest": b"1"}
    async with as_owner(database) as session:
        await session.run_sync(METADATA.create_all)
        for row in (first, first | {"labels": "{b}", "digest": b"2"}):
            await session.execute(update, ROWS.parameters([row], account_id="hp"))
        stored = (await session.execute(select(THINGS))).one()
        await session.run_sync(METADATA.drop_all)
    assert (stored.labels, stored.digest) == (["b"], b"1")
