"""Counts of contacts by state, tag, owner and the rule that chose the owner, a bounded number of contacts at a time."""

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import text

from app.db.contacts import visible_contacts
from app.db.contacts.contact_lists import ContactFilter
from app.db.contacts.contacts import StoredContact
from app.db.list_pages import ListPage
from app.db.mirror.audience import Audience
from app.db.session import Session, read_in_key_order

COUNTED_AT_ONCE = 5000  # contacts of one statement
SHOWN_AT_ONCE = 200  # contacts that are limited to what a login may be shown, which costs more
MOST_TAGS = 20_000  # different tags that are counted


@dataclass
class ContactCounts:
    """The counts so far; `after` is where they go on, None at the end. Of too many tags not all are counted."""

    by_state: Counter[str] = field(default_factory=Counter)
    by_tag: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_owner: Counter[str | None] = field(default_factory=Counter)
    by_owner_rule: Counter[str] = field(default_factory=Counter)
    after: str | None = ""
    has_all_tags: bool = True

    def add_tag(self, label: str, category: str, n: int = 1) -> None:
        """Count a tag of some contacts."""
        if (label, category) in self.by_tag or len(self.by_tag) < MOST_TAGS:
            self.by_tag[label, category] += n
        else:
            self.has_all_tags = False


async def count_next(
    session: Session, account_id: str, audience: Audience, counts: ContactCounts
) -> None:
    """Add the next contacts to the counts, as the audience may be shown them."""
    if counts.after is None:
        return
    if audience.login is None:
        await _count_all(session, account_id, counts)
        return
    found = await visible_contacts.list_contacts(
        session, account_id, ContactFilter(), audience, ListPage(SHOWN_AT_ONCE, (counts.after,))
    )
    for one in found:
        _count_one(counts, one)
    counts.after = found[-1].contact_id if len(found) == SHOWN_AT_ONCE else None


def _count_one(counts: ContactCounts, one: StoredContact) -> None:
    view = one.view
    counts.by_state[view.state] += 1
    for tag in view.tags:
        counts.add_tag(tag.label, tag.category)
    if view.owner is not None:
        counts.by_owner[view.owner.user_id] += 1
        counts.by_owner_rule[view.owner.rule] += 1


async def _count_all(session: Session, account_id: str, counts: ContactCounts) -> None:
    names = {"account": account_id, "after": counts.after, "most": COUNTED_AT_ONCE}
    await read_in_key_order(session)
    rows = (await session.execute(_COUNT, names)).all()
    counts.after = None
    for kind, name, category, n in rows:
        if kind == "state":
            counts.by_state[name] += n
        elif kind == "tag":
            counts.add_tag(name, category, n)
        elif kind == "owner":
            counts.by_owner[name] += n
        elif kind == "rule":
            counts.by_owner_rule[name] += n
        elif n == COUNTED_AT_ONCE:
            counts.after = name


_COUNT = text("""
    with page as materialized (
        select contact_id, state, view -> 'tags' as tags, view -> 'owner' as owner
        from contacts where account_id = :account and contact_id > :after
        order by contact_id limit :most
    )
    select 'state', state, null, count(*) from page group by state
    union all
    select 'owner', owner ->> 'user_id', null, count(*) from page
        where jsonb_typeof(owner) = 'object' group by owner ->> 'user_id'
    union all
    select 'rule', owner ->> 'rule', null, count(*) from page
        where jsonb_typeof(owner) = 'object' group by owner ->> 'rule'
    union all
    select 'tag', tag.label, tag.category, count(*) from page
        cross join lateral jsonb_to_recordset(tags) as tag (label text, category text)
        where jsonb_typeof(tags) = 'array' group by tag.label, tag.category
    union all
    select 'last', max(contact_id), null, count(*) from page
""")
