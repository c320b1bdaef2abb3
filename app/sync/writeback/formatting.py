"""Pure functions: the subject, the text and the last lines of an activity in Clio [WB-2, WB-3, WB-9].

Subject and text are made when the activity is accepted. Author and marker are known when it is sent.
"""

from datetime import datetime

from app.clio.allowed_writes import NewCommunication, NewNote, Party
from app.db.outbox.activities import Activity, Kind
from app.sync.slot_times import zone_of
from app.sync.writeback.html_to_text import html_to_text
from app.sync.writeback.plain_text import clean, one_line, truncate

MAX_BYTES = 60_000  # UTF-8 bytes of one note or communication; Clio documents no limit
FOOTER_BYTES = 1_000  # of these, reserved for the last lines
MAX_SUBJECT_LENGTH = 200  # characters
# The external property that contains a communication's marker [WB-7]
MARKER_PROPERTY = "levitate_activity_id"
NO_SUBJECT, NO_TEXT = "(no subject)", "(no text)"
PREFIXES = {  # row 28
    Kind.EMAIL: "Email",
    Kind.NOTE: "Note",
    Kind.PHONE_CALL: "Phone call",
    Kind.HANDWRITTEN_CARD: "Handwritten card",
}


def format_body(body: str, body_format: str) -> str:
    """Return an activity's body as plain text, cut to the limit."""
    text = html_to_text(body) if body_format == "html" else clean(body)
    return truncate(text, max_bytes=MAX_BYTES - FOOTER_BYTES) or NO_TEXT


def format_subject(kind: Kind, subject: str, text: str, person: str | None) -> str:
    """Return the subject line; without a subject it contains the first line of the text."""
    if kind is Kind.TEXT_MESSAGE:
        return one_line(
            f"Text messages with {person or 'this contact'}", max_length=MAX_SUBJECT_LENGTH
        )
    first_line = "" if text == NO_TEXT else text.partition("\n")[0]
    shown = one_line(subject, max_length=MAX_SUBJECT_LENGTH) or one_line(first_line, max_length=80)
    line = f"{PREFIXES[kind]}: {shown or NO_SUBJECT}"
    return one_line(line, max_length=MAX_SUBJECT_LENGTH)


def reference_line(marker: str) -> str:
    """Return the line by which a note is found again."""
    return f"Ref: LVT-{marker}"


def build_note(activity: Activity, *, by: str | None) -> NewNote:
    """Return the note of an activity; `by` is the user's name if another user's login writes it [WB-5]."""
    local = activity.occurred_at.astimezone(zone_of(activity.time_zone))
    footer = [_time_line(local, activity), *_by_line(by), reference_line(activity.marker or "")]
    return NewNote(
        contact_id=activity.clio_contact_id or 0,
        subject=activity.subject,
        detail=activity.body + "\n\n" + "\n".join(footer),
        date=activity.local_date,
    )


def build_communication(
    activity: Activity, *, clio_user_id: int | None, by: str | None
) -> NewCommunication:
    """Return the communication of text messages; for an inbound message the contact is the sender [row 27]."""
    contact = [Party("Contact", activity.clio_contact_id or 0)]
    user = [] if clio_user_id is None else [Party("User", clio_user_id)]
    inbound = activity.direction == "inbound"
    return NewCommunication(
        subject=activity.subject,
        body=communication_body(activity, by=by),
        received_at=activity.occurred_at,
        senders=contact if inbound else user,
        receivers=user if inbound else contact,
        external_properties=[(MARKER_PROPERTY, activity.marker or "")],
    )


def communication_body(activity: Activity, *, by: str | None) -> str:
    """Return the text of a communication; a later post of the conversation replaces it."""
    return "\n\n".join([activity.body, *_by_line(by)])


def _time_line(local: datetime, activity: Activity) -> str:
    """Return the line with time and zone: Clio keeps only the date of a note."""
    direction = f", {activity.direction}" if activity.direction else ""
    return f"{local:%Y-%m-%d %H:%M %Z} ({activity.time_zone}){direction}"


def _by_line(name: str | None) -> list[str]:
    if name is None:
        return []
    return [f"By {one_line(name, max_length=MAX_SUBJECT_LENGTH)}"]
