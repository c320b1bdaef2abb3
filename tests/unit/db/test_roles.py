"""What is wrong with the users of the configured addresses, and what the operator should do [T2]."""

from dataclasses import replace

import pytest

from app.db.roles import DIRECT_URL, OWNER_URL, SYSTEM_URL, URL, User, Users, find_faults

OWNER = User(OWNER_URL, "owner", is_exempt=True, is_run=True, is_system=True, may_migrate=True)
SERVES = User(URL, "serves", is_run=True)
OVERALL = User(SYSTEM_URL, "overall", is_system=True)
DIRECT = replace(SERVES, variable=DIRECT_URL)
STRANGER = User("", "stranger")


def of(user: User, variable: str) -> User:
    """Return the user as that of another address."""
    return replace(user, variable=variable)


def fresh(user: User) -> User:
    """Return the user of a database without tables."""
    return replace(user, is_exempt=False, has_roles=False)


def elsewhere(user: User) -> User:
    """Return the user of an address of another database."""
    return replace(user, is_elsewhere=True)


SEES_ALL = "sees all accounts, because it owns the tables, is a superuser or has BYPASSRLS; set it to the address of a"
MAY_ALL = "may do everything, because it owns the tables, is a superuser or has BYPASSRLS; set it to the address of a"


@pytest.mark.parametrize(
    "users",
    [
        Users(of(OWNER, URL)),
        Users(of(OWNER, URL), system=of(OWNER, SYSTEM_URL), direct=of(OWNER, DIRECT_URL), owner=OWNER),
        Users(SERVES, system=OVERALL),
        Users(SERVES, system=OVERALL, direct=DIRECT, owner=OWNER),
        Users(fresh(SERVES), system=fresh(OVERALL), owner=fresh(OWNER)),
        Users(fresh(STRANGER), system=fresh(STRANGER)),
    ],
)  # fmt: skip
def test_users_who_can_work_have_no_fault(users: Users):
    assert list(find_faults(users)) == []


@pytest.mark.parametrize(
    ("users", "fault"),
    [
        (Users(SERVES), f"{SYSTEM_URL}: not set, and the user serves sees only one account at a time; set it to the"
            " address of a user with the role levitate_system"),
        (Users(SERVES, system=of(SERVES, SYSTEM_URL)), f"{SYSTEM_URL}: the user serves is also that of {URL}; set it to"
            " the address of a user of its own with the role levitate_system"),
        (Users(SERVES, system=of(STRANGER, SYSTEM_URL)), f"{SYSTEM_URL}: the user stranger lacks the role"
            ' levitate_system; run `grant levitate_system to "stranger"`'),
        (Users(SERVES, system=of(OWNER, SYSTEM_URL)),
            f"{SYSTEM_URL}: the user owner {MAY_ALL} user with only the role levitate_system"),
        (Users(of(STRANGER, URL), system=OVERALL), f"{URL}: the user stranger lacks the role levitate_run; run"
            ' `grant levitate_run to "stranger"`'),
        (Users(of(OWNER, URL), system=OVERALL),
            f"{URL}: the user owner {SEES_ALL} user with only the role levitate_run"),
        (Users(replace(SERVES, is_system=True), system=OVERALL), f"{URL}: the user serves has the role levitate_system,"
            ' so it sees all accounts; run `revoke levitate_system from "serves"`'),
        (Users(SERVES, system=OVERALL, direct=of(OWNER, DIRECT_URL)),
            f"{DIRECT_URL}: the user owner {SEES_ALL} user with only the role levitate_run"),
        (Users(SERVES, system=OVERALL, direct=of(STRANGER, DIRECT_URL)), f"{DIRECT_URL}: the user stranger lacks the"
            ' role levitate_run; run `grant levitate_run to "stranger"`'),
        (Users(SERVES, system=OVERALL, owner=of(SERVES, OWNER_URL)), f"{OWNER_URL}: the user serves does not own the"
            f" tables, so it cannot migrate them; set {OWNER_URL} to the address of the user who does"),
        (Users(fresh(SERVES), system=fresh(OVERALL), owner=fresh(SERVES)), f"{URL}: the user serves does not own the"
            f" tables, so it cannot migrate them; set {OWNER_URL} to the address of the user who does"),
        (Users(SERVES, system=elsewhere(OVERALL)), f"{SYSTEM_URL}: it is another database than that of {URL}; set both"
            " to the same database"),
        (Users(fresh(SERVES), system=fresh(OVERALL), owner=elsewhere(OWNER)), f"{OWNER_URL}: it is another database"
            f" than that of {URL}; set both to the same database"),
    ],
)  # fmt: skip
def test_a_fault_names_its_variable_and_what_to_do(users: Users, fault: str):
    assert list(find_faults(users)) == [fault]


def test_all_faults_are_found_but_none_of_another_database():
    users = Users(of(STRANGER, URL), system=of(STRANGER, SYSTEM_URL), direct=of(OWNER, DIRECT_URL))
    assert [fault.split(":")[0] for fault in find_faults(users)] == [URL, DIRECT_URL, SYSTEM_URL]
    users = replace(users, direct=elsewhere(DIRECT), system=elsewhere(OVERALL))
    assert [fault.split(":")[0] for fault in find_faults(users)] == [SYSTEM_URL, DIRECT_URL]
