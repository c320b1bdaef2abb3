"""Reads for which row each secret of a database is sealed, with the key and without the service's code."""

import json
from typing import Any

import asyncpg
from cryptography.fernet import Fernet

# A secret opens only for the row that this text names, and for the column where a table has several. If a text changes,
# the stored secrets no longer open.
ROWS = {
    "accounts.sealed_erasure_key": "accounts/{account_id}/erasure",
    "address_key.sealed_key": "address_key/{key_id}",
    "authorizations.sealed_login": "{state_hash}",
    "authorizations.sealed_verifier": "{state_hash}",
    "connections.sealed_tokens": "connections/{account_id}/{connection_id}",
    "key_check.sealed_check": "key_check/{check_id}",
    "revocations.sealed_tokens": "connections/{account_id}/{connection_id}",
    "subscriptions.sealed_secret": "subscriptions/{account_id}/{connection_id}/{model}",
    "webhook_endpoints.sealed_old_secret": "webhook_endpoints/{endpoint_id}",
    "webhook_endpoints.sealed_secret": "webhook_endpoints/{endpoint_id}",
}
_COLUMNS = (
    "select table_name, column_name from information_schema.columns"
    " where table_schema = 'public' and column_name like 'sealed\\_%' order by 1, 2"
)


async def seals(dsn: str, key: str, *, earlier: bool = False) -> dict[str, list[str]]:
    """Return the names of the values in each kind of secret that the database holds, by its column.

    Fails if a secret does not open with the key, or is sealed for another text than in `ROWS`. One that an `earlier`
    release has sealed names no column.
    """
    fernet, found = Fernet(key), dict[str, list[str]]()
    connection = await asyncpg.connect(dsn)
    try:
        columns = await connection.fetch(_COLUMNS)
        assert {f"{table}.{column}" for table, column in columns} == ROWS.keys()
        for table, column in columns:
            name = f"{table}.{column}"
            for row in await connection.fetch(f"select * from {table} where {column} is not null"):
                sealed: dict[str, Any] = json.loads(fernet.decrypt(row[column].encode()))
                assert sealed["row"] == ROWS[name].format(**row), name
                several = sum(other.startswith(f"{table}.") for other in ROWS) > 1
                if "column" in sealed or not earlier:
                    assert sealed.get("column") == (column if several else None), name
                assert sealed.keys() - {"column"} == {"row", "document"}
                names = sorted(sealed["document"])
                assert found.setdefault(name, names) == names, name
    finally:
        await connection.close()
    return found
