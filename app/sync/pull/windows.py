"""Pure: a list that takes no order, read in windows of `created_since` where Clio ends it near record 10,000.

Nobody documents whether Clio ends such a list, nor in which order it comes (clio.md §8, §21). The next window
begins at the newest `created_at` that has landed, less an overlap: a record met twice is no harm. That skips nothing
only while the list comes by age, as it does in id order, and so three things are watched:

* age: one record that is older by the overlap than one before it, or tells no age, and no window opens any more;
* movement: a window that would begin no later than the last one did does not open;
* count: a window must promise all that the last one left, as far as Clio tells how many there are.

Where one of them says no, the pull stays incomplete, so that nothing beyond is taken for gone, and the cap is told.
Of such lists only the relationships need this: stages tell no age and no firm has 10,000, for them the cap is told.
"""

from datetime import datetime, timedelta
from typing import Any

from app.clio.resources import Page, Resource
from app.db.runs.checkpoints import Pull

CAPPED = 9_000  # records after which a refused cursor means that the list is capped, not that it was forgotten
OVERLAP = timedelta(seconds=10)  # records may come out of the order of their age by less than this


def newest(resource: Resource[Any], pull: Pull, page: Page[Any]) -> datetime | None:
    """The newest `created_at` once this page has landed; None for ever once the list does not come by age."""
    latest = pull.newest
    if "order" in resource.params or (latest is None and pull.pages):
        return None
    for item in page.items:
        made: datetime | None = getattr(item, "created_at", None)
        if made is None or (latest is not None and made <= latest - OVERLAP):
            return None
        latest = made if latest is None else max(latest, made)
    return latest


def is_near_cap(resource: Resource[Any], pull: Pull, more: int = 0) -> bool:
    """Whether so much of a list without order was read in this window, `more` included, that Clio may end it here."""
    return "order" not in resource.params and pull.met + more - pull.passed >= CAPPED


def is_end(resource: Resource[Any], pull: Pull, page: Page[Any]) -> bool:
    """Whether the pull is complete with this page: no other follows, and not because Clio ends the list unasked."""
    found = len(page.items) + len(page.unreadable)
    is_short = page.total is not None and pull.passed + page.total > pull.met + found
    return page.cursor is None and not (is_short and is_near_cap(resource, pull, found))


def is_cut(pull: Pull) -> bool:
    """Whether Clio ended the list here without a word: nothing follows, and the pull is not complete."""
    return not pull.complete and pull.cursor is None and pull.pages > 0 and pull.met > pull.passed


def next_start(pull: Pull) -> datetime | None:
    """Where the next window begins; None when that cannot be told or the windows would not move on."""
    if pull.newest is None:
        return None
    start = pull.newest - OVERLAP
    return start if pull.created_since is None or start > pull.created_since else None


def promises_less(pull: Pull, page: Page[Any]) -> bool:
    """Whether a window's first page tells of fewer records than the windows before it left."""
    if pull.created_since is None or pull.cursor is not None:
        return False
    return page.total is not None and pull.passed + page.total < (pull.total or 0)
