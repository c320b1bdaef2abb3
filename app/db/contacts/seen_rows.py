"""SQL conditions of new-client rows: whether an audience may be shown them, and the reasons in them [API-30, T10]."""

from sqlalchemy import ColumnElement, func, literal, or_, select

from app.db.contacts import tables
from app.db.mirror import tables as mirror_tables
from app.db.mirror.audience import Audience
from app.rules.results import Basis

_rows = tables.new_clients
_people = mirror_tables.mirror_contacts
_matters = mirror_tables.mirror_matters


def new_client_seen(account_id: str, audience: Audience) -> list[ColumnElement[bool]]:
    """Return the conditions that a row may be shown: the audience sees the person, and why it is a client.

    That is the flag of the person's own record, a matter of the person, or the company or one of its matters.
    """
    if audience.login is None:
        return []
    by_flag = _rows.c.basis == Basis.FLAG
    by_company = (_rows.c.basis == Basis.COMPANY) & company_seen(account_id, audience)
    reason = or_(by_flag, matter_seen(account_id, audience), by_company)
    return [*audience.limited_to("contacts", account_id, _rows.c.clio_id), reason]


def reasons_seen(account_id: str, audience: Audience) -> list[ColumnElement[bool]]:
    """Return the conditions that what a row says of matters may be shown.

    The audience sees one of them, the company or one of the company's matters.
    """
    if audience.login is None:
        return []
    return [or_(matter_seen(account_id, audience), company_seen(account_id, audience))]


def duplicate_seen(account_id: str, audience: Audience) -> ColumnElement[bool]:
    """Return the condition that a row has a possible duplicate whose person the audience sees."""
    if audience.login is None:
        return _rows.c.possible_duplicate_of.is_not(None)
    other = _rows.alias("other")
    seen = (
        select(literal(1))
        .where(other.c.account_id == account_id)
        .where(other.c.new_client_id == _rows.c.possible_duplicate_of)
        .where(*audience.limited_to("contacts", account_id, other.c.clio_id))
        .correlate(_rows)
    )
    return seen.exists()


def matter_seen(account_id: str, audience: Audience) -> ColumnElement[bool]:
    """Return the condition that the audience sees a matter of which the person of a row was ever the client."""
    matter = func.unnest(_rows.c.matter_ids).table_valued("id", name="own").render_derived()
    seen = audience.limited_to("matters", account_id, matter.c.id)
    return select(literal(1)).select_from(matter).where(*seen).offset(0).correlate(_rows).exists()


def company_seen(account_id: str, audience: Audience) -> ColumnElement[bool]:
    """Return the condition that the audience sees the company of the person of a row, or a matter of the company."""
    of_company = (
        select(literal(1))
        .where(_matters.c.account_id == account_id, _matters.c.client_id == _people.c.company_id)
        .where(*audience.limited_to("matters", account_id, _matters.c.clio_id))
        .offset(0)
        .correlate(_people)
    )
    company = audience.limited_to("contacts", account_id, _people.c.company_id)
    person = (
        select(literal(1))
        .where(_people.c.account_id == account_id, _people.c.clio_id == _rows.c.clio_id)
        .where(or_(*company, of_company.exists()))
        .offset(0)
        .correlate(_rows)
    )
    return person.exists()
