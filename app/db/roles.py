"""The roles that the service connects as: whether PostgreSQL keeps accounts apart for them, the second wall.

A migration creates `levitate_run` and `levitate_system`; `docs/operations.md` says how users get them.
"""

from dataclasses import dataclass

from sqlalchemy import text

from app.db.session import Database, Session, begun
from app.errors import CannotStart, DatabaseUnavailable

URL, SYSTEM_URL = "LEVITATE_CLIO_DATABASE_URL", "LEVITATE_CLIO_SYSTEM_DATABASE_URL"


@dataclass(frozen=True)
class Role:
    """A user of the database. `is_exempt`: the policies do not apply, because it owns the tables or may pass them."""

    name: str
    is_exempt: bool
    is_run: bool
    is_system: bool


@dataclass(frozen=True)
class Roles:
    """The users of the transactions of accounts, and of those over all accounts."""

    run: Role
    system: Role

    @property
    def keep_accounts_apart(self) -> bool:
        """Return whether the policies apply to the transactions of accounts."""
        return not self.run.is_exempt


async def check_roles(database: Database) -> Roles | None:
    """Return the users of the service, None before the first migration.

    Raises CannotStart if they lack a role, or if the one that serves accounts could see all of them. Raises
    DatabaseUnavailable, with a note that names the variable if it is the system's address.
    """
    async with begun(database.accounts, None) as session:
        run = await _describe(session)
    try:
        async with begun(database.system, None) as session:
            system = await _describe(session)
    except DatabaseUnavailable as failure:
        if database.system is not database.accounts:
            failure.add_note(SYSTEM_URL)
        raise
    if run is None or system is None:
        return None
    if run.is_exempt:
        return Roles(run, system)
    if run.is_system:
        raise CannotStart(
            f"{URL}: the user {run.name} has the role levitate_system, so it sees all accounts;"
            f' run `revoke levitate_system from "{run.name}"`'
        )
    for role, is_member, variable in (
        ("levitate_run", run.is_run, URL),
        ("levitate_system", system.is_system, SYSTEM_URL),
    ):
        if not is_member:
            raise CannotStart(_lacking(run, system, role, variable))
    return Roles(run, system)


def _lacking(run: Role, system: Role, role: str, variable: str) -> str:
    if role == "levitate_system" and run.name == system.name:
        return (
            f"{variable}: not set, and the user {run.name} sees only one account at a time;"
            " set it to the address of a user with the role levitate_system"
        )
    name = run.name if role == "levitate_run" else system.name
    return f'{variable}: the user {name} lacks the role {role}; run `grant {role} to "{name}"`'


async def _describe(session: Session) -> Role | None:
    """Return the user of a session; None if there are no tables or roles yet."""
    row = (await session.execute(_DESCRIBE)).one_or_none()
    return None if row is None else Role(*row)


_DESCRIBE = text("""
    select current_user,
      u.rolsuper or u.rolbypassrls or pg_has_role(current_user, c.relowner, 'usage') as is_exempt,
      pg_has_role(current_user, run.oid, 'usage') as is_run,
      pg_has_role(current_user, system.oid, 'member') as is_system
    from pg_roles u, pg_class c, pg_roles run, pg_roles system
    where u.rolname = current_user and c.oid = to_regclass('accounts') and c.relrowsecurity
      and run.rolname = 'levitate_run' and system.rolname = 'levitate_system'
""")
