"""What is wrong with the users of the configured addresses, and what the operator should do [T2]."""

from dataclasses import replace

import pytest

from app.db.addresses import DIRECT_URL, OWNER_URL, SYSTEM_URL, URL
from app.db.rights import RUN, SYSTEM
from app.db.roles import User, Users, find_faults

ALL, ONLY_RUN, ONLY_SYSTEM = frozenset({RUN, SYSTEM}), frozenset({RUN}), frozenset({SYSTEM})
OWNER = User(OWNER_URL, "owner", is_owner=True, is_exempt=True)
SERVES = User(URL, "serves", holds=ONLY_RUN, uses=ONLY_RUN, foreign_table="accounts")
OVERALL = User(SYSTEM_URL, "overall", holds=ONLY_SYSTEM, uses=ONLY_SYSTEM, foreign_table="accounts")
DIRECT = replace(SERVES, variable=DIRECT_URL)
STRANGER = User("", "stranger", foreign_table="accounts")
MIGHTY = replace(SERVES, name="mighty", is_exempt=True)  # with BYPASSRLS, for example


def of(user: User, variable: str) -> User:
    """Return the user as that of another address."""
    return replace(user, variable=variable)


def elsewhere(user: User) -> User:
    """Return the user of an address of another database."""
    return replace(user, is_elsewhere=True)


def no_policy_stops(user: User, role: str) -> str:
    return (
        f"{user.variable}: no policy stops the user {user.name}: it or a role of which it is a member owns a table, is"
        " a superuser, has BYPASSRLS or CREATEROLE, or reads or writes all data; set it to the address of a user with"
        f" only the role {role}"
    )


ALSO = (
    f"also that of {URL}; set them to two users, one with only the role levitate_run for {URL}, and one with only the"
    " role levitate_system"
)


@pytest.mark.parametrize(
    "users",
    [
        Users(of(OWNER, URL)),
        Users(of(OWNER, URL), system=of(OWNER, SYSTEM_URL), direct=of(OWNER, DIRECT_URL), owner=OWNER),
        Users(of(OWNER, URL), direct=DIRECT),
        Users(SERVES, system=OVERALL),
        Users(SERVES, system=OVERALL, direct=DIRECT, owner=OWNER),
        Users(SERVES, system=replace(OVERALL, holds=ALL, uses=ALL)),
        Users(STRANGER, system=STRANGER, owner=OWNER, are_known=False),
    ],
)  # fmt: skip
def test_users_who_can_work_have_no_fault(users: Users):
    assert list(find_faults(users)) == []


@pytest.mark.parametrize(
    ("users", "fault"),
    [
        (Users(SERVES), f"{SYSTEM_URL}: not set, and the user serves sees only one account at a time; set it to the"
            " address of a user with only the role levitate_system"),
        (Users(SERVES, system=of(SERVES, SYSTEM_URL)), f"{SYSTEM_URL}: the user serves is {ALSO}"),
        (Users(of(OVERALL, URL), system=OVERALL), f"{SYSTEM_URL}: the user overall is {ALSO}"),
        (Users(SERVES, system=of(STRANGER, SYSTEM_URL)), f"{SYSTEM_URL}: the user stranger lacks the role"
            ' levitate_system; run `grant levitate_system to "stranger"`'),
        (Users(SERVES, system=replace(OVERALL, uses=frozenset())), f"{SYSTEM_URL}: the user overall does not inherit"
            ' the rights of the role levitate_system; run `alter role "overall" inherit`, and from PostgreSQL 16 on'
            ' also `grant levitate_system to "overall" with inherit true`'),
        (Users(SERVES, system=of(OWNER, SYSTEM_URL)), no_policy_stops(of(OWNER, SYSTEM_URL), SYSTEM)),
        (Users(of(replace(STRANGER, name='o"x'), URL), system=OVERALL), f'{URL}: the user o"x lacks the role'
            ' levitate_run; run `grant levitate_run to "o""x"`'),
        (Users(replace(SERVES, uses=frozenset()), system=OVERALL), f"{URL}: the user serves does not inherit the rights"
            ' of the role levitate_run; run `alter role "serves" inherit`, and from PostgreSQL 16 on also'
            ' `grant levitate_run to "serves" with inherit true`'),
        (Users(of(OWNER, URL), system=OVERALL), no_policy_stops(of(OWNER, URL), RUN)),
        (Users(MIGHTY, system=OVERALL), no_policy_stops(MIGHTY, RUN)),
        (Users(replace(SERVES, holds=ALL), system=OVERALL), f"{URL}: the user serves has the role levitate_system, so"
            " it sees all accounts; set it to the address of a user with only the role levitate_run"),
        (Users(SERVES, system=OVERALL, direct=of(OWNER, DIRECT_URL)), no_policy_stops(of(OWNER, DIRECT_URL), RUN)),
        (Users(SERVES, system=OVERALL, direct=of(STRANGER, DIRECT_URL)), f"{DIRECT_URL}: the user stranger lacks the"
            ' role levitate_run; run `grant levitate_run to "stranger"`'),
        (Users(of(OWNER, URL), direct=of(STRANGER, DIRECT_URL)), f"{DIRECT_URL}: the user stranger lacks the"
            ' role levitate_run; run `grant levitate_run to "stranger"`'),
        (Users(SERVES, system=OVERALL, owner=of(SERVES, OWNER_URL)), f"{OWNER_URL}: the user serves does not own the"
            f" table accounts, so it cannot migrate it; set {OWNER_URL} to the address of the user who owns all"
            " tables"),
        (Users(SERVES, system=OVERALL, owner=replace(SERVES, foreign_table=None)), f"{URL}: the user serves may not"
            f" create tables in the schema public; set {OWNER_URL} to the address of the user who owns the database"),
        (Users(SERVES, system=elsewhere(OVERALL)), f"{SYSTEM_URL}: it is another database than that of {URL}; set both"
            " to the same database"),
        (Users(STRANGER, owner=elsewhere(OWNER), are_known=False), f"{OWNER_URL}: it is another database than that of"
            f" {URL}; set both to the same database"),
    ],
)  # fmt: skip
def test_a_fault_names_its_variable_and_what_to_do(users: Users, fault: str):
    assert list(find_faults(users)) == [fault]


def test_who_passes_the_policies_but_does_not_own_the_tables_cannot_do_everything():
    faults = list(find_faults(Users(MIGHTY)))
    assert faults[0] == no_policy_stops(MIGHTY, RUN)
    assert faults[1].startswith(f"{SYSTEM_URL}: not set")


def test_all_faults_are_found_but_none_of_another_database():
    users = Users(
        of(STRANGER, URL),
        system=of(replace(STRANGER, name="other"), SYSTEM_URL),
        direct=of(OWNER, DIRECT_URL),
    )
    assert [fault.split(":")[0] for fault in find_faults(users)] == [URL, DIRECT_URL, SYSTEM_URL]
    users = replace(users, direct=elsewhere(DIRECT), system=elsewhere(OVERALL))
    assert [fault.split(":")[0] for fault in find_faults(users)] == [SYSTEM_URL, DIRECT_URL]
