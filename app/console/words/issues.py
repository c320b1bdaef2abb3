"""Issues in plain words: what is the case, what it means for people, and the one step that solves it.

`docs/issues.md` has the codes. An unknown code gets its own detail, which is a sentence, and a way to mark it as done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.api import schemas
from app.console.names import sentence

Url = Callable[..., str]


@dataclass(frozen=True)
class Step:
    """The step that solves an issue: a link, or a form when `issue_id` is given, which marks it as done."""

    text: str
    href: str = ""
    issue_id: str = ""


@dataclass(frozen=True)
class Todo:
    """Something that a person should do: its title, what it means, and the step."""

    title: str
    text: str
    step: Step
    grave: bool = False


@dataclass(frozen=True)
class Known:
    """The facts that the words of issues need.

    `users` is the user of each connection, `names` are by user id, `held` is the number of
    people in each open hold.
    """

    users: Mapping[str, str]
    names: Mapping[str, str]
    held: Mapping[str, int]
    url: Url

    def user_of(self, issue: schemas.Issue) -> str:
        """Return the name of the user whose login an issue is about."""
        return self.names.get(self.users.get(issue.subject.id, ""), "A user")


def first_name(name: str) -> str:
    """Return the part of a name by which a button calls somebody."""
    return name.split()[0] if name.split() else name


def todo(issue: schemas.Issue, known: Known) -> Todo:
    """Return an issue in words."""
    words = _WORDS.get(issue.code, _unknown)(issue, known)
    return Todo(words.title, words.text, words.step, grave=issue.severity == "error")


def _detail(issue: schemas.Issue, known: Known) -> str:
    return sentence(issue.detail, known.names)


def _done(issue: schemas.Issue) -> Step:
    return Step("Mark as done", issue_id=issue.id)


def _link_step(issue: schemas.Issue, known: Known) -> Step:
    user_id = known.users.get(issue.subject.id, "")
    return Step(f"Get {first_name(known.user_of(issue))}’s link", f"#user-{user_id}")


def _unknown(issue: schemas.Issue, known: Known) -> Todo:
    return Todo("Something needs a look", _detail(issue, known), _done(issue))


def _needs_reconnect(issue: schemas.Issue, known: Known) -> Todo:
    name = known.user_of(issue)
    return Todo(
        f"{name} must connect Clio again",
        f"Clio no longer accepts this login. What only {first_name(name)} sees in Clio stays as it is, and what"
        f" {first_name(name)} does in Levitate waits.",
        _link_step(issue, known),
    )


def _not_told(issue: schemas.Issue, known: Known) -> Todo:
    return Todo(
        "Clio could not be told that a login has ended", _detail(issue, known), _done(issue)
    )


def _overdue(issue: schemas.Issue, known: Known) -> Todo:
    return Todo(
        "No sync has finished since two scheduled times",
        "People and tags in Levitate are as they were then.",
        Step("See the syncs", known.url("activity/syncs")),
    )


def _coverage(issue: schemas.Issue, known: Known) -> Todo:
    return Todo(
        f"Only {known.user_of(issue)} could see some records in Clio",
        _detail(issue, known),
        _link_step(issue, known),
    )


def _syncs(title: str, text: str = "") -> Callable[[schemas.Issue, Known], Todo]:
    """Return the words of an issue about which the syncs say more."""

    def words(issue: schemas.Issue, known: Known) -> Todo:
        step = Step("See the syncs", known.url("activity/syncs"))
        return Todo(title, text or _detail(issue, known), step)

    return words


def _of_login(title: str) -> Callable[[schemas.Issue, Known], Todo]:
    """Return the words of an issue about one login, which a sync looks at again."""

    def words(issue: schemas.Issue, known: Known) -> Todo:
        step = Step("See the syncs", known.url("activity/syncs"))
        return Todo(title.replace("{}", known.user_of(issue)), _detail(issue, known), step)

    return words


def _record(issue: schemas.Issue, known: Known) -> Todo:
    kind = {"contact": "person or company"}.get(issue.subject.kind, issue.subject.kind)
    return Todo(
        f"A {kind} in Clio could not be read",
        "Levitate keeps what it had. Each sync tries again.",
        Step("See what could not be read", known.url("people", show="failing")),
    )


def _value(issue: schemas.Issue, known: Known) -> Todo:
    return Todo("Some values in Clio could not be read", _detail(issue, known), _done(issue))


def _leaving(issue: schemas.Issue, known: Known) -> Todo:
    n = known.held.get(issue.subject.id, 0)
    return Todo(
        f"{n:,} people would leave Levitate" if n else "Many people would leave Levitate",
        "That is more than usual in a day, so the sync has left them where they are and asks you.",
        _review(n, known.url(f"holds/{issue.subject.id}")),
    )


def _waiting(text: str) -> Callable[[schemas.Issue, Known], Todo]:
    def words(issue: schemas.Issue, known: Known) -> Todo:
        n = known.held.get(issue.subject.id, 0)
        title = (
            "A new-client automation waits for your decision"
            if n == 1
            else f"{n:,} new-client automations wait for your decision"
        )
        return Todo(title, text, _review(n, known.url(f"holds/{issue.subject.id}")))

    return words


def _review(n: int, href: str) -> Step:
    return Step("Review 1 person" if n == 1 else f"Review {n:,} people", href)


def _first_publication(issue: schemas.Issue, known: Known) -> Todo:
    n = known.held.get(issue.subject.id, 0)
    return Todo(
        f"The first sync is read, and {n:,} people wait for your review",
        "Nobody is in Levitate and no automation starts before you decide.",
        Step("Review the first sync", known.url("first-sync")),
    )


def _primary_user(issue: schemas.Issue, known: Known) -> Todo:
    return Todo(
        "The Primary Levitate User is missing",
        "People who should belong to the Primary Levitate User have no owner.",
        Step("Choose a user", known.url("attorneys") + "#primary"),
    )


def _missing_field(issue: schemas.Issue, known: Known) -> Todo:
    return Todo(
        "A custom field that your settings use no longer exists in Clio",
        "Its tags or dates are gone from the people who had them.",
        Step("Choose another field", known.url("settings") + "#cf-n"),
    )


def _author_unknown(issue: schemas.Issue, known: Known) -> Todo:
    return Todo(
        "Activities wait, because Levitate does not list their user",
        "They are written to Clio as soon as the user is in Levitate’s list of users for this firm.",
        Step("See the activities", known.url("writebacks", status="blocked")),
    )


def _endpoint(issue: schemas.Issue, known: Known) -> Todo:
    return Todo(
        "Levitate does not receive events of this firm any more",
        "Levitate’s engineers must enable the webhook endpoint. New-client automations start when they have.",
        _done(issue),
    )


_WORDS: Mapping[str, Callable[[schemas.Issue, Known], Todo]] = {
    "needs_reconnect": _needs_reconnect,
    "deauthorization_failed": _not_told,
    "sync_overdue": _overdue,
    "coverage_lost": _coverage,
    "not_visible": lambda issue, known: Todo(
        "No login sees some records any more", _detail(issue, known), _done(issue)
    ),
    "clio_api_version_gone": _syncs(
        "Clio has changed, and this service must be updated",
        "Levitate’s engineers must update the service. Nothing changes in Levitate until then.",
    ),
    "clio_misconfigured": _syncs(
        "Clio refuses this service’s registration",
        "Levitate’s engineers must correct the registration with Clio. The logins stay connected.",
    ),
    "run_failed": _syncs("The last sync stopped"),
    "clio_outage": _syncs(
        "Clio does not answer", "The sync goes on by itself as soon as Clio answers again."
    ),
    "login_set_aside": _of_login("The last sync ended without the login of {}"),
    "clio_forbidden": _of_login("{} may not read a list in Clio"),
    "clio_field_unknown": _of_login("Clio no longer knows a field, as {} sees it"),
    "relationship_list_capped": _of_login("Not all relationships could be read as {}"),
    "record_quarantined": _record,
    "value_unreadable": _value,
    "listing_shrank": _syncs("A list in Clio was much shorter than before"),
    "shrink_held": _leaving,
    "new_client_surge": _waiting(
        "They appeared within a day. That is more than the limit of your settings, so no automation started."
    ),
    "new_clients_held": _waiting("Your settings say that these wait, so no automation started."),
    "first_publication_held": _first_publication,
    "primary_user_missing": _primary_user,
    "setting_refers_to_missing_field": _missing_field,
    "activity_user_unknown": _author_unknown,
    "webhook_endpoint_disabled": _endpoint,
}
