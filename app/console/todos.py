"""Lists what a person should do for a firm: issues, logins that hold something up, unmapped attorneys."""

from collections.abc import Sequence

from app.api import accounts, issues
from app.api.pagination import ListRequest, PageRequest
from app.console.rendering import plural
from app.console.seats import Seat
from app.console.visit import Visit
from app.console.words.issues import Known, Step, Todo, first_name, todo
from app.db import open_tasks
from app.db.issues import IssueFilter
from app.db.mirror.audience import Audience
from app.db.session import Session

MOST_ISSUES = 20


async def list_todos(
    visit: Visit,
    session: Session,
    audience: Audience,
    seats: Sequence[Seat],
) -> list[Todo]:
    """Return what a person should do, the gravest first: issues, missing logins that hold up, unknown attorneys."""
    listed = await issues.list_issues(
        visit.account, audience, session, ListRequest(limit=MOST_ISSUES), IssueFilter(), "open"
    )
    waiting = await issues.list_holds(visit.account, audience, session, ListRequest(), "open")
    known = Known(
        users={seat.login.id: seat.user.id for seat in seats if seat.login},
        names={seat.user.id: seat.user.name for seat in seats},
        held={hold.id: hold.count for hold in waiting.data},
        url=visit.url,
    )
    of_issues = [todo(issue, known) for issue in listed.data]
    todos = sorted(of_issues, key=lambda one: not one.grave)
    if visit.is_limited:
        return todos
    blocked = await open_tasks.count_blocked_by_user(session, visit.account_id)
    todos += [_missing_login(one, blocked[one.user.id]) for one in seats if one.holds_up(blocked)]
    return todos + await _unknown_attorneys(visit, session)


def _missing_login(seat: Seat, n: int) -> Todo:
    name, first = seat.user.name, first_name(seat.user.name)
    waits = "1 activity" if n == 1 else f"{n:,} activities"
    return Todo(
        f"{name} has not connected Clio",
        f"{waits} by {first} {'waits' if n == 1 else 'wait'} to be written to Clio. Connecting takes a minute.",
        Step(f"Get {first}’s link", f"#user-{seat.user.id}"),
    )


async def _unknown_attorneys(visit: Visit, session: Session) -> list[Todo]:
    """Return a step for the Clio users who are nobody in Levitate and have people; one for all if there are several."""
    unmapped = await accounts.list_attorneys(
        visit.account, session, PageRequest(limit=200), unmapped=True
    )
    with_people = [one for one in unmapped.data if one.contacts and one.enabled is not False]
    if not with_people:
        return []
    step = Step("Choose a user", visit.url("attorneys"))
    if len(with_people) == 1:
        one = with_people[0]
        title = f"{one.name or 'A user'} is an attorney in Clio, but nobody in Levitate"
        people = plural(one.contacts, "person has a matter", "people have a matter")
        return [Todo(title, f"{people} that names this attorney. Somebody else owns them.", step)]
    title = f"{len(with_people)} attorneys in Clio are nobody in Levitate"
    listed = ", ".join(
        f"{one.name or 'a user'} ({one.contacts:,} people)" for one in with_people[:3]
    )
    return [Todo(title, f"{listed}{' and others' if len(with_people) > 3 else ''}.", step)]
