"""`ConnectionReader`: what the steps of a pull share while a run reads Clio as one connection."""

from dataclasses import dataclass, field, replace

from app.clio.client import ClioClient
from app.clio.errors import ClioError
from app.db.mirror.visibility import View
from app.db.runs.leases import Lease
from app.db.runs.runs import Usage
from app.errors import Problem
from app.sync.pull.listings import Listing
from app.sync.services import Services

# Fields that Clio may remove from its API, and the fields of our records that are then unknown.
_FIELDS_OF = {
    "contacts.prefix": ("prefix",),
    "contacts.middle_name": ("middle_name",),
    "contacts.title": ("title",),
    "contacts.date_of_birth": ("date_of_birth",),
    "contacts.custom_field_values": ("custom_values",),
    "contacts.picklist_option": ("custom_values",),
    "contacts.soft_deleted": ("custom_values",),
    "matters.matter_stage": ("stage_id", "stage"),
    "matters.group": ("group_id", "group_type"),
    "matters.type": ("group_type",),
    "matters.category": ("practice_area_category",),
    "matters.pending_date": ("pending_date",),
}


@dataclass(frozen=True)
class ConnectionReader:
    """One connection's part in one run.

    `problems` collects what this login may not read and what Clio's answers lacked. `listed` has the ids on the small
    lists, by list. `shown` has the ids of records that were asked for one by one and returned. `read` are the lists
    that were read to their end, `failed` those that could not be read, with the error. `complete` says that the login
    lasted until the end, and that no list of records failed.
    """

    services: Services
    clio: ClioClient
    lease: Lease
    view: View
    problems: list[Problem] = field(default_factory=list)
    listed: dict[str, set[int]] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    failed: dict[str, ClioError] = field(default_factory=dict)
    complete: bool = False


def view_of(reader: ConnectionReader, listing: Listing) -> View:
    """Return the reader's view of a list, without the fields that Clio no longer has.

    Unknown fields keep the values in the mirror instead of becoming empty (I4, F19).
    """
    unseen = {
        field
        for name, fields in _FIELDS_OF.items()
        if name in reader.clio.dropped and name.startswith(f"{listing.name}.")
        for field in fields
    }
    return replace(reader.view, unseen=frozenset(unseen))


def usage_of(clio: ClioClient) -> Usage:
    """Return and reset the client's count of requests to Clio."""
    taken = clio.take_usage()
    return Usage(taken.requests, taken.rate_limited, taken.waited_seconds)
