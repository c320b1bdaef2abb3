"""Which Clio user is which Levitate user, and the other facts that all assessments of an account share [OW-9].

Only this module loads the input of `map_attorneys`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace

from msgspec.structs import replace
from sqlalchemy import delete, select, text
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

_CONTACTS_OF = text("""
    with own as (
        select client_id, cast(record -> 'responsible' ->> 'clio_user_id' as bigint) as clio_user_id
        from mirror_matters where account_id = :account
        union
        select client_id, cast(record -> 'originating' ->> 'clio_user_id' as bigint)
        from mirror_matters where account_id = :account
    )
    select own.clio_user_id, count(*) as n from own
    join contacts on contacts.account_id = :account and contacts.clio_id = own.client_id
        and contacts.state = 'in_scope'
    where own.clio_user_id = any(cast(:ids as bigint[])) group by own.clio_user_id
""")


@dataclass(frozen=True)
class Attorney:
    """A Clio user of the firm, the Levitate user to whom it is mapped, and how many contacts have matters of it."""

    clio_user: ClioUser
    mapped: Mapped | None
    contacts: int = 0


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


async def list_attorneys(
    session: Session, account_id: str, *, unmapped: bool = False, after: int, limit: int
) -> list[Attorney]:
    """Return the firm's Clio users by id, those after `after`, each with its Levitate user [OW-9].

    With `unmapped` only those without a mapping; one to nobody, by hand, is a mapping.
    """
    clio_users = await _clio_users(session, account_id)
    users = await accounts.list_users(session, account_id)
    mapped = await _mapping(session, account_id, clio_users, users)
    found = [
        Attorney(user, mapped.get(user.clio_user_id))
        for user in clio_users
        if user.clio_user_id > after and not (unmapped and user.clio_user_id in mapped)
    ]
    return await _with_contacts(session, account_id, found[:limit])


async def count_unmapped(session: Session, account_id: str) -> int:
    """Return how many Clio users who can still sign in have no mapping."""
    clio_users = await _clio_users(session, account_id)
    users = await accounts.list_users(session, account_id)
    mapped = await _mapping(session, account_id, clio_users, users)
    return sum(user.enabled is not False and user.clio_user_id not in mapped for user in clio_users)


async def _with_contacts(
    session: Session, account_id: str, found: Sequence[Attorney]
) -> list[Attorney]:
    """Return the same Clio users with the number of contacts in scope of whose own matters they are the attorney."""
    ids = [one.clio_user.clio_user_id for one in found]
    rows = await session.execute(_CONTACTS_OF, {"account": account_id, "ids": ids})
    counts = {row.clio_user_id: row.n for row in rows}
    return [
        dataclass_replace(one, contacts=counts.get(one.clio_user.clio_user_id, 0)) for one in found
    ]


async def get_attorney(session: Session, account_id: str, clio_user_id: int) -> Attorney:
    """Return one Clio user with its Levitate user, also one that no pull has shown yet."""
    known = {user.clio_user_id: user for user in await _clio_users(session, account_id)}
    users = await accounts.list_users(session, account_id)
    mapped = await _mapping(session, account_id, list(known.values()), users)
    clio_user = known.get(clio_user_id, ClioUser(clio_user_id))
    attorney = Attorney(clio_user, mapped.get(clio_user_id))
    return (await _with_contacts(session, account_id, [attorney]))[0]


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
