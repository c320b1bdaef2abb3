"""Pure: how an activity reads in Clio: its subject, its text and the lines at its foot [WB-2, WB-3, WB-9].

The texts are made when the activity is accepted; author and marker are known when it is sent.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from app.clio.allowed_writes import NewCommunication, NewNote, Party
from app.db.outbox.activities import Activity, Kind
from app.sync.writeback import html_to_text

LIMIT = 60_000  # bytes of UTF-8 of one note or communication; Clio documents no limit of its own
FOOT = 1_000  # of these, kept for the lines at the foot
SUBJECT = 200  # characters
PROPERTY = (
    "levitate_activity_id"  # the external property that bears a communication's marker [WB-7]
)
NO_SUBJECT, NO_TEXT = "(no subject)", "(no text)"
PREFIXES = {  # row 28
    Kind.EMAIL: "Email",
    Kind.NOTE: "Note",
    Kind.PHONE_CALL: "Phone call",
    Kind.HANDWRITTEN_CARD: "Handwritten card",
}


def text_of(body: str, body_format: str) -> str:
    """An activity's body as the plain text that Clio gets, cut to what fits."""
    text = html_to_text.text_of_html(body) if body_format == "html" else html_to_text.tidy(body)
    return html_to_text.cut(text, room=LIMIT - FOOT) or NO_TEXT


def subject_of(kind: Kind, subject: str, text: str, person: str | None) -> str:
    """The subject line; without one the text's first line stands for it."""
    if kind is Kind.TEXT_MESSAGE:
        return html_to_text.one_line(f"Text messages with {person or 'this contact'}", most=SUBJECT)
    first_line = "" if text == NO_TEXT else text.partition("\n")[0]
    said = html_to_text.one_line(subject, most=SUBJECT) or html_to_text.one_line(
        first_line, most=80
    )
    return html_to_text.one_line(f"{PREFIXES[kind]}: {said or NO_SUBJECT}", most=SUBJECT)


def reference(marker: str) -> str:
    """The line by which a note is found again."""
    return f"Ref: LVT-{marker}"


def note(activity: Activity, *, by: str | None) -> NewNote:
    """The note that an activity becomes; `by` names the user when another login writes it [WB-5]."""
    local = activity.occurred_at.astimezone(ZoneInfo(activity.time_zone))
    foot = [_when(local, activity), *_by(by), reference(activity.marker or "")]
    return NewNote(
        contact_id=activity.clio_contact_id or 0,
        subject=activity.subject,
        detail=activity.body + "\n\n" + "\n".join(foot),
        date=activity.local_date,
    )


def communication(
    activity: Activity, *, clio_user_id: int | None, by: str | None
) -> NewCommunication:
    """The communication that text messages become; who sent is who received where they came in [row 27]."""
    contact = [Party("Contact", activity.clio_contact_id or 0)]
    user = [] if clio_user_id is None else [Party("User", clio_user_id)]
    inbound = activity.direction == "inbound"
    return NewCommunication(
        subject=activity.subject,
        body=communication_body(activity, by=by),
        received_at=activity.occurred_at,
        senders=contact if inbound else user,
        receivers=user if inbound else contact,
        external_properties=[(PROPERTY, activity.marker or "")],
    )


def communication_body(activity: Activity, *, by: str | None) -> str:
    """The text of a communication; the newest post replaces it."""
    return "\n\n".join([activity.body, *_by(by)])


def _when(local: datetime, activity: Activity) -> str:
    """Clio keeps only the date of a note, so the time and its zone stand in the text."""
    direction = f", {activity.direction}" if activity.direction else ""
    return f"{local:%Y-%m-%d %H:%M %Z} ({activity.time_zone}){direction}"


def _by(name: str | None) -> list[str]:
    return [] if name is None else [f"By {html_to_text.one_line(name, most=SUBJECT)}"]
