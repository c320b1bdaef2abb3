"""The accounts can be spread over several databases: no key is about two of them (docs/scaling.md).

`tests/e2e/test_statements_name_the_account.py` says the same of the statements.
"""

from sqlalchemy import text

from app.db.session import Database
from tests.support.account_conditions import tables_of_accounts
from tests.support.sessions import as_owner

# Foreign keys from a table with an account to one without, and what becomes of the other table in a second database.
TO_NO_ACCOUNT = {
    "deliveries_webhook_endpoints_fk": "an endpoint belongs to a token; each database has a row for it",
}


async def test_every_unique_key_of_a_table_with_an_account_begins_with_the_account(
    database: Database,
):
    query = """
        select i.indexrelid::regclass::text as name, c.relname,
          (select attname from pg_attribute where attrelid = i.indrelid and attnum = i.indkey[0]) as first
        from pg_index i join pg_class c on c.oid = i.indrelid
        where i.indisunique and c.relnamespace = 'public'::regnamespace
    """
    async with as_owner(database) as session:
        tables = await tables_of_accounts(session)
        rows = (await session.execute(text(query))).all()
    keys = [row for row in rows if row.relname in tables]
    assert {row.relname for row in keys} == tables, "a table has no key"
    assert [row.name for row in keys if row.first != "account_id"] == []


async def test_no_foreign_key_leads_from_one_account_to_another(database: Database):
    query = """
        select conname as name, child.relname as child, parent.relname as parent,
          exists (select from unnest(conkey, confkey) pair (own, other)
            join pg_attribute a on a.attrelid = conrelid and a.attnum = own and a.attname = 'account_id'
            join pg_attribute b on b.attrelid = confrelid and b.attnum = other and b.attname = 'account_id'
          ) as within_account
        from pg_constraint
          join pg_class child on child.oid = conrelid join pg_class parent on parent.oid = confrelid
        where contype = 'f' and child.relnamespace = 'public'::regnamespace
    """
    async with as_owner(database) as session:
        tables = await tables_of_accounts(session)
        rows = (await session.execute(text(query))).all()
    own = [row for row in rows if row.child in tables]
    assert [row.name for row in own if row.parent in tables and not row.within_account] == []
    assert {row.name for row in own if row.parent not in tables} == TO_NO_ACCOUNT.keys()
    assert [row.name for row in rows if row.child not in tables and row.parent in tables] == []
