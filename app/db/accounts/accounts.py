"""Accounts, and their Levitate users. Which Clio user is which of them is in `attorneys`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, false, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import looks, receipts
from app.db.accounts import tables as account_tables
from app.db.accounts.health import note_change
from app.db.connections import tables as connection_tables
from app.db.runs import tables as run_tables
from app.db.session import Session, any_of
from app.errors import AppError
from app.rules import version
from app.rules.attorneys import LevitateUser

_accounts = account_tables.accounts
_settings = account_tables.settings
_VISIBLE = ~receipts.is_being_erased(_accounts.c.account_id)
_RESPECTS_VISIBILITY = (  # of the newest settings
    select(_settings.c.document[("privacy", "respect_visibility")].as_boolean())
    .where(_settings.c.account_id == bindparam("account"))
    .order_by(_settings.c.version.desc())
    .limit(1)
    .scalar_subquery()
)
_ACCOUNT = select(
    _accounts, func.coalesce(_RESPECTS_VISIBILITY, false()).label("respects_visibility")
).where(_accounts.c.account_id == bindparam("account"), _VISIBLE)
_SHARE = (
    select(_accounts.c.account_id)
    .where(_accounts.c.account_id == bindparam("account"))
    .with_for_update(read=True, key_share=True)
)


class AccountNotFound(AppError):
    """No such account, or not one of the caller's: the response is the same, so that ids cannot be probed."""

    status = 404
    code = "account_not_found"
    title = "There is no such account for this token"
    next_step = "check the id, or use a token that may see it"


class ClioAccountMismatch(AppError):
    """The login belongs to another firm than the one to which this account is bound [AU-4]."""

    status = 409
    code = "clio_account_mismatch"
    title = "This Clio login belongs to another firm than the one already connected"
    next_step = "connect a login of that firm"


@dataclass(frozen=True)
class AccountFields:
    """The fields of an account that a caller may set."""

    name: str
    time_zone: str
    country: str
    primary_user_id: str | None
    enabled: bool
    publish: str = "automatic"


@dataclass(frozen=True)
class ClioFirm:
    """The firm in Clio to which an account is bound."""

    region: str
    account_id: int
    name: str | None


@dataclass(frozen=True)
class Account:
    """A law firm that is Levitate's customer.

    `respects_visibility` is the setting that limits users to what their logins see, None if it was not read: a list of
    accounts does not read settings.
    """

    account_id: str
    fields: AccountFields
    clio: ClioFirm | None
    created_at: datetime
    updated_at: datetime
    respects_visibility: bool | None = None


@dataclass(frozen=True)
class ScheduledAccount:
    """The facts that decide about the slots of an account, with the time of its newest stored slot."""

    account_id: str
    enabled: bool
    time_zone: str
    first_connected_at: datetime | None
    newest_slot_at: datetime | None

    def lacks_slot_of(self, due_at: datetime) -> bool:
        """Return whether the account has a slot of this time that is not stored.

        While it is off, and before its first login, it has none [EN-1, row 44].
        """
        began = self.first_connected_at
        has_slot = self.enabled and began is not None and began <= due_at
        return has_slot and (self.newest_slot_at is None or self.newest_slot_at < due_at)


def account_of(row: object) -> Account:
    """Return the account of a row."""
    data = row._mapping  # type: ignore[attr-defined]  # a SQLAlchemy Row, untyped beyond its columns
    bound = data["clio_account_id"] is not None
    return Account(
        account_id=data["account_id"],
        fields=AccountFields(**{name: data[name] for name in AccountFields.__dataclass_fields__}),
        clio=ClioFirm(data["clio_region"], data["clio_account_id"], data["clio_account_name"])
        if bound
        else None,
        created_at=data["created_at"],
        updated_at=data["updated_at"],
        respects_visibility=data.get("respects_visibility"),
    )


async def find_account(session: Session, account_id: str) -> Account | None:
    """Return the account; None if there is none, or if it is being erased."""
    row = (await session.execute(_ACCOUNT, {"account": account_id})).one_or_none()
    return account_of(row) if row else None


async def get_account(session: Session, account_id: str) -> Account:
    """Return the account; raises AccountNotFound."""
    account = await find_account(session, account_id)
    if account is None:
        raise AccountNotFound
    return account


async def lock_account(session: Session, account_id: str) -> None:
    """Lock the account's row until the transaction ends: nobody else changes it or requests a run for it.

    Lock it before writing any row that refers to the account; otherwise two transactions could wait for each other.
    """
    locked = select(_accounts.c.account_id).where(_accounts.c.account_id == account_id)
    await session.execute(locked.with_for_update())


async def share_account(session: Session, account_id: str) -> None:
    """Lock the account's row as inserting a row that refers to it does: `lock_account` waits, other inserts do not.

    Call it before changing a row that `lock_account` protects, if rows are inserted later in the transaction.
    """
    await session.execute(_SHARE, {"account": account_id})


