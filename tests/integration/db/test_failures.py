"""What a caller does after an error of the database, by its SQLSTATE or type."""

from typing import Any

import asyncpg
import pytest
from sqlalchemy import BigInteger, bindparam, column, literal_column, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.db.connection import WatchedConnection
from app.db.failures import Reaction, reaction_to
from app.db.session import Database, any_of, transaction
from app.errors import DatabaseUnavailable

GIVE_BACK = [
    "25006",
    "57014",
    "53100",
    "53200",
    "53300",
    "57P01",
    "57P02",
    "57P03",
    "55P03",
    "58030",
    "25P03",
    "08006",
    "28P01",
    "3D000",
    "42501",
    "42703",
    "42P01",
    "3F000",
    "55000",
]
RETRY_NOW = ["40001", "40P01"]
REPORT = ["42601", "22003", "23505", "XX000", "P0001", "25P02"]


@pytest.mark.parametrize("state", [*GIVE_BACK, *RETRY_NOW, *REPORT])
async def test_an_error_is_sorted_by_its_sqlstate(database: Database, state: str):
    raising = f"do $$ begin raise sqlstate '{state}'; end $$"
    wanted = SQLAlchemyError if state in REPORT else DatabaseUnavailable
    with pytest.raises(wanted) as raised:
        async with transaction(database, "a") as session:
            await session.execute(text(raising))
    if isinstance(raised.value, DatabaseUnavailable):
        assert raised.value.retry_now is (state in RETRY_NOW)
        assert raised.value.headers == {"Retry-After": "1" if state in RETRY_NOW else "5"}


async def test_a_statement_with_too_many_parameters_is_a_defect(database: Database):
    one = literal_column("1", BigInteger)
    many = select(1).where(one.in_(bindparam("ids", expanding=True)))
    with pytest.raises(DBAPIError) as raised:
        async with transaction(database, "a") as session:
            await session.execute(many, {"ids": list(range(40_000))})
    assert reaction_to(raised.value) is Reaction.REPORT


async def test_an_array_of_any_length_is_one_parameter(database: Database):
    values = text("select id from generate_series(1::bigint, 50000) id").columns(
        column("id", BigInteger)
    )
    found = select(values.subquery().c.id)
    async with transaction(database, "a") as session:
        source = values.subquery()
        asked = select(source.c.id).where(any_of(source.c.id, range(1, 40_001)))
        assert len((await session.execute(asked)).all()) == 40_000
        assert len((await session.execute(found)).all()) == 50_000


@pytest.mark.parametrize(
    ("failure", "reaction"),
    [
        (OSError(), Reaction.GIVE_BACK),
        (TimeoutError(), Reaction.GIVE_BACK),
        (asyncpg.InterfaceError("connection is closed"), Reaction.GIVE_BACK),
        (asyncpg.InterfaceError("pool is closing"), Reaction.GIVE_BACK),
        (
            asyncpg.InterfaceError(
                "cannot call Connection.add_listener(): connection has been released back to the pool"
            ),
            Reaction.GIVE_BACK,
        ),
        (asyncpg.InterfaceError("cannot do that"), Reaction.REPORT),
        (asyncpg.InternalClientError("cannot switch to state 12"), Reaction.GIVE_BACK),
        (ValueError(), Reaction.REPORT),
        (DatabaseUnavailable(), Reaction.GIVE_BACK),
        (DatabaseUnavailable(retry_now=True), Reaction.RETRY_NOW),
    ],
    ids=repr,
)
def test_an_error_without_a_sqlstate_is_sorted_by_its_type(failure: Exception, reaction: Reaction):
    assert reaction_to(failure) is reaction


@pytest.mark.parametrize("method", ["execute", "prepare"], ids=["check", "statement"])
async def test_a_connection_whose_protocol_broke_is_a_database_that_is_not_available(
    database: Database, monkeypatch: pytest.MonkeyPatch, method: str
):
    # F14: asyncpg raises this when the connection ends while it is used
    async def query(number: int) -> None:
        async with transaction(database, "a") as session:
            await session.execute(text(f"select {number}"))

    async def broken(*_: Any, **__: Any) -> None:
        raise asyncpg.InternalClientError("cannot switch to state 12")

    await query(1)  # the pool keeps the connection
    with monkeypatch.context() as patch:
        patch.setattr(WatchedConnection, method, broken)
        with pytest.raises(DatabaseUnavailable):
            await query(2)
    await query(3)
