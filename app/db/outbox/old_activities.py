"""Old activities: deletes those that nothing needs any more."""

from datetime import datetime

from sqlalchemy import text

from app.db.session import Session

# An activity stays while it waits, is blocked, or may be in Clio without our knowing. Of the e-mails of a conversation
# and a day the newest stays: a late one is added to its record in Clio [WB-3].
_ENDED = text("""
    with page as materialized (
        select account_id, activity_id, created_at from activities
        where created_at > :after and created_at < :before
        order by created_at fetch first :activities rows with ties
    ), gone as (
        delete from activities old using page
        where old.account_id = page.account_id and old.activity_id = page.activity_id
          and old.status in ('written', 'skipped', 'failed', 'cancelled') and not old.unsure
          and (old.conversation_id is null or old.marker is null or exists (
            select from activities newer where newer.account_id = old.account_id
              and newer.clio_contact_id = old.clio_contact_id
              and newer.conversation_id = old.conversation_id and newer.local_date = old.local_date
              and newer.marker is not null and newer.place > old.place))
    )
    select count(*), max(created_at) from page
""")


async def delete_ended(
    session: Session, after: datetime, before: datetime, limit: int
) -> tuple[int, datetime | None]:
    """Delete activities of all accounts that were accepted between two moments and that nothing needs any more.

    Returns how many it looked at and when the last of them was accepted; 0 and None when there are no more.
    """
    names = {"after": after, "before": before, "activities": limit}
    looked_at, last = (await session.execute(_ENDED, names)).one()
    return looked_at, last
