"""Random changes of the records in the simulated Clio: edits, additions and deletions."""

import random
from collections.abc import Collection, Sequence
from typing import Any

import httpx

from app.clio import resources
from tests.chaos import expected

LISTS = {r.name: r for r in (resources.CONTACTS, resources.MATTERS, resources.RELATIONSHIPS)}


class FirmChanges:
    """Changes records of the simulated firm directly in Clio; the first reader lists the records to choose from."""

    def __init__(
        self, clio_url: str, readers: Sequence[expected.ClioReader], rng: random.Random
    ) -> None:
        self._clio_url = clio_url
        self._readers = readers
        self._rng = rng
        self._next_id = 900_000
        self.protected: set[int] = set()
        """Contacts that are not deleted."""

    def change(self) -> str:
        """Make one random change; return its name, or `refused` if the simulator did not accept it."""
        name, document = self._rng.choice(
            (
                self._edit_contact,
                self._edit_contact,
                self._edit_matter,
                self._edit_matter,
                self._add_contact,
                self._add_matter,
                self._delete,
                self._delete_relationship,
            )
        )()
        answer = httpx.post(
            f"{self._clio_url}/_simulator/mutations",
            json=document,
            trust_env=False,
            timeout=30,
        )
        assert answer.status_code < 500, answer.text
        return name if answer.status_code == 204 else "refused"

    def _edit_contact(self) -> tuple[str, dict[str, Any]]:
        change = self._rng.choice(
            (
                {"title": self._rng.choice([None, "Judge", "Baker", "Pilot"])},
                {"last_name": self._rng.choice(["Moreno", "Šimić", "O'Neill"])},
                {"is_client": self._rng.random() < 0.5},
            )
        )
        return "edited contact", _put("contact", {"id": self._random_id("contacts"), **change})

    def _edit_matter(self) -> tuple[str, dict[str, Any]]:
        change = {"status": self._rng.choice(["open", "pending", "closed"])}
        return "edited matter", _put("matter", {"id": self._random_id("matters"), **change})

    def _add_contact(self) -> tuple[str, dict[str, Any]]:
        self._next_id += 1
        name = {"first_name": "New", "last_name": f"Comer{self._next_id}", "type": "Person"}
        record = {"id": self._next_id, "is_client": True, "name": "New Comer", **name}
        return "added contact", _put("contact", record)

    def _add_matter(self) -> tuple[str, dict[str, Any]]:
        self._next_id += 1
        record = {
            "id": self._next_id,
            "client_id": self._random_id("contacts"),
            "status": "open",
            "display_number": f"{self._next_id}-New",
            "responsible_attorney_id": self._rng.choice([601, 602, None]),
        }
        return "added matter", _put("matter", record)

    def _delete(self) -> tuple[str, dict[str, Any]]:
        kind = self._rng.choice(["contact", "matter"])
        record_id = self._random_id(f"{kind}s", self.protected if kind == "contact" else set())
        return f"deleted {kind}", {"op": "delete", "kind": kind, "id": record_id}

    def _delete_relationship(self) -> tuple[str, dict[str, Any]]:
        record_id = self._random_id("relationships")
        return "deleted relationship", {"op": "delete", "kind": "relationship", "id": record_id}

    def _random_id(self, name: str, protected: Collection[int] = ()) -> int:
        ids: list[int] = sorted(
            {item.id for item in self._readers[0].all(LISTS[name])}.difference(protected)
        )
        return self._rng.choice(ids)


def _put(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    return {"op": "put", "kind": kind, "record": record}
