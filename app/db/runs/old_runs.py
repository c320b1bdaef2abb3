"""Old runs: deletes those that nothing needs any more, with their pulls."""

from datetime import datetime

from sqlalchemy import text

from app.db.session import Session

ROWS_OF_A_RUN = 10  # about so many pulls go with a run, so fewer runs are looked at together

# The newest run of each kind, cause and outcome stays: it says that the firm was read completely, when it was last
# read, and whether the last pull ended early. A run stays while a hold of it waits for a decision.
_SUPERSEDED = text("""
    with page as materialized (
        select account_id, run_id, finished_at from runs
        where finished_at > :after and finished_at < :before
        order by finished_at fetch first :runs rows with ties
    ), gone as (
        delete from runs old using page
        where old.account_id = page.account_id and old.run_id = page.run_id
          and exists (select from runs newer where newer.account_id = old.account_id
            and newer.kind = old.kind and newer.trigger = old.trigger and newer.status = old.status
            and newer.run_id > old.run_id)
          and not exists (select from holds where holds.account_id = old.account_id
            and holds.run_id = old.run_id and holds.status in ('gathering', 'open'))
        returning old.account_id, old.run_id
    ), lists as (
        delete from pulls using gone
        where pulls.account_id = gone.account_id and pulls.run_id = gone.run_id
    )
    select count(*), max(finished_at) from page
""")


async def delete_superseded(
    session: Session, after: datetime, before: datetime, limit: int
) -> tuple[int, datetime | None]:
    """Delete runs of all accounts that ended between two moments and that nothing needs any more.

    Returns how many it looked at and when the last of them ended; 0 and None when there are no more.
    """
    names = {"after": after, "before": before, "runs": max(limit // ROWS_OF_A_RUN, 1)}
    looked_at, last = (await session.execute(_SUPERSEDED, names)).one()
    return looked_at, last
