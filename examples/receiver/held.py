"""People who wait for a decision: new clients who are not announced, and contacts in holds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from levitate_clio import AsyncClio
from levitate_clio.models import UNSET, HoldDecision, ManyNewClients, ReleaseDecision

from receiver.store import Store

Decision = Literal["release", "suppress"]
MOST_SHOWN = 200  # of each list; the next ones are shown when these are decided
NEW_CLIENTS = "new_clients"
DECIDED_BY_THE_SERVICE = ("run", "merge")  # such new clients wait for a run, not for a person


@dataclass(frozen=True)
class HeldPerson:
    """One person who waits. `id` is that of a new client, or of an item of a hold."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class HeldGroup:
    """People about whom is decided together. `hold_id` is None for new clients."""

    kind: str
    hold_id: str | None
    total: int
    people: Sequence[HeldPerson]


@dataclass(frozen=True)
class Desk:
    """Shows who waits in one firm, and decides about them in the name of a user."""

    clio: AsyncClio
    account: str
    store: Store

    async def groups(self) -> list[HeldGroup]:
        """Return all who wait for a person. The people in holds of new clients are one group."""
        listed = self.clio.pages(self.clio.issues.list_holds, self.account, status="open")
        holds = [hold async for hold in listed]
        total = sum(hold.count for hold in holds if hold.kind == NEW_CLIENTS)
        others = [
            HeldGroup(hold.kind, hold.id, hold.count, await self._items(hold.id))
            for hold in holds
            if hold.kind != NEW_CLIENTS
        ]
        return [HeldGroup(NEW_CLIENTS, None, total, await self._new_clients()), *others]

    async def _new_clients(self) -> list[HeldPerson]:
        people: list[HeldPerson] = []
        rows = self.clio.pages(
            self.clio.new_clients.list_new_clients, self.account, status="held", limit=MOST_SHOWN
        )
        async for row in rows:
            if row.held_for not in DECIDED_BY_THE_SERVICE:
                people.append(HeldPerson(row.id, self._name(row.contact_id), row.held_for or ""))
            if len(people) == MOST_SHOWN:
                break
        return people

    async def _items(self, hold_id: str) -> list[HeldPerson]:
        page = await self.clio.issues.list_hold_items(self.account, hold_id, limit=MOST_SHOWN)
        return [
            HeldPerson(item.id, item.name, item.change.kind if item.change else "")
            for item in page.data
        ]

    def _name(self, contact_id: str) -> str:
        contact = self.store.contact(contact_id)
        names = (contact.first_name, contact.last_name) if contact else ()
        return " ".join(name for name in names if name) or contact_id

    async def decide_new_clients(
        self, user: str, decision: Decision, ids: Sequence[str], form_id: str
    ) -> int:
        """Announce new clients, or never announce them. The same form, sent again, decides nothing again."""
        acting = self.clio.acting_as(user, "success_manager")
        body = ManyNewClients(action=decision, ids=list(ids))
        key = key_of(form_id, decision, ids)
        decided = await acting.new_clients.decide_new_clients(
            self.account, body=body, idempotency_key=key
        )
        return decided.done

    async def decide_hold(
        self, user: str, decision: Decision, hold_id: str, ids: Sequence[str]
    ) -> None:
        """Let the changes of a hold happen, or drop them. Without ids all of them, also those not shown."""
        issues = self.clio.acting_as(user, "success_manager").issues
        named = list(ids) or UNSET
        if decision == "release":
            await issues.release_hold(self.account, hold_id, body=ReleaseDecision(ids=named))
        else:
            await issues.discard_hold(self.account, hold_id, body=HoldDecision(ids=named))


def key_of(form_id: str, decision: Decision, ids: Sequence[str]) -> str:
    """Return the idempotency key of what was chosen in a form. Another choice in the same form has another key."""
    chosen = "\n".join([form_id, decision, *sorted(ids)])
    return hashlib.sha256(chosen.encode()).hexdigest()
