"""The `levitate-clio token` commands: service tokens for Levitate's backend."""

import sys

import typer
from rich.console import Console
from rich.table import Table

from app.cli.database import run_with_database
from app.cli.options import AccountIds, TokenId, TokenName
from app.cli.startup import fail, stderr
from app.crypto import new_service_token
from app.db.accounts import service_tokens
from app.db.accounts.service_tokens import ServiceToken
from app.db.session import Database
from app.db.system import system_transaction
from app.main import now

token_cli = typer.Typer(no_args_is_help=True, help="Service tokens for Levitate's backend.")


@token_cli.command("create")
def token_create(
    name: TokenName,
    account: AccountIds = None,
) -> None:
    """Create a service token and print it on stdout. It is shown only once."""
    token, token_id, secret_hash = new_service_token()
    ids = tuple(account) if account else None
    made = ServiceToken(token_id, name, secret_hash, ids, now(), None)

    async def add(database: Database) -> None:
        async with system_transaction(database) as session:
            await service_tokens.add_token(session, made)

    run_with_database(add)
    stderr.print(
        f"Token {token_id} for {', '.join(ids) if ids else 'all accounts'}. It is shown only once:"
    )
    sys.stdout.write(token + "\n")


@token_cli.command("list")
def token_list() -> None:
    """List service tokens, without their secrets."""

    async def read(database: Database) -> list[ServiceToken]:
        async with system_transaction(database) as session:
            return await service_tokens.list_tokens(session)

    table = Table("id", "name", "accounts", "created", "revoked")
    for token in run_with_database(read):
        ids = "all" if token.account_ids is None else ", ".join(token.account_ids)
        times = [
            moment.isoformat(timespec="seconds") if moment else ""
            for moment in (token.created_at, token.revoked_at)
        ]
        table.add_row(token.token_id, token.name, ids, *times)
    Console().print(table)


@token_cli.command("revoke")
def token_revoke(token_id: TokenId) -> None:
    """Revoke a service token at once."""

    async def revoke(database: Database) -> bool:
        async with system_transaction(database) as session:
            return await service_tokens.revoke_token(session, token_id, now=now())

    if not run_with_database(revoke):
        fail(f"There is no valid token {token_id}; `levitate-clio token list` lists all tokens")
    stderr.print(f"Token {token_id} was revoked.")
