"""Which activity is first at a contact, and endpoints that are deleted in parts: no statement grows with its table

`activity_turns.ready_at` says from when on the first waiting activity of the contact may be sent, null if none waits,
and `first_user_id` who did it. The triggers keep them for every writer, also for the release before. Whoever changes
waiting activities locks the contact's row first, so that two changes at a contact come one after the other.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_WAITING = "in ('queued', 'sending')"
# The row is locked first: the next statement then sees what those did who had it before.
_FIND_THE_FIRST = """
create function find_first_activity() returns trigger language plpgsql as $$
declare
    changed record := coalesce(new, old);
    first record;
begin
    perform from activity_turns t
    where t.account_id = changed.account_id and t.clio_contact_id = changed.clio_contact_id for update;
    if not found then
        return null;
    end if;
    select a.user_id, coalesce(a.due_at, a.created_at) as ready_at into first from activities a
    where a.account_id = changed.account_id and a.clio_contact_id = changed.clio_contact_id
        and a.status in ('queued', 'sending') order by a.place limit 1;
    update activity_turns t set first_user_id = first.user_id, ready_at = first.ready_at
    where t.account_id = changed.account_id and t.clio_contact_id = changed.clio_contact_id
        and (t.first_user_id, t.ready_at) is distinct from (first.user_id, first.ready_at);
    return null;
end
$$
"""
_FIND_ALL = """
update activity_turns t set first_user_id = found.user_id, ready_at = coalesce(found.due_at, found.created_at)
from (
    select distinct on (account_id, clio_contact_id) * from activities where status in ('queued', 'sending')
    order by account_id, clio_contact_id, place
) found
where t.account_id = found.account_id and t.clio_contact_id = found.clio_contact_id
"""
_TRIGGERS = {
    "activities_added": f"insert on activities for each row when (new.status {_WAITING})",
    "activities_changed": "update of status, due_at on activities for each row"
    f" when (old.status {_WAITING} or new.status {_WAITING})",
    "activities_deleted": f"delete on activities for each row when (old.status {_WAITING})",
}
_READY = {
    "activity_turns_ready_idx": ["account_id", "ready_at"],
    "activity_turns_ready_user_idx": ["account_id", "first_user_id", "ready_at", "clio_contact_id"],
}


def upgrade() -> None:
    op.add_column("activity_turns", sa.Column("first_user_id", sa.Text()))
    op.add_column("activity_turns", sa.Column("ready_at", sa.DateTime(timezone=True)))
    op.execute(_FIND_THE_FIRST)
    for name, event in _TRIGGERS.items():
        op.execute(f"create trigger {name} after {event} execute function find_first_activity()")
    op.execute(_FIND_ALL)
    for name, columns in _READY.items():
        where = sa.text("ready_at is not null")
        op.create_index(name, "activity_turns", columns, postgresql_where=where)
    op.add_column("webhook_endpoints", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    op.create_index(
        "webhook_endpoints_deleted_idx",
        "webhook_endpoints",
        ["endpoint_id"],
        postgresql_where=sa.text("deleted_at is not null"),
    )


def downgrade() -> None:
    op.execute("delete from webhook_endpoints where deleted_at is not null")
    op.drop_index("webhook_endpoints_deleted_idx", "webhook_endpoints")
    op.drop_column("webhook_endpoints", "deleted_at")
    for name in _READY:
        op.drop_index(name, "activity_turns")
    for name in _TRIGGERS:
        op.execute(f"drop trigger {name} on activities")
    op.execute("drop function find_first_activity()")
    op.drop_column("activity_turns", "ready_at")
    op.drop_column("activity_turns", "first_user_id")
