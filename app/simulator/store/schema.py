"""What can be asked of each kind of record, and of what is nested in it.

The table agrees with Clio's own OpenAPI document; a test holds it against that.
"""

from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Nested:
    """A field that holds another record (found by the id in `by`), or a part kept inside; or a list of these."""

    kind: str
    by: str | None = None
    many: bool = False


@dataclass(frozen=True)
class Shape:
    """What can be asked of one kind of record, and what comes when nothing is."""

    plain: frozenset[str]
    nested: MappingProxyType[str, Nested] = field(default_factory=lambda: MappingProxyType({}))
    defaults: tuple[str, ...] = ("id", "etag")

    def knows(self, name: str) -> bool:
        """Whether the field exists."""
        return name in self.plain or name in self.nested


def shape(plain: str, **nested: Nested) -> Shape:
    """A record's shape; nearly all know when they were made and changed."""
    names = f"id etag created_at updated_at {plain}".split()
    return Shape(frozenset(names), MappingProxyType(nested))


def bare(plain: str, **nested: Nested) -> Shape:
    """The shape of one of the few that lack some of the usual fields."""
    return Shape(frozenset(plain.split()), MappingProxyType(nested))


def _one(kind: str, by: str) -> Nested:
    return Nested(kind, by)


def _parts(kind: str) -> Nested:
    return Nested(kind, many=True)


SHAPES: dict[str, Shape] = {
    "contact": shape(
        "name first_name middle_name last_name date_of_birth type prefix title initials clio_connect_email"
        " locked_clio_connect_email client_connect_user_id primary_email_address secondary_email_address"
        " primary_phone_number secondary_phone_number ledes_client_id has_clio_for_clients_permission is_client"
        " is_clio_for_client_user is_co_counsel is_bill_recipient sales_tax_number",
        company=_one("contact", "company_id"),
        email_addresses=_parts("email_address"),
        phone_numbers=_parts("phone_number"),
        addresses=_parts("address"),
        custom_field_values=_parts("custom_field_value"),
    ),
    "matter": shape(
        "number display_number custom_number description status location client_reference client_id billable"
        " maildrop_address billing_method open_date pending_date close_date shared has_tasks last_activity_date"
        " matter_stage_updated_at",
        client=_one("contact", "client_id"),
        practice_area=_one("practice_area", "practice_area_id"),
        matter_stage=_one("matter_stage", "matter_stage_id"),
        group=_one("group", "group_id"),
        responsible_attorney=_one("user", "responsible_attorney_id"),
        originating_attorney=_one("user", "originating_attorney_id"),
        responsible_staff=_one("user", "responsible_staff_id"),
        user=_one("user", "created_by"),
        custom_field_values=_parts("custom_field_value"),
    ),
    "relationship": shape(
        "description", matter=_one("matter", "matter_id"), contact=_one("contact", "contact_id")
    ),
    "user": shape(
        "name first_name last_name initials email phone_number enabled account_owner roles subscription_type"
        " time_zone clio_connect court_rules_default_attendee default_calendar_id rate",
        account=_one("account", "account_id"),
        groups=Nested("group", "group_ids", many=True),
        job_title=Nested("job_title"),
    ),
    "custom_field": shape(
        "name parent_type field_type displayed deleted required display_order",
        picklist_options=_parts("picklist_option"),
    ),
    "practice_area": shape("name code category"),
    "matter_stage": shape("name order practice_area_id"),
    "group": bare("id etag name type client_connect_user updated_at"),
    "account": shape("name state"),
    "email_address": shape("address name primary"),
    "phone_number": shape("number name primary"),
    "address": shape("name street city province postal_code country primary"),
    "job_title": bare("id etag name initials"),
    "picklist_option": shape("option deleted_at"),
    "custom_field_value": shape(
        "field_name field_type field_required field_displayed field_display_order value soft_deleted",
        custom_field=_one("custom_field", "custom_field_id"),
        picklist_option=Nested("picklist_option"),
        contact=_one("contact", "contact_id"),
        matter=_one("matter_selection", "matter_id"),
    ),
    "matter_selection": Shape(frozenset({"id", "display_number"}), defaults=("id",)),
}
