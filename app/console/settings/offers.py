"""Lists what the firm's Clio offers to choose from, and how often its custom fields are filled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.api import catalog
from app.api.schemas import CatalogField
from app.console.rendering import number
from app.console.settings.document import Values
from app.console.settings.options import Kind
from app.console.visit import Visit, user_names
from app.db.contacts import field_counts
from app.db.contacts.field_counts import FilledFields
from app.db.mirror import catalog as stored_catalog
from app.db.session import Session

TYPES: Mapping[str, str] = {
    "checkbox": "Checkbox",
    "currency": "Currency",
    "date": "Date",
    "numeric": "Numeric",
    "picklist": "Picklist",
    "text_area": "Text",
    "text_line": "Text",
}
NO_NAME = "a field without a name"
FIXED_TAGS = (
    "Active Client",
    "Client",
    "Company",
    "Past Client",
    "Pending Client",
    "Personal",
    "Related Contacts",
)
MOST_FORMATS = 200  # fields with a choice of the label; of more fields only the chosen ones have it


@dataclass(frozen=True)
class OfferedField:
    """A custom field to choose, and what a person should know about it."""

    field_id: str
    name: str
    about: str


@dataclass(frozen=True)
class Names:
    """The names of what settings and previews refer to by ids: custom fields of Clio, and users of Levitate."""

    fields: Mapping[str, str]
    users: Mapping[str, str]

    def user(self, user_id: str | None) -> str:
        """Return the name of an owner."""
        return "nobody" if user_id is None else self.users.get(user_id, "a user who is not listed")


@dataclass(frozen=True)
class Offers:
    """The choices of a firm: fields for each kind of control, and what else Clio has, to look up."""

    fields: Mapping[Kind, Sequence[OfferedField]]
    lists: Mapping[str, Sequence[str]]
    primary_user: str | None

    @staticmethod
    def formats(chosen: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
        """Return the formats of the chosen custom fields, by Clio's id."""
        return {one["field_id"]: one["label_format"] for one in chosen}

    def format_is_shown(self, field_id: str, chosen: Mapping[str, str]) -> bool:
        """Return whether a field has a choice of its label; a form has a limited number of controls."""
        return field_id in chosen or len(self.fields[Kind.TAG_FIELDS]) <= MOST_FORMATS


async def load_names(visit: Visit, session: Session) -> Names:
    """Return the names of the firm's custom fields and users."""
    found = await stored_catalog.load_custom_fields(session, visit.account_id)
    return Names(
        {str(field_id): field.name or NO_NAME for field_id, field in found.items()},
        await user_names(visit, session),
    )


async def load_offers(visit: Visit, session: Session, shown: Values, names: Names) -> Offers:
    """Return what the firm can choose. Fields that are chosen and no longer usable are offered too, and say so."""
    found = await catalog.get_catalog(visit.account, session)
    filled = await field_counts.count_filled(session, visit.account_id)
    chosen = {
        Kind.TAG_FIELDS: [one["field_id"] for one in shown["tags.custom_fields"]],
        Kind.DATE_FIELDS: shown["key_facts.custom_date_field_ids"],
        Kind.CHECKBOX_FIELD: list(filter(None, [shown["scope.opt_out_field_id"]])),
    }
    usable = {
        Kind.TAG_FIELDS: [one for one in found.custom_fields if one.makes_tags],
        Kind.DATE_FIELDS: [one for one in found.custom_fields if one.makes_dates],
        Kind.CHECKBOX_FIELD: [one for one in found.custom_fields if one.makes_opt_out],
    }
    areas = _listed(one.name for one in found.practice_areas if not one.gone)
    return Offers(
        fields={kind: _offered(usable[kind], chosen[kind], names, filled) for kind in usable},
        lists={
            "practice_areas": areas,
            "tags": [*FIXED_TAGS, *areas],
            "stages": _listed(one.name for one in found.stages if not one.gone),
            "users": _listed(one.name for one in found.users if not one.gone),
        },
        primary_user=names.users.get(visit.account.fields.primary_user_id or ""),
    )


def _listed(names: Iterable[str | None]) -> list[str]:
    return sorted({name for name in names if name}, key=str.casefold)


def _offered(
    usable: Sequence[CatalogField], chosen: Sequence[str], names: Names, filled: FilledFields
) -> list[OfferedField]:
    ids = {field.id for field in usable}
    gone = "Deleted in Clio, or no longer of a type that can be used here"
    return [
        *(
            OfferedField(field.id, names.fields[field.id], _about(field, filled))
            for field in usable
        ),
        *(
            OfferedField(one, names.fields.get(one, f"Field {one}"), gone)
            for one in chosen
            if one not in ids
        ),
    ]


def _about(field: CatalogField, filled: FilledFields) -> str:
    kind = TYPES.get(field.type or "", "Field")
    verb = "ticked" if field.type == "checkbox" else "filled"
    n = filled.by_field.get(int(field.id), 0)
    newest = "the newest " if filled.people == field_counts.MOST_COUNTED else ""
    return f"{kind}, {verb} for {number(n)} of {newest}{number(filled.people)}"
