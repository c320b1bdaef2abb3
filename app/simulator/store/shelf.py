"""How papers are found and shown: visibility, lists, pages and field selection. Speaks no HTTP."""

import base64
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.simulator.store.firm import Firm, Record
from app.simulator.store.papers import PaperRule, Refused

MOST = 200
_LIST_PARAMS = frozenset({"limit", "order", "page_token", "fields", "ids[]"})
_ORDERS = {
    "id(asc)": lambda record: record["id"],
    "date(asc)": lambda record: (record.get("date") or "", record["id"]),
}
Selection = list[tuple[str, list[str]]]  # a field, and what is asked of it


@dataclass
class Shelf:
    """All papers of all firms."""

    papers: dict[tuple[str, int], Record] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(7001))

    def of(self, name: str) -> list[Record]:
        """All papers of a kind, by id."""
        return [record for (kind, _), record in sorted(self.papers.items()) if kind == name]

    def new_id(self) -> int:
        """An id that no paper had."""
        return next(self._ids)


@dataclass(frozen=True)
class Desk:
    """Who reads and writes here, and when."""

    shelf: Shelf
    firm: Firm
    user_id: int
    now: datetime


def seen(desk: Desk, rule: PaperRule, paper_id: int) -> Record:
    """The paper; raises Refused for one that the user may not see."""
    record = desk.shelf.papers.get((rule.name, paper_id))
    if record is None or not _visible(desk, record):
        raise Refused(404, "The requested record could not be found")
    return record


def _visible(desk: Desk, record: Record) -> bool:
    """A paper is seen by those who see every contact and matter it names."""
    if record["firm"] != id(desk.firm):
        return False
    people = [*record.get("senders", []), *record.get("receivers", [])]
    named = [("contact", person["id"]) for person in people if person["type"] != "User"]
    named += [(kind, record[kind]) for kind in ("contact", "matter") if record.get(kind)]
    firm, user_id = desk.firm, desk.user_id
    return all(
        firm.find(kind, record_id) is not None and firm.sees(user_id, kind, record_id)
        for kind, record_id in named
    )


def listed(
    desk: Desk,
    rule: PaperRule,
    selection: Selection,
    params: Mapping[str, list[str]],
) -> tuple[dict[str, Any], str | None]:
    """The body of a list's page, and the token of the next."""
    _checklisted(rule, params)
    order = params.get("order", [rule.default_order])[0]
    matching = [
        record
        for record in desk.shelf.of(rule.name)
        if _visible(desk, record) and _matches(rule, record, params)
    ]
    matching.sort(key=_ORDERS[order])
    first, limit = _place(params, matching), int(params.get("limit", [str(MOST)])[0])
    page = matching[first : first + limit]
    following = _token(page[-1]["id"]) if first + limit < len(matching) else None
    data = [shown(desk, rule, record, selection) for record in page]
    return {"data": data, "meta": {"paging": {}, "records": len(matching)}}, following


def _checklisted(rule: PaperRule, params: Mapping[str, list[str]]) -> None:
    for name in params:
        if name not in rule.filters and name not in _LIST_PARAMS:
            raise Refused(400, f"{name} is not a valid argument")
    if rule.needed_in_list and rule.needed_in_list not in params:
        raise Refused(422, f"{rule.needed_in_list} is required")
    if rule.needed_in_list == "type" and params["type"][0] not in ("Contact", "Matter"):
        raise Refused(422, "type must be Contact or Matter")
    if "external_property_value" in params and "external_property_name" not in params:
        raise Refused(400, "external_property_value needs external_property_name")
    if params.get("order", ["id(asc)"])[0] not in _ORDERS:
        raise Refused(400, "this order is not simulated")
    limit = params.get("limit", ["1"])[0]
    if not limit.isdecimal() or not 1 <= int(limit) <= MOST:
        raise Refused(400, f"limit must be between 1 and {MOST}")


def _matches(rule: PaperRule, record: Record, params: Mapping[str, list[str]]) -> bool:
    if "ids[]" in params and str(record["id"]) not in params["ids[]"]:
        return False
    return all(
        test(record, params[name][0]) for name, test in rule.filters.items() if name in params
    )


def _token(after: int) -> str:
    return base64.urlsafe_b64encode(f"after {after}".encode()).decode()


def _place(params: Mapping[str, list[str]], matching: list[Record]) -> int:
    if "page_token" not in params:
        return 0
    places = {_token(record["id"]): nth for nth, record in enumerate(matching, start=1)}
    try:
        return places[params["page_token"][0]]
    except KeyError as error:
        raise Refused(422, "page_token is now out of bounds and cannot be used.") from error


def select(rule: PaperRule, asked: str) -> Selection:
    """What a `fields` parameter asks for: one level of braces, nothing unknown."""
    selection = []
    for name, braces, inner in re.findall(r"([^,{}]+)(\{([^{}]*)\})?", asked or "id,etag"):
        names = [sub for sub in inner.split(",") if sub]
        if name not in rule.plain and name not in rule.nested:
            raise _unknown(name)
        unknown = set(names) - rule.nested.get(name, frozenset())
        if unknown or (braces and name in rule.plain):
            raise _unknown(min(unknown, default=name))
        selection.append((name, names or ["id", "etag"]))
    return selection


def _unknown(name: str) -> Refused:
    refusal = Refused(400, f"{name} is not a valid field")
    refusal.kind = "InvalidFields"
    return refusal


def shown(desk: Desk, rule: PaperRule, record: Record, selection: Selection) -> Record:
    """A paper with what was asked of it."""
    return {
        name: record.get(name) if name in rule.plain else _nested(desk, record, name, names)
        for name, names in selection
    }


def _nested(desk: Desk, record: Record, name: str, names: list[str]) -> Any:
    if name in ("senders", "receivers", "external_properties"):
        return [{sub: part.get(sub) for sub in names} for part in record[name]]
    kind = "user" if name in ("author", "user") else name
    record_id = record.get("author" if kind == "user" else kind)
    found = desk.firm.find(kind, record_id)
    return None if found is None else {sub: found.get(sub) for sub in names}
