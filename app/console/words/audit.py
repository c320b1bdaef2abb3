"""The audit log as sentences: what somebody did, with names in place of ids where they are known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.api import schemas
from app.console.words.runs import KINDS


@dataclass(frozen=True)
class Deed:
    """Something that somebody did, and the page that shows more of it."""

    text: str
    page: str = ""


Words = Callable[[schemas.AuditEntry, Mapping[str, str]], Deed]


def _plain(text: str, page: str = "") -> Words:
    return lambda _entry, _names: Deed(text, page)


def _user(text: str, key: str = "user_id", page: str = "") -> Words:
    """Return words with the name of the user whom the details have."""

    def words(entry: schemas.AuditEntry, names: Mapping[str, str]) -> Deed:
        user_id = entry.details.get(key)
        return Deed(text.replace("{}", names.get(str(user_id), "somebody")), page)

    return words


def _person(text: str) -> Words:
    """Return words about a person, whose page they open."""

    def words(entry: schemas.AuditEntry, _: Mapping[str, str]) -> Deed:
        is_person = (entry.subject or "").startswith("con_")
        return Deed(text, f"people/{entry.subject}" if is_person else "")

    return words


def _settings(entry: schemas.AuditEntry, _: Mapping[str, str]) -> Deed:
    versions = entry.details.get("version")
    version = versions.get("after") if isinstance(versions, dict) else versions
    changed = ", ".join(_leaf(one) for one in _listed(entry.details.get("pointers")))
    to = f" to version {version}" if version else ""
    return Deed(f"changed the settings{to}{': ' + changed if changed else ''}", "settings")


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _leaf(pointer: str) -> str:
    return pointer.strip("/").replace("/", " ").replace("_", " ")


def _account(entry: schemas.AuditEntry, _: Mapping[str, str]) -> Deed:
    changed = ", ".join(_leaf(one) for one in _listed(entry.details.get("pointers")))
    return Deed(f"changed the firm’s {changed}" if changed else "changed the firm")


def _link(entry: schemas.AuditEntry, names: Mapping[str, str]) -> Deed:
    if entry.subject == entry.user_id:
        return Deed("got a link to this console")
    return Deed(f"made a link to this console for {names.get(entry.subject or '', 'somebody')}")


def _run(entry: schemas.AuditEntry, _: Mapping[str, str]) -> Deed:
    kind = KINDS.get(str(entry.details.get("kind")), "Sync").lower()
    return Deed(f"asked for a sync ({kind})", f"activity/syncs/{entry.subject}")


def _attorney(entry: schemas.AuditEntry, names: Mapping[str, str]) -> Deed:
    user_id = entry.details.get("user_id")
    who = names.get(str(user_id), "a user") if user_id else "nobody"
    return Deed(f"said that an attorney in Clio is {who}", "attorneys")


def _hold(decision: str) -> Words:
    def words(entry: schemas.AuditEntry, _: Mapping[str, str]) -> Deed:
        n = entry.details.get("items")
        return Deed(f"{decision} {f'for {n} people' if n else 'for all who waited'}", "holds")

    return words


_WORDS: Mapping[str, Words] = {
    "account.created": _plain("set the firm up"),
    "account.changed": _account,
    "account.firm_bound": _plain("connected the firm’s Clio account"),
    "activity.created": _plain("sent an activity to be written to Clio", "writebacks"),
    "activity.retried": _plain("asked to write an activity again", "writebacks"),
    "activity.cancelled": _plain("cancelled an activity", "writebacks"),
    "attorney.mapped": _attorney,
    "attorney.unmapped": _plain("set an attorney back to automatic", "attorneys"),
    "connect_link.created": _user("made a link with which {} can connect Clio"),
    "connect_link.ended": _plain("ended a link to connect Clio"),
    "connection.started": _user("began to connect {} to Clio"),
    "connection.connected": _plain("connected Clio"),
    "connection.declined": _plain("did not allow access to Clio"),
    "connection.ended": _user("ended the Clio login of {}"),
    "connection.clio_user_changed": _plain("connected another Clio user"),
    "console_link.created": _link,
    "contact.erased": _plain("erased a person"),
    "contact.exported": _person("exported the data of a person"),
    "hold.released": _hold("decided that it is carried out,"),
    "hold.discarded": _hold("decided that it is not carried out,"),
    "issue.resolved": _plain("marked an issue as done"),
    "new_client.released": _plain("started the automation of a new client", "holds"),
    "new_client.suppressed": _plain("decided that an automation never starts", "holds"),
    "new_client.replayed": _plain("started an automation once more", "holds"),
    "new_clients.released": _plain("started automations of new clients", "holds"),
    "new_clients.suppressed": _plain("decided that automations never start", "holds"),
    "people.read": _person("read people whom not every user sees"),
    "run.cancelled": _plain("ended a sync", "activity/syncs"),
    "run.requested": _run,
    "settings.changed": _settings,
    "tags.preexisting": _person("said which tags a person had before"),
    "users.replaced": _plain("sent the list of the firm’s users"),
}


def deed(entry: schemas.AuditEntry, names: Mapping[str, str]) -> Deed:
    """Return what an entry says that somebody did."""
    words = _WORDS.get(entry.action)
    return words(entry, names) if words else Deed(entry.action.replace(".", ": ").replace("_", " "))


def who(entry: schemas.AuditEntry, names: Mapping[str, str]) -> str:
    """Return who did something: a name, else the role."""
    if entry.user_id is not None and entry.user_id in names:
        return names[entry.user_id]
    if entry.role == "success_manager":
        return "A Success Manager"
    return "An administrator" if entry.role == "account_admin" else "Levitate"