async def hold_account(session: Session, account_id: str) -> None:
    """Lock the account's row as `lock_account` does, but let others insert rows that refer to it.

    Call it where the transaction goes on for long.
    """
    held = select(_accounts.c.account_id).where(_accounts.c.account_id == account_id)
    await session.execute(held.with_for_update(key_share=True))


def visible(only: Collection[str] | None) -> Select[Any]:
    """Return the query of the accounts that are not being erased; of those in `only` if it is given."""
    query = select(_accounts).where(_VISIBLE)
    return query if only is None else query.where(any_of(_accounts.c.account_id, only))


async def list_scheduled(
    session: Session, account_ids: Collection[str]
) -> dict[str, ScheduledAccount]:
    """Return what decides about the slots of these accounts, by account."""
    logins, slots = connection_tables.connections, run_tables.slots
    own_logins = logins.c.account_id == _accounts.c.account_id
    first_login = select(func.min(logins.c.connected_at)).where(own_logins)
    newest_slot = select(func.max(slots.c.due_at)).where(
        slots.c.account_id == _accounts.c.account_id
    )
    rows = await session.execute(
        select(
            _accounts.c.account_id,
            _accounts.c.enabled,
            _accounts.c.time_zone,
            first_login.scalar_subquery(),
            newest_slot.scalar_subquery(),
        ).where(any_of(_accounts.c.account_id, account_ids))
    )
    return {row.account_id: ScheduledAccount(*row) for row in rows}


async def put_account(
    session: Session, account_id: str, fields: AccountFields, *, now: datetime
) -> Account | None:
    """Create or change an account; return what it was before, None if it is new. Raises ErasureInProgress."""
    locked = select(_accounts).where(_accounts.c.account_id == account_id).with_for_update()
    row = (await session.execute(locked)).one_or_none()
    await receipts.check_not_erasing(session, account_id)
    was_on, on_since = (row.enabled, row.enabled_at) if row else (False, None)
    values = {**asdict(fields), "updated_at": now, looks.Task.SLOTS.value: now}
    values["enabled_at"] = now if fields.enabled and not was_on else on_since
    new = {"created_at": now, "rules_version": version.VERSION, **values}
    statement = insert(_accounts).values(account_id=account_id, **new)
    await session.execute(
        statement.on_conflict_do_update(index_elements=[_accounts.c.account_id], set_=values)
    )
    await note_change(session, account_id)
    return account_of(row) if row else None


async def check_firm(session: Session, account_id: str, firm: ClioFirm) -> ClioFirm | None:
    """Return the firm in Clio to which the account is bound; raises ClioAccountMismatch if it is another [AU-4].

    Raises AccountNotFound if the account was erased meanwhile.
    """
    bound = (await get_account(session, account_id)).clio
    if bound is not None and (bound.region, bound.account_id) != (firm.region, firm.account_id):
        raise ClioAccountMismatch
    return bound


async def bind_firm(session: Session, account_id: str, firm: ClioFirm) -> bool:
    """Bind the account to a firm in Clio; return False if it was bound to it before.

    Raises ClioAccountMismatch if it is bound to another firm [AU-4], and AccountNotFound.
    """
    await lock_account(session, account_id)
    bound = await check_firm(session, account_id, firm)
    await session.execute(
        update(_accounts)
        .where(_accounts.c.account_id == account_id)
        .values(
            clio_region=firm.region, clio_account_id=firm.account_id, clio_account_name=firm.name
        )
    )
    return bound is None


async def list_users(session: Session, account_id: str) -> list[LevitateUser]:
    """Return the Levitate users of the account, by id."""
    table = account_tables.users
    rows = await session.execute(
        select(table).where(table.c.account_id == account_id).order_by(table.c.user_id)
    )
    return [LevitateUser(row.user_id, row.name, row.email, row.active) for row in rows]


async def find_user(session: Session, account_id: str, user_id: str) -> LevitateUser | None:
    """Return one Levitate user of the account, or None."""
    table = account_tables.users
    own = (table.c.account_id == account_id) & (table.c.user_id == user_id)
    row = (await session.execute(select(table).where(own))).one_or_none()
    return LevitateUser(row.user_id, row.name, row.email, row.active) if row else None


async def replace_users(session: Session, account_id: str, users: Sequence[LevitateUser]) -> bool:
    """Replace the Levitate users; return whether anything changed."""
    if set(users) == set(await list_users(session, account_id)):
        return False
    await session.execute(
        delete(account_tables.users).where(account_tables.users.c.account_id == account_id)
    )
    if users:
        rows = [{"account_id": account_id, **asdict(user)} for user in users]
        await session.execute(insert(account_tables.users), rows)
    return True
