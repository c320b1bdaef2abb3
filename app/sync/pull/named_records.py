"""Read the records that webhooks of Clio named, as one login: contacts, and matters with what belongs to them.

The webhooks are hints. What counts is how Clio shows the records now. The position in each part is kept in the login's
`lists`, so that a later attempt goes on from there.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from app.clio.errors import ClioRefused
from app.db.runs import named_records
from app.sync.pull.failures import noting_failure
from app.sync.pull.listings import CONTACTS, MATTERS, RELATIONSHIPS, Listing
from app.sync.pull.reader import ConnectionReader
from app.sync.pull.single_records import (
    IDS_PER_REQUEST,
    filtered_by,
    land_records,
    skip_forbidden,
)

CLIENTS = "clients"  # of the named matters; a part of the contacts

ListNext = Callable[..., Awaitable[list[int]]]  # the next ids after an id


async def read_named_records(reader: ConnectionReader) -> None:
    """Land what the login shows of the records that it named or sees; of a matter its client and relationships too."""
    for listing in (CONTACTS, MATTERS):
        named = partial(named_records.list_next, resource=listing.name)
        read = _read_part(reader, listing, listing.name, named)
        await noting_failure(reader, listing.name, read)
    if MATTERS.name in reader.read:
        await _read_what_belongs_to_matters(reader)


async def _read_what_belongs_to_matters(reader: ConnectionReader) -> None:
    clients = _read_part(reader, CONTACTS, CLIENTS, named_records.list_next_clients)
    await noting_failure(reader, CONTACTS.name, clients)
    await noting_failure(reader, RELATIONSHIPS.name, _read_relationships(reader))


async def _read_part(
    reader: ConnectionReader, listing: Listing, part: str, list_next: ListNext
) -> None:
    try:
        await _read_in_batches(reader, listing, part, list_next)
        reader.read.add(listing.name)
    except ClioRefused as refusal:
        skip_forbidden(reader, listing, part, refusal)


async def _read_in_batches(
    reader: ConnectionReader, listing: Listing, part: str, list_next: ListNext
) -> None:
    """Ask for records by their ids, some at a time, from where the login is in this part of the run."""
    find = partial(list_next, lease=reader.lease, view=reader.view, limit=IDS_PER_REQUEST)
    position = reader.login.lists.get(part, "0")
    while position is not None:
        ids = await reader.lander.write(partial(find, after=int(position)))
        page = await reader.clio.get_many(listing.resource, ids) if ids else None
        position = str(ids[-1]) if ids else None
        reader.note_list(part, position)
        if page is not None:
            shown = await land_records(reader, listing, page)
            await _note_shown(reader, listing, shown)
            reader.moved.add(listing.name)
        reader.check_stop()


async def _note_shown(reader: ConnectionReader, listing: Listing, clio_ids: set[int]) -> None:
    """Store what was shown. If a crash loses it, the records are looked up, and the look-up shows them."""
    mark = partial(
        named_records.mark_shown, lease=reader.lease, resource=listing.name, clio_ids=clio_ids
    )
    await reader.lander.put(mark)


async def _read_relationships(reader: ConnectionReader) -> None:
    """Land the relationships of the named matters that the login sees, one matter after another."""
    position = reader.login.lists.get(RELATIONSHIPS.name, "0")
    while position is not None:
        matter, _, cursor = position.partition(" ")
        find = partial(
            named_records.find_next_matter, lease=reader.lease, view=reader.view, after=int(matter)
        )
        matter_id = int(matter) if cursor else await reader.lander.write(find)
        if matter_id is None:
            position = None
        else:
            await _read_relationships_of(reader, matter_id, cursor or None)
            position = str(matter_id)
        reader.note_list(RELATIONSHIPS.name, position)
        reader.check_stop()
    reader.read.add(RELATIONSHIPS.name)


async def _read_relationships_of(
    reader: ConnectionReader, matter_id: int, cursor: str | None
) -> None:
    """Land a matter's relationships from a cursor; from their beginning if Clio has lost it."""
    listing = filtered_by(RELATIONSHIPS, "matter_id", matter_id)
    try:
        async for page in reader.clio.pages(listing.resource, cursor=cursor):
            reader.note_list(listing.name, f"{matter_id} {page.cursor or ''}".strip())
            await land_records(reader, listing, page)
            reader.moved.add(listing.name)
    except ClioRefused as refusal:
        if refusal.code != "clio_cursor_refused" or cursor is None:
            skip_forbidden(reader, RELATIONSHIPS, RELATIONSHIPS.name, refusal)
            return
        await _read_relationships_of(reader, matter_id, None)
