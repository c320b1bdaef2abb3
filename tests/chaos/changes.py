"""What a firm's people do in Clio meanwhile: edit, add and delete, as a die decides."""

import random
from collections.abc import Sequence
from typing import Any

import httpx

from app.clio import resources
from tests.chaos import truth

LISTS = {r.name: r for r in (resources.CONTACTS, resources.MATTERS, resources.RELATIONSHIPS)}


class Firm:
    """The simulated firm, changed behind everybody's back; the first reader tells what there is to change."""

    def __init__(self, clio_url: str, readers: Sequence[truth.Reader], dice: random.Random) -> None:
        self._clio_url = clio_url
        self._readers = readers
        self._dice = dice
        self._next_id = 900_000

    def change(self) -> str:
        """Change something; answers what, or `void` where Clio knows no such change."""
        name, document = self._dice.choice(
            (
                self._edit_contact,
                self._edit_contact,
                self._edit_matter,
                self._edit_matter,
                self._add_contact,
                self._add_matter,
                self._delete,
                self._delete_link,
            )
        )()
        answer = httpx.post(
            f"{self._clio_url}/_simulator/mutations",
            json=document,
            trust_env=False,
            timeout=30,
        )
        return name if answer.status_code == 204 else "void"

    def _edit_contact(self) -> tuple[str, dict[str, Any]]:
        change = self._dice.choice(
            (
                {"title": self._dice.choice([None, "Judge", "Baker", "Pilot"])},
                {"last_name": self._dice.choice(["Moreno", "Šimić", "O'Neill"])},
                {"is_client": self._dice.random() < 0.5},
            )
        )
        return "edited contact", _put("contact", {"id": self._some("contacts"), **change})

    def _edit_matter(self) -> tuple[str, dict[str, Any]]:
        change = {"status": self._dice.choice(["open", "pending", "closed"])}
        return "edited matter", _put("matter", {"id": self._some("matters"), **change})

    def _add_contact(self) -> tuple[str, dict[str, Any]]:
        self._next_id += 1
        name = {"first_name": "New", "last_name": f"Comer{self._next_id}", "type": "Person"}
        record = {"id": self._next_id, "is_client": True, "name": "New Comer", **name}
        return "added contact", _put("contact", record)

    def _add_matter(self) -> tuple[str, dict[str, Any]]:
        self._next_id += 1
        record = {
            "id": self._next_id,
            "client_id": self._some("contacts"),
            "status": "open",
            "display_number": f"{self._next_id}-New",
            "responsible_attorney_id": self._dice.choice([601, 602, None]),
        }
        return "added matter", _put("matter", record)

    def _delete(self) -> tuple[str, dict[str, Any]]:
        kind = self._dice.choice(["contact", "matter"])
        return f"deleted {kind}", {"op": "delete", "kind": kind, "id": self._some(f"{kind}s")}

    def _delete_link(self) -> tuple[str, dict[str, Any]]:
        found = self._some("relationships")
        return "deleted relationship", {"op": "delete", "kind": "relationship", "id": found}

    def _some(self, name: str) -> int:
        found: list[int] = sorted(item.id for item in self._readers[0].all(LISTS[name]))
        return self._dice.choice(found)


def _put(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    return {"op": "put", "kind": kind, "record": record}
