"""The `levitate-clio token` commands: service tokens for Levitate's backend."""

import sys
from datetime import timedelta

import typer
from rich.console import Console
from rich.table import Column, Table

from app.cli.database import run_with_database
from app.cli.options import AccountIds, Days, TokenId, TokenName, TokenScope
from app.cli.startup import fail, stderr
from app.crypto import new_service_token
from app.db.accounts import audit, service_tokens
from app.db.accounts.audit import OPERATOR, AuditAction
from app.db.accounts.service_tokens import BOOTSTRAP_ID, Scope, ServiceToken
from app.db.events import endpoints
from app.db.session import Database
from app.db.system import system_transaction
from app.main import now

LIST_WIDTH = 250  # characters of a line of the list for another program

token_cli = typer.Typer(no_args_is_help=True, help="Service tokens for Levitate's backend.")


@token_cli.command("create")
def token_create(
    name: TokenName,
    account: AccountIds = None,
    scope: TokenScope = Scope.ADMIN,
    expires: Days = None,
) -> None:
    """Create a service token and print it on stdout. It is shown only once.

    Several tokens can be valid at once: to replace one, create the next, let the callers change, and revoke the first.
    """
    token, token_id, secret_hash = new_service_token()
    ids, at = tuple(account) if account else None, now()
    ends = at + timedelta(days=expires) if expires else None
    made = ServiceToken(token_id, name, secret_hash, ids, at, None, scope=scope, expires_at=ends)

    async def add(database: Database) -> None:
        async with system_transaction(database) as session:
            await service_tokens.add_token(session, made)
            await audit.record_of_service(session, OPERATOR, _creation(made), now=at)

    run_with_database(add)
    end = f", until {ends.isoformat(timespec='minutes')}" if ends else ""
    stderr.print(
        f"Token {token_id} for {', '.join(ids) if ids else 'all accounts'}, scope {scope}{end}."
        " It is shown only once:"
    )
    sys.stdout.write(token + "\n")


def _creation(token: ServiceToken) -> AuditAction:
    ids, ends = token.account_ids, token.expires_at
    details = {
        "account_ids": None if ids is None else list(ids),
        "scope": token.scope,
        "expires_at": ends.isoformat() if ends else None,
    }
    return AuditAction("token.created", token.token_id, details)


@token_cli.command("list")
def token_list() -> None:
    """List service tokens, without their secrets. The last use is exact to the minute."""

    async def read(database: Database) -> list[ServiceToken]:
        async with system_transaction(database) as session:
            return await service_tokens.list_tokens(session)

    table = Table(
        Column("id", no_wrap=True),
        "name",
        "accounts",
        "scope",
        "created",
        "expires",
        "last used",
        "revoked",
    )
    for token in run_with_database(read):
        ids = "all" if token.account_ids is None else ", ".join(token.account_ids)
        moments = (token.created_at, token.expires_at, token.last_used_at, token.revoked_at)
        times = [moment.isoformat(timespec="minutes") if moment else "" for moment in moments]
        table.add_row(token.token_id, token.name, ids, token.scope, *times)
    # Elsewhere than in a terminal a line has 80 characters, and the last use would be cut off.
    Console(width=None if sys.stdout.isatty() else LIST_WIDTH).print(table)


@token_cli.command("revoke")
def token_revoke(token_id: TokenId) -> None:
    """Revoke a service token for ever, and what it made, such as webhook endpoints.

    The id `bootstrap` is the token of LEVITATE_CLIO_SERVICE_TOKEN: none is accepted any more, whatever the variable is.
    """

    async def revoke(database: Database) -> int | None:
        at = now()
        async with system_transaction(database) as session:
            if not await service_tokens.revoke_token(session, token_id, now=at):
                return None
            action = AuditAction("token.revoked", token_id)
            await audit.record_of_service(session, OPERATOR, action, now=at)
            return await endpoints.count_endpoints(session, token_id)

    ended = run_with_database(revoke)
    if ended is None:
        fail(f"There is no valid token {token_id}; `levitate-clio token list` lists all tokens")
    stderr.print(f"Token {token_id} was revoked.")
    if ended:
        stderr.print(
            f"Webhook endpoints that it made: {ended}. They get no events any more; create them with another token."
        )
    if token_id == BOOTSTRAP_ID:
        stderr.print(
            "No token of LEVITATE_CLIO_SERVICE_TOKEN is accepted any more; unset the variable."
        )
