"""The settings in the help article's words: tags, key facts and new clients."""

from types import MappingProxyType

from app.console.settings.options import Group, Kind, Leaf, Option, one_of, switch

STATUSES = MappingProxyType(
    {"open": "Open matters", "pending": "Pending matters", "closed": "Closed matters"}
)
ATTORNEYS = MappingProxyType(
    {
        "none": "None",
        "most_recent": "Most recent attorney",
        "all": "All associated attorneys",
    }
)
FORMATS = MappingProxyType(
    {
        "default": "Usual label",
        "value": "Value alone",
        "name_value": "Name and value",
        "name": "Name alone",
    }
)
FIELD_GONE = (
    "A field that is chosen here was deleted in Clio, or can no longer become a tag. "
    "Choose another field or none."
)


def _statuses(path: str) -> Leaf:
    mistake = "Choose at least one kind of matters. To have no such tags, switch them off."
    return Leaf(path, "For", Kind.STATUSES, STATUSES, mistake)


TAGS = Group(
    "g-tags",
    "Tags",
    "Clio, Person and the client status tags are always on",
    (
        Option(
            "Practice Area",
            "A tag for each practice area of the contact’s own matters with these statuses.",
            (
                Leaf("tags.practice_area.enabled", "Tag practice areas"),
                _statuses("tags.practice_area.matter_status"),
            ),
            anchor="practice_area",
            offers="practice_areas",
        ),
        Option(
            "Related Practice Area",
            "A tag such as “Related: Family Law” for matters to which the contact is related.",
            (
                Leaf("tags.related_practice_area.enabled", "Tag related practice areas"),
                _statuses("tags.related_practice_area.matter_status"),
            ),
            anchor="related_practice_area",
        ),
        Option(
            "Relationships",
            "The words that Clio gives for the link to a matter, such as “Spouse”.",
            (Leaf("tags.relationships.enabled", "Tag relationships"),),
            anchor="relationships",
        ),
        Option(
            "Matter Number",
            "The number of each of the contact’s matters with these statuses, such as 00214-Moßner.",
            (
                Leaf("tags.matter_number.enabled", "Tag matter numbers"),
                _statuses("tags.matter_number.matter_status"),
            ),
            anchor="matter_number",
        ),
        Option(
            "Matter Tags",
            "The Matter Stage of each own matter. If it is empty, the Status.",
            (
                Leaf("tags.matter_tag.enabled", "Tag matter stages"),
                _statuses("tags.matter_tag.matter_status"),
            ),
            anchor="matter_tag",
            offers="stages",
        ),
        Option(
            "Location",
            "From the first address listed in Clio.",
            (
                Leaf("tags.location.city", "City"),
                Leaf("tags.location.state", "State"),
                Leaf("tags.location.postal_code", "Postal Code"),
                Leaf("tags.location.country", "Country"),
            ),
            anchor="location",
        ),
        Option(
            "Responsible Attorney Tags",
            "A tag such as “Responsible Attorney: Cat Reed”.",
            (Leaf("tags.responsible_attorney", "Responsible", Kind.CHOICE, ATTORNEYS),),
            offers="users",
        ),
        Option(
            "Originating Attorney Tags",
            "A tag such as “Originating Attorney: Cat Reed”.",
            (Leaf("tags.originating_attorney", "Originating", Kind.CHOICE, ATTORNEYS),),
        ),
        Option(
            "Custom Fields",
            "Contact fields of this firm’s Clio that can become tags, with how often they are filled for people in "
            "Levitate.",
            (Leaf("tags.custom_fields", "Custom Fields", Kind.TAG_FIELDS, mistake=FIELD_GONE),),
            anchor="cf",
        ),
    ),
    (
        one_of(
            "tags.practice_area.label_from",
            "Label of Practice Area tags",
            "The name of the practice area as this firm wrote it, or the category that Clio has for it.",
            {"name": "Name", "category": "Category"},
        ),
        one_of(
            "tags.company_representatives",
            "People who work for a client company",
            "Whether they represent the company: then its matters count as theirs, and they get the tag Company.",
            {"all": "They represent it", "none": "They do not"},
        ),
        switch(
            "restricted_matters.withhold",
            "Restricted matters",
            "Leaves out tags that come only from matters which not everybody at the firm may see in Clio.",
            "Leave these tags out",
        ),
    ),
)
KEY_FACTS = Group(
    "g-kf",
    "Key Facts and new clients",
    "What else Levitate gets, and when automations start",
    (
        Option(
            "Key Facts",
            "Dates and references shown on the contact in Levitate.",
            (
                Leaf("key_facts.birthday", "Birthday"),
                Leaf("key_facts.clio_id", "Client ID (the contact’s Clio ID)"),
                Leaf(
                    "key_facts.custom_date_field_ids",
                    "Custom Dates",
                    Kind.DATE_FIELDS,
                    mistake="One of these fields can no longer be used: it was deleted in Clio, or is no date of "
                    "contacts. Choose at most 20 fields.",
                ),
            ),
            anchor="key_facts",
        ),
        Option(
            "Ask me when many new clients appear at once",
            "If one sync finds more new clients than this, no automation starts until somebody decides.",
            (
                Leaf(
                    "new_client.surge_threshold",
                    "Ask me when many new clients appear at once",
                    Kind.NUMBER,
                    mistake="Enter a whole number from 0 to 1,000,000. With 0, every new client waits for your "
                    "decision.",
                ),
            ),
        ),
    ),
    (
        one_of(
            "new_client.initial_sync",
            "Clients that the first sync finds",
            "What happens with the new-client automations of people who were clients before Levitate was connected.",
            {
                "emit": "Start their automations",
                "hold": "Ask me first",
                "suppress": "Start none for them",
            },
        ),
        switch(
            "new_client.require_open_matter",
            "Only clients with an open matter",
            "The new-client automation starts when the client has an open matter, not before.",
            "Wait for an open matter",
        ),
        switch(
            "new_client.hold_possible_duplicates",
            "Possible duplicates",
            "A new client who shares the main email address with another client waits for a decision.",
            "Ask me about possible duplicates",
        ),
    ),
)
