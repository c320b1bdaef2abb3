"""The users of the configured addresses, and whether PostgreSQL keeps accounts apart for them, the second wall.

`docs/operations.md` says which users there are and how to create them. `rights.py` has what their roles may do.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from secrets import randbits

from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.addresses import DIRECT_URL, OWNER_URL, SYSTEM_URL, URL, name_variable
from app.db.connection import CONNECT_SECONDS, Address, new_engine
from app.db.rights import RUN, SYSTEM, TABLES
from app.db.session import Database, Session, begun
from app.errors import CannotStart, DatabaseUnavailable


@dataclass(frozen=True)
class User:
    """The user of an address, as the database sees it.

    `is_owner`: it owns all tables, or may create them in an empty database. `is_exempt`: the policies do not keep it
    from any row, or it may give itself such a right. `holds` are the roles of the service of which it is a member,
    `uses` those whose rights it has without asking for them.
    """

    variable: str
    name: str
    is_owner: bool = False
    is_exempt: bool = False
    holds: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    foreign_table: str | None = None  # the first table that it does not own
    is_elsewhere: bool = False  # in another database than the user of LEVITATE_CLIO_DATABASE_URL


@dataclass(frozen=True)
class Users:
    """The users of the addresses that are set; without one of its own, `accounts` does its work.

    `owner` is not None only if it was asked for. `are_known`: the server has the roles of the service, so that there is
    something to say about the users.
    """

    accounts: User
    system: User | None = None
    direct: User | None = None
    owner: User | None = None
    are_known: bool = True

    @property
    def are_one(self) -> bool:
        """Return whether one user does everything, so that no policy applies."""
        return self.accounts.is_owner and self.system in (
            None,
            replace(self.accounts, variable=SYSTEM_URL),
        )


async def find_users(database: Database, *, owner: bool) -> Users:
    """Return the users of all addresses; that of migrations only if `owner`.

    Raises DatabaseUnavailable; `named_variable` tells the address that does not work.
    """
    address, key = database.address, randbits(63)
    async with begun(database.accounts, None) as session:
        await session.execute(_LOCK, {"key": key})
        return Users(
            await _describe(session, URL),
            system=await _look(address.for_system(), SYSTEM_URL, key) if address.system else None,
            direct=await _look(Address(address.direct), DIRECT_URL, key)
            if address.past_pooler
            else None,
            owner=await _look(address.for_migrations(), _migrating(address), key)
            if owner
            else None,
            are_known=(await session.execute(_ARE_KNOWN, _ROLES)).scalar_one(),
        )


def _migrating(address: Address) -> str:
    """Return the variable whose address migrations use."""
    if address.owner is not None:
        return OWNER_URL
    return URL if address.past_pooler is None else DIRECT_URL


async def _look(address: Address, variable: str, key: int) -> User:
    """Return the user of another address. It is elsewhere if the lock that the caller holds is not known there."""
    try:
        async with _short_lived(address) as engine, begun(engine, None) as session:
            is_free = (await session.execute(_TRY_LOCK, {"key": key})).scalar_one()
            return await _describe(session, variable, is_elsewhere=is_free)
    except DatabaseUnavailable as failure:
        name_variable(failure, variable)
        raise


@asynccontextmanager
async def _short_lived(address: Address) -> AsyncIterator[AsyncEngine]:
    engine = new_engine(address, deadline=CONNECT_SECONDS, poolclass=NullPool)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _describe(session: Session, variable: str, *, is_elsewhere: bool = False) -> User:
    row = (await session.execute(_DESCRIBE, {"tables": TABLES, **_ROLES})).one()
    found = row._asdict() | {"holds": frozenset(row.holds), "uses": frozenset(row.uses)}
    return User(variable, **found, is_elsewhere=is_elsewhere)


def find_faults(users: Users) -> Iterator[str]:
    """Yield what is wrong with the users, each in a line that begins with the variable and says what to do."""
    others = [user for user in (users.system, users.direct, users.owner) if user is not None]
    elsewhere = [user for user in others if user.is_elsewhere]
    for user in elsewhere:
        yield f"{user.variable}: it is another database than that of {URL}; set both to the same database"
    if elsewhere:
        return
    if users.owner is not None and not users.owner.is_owner:
        yield _cannot_migrate(users.owner)
    if users.are_known:
        yield from _faults_of_roles(users)


def check_users(users: Users) -> None:
    """Raise CannotStart for the first fault."""
    for fault in find_faults(users):
        raise CannotStart(fault)


def _cannot_migrate(user: User) -> str:
    if user.foreign_table is None:
        return (
            f"{user.variable}: the user {user.name} may not create tables in the schema public; set {OWNER_URL} to the"
            " address of the user who owns the database"
        )
    return (
        f"{user.variable}: the user {user.name} does not own the table {user.foreign_table}, so it cannot migrate it;"
        f" set {OWNER_URL} to the address of the user who owns all tables"
    )


def _faults_of_roles(users: Users) -> Iterator[str]:
    accounts, system, direct = users.accounts, users.system, users.direct
    if users.are_one:
        if direct is not None and not direct.is_owner:
            yield from _faults_of(direct, RUN)
        return
    if system is not None and system.name == accounts.name:
        yield (
            f"{SYSTEM_URL}: the user {system.name} is also that of {URL}; set them to two users, one with only the role"
            f" {RUN} for {URL}, and one with only the role {SYSTEM}"
        )
        return
    for user in (accounts, direct):
        if user is not None:
            yield from _faults_of(user, RUN)
    if system is not None:
        yield from _faults_of(system, SYSTEM)
    else:
        yield (
            f"{SYSTEM_URL}: not set, and the user {accounts.name} sees only one account at a time; set it to the"
            f" address of a user with only the role {SYSTEM}"
        )


def _faults_of(user: User, role: str) -> Iterator[str]:
    """Yield why the user may not do the work of a role: it may do more, or not enough."""
    another = f"; set it to the address of a user with only the role {role}"
    if user.is_exempt:
        yield (
            f"{user.variable}: no policy stops the user {user.name}: it or a role of which it is a member owns a table,"
            " is a superuser, has BYPASSRLS or CREATEROLE, or reads or writes all data"
            f"{another}"
        )
    elif role == RUN and SYSTEM in user.holds:
        yield f"{user.variable}: the user {user.name} has the role {SYSTEM}, so it sees all accounts{another}"
    elif role not in user.holds:
        yield (
            f"{user.variable}: the user {user.name} lacks the role {role};"
            f" run `grant {role} to {_quoted(user)}`"
        )
    elif role not in user.uses:
        yield (
            f"{user.variable}: the user {user.name} does not inherit the rights of the role {role}; run"
            f" `alter role {_quoted(user)} inherit`, and from PostgreSQL 16 on also `grant {role} to {_quoted(user)}"
            " with inherit true`"
        )


def _quoted(user: User) -> str:
    return '"' + user.name.replace('"', '""') + '"'


_ROLES = {"run": RUN, "system": SYSTEM}
# Locks of this kind belong to a database. So one that another session holds is taken there, and free everywhere else.
_LOCK = text("select pg_advisory_xact_lock(:key)")
_TRY_LOCK = text("select pg_try_advisory_xact_lock(:key)")
_ARE_KNOWN = text("""
    select to_regrole(:run) is not null and to_regrole(:system) is not null
""")
# It looks at the catalogue and not at names, because a user may have no right to use the schema.
_DESCRIBE = text("""
    with own as (
      select c.relname, c.relowner from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname = any(:tables)
    )
    select u.rolname as name,
      case when exists (select from own)
        then not exists (select from own where not pg_has_role(u.oid, relowner, 'usage'))
        else has_schema_privilege('public'::regnamespace, 'create') end as is_owner,
      exists (
        select from pg_roles r where pg_has_role(u.oid, r.oid, 'member') and (r.rolsuper or r.rolbypassrls
        or r.rolcreaterole or r.rolname in ('pg_read_all_data', 'pg_write_all_data')
        or r.oid in (select relowner from own))) as is_exempt,
      array(select r.rolname from pg_roles r
        where r.rolname in (:run, :system) and pg_has_role(u.oid, r.oid, 'member')) as holds,
      array(select r.rolname from pg_roles r
        where r.rolname in (:run, :system) and pg_has_role(u.oid, r.oid, 'usage')) as uses,
      (select min(relname) from own where not pg_has_role(u.oid, relowner, 'usage')) as foreign_table
    from pg_roles u where u.rolname = current_user
""")
