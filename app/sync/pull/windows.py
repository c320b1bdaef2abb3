"""Read an unordered list to its end in windows of `created_since`, where Clio cuts it off near record 10,000.

Clio does not document whether it cuts off such a list, nor in which order it returns it (clio.md §8, §21). A window
begins at the newest `created_at` that has landed, less an overlap. A record that is read twice does no harm. This
skips no record as long as the list comes in the order of creation. So two things are checked:

* order: after a record that is older by the overlap than one before it, or that has no `created_at`, no window opens;
* progress: a window that would not begin later than the last one does not open.

If a check fails, the pull stays incomplete and an issue tells the cap. An incomplete pull proves no deletion. Clio's
number of all records is a hint only [row 43]: near the cap it tells a list that was cut off from one that has ended.
Only the relationships need windows: the other unordered lists are never so long. This module does no I/O: it returns
the pull as a page or a new window leaves it, and the lander stores it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.clio.resources import Page, Resource
from app.db.runs.checkpoints import Pull

CAPPED = (
    9_000  # a cursor refused after so many records means the cap; before, that Clio lost the cursor
)
OVERLAP = timedelta(seconds=10)  # how far records may be out of the order of creation


def turned(resource: Resource[Any], pull: Pull, page: Page[Any]) -> Pull:
    """Return the pull as it is when this page has landed."""
    return replace(
        pull,
        cursor=page.cursor,
        newest=newest_created(resource, pull, page),
        pages=pull.pages + 1,
        records=pull.records + len(page.items),
        unreadable=pull.unreadable + len(page.unreadable),
        total=pull.total if page.total is None else pull.passed + page.total,
        complete=is_complete(resource, pull, page),
    )


def continued(pull: Pull, start: datetime) -> Pull:
    """Return the pull with a new window, because Clio ends the list here."""
    return replace(pull, cursor=None, created_since=start, passed=pull.met)


def restarted(pull: Pull) -> Pull:
    """Return the pull at the beginning of its list, because Clio no longer knows the cursor (F1)."""
    empty = replace(pull, cursor=None, created_since=None, newest=None, total=None)
    return replace(empty, pages=0, records=0, unreadable=0, passed=0)


def newest_created(resource: Resource[Any], pull: Pull, page: Page[Any]) -> datetime | None:
    """Return the newest `created_at` including this page; None as soon as the list is not in order of creation."""
    latest = pull.newest
    if "order" in resource.params or (latest is None and pull.pages):
        return None
    for item in page.items:
        created: datetime | None = getattr(item, "created_at", None)
        if created is None or (latest is not None and created <= latest - OVERLAP):
            return None
        latest = created if latest is None else max(latest, created)
    return latest


def is_near_cap(resource: Resource[Any], pull: Pull, more: int = 0) -> bool:
    """Return whether Clio may cut off an unordered list here, `more` further records of this window included."""
    return "order" not in resource.params and pull.met + more - pull.passed >= CAPPED


def is_complete(resource: Resource[Any], pull: Pull, page: Page[Any]) -> bool:
    """Return whether the pull is complete with this page: it is the last one, and Clio did not cut the list off."""
    found = len(page.items) + len(page.unreadable)
    is_short = page.total is not None and pull.passed + page.total > pull.met + found
    return page.cursor is None and not (is_short and is_near_cap(resource, pull, found))


def was_cut_off(pull: Pull) -> bool:
    """Return whether Clio ended the list here although the pull is not complete."""
    return not pull.complete and pull.cursor is None and pull.pages > 0 and pull.met > pull.passed


def next_start(pull: Pull) -> datetime | None:
    """Return where the next window begins; None when unknown or not later than this window."""
    if pull.newest is None:
        return None
    start = pull.newest - OVERLAP
    return start if pull.created_since is None or start > pull.created_since else None
