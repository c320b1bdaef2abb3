"""Which Clio user is which Levitate user, and the other facts that all assessments of an account share [OW-9].

Only this module loads the input of `map_attorneys`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import accounts, tables
from app.db.connections.connections import Status
from app.db.connections.tables import connections as _logins
from app.db.mirror import catalog
from app.db.mirror.tables import catalog_items as _items
from app.db.session import Session
from app.rules.attorneys import ClioUser, LevitateUser, Login, Mapped, map_attorneys
from app.rules.facts import FirmFacts

_manual = tables.attorney_mappings
# A login that stopped working maps as before while its user connects again.
_MAPS = _logins.c.status.in_((Status.CONNECTED, Status.NEEDS_RECONNECT)) | (
    _logins.c.reconnect_until.is_not(None)
)


@dataclass(frozen=True)
class Attorney:
    """A Clio user of the firm, and the Levitate user to whom it is mapped."""

    clio_user: ClioUser
    mapped: Mapped | None


async def set_attorney_mapping(
    session: Session, account_id: str, clio_user_id: int, user_id: str | None
) -> bool:
    """Map a Clio user to a Levitate user by hand, None for nobody; return whether anything changed."""
    statement = insert(_manual).values(
        account_id=account_id, clio_user_id=clio_user_id, user_id=user_id
    )
    changed = await session.execute(
        statement.on_conflict_do_update(
            index_elements=[_manual.c.account_id, _manual.c.clio_user_id],
            set_={"user_id": user_id},
            where=_manual.c.user_id.is_distinct_from(user_id),
        ).returning(_manual.c.clio_user_id)
    )
    return changed.one_or_none() is not None


async def delete_attorney_mapping(session: Session, account_id: str, clio_user_id: int) -> bool:
    """Delete a manual mapping; return whether there was one."""
    gone = await session.execute(
        delete(_manual)
        .where(_manual.c.account_id == account_id, _manual.c.clio_user_id == clio_user_id)
        .returning(_manual.c.clio_user_id)
    )
    return gone.one_or_none() is not None


async def list_attorneys(session: Session, account_id: str) -> list[Attorney]:
    """Return the firm's Clio users by id, each with its Levitate user [OW-9]."""
    clio_users = await _clio_users(session, account_id)
    users = await accounts.list_users(session, account_id)
    mapped = await _mapping(session, account_id, clio_users, users)
    return [Attorney(user, mapped.get(user.clio_user_id)) for user in clio_users]


async def get_attorney(session: Session, account_id: str, clio_user_id: int) -> Attorney:
    """Return one Clio user with its Levitate user, also one that no pull has shown yet."""
    known = {user.clio_user_id: user for user in await _clio_users(session, account_id)}
    users = await accounts.list_users(session, account_id)
    mapped = await _mapping(session, account_id, list(known.values()), users)
    clio_user = known.get(clio_user_id, ClioUser(clio_user_id))
    return Attorney(clio_user, mapped.get(clio_user_id))


async def load_firm_facts(session: Session, account_id: str) -> FirmFacts:
    """Return the facts that all assessments of the account share."""
    people = await load_who_is_who(session, account_id)
    return replace(people, fields=await catalog.load_custom_fields(session, account_id))


async def load_who_is_who(session: Session, account_id: str) -> FirmFacts:
    """Return the facts without the custom fields: they change only by what people do in Levitate or its logins do."""
    account = await accounts.get_account(session, account_id)
    users = await accounts.list_users(session, account_id)
    mapped = await _mapping(session, account_id, await _clio_users(session, account_id), users)
    return FirmFacts(
        country=account.fields.country,
        primary_user_id=account.fields.primary_user_id,
        users=frozenset(user.user_id for user in users if user.active),
        attorneys={clio_id: to.user_id for clio_id, to in mapped.items() if to.user_id},
    )


async def _clio_users(session: Session, account_id: str) -> list[ClioUser]:
    rows = await session.execute(
        select(_items.c.clio_id, _items.c.record)
        .where(_items.c.account_id == account_id, _items.c.resource == "users")
        .order_by(_items.c.clio_id)
    )
    return [
        ClioUser(row.clio_id, *(row.record.get(name) for name in ("name", "email", "enabled")))
        for row in rows
    ]


async def _mapping(
    session: Session,
    account_id: str,
    clio_users: Sequence[ClioUser],
    users: Sequence[LevitateUser],
) -> dict[int, Mapped]:
    logins = await session.execute(
        select(_logins).where(
            _logins.c.account_id == account_id, _logins.c.clio_user_id.is_not(None), _MAPS
        )
    )
    by_hand = await session.execute(select(_manual).where(_manual.c.account_id == account_id))
    return map_attorneys(
        clio_users,
        users,
        logins=[
            Login(row.clio_user_id, row.user_id, row.status == Status.CONNECTED, row.connected_at)
            for row in logins
        ],
        manual={row.clio_user_id: row.user_id for row in by_hand},
    )
