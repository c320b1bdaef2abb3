"""The users of the configured addresses, and whether PostgreSQL keeps accounts apart for them, the second wall.

`docs/operations.md` says which users there are and how to create them. `rights.py` has what their roles may do.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import randbits

from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.connection import CONNECT_SECONDS, Address, new_engine
from app.db.rights import RUN, SYSTEM
from app.db.session import Database, Session, begun
from app.errors import CannotStart, DatabaseUnavailable

URL, DIRECT_URL = "LEVITATE_CLIO_DATABASE_URL", "LEVITATE_CLIO_DIRECT_DATABASE_URL"
SYSTEM_URL, OWNER_URL = (
    "LEVITATE_CLIO_SYSTEM_DATABASE_URL",
    "LEVITATE_CLIO_MIGRATE_DATABASE_URL",
)


@dataclass(frozen=True)
class User:
    """The user of an address, as the database sees it.

    `is_exempt`: no policy applies, because the user owns the tables, is a superuser or has BYPASSRLS. `has_roles`: the
    server has both roles and the tables have policies, so that there is something to say about the user.
    """

    variable: str
    name: str
    is_exempt: bool = False
    is_run: bool = False
    is_system: bool = False
    may_migrate: bool = False
    has_roles: bool = True
    is_elsewhere: bool = (
        False  # the address is that of another database than LEVITATE_CLIO_DATABASE_URL
    )


@dataclass(frozen=True)
class Users:
    """The users of the addresses that are set; without one of its own, `accounts` does its work.

    `owner` is not None only if it was asked for.
    """

    accounts: User
    system: User | None = None
    direct: User | None = None
    owner: User | None = None

    @property
    def keep_accounts_apart(self) -> bool:
        """Return whether the policies apply to the transactions of accounts."""
        return self.accounts.has_roles and not self.accounts.is_exempt


async def find_users(database: Database, *, owner: bool) -> Users:
    """Return the users of all addresses; that of migrations only if `owner`.

    Raises DatabaseUnavailable, with a note that names the variable of the address that does not work.
    """
    address = database.address
    key = randbits(63)
    async with begun(database.accounts, None) as session:
        await session.execute(_LOCK, {"key": key})
        accounts = await _describe(session, URL)
        return Users(
            accounts,
            system=await _look(address.for_system(), SYSTEM_URL, key) if address.system else None,
            direct=await _look(Address(address.direct), DIRECT_URL, key)
            if address.past_pooler
            else None,
            owner=await _look(address.for_migrations(), _migrating(address), key)
            if owner
            else None,
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
        failure.add_note(variable)
        raise


@asynccontextmanager
async def _short_lived(address: Address) -> AsyncIterator[AsyncEngine]:
    engine = new_engine(address, deadline=CONNECT_SECONDS, poolclass=NullPool)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _describe(session: Session, variable: str, *, is_elsewhere: bool = False) -> User:
    row = (await session.execute(_DESCRIBE, {"run": RUN, "system": SYSTEM})).one()
    return User(variable, **row._mapping, is_elsewhere=is_elsewhere)


def find_faults(users: Users) -> Iterator[str]:
    """Yield what is wrong with the users, each in a line that begins with the variable and says what to do."""
    others = [user for user in (users.system, users.direct, users.owner) if user is not None]
    elsewhere = [user for user in others if user.is_elsewhere]
    for user in elsewhere:
        yield f"{user.variable}: it is another database than that of {URL}; set both to the same database"
    if elsewhere:
        return
    if users.owner is not None and not users.owner.may_migrate:
        yield _cannot_migrate(users.owner)
    if users.accounts.has_roles:
        yield from _faults_of_roles(users)


def check_users(users: Users) -> None:
    """Raise CannotStart for the first fault."""
    for fault in find_faults(users):
        raise CannotStart(fault)


def _cannot_migrate(user: User) -> str:
    return (
        f"{user.variable}: the user {user.name} does not own the tables, so it cannot migrate them;"
        f" set {OWNER_URL} to the address of the user who does"
    )


def _faults_of_roles(users: Users) -> Iterator[str]:
    accounts, system = users.accounts, users.system
    if accounts.is_exempt and (system is None or system.name == accounts.name):
        return  # one user does everything
    for user in (accounts, users.direct):
        if user is not None:
            yield from _faults_of_serving(user)
    if system is None:
        yield (
            f"{SYSTEM_URL}: not set, and the user {accounts.name} sees only one account at a time; set it to the"
            f" address of a user with the role {SYSTEM}"
        )
    else:
        yield from _faults_of_system(system, accounts)


def _faults_of_serving(user: User) -> Iterator[str]:
    """Yield why a user may not serve accounts: it sees all of them, or none."""
    if user.is_exempt:
        yield (
            f"{user.variable}: the user {user.name} sees all accounts, because it owns the tables, is a superuser or"
            f" has BYPASSRLS; set it to the address of a user with only the role {RUN}"
        )
    elif user.is_system:
        yield (
            f"{user.variable}: the user {user.name} has the role {SYSTEM}, so it sees all accounts;"
            f' run `revoke {SYSTEM} from "{user.name}"`'
        )
    elif not user.is_run:
        yield _lacks_role(user, RUN)


def _faults_of_system(user: User, accounts: User) -> Iterator[str]:
    if user.name == accounts.name:
        yield (
            f"{user.variable}: the user {user.name} is also that of {URL}; set it to the address of a user of its own"
            f" with the role {SYSTEM}"
        )
    elif user.is_exempt:
        yield (
            f"{user.variable}: the user {user.name} may do everything, because it owns the tables, is a superuser or"
            f" has BYPASSRLS; set it to the address of a user with only the role {SYSTEM}"
        )
    elif not user.is_system:
        yield _lacks_role(user, SYSTEM)


def _lacks_role(user: User, role: str) -> str:
    return f'{user.variable}: the user {user.name} lacks the role {role}; run `grant {role} to "{user.name}"`'


# Locks of this kind belong to a database. So one that another session holds is taken there, and free everywhere else.
_LOCK = text("select pg_advisory_xact_lock(:key)")
_TRY_LOCK = text("select pg_try_advisory_xact_lock(:key)")
_DESCRIBE = text("""
    select u.rolname as name,
      u.rolsuper or u.rolbypassrls or exists (
        select from pg_class c where c.relrowsecurity and c.relnamespace = 'public'::regnamespace
        and pg_has_role(u.oid, c.relowner, 'usage')) as is_exempt,
      coalesce(pg_has_role(u.oid, to_regrole(:run)::oid, 'usage'), false) as is_run,
      coalesce(pg_has_role(u.oid, to_regrole(:system)::oid, 'member'), false) as is_system,
      coalesce(
        (select pg_has_role(u.oid, c.relowner, 'usage') from pg_class c where c.oid = to_regclass('public.accounts')),
        has_schema_privilege('public', 'create')) as may_migrate,
      to_regrole(:run) is not null and to_regrole(:system) is not null and exists (
        select from pg_class c where c.oid = to_regclass('public.accounts') and c.relrowsecurity) as has_roles
    from pg_roles u where u.rolname = current_user
""")
