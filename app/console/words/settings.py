"""The settings in the help article's words: who is in Levitate, who owns them, and what is written to Clio.

The rest is in `settings_tags`. Every leaf of the settings document is in exactly one option.
"""

from app.console.settings.options import Group, Kind, Leaf, Option, one_of, switch

_TOO_LONG = "Enter at most 200 lines with at most 120 characters each, and something that can be seen in each."


def _words(path: str, name: str, why: str, anchor: str = "", offers: str = "") -> Option:
    return Option(name, why, (Leaf(path, name, Kind.WORDS, mistake=_TOO_LONG),), anchor, offers)


SCOPE = Group(
    "g-scope",
    "Contact Sync Settings",
    "Who is in Levitate",
    (
        switch(
            "scope.include_related",
            "Related contacts connected to matters",
            "Adds people whom Clio links to a matter, such as a spouse, without being its client.",
            "Include related contacts",
        ),
        switch(
            "scope.include_non_clients",
            "Non-client contacts",
            "Adds everyone else, also people who have never been associated with a matter.",
            "Include non-clients",
        ),
        _words(
            "scope.related_role_exclude",
            "Roles that stay out",
            "People with these roles on a matter are left out, unless they are clients. One role on each line. "
            "A star stands for any text.",
        ),
        switch(
            "scope.primary_email_only",
            "Primary Email Only",
            "Leaves out all other email addresses. Without a primary one in Clio, the first listed is used.",
            "Primary address only",
        ),
        _words(
            "scope.segment.include_any",
            "Segment by Tags",
            "Keeps only people with at least one of these tags, one on each line. Empty means everyone above.",
            anchor="segment",
            offers="tags",
        ),
    ),
    (
        _words(
            "scope.segment.exclude_any",
            "Tags that leave people out",
            "People with one of these tags are left out, also clients. One tag on each line.",
            offers="tags",
        ),
        Option(
            "Opt-out field",
            "A checkbox field of contacts in Clio. Whoever has it ticked is left out, also a client.",
            (
                Leaf(
                    "scope.opt_out_field_id",
                    "Opt-out field",
                    Kind.CHECKBOX_FIELD,
                    mistake="This field can no longer be used: it was deleted in Clio, or is no checkbox of contacts.",
                ),
            ),
        ),
        switch(
            "privacy.respect_visibility",
            "Show users only what they see in Clio",
            "Each user of the firm sees only the people whom the user’s own login sees in Clio. "
            "The settings are then shown to administrators only.",
            "Limit what users are shown",
        ),
    ),
)
OWNERSHIP = Group(
    "g-own",
    "Ownership Mapping",
    "Who owns a contact in Levitate",
    (
        one_of(
            "ownership.source",
            "Contact owner",
            "Taken from the most recently updated matter that names an attorney. If the chosen role is empty there, "
            "the other role decides.",
            {
                "responsible_attorney": "Responsible Attorney",
                "originating_attorney": "Originating Attorney",
                "primary_user": "Primary Levitate User owns all",
            },
        ),
        one_of(
            "ownership.fallback",
            "If no applicable attorney is found",
            "Who owns a contact that no attorney with a Levitate user can own.",
            {"primary_user": "Primary Levitate User", "unassigned": "Leave unassigned"},
        ),
    ),
    (
        switch(
            "ownership.prefer_open",
            "Open matters first",
            "An open matter decides before a closed one, even if the closed one was updated later.",
            "Prefer open matters",
        ),
        switch(
            "ownership.sticky",
            "Owners stay",
            "A contact keeps its owner while one of its matters still names that attorney.",
            "Keep the owner",
        ),
    ),
)
WRITEBACK = Group(
    "g-wb",
    "Activity Writeback Settings",
    "What Levitate logs in Clio",
    (
        Option(
            "Activities written back to Clio",
            "Text message summaries go to the Communications log, all others to the Notes of the contact. "
            "Switching one off deletes nothing in Clio.",
            (
                Leaf("writeback.email", "Email"),
                Leaf("writeback.note", "Note"),
                Leaf("writeback.phone_call", "Phone call"),
                Leaf("writeback.text_message", "Text message"),
                Leaf("writeback.handwritten_card", "Handwritten card"),
            ),
            anchor="writeback",
        ),
    ),
    (
        one_of(
            "writeback.fallback_author",
            "If the author’s Clio login does not work",
            "Whether an activity waits for its author, or is written with another login.",
            {
                "none": "Wait for the author",
                "primary_connection": "Write with the Primary Levitate User’s login",
            },
        ),
    ),
)
