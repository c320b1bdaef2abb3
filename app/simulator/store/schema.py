"""The fields of each kind of record and of the records nested in it.

The contract tests compare this table with Clio's own OpenAPI document.
"""

from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Nested:
    """A field that holds another record (`by` is the key of its id) or a part stored inside; or a list (`many`)."""

    kind: str
    by: str | None = None
    many: bool = False


@dataclass(frozen=True)
class Schema:
    """The fields of one kind of record, and those returned when a request names none."""

    plain: frozenset[str]
    nested: MappingProxyType[str, Nested] = field(default_factory=lambda: MappingProxyType({}))
    defaults: tuple[str, ...] = ("id", "etag")

    def knows(self, name: str) -> bool:
        """Return whether the field exists."""
        return name in self.plain or name in self.nested


def _schema(plain: str, **nested: Nested) -> Schema:
    """Return the schema of a record with the usual fields: id, etag and the two times."""
    names = f"id etag created_at updated_at {plain}".split()
    return Schema(frozenset(names), MappingProxyType(nested))


def _bare(plain: str, **nested: Nested) -> Schema:
    """Return the schema of a record that lacks some of the usual fields."""
    return Schema(frozenset(plain.split()), MappingProxyType(nested))


def _one(kind: str, by: str) -> Nested:
    return Nested(kind, by)


def _parts(kind: str) -> Nested:
    return Nested(kind, many=True)


SCHEMAS: dict[str, Schema] = {
    "contact": _schema(
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
    "matter": _schema(
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
    "relationship": _schema(
        "description", matter=_one("matter", "matter_id"), contact=_one("contact", "contact_id")
    ),
    "user": _schema(
        "name first_name last_name initials email phone_number enabled account_owner roles subscription_type"
        " time_zone clio_connect court_rules_default_attendee default_calendar_id rate",
        account=_one("account", "account_id"),
        groups=Nested("group", "group_ids", many=True),
        job_title=Nested("job_title"),
    ),
    "custom_field": _schema(
        "name parent_type field_type displayed deleted required display_order",
        picklist_options=_parts("picklist_option"),
    ),
    "practice_area": _schema("name code category"),
    "matter_stage": _schema("name order practice_area_id"),
    "group": _bare("id etag name type client_connect_user updated_at"),
    "note": _schema(
        "type subject detail detail_text_type date time_entries_count",
        contact=_one("contact", "contact_id"),
        matter=_one("matter", "matter_id"),
        author=_one("user", "author_id"),
    ),
    "communication": _schema(
        "type subject body date received_at time_entries_count",
        matter=_one("matter", "matter_id"),
        user=_one("user", "user_id"),
        senders=_parts("participant"),
        receivers=_parts("participant"),
        external_properties=_parts("external_property"),
    ),
    "participant": _bare("id etag type name identifier enabled"),
    "external_property": _bare("id etag name value"),
    "account": _schema("name state"),
    "email_address": _schema("address name primary"),
    "phone_number": _schema("number name primary"),
    "address": _schema("name street city province postal_code country primary"),
    "job_title": _bare("id etag name initials"),
    "picklist_option": _schema("option deleted_at"),
    "custom_field_value": _schema(
        "field_name field_type field_required field_displayed field_display_order value soft_deleted",
        custom_field=_one("custom_field", "custom_field_id"),
        picklist_option=Nested("picklist_option"),
        contact=_one("contact", "contact_id"),
        matter=_one("matter_selection", "matter_id"),
    ),
    "matter_selection": Schema(frozenset({"id", "display_number"}), defaults=("id",)),
}
