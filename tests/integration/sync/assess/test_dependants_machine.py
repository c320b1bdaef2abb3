"""Whatever changes in Clio, nobody who depends on it is forgotten: to assess all contacts again changes nothing more.

That holds after each change of contacts, their types and companies, of matters, relationships, small lists, and after
deletions [row 47, CS-7, OV-4, row 25].
"""

import itertools
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from sqlalchemy import select, text

from app.db.accounts import accounts, attorneys
from app.db.accounts.accounts import AccountFields
from app.db.contacts import tables as contact_tables
from app.db.mirror import catalog, changed_items, records, removals, rule_inputs
from app.db.mirror.visibility import View
from app.db.runs.leases import Lease
from app.db.runs.runs import Kind
from app.db.session import Session
from app.rules.attorneys import LevitateUser
from app.rules.records import (
    Attorney,
    ContactRecord,
    CustomValue,
    MatterRecord,
    MatterStatus,
    RelationshipRecord,
)
from app.rules.removed_contacts import REMOVED
from app.rules.settings import (
    AttorneyTags,
    CustomFieldTag,
    MatterTags,
    ScopeSettings,
    Settings,
    Switch,
    TagSettings,
)
from app.sync.assess import assess
from app.sync.assess.contact_assessments import AssessmentContext
from tests.support.database_machine import DatabaseMachine

numbers = itertools.count(1)
CONTACTS, MATTERS, LINKS = st.integers(1, 5), st.integers(101, 103), st.integers(201, 203)
EVERYTHING = Settings(
    scope=ScopeSettings(include_related=True, related_role_exclude=("judge",), opt_out_field_id=8),
    tags=TagSettings(
        related_practice_area=MatterTags(enabled=True),
        relationships=Switch(enabled=True),
        matter_number=MatterTags(enabled=True),
        matter_tag=MatterTags(enabled=True),
        responsible_attorney=AttorneyTags.ALL,
        originating_attorney=AttorneyTags.MOST_RECENT,
        custom_fields=(CustomFieldTag(7),),
    ),
)
FIELDS = {7: "text_line", 8: "checkbox"}
USERS = [LevitateUser(f"u{n}", f"User {n}", f"u{n}@x.test") for n in range(2)]


class Dependants(DatabaseMachine):
    """A firm whose records change one after another; after each change the stale contacts are assessed."""

    def __init__(self) -> None:
        super().__init__()
        self.account = f"d{next(numbers)}"
        self.view = View(self.account, "cnx_1", full_view=True)

    @initialize()
    def firm(self) -> None:
        async def create(session: Session) -> None:
            fields = AccountFields("Firm", "UTC", "US", "u0", enabled=True)
            await accounts.put_account(session, self.account, fields, now=self.time)
            await accounts.replace_users(session, self.account, USERS)

        self.do(create)
        for item in (501, 502):
            self.rename("users", item, 0)
        for item in FIELDS:
            self.rename("custom_fields", item, 0)

    @rule(
        clio_id=CONTACTS,
        is_person=st.sampled_from([True, True, False, None]),
        flag=st.booleans(),
        company_id=st.none() | CONTACTS,
        values=st.sets(st.sampled_from(sorted(FIELDS))),
        name=st.integers(0, 1),
    )
    def put_contact(
        self,
        clio_id: int,
        is_person: bool | None,
        flag: bool,
        company_id: int | None,
        values: set[int],
        name: int,
    ) -> None:
        record = ContactRecord(
            clio_id,
            is_person,
            name=f"N{name}",
            is_client=flag,
            company_id=company_id,
            custom_values=tuple(
                CustomValue(item, True if item == 8 else "text") for item in sorted(values)
            ),
            updated_at=self.time,
        )
        self.change(lambda session: records.land_contacts(session, self.view, [record]))

    @rule(
        clio_id=MATTERS,
        client_id=st.none() | CONTACTS,
        status=st.sampled_from(MatterStatus),
        area=st.integers(11, 12),
        named=st.tuples(*[st.none() | st.integers(501, 502)] * 2),
        group=st.sampled_from(["AccountGroup", "AdhocGroup"]),
    )
    def put_matter(
        self,
        clio_id: int,
        client_id: int | None,
        status: MatterStatus,
        area: int,
        named: tuple[int | None, int | None],
        group: str,
    ) -> None:
        first, second = (user and Attorney(user, f"Attorney {user}") for user in named)
        record = MatterRecord(
            clio_id,
            status,
            number=f"M{clio_id}",
            client_id=client_id,
            practice_area_id=area,
            practice_area=f"Area {area}",
            stage_id=21,
            stage="Stage",
            group_type=group,
            responsible=first or None,
            originating=second or None,
            updated_at=self.time,
        )
        self.change(lambda session: records.land_matters(session, self.view, [record]))

    @rule(
        clio_id=LINKS,
        matter_id=MATTERS,
        contact_id=CONTACTS,
        role=st.sampled_from(["Spouse", "Judge"]),
    )
    def put_relationship(self, clio_id: int, matter_id: int, contact_id: int, role: str) -> None:
        record = RelationshipRecord(clio_id, matter_id, contact_id, role, self.time)
        self.change(lambda session: records.land_relationships(session, self.view, [record]))

    @rule(
        item=st.sampled_from(
            [("practice_areas", 11), ("matter_stages", 21), ("users", 501), ("users", 502)]
        )
        | st.sampled_from([("custom_fields", item) for item in FIELDS]),
        name=st.integers(0, 2),
    )
    def change_item(self, item: tuple[str, int], name: int) -> None:
        self.rename(*item, name)

    @rule(
        what=st.tuples(st.just("contacts"), CONTACTS)
        | st.tuples(st.just("matters"), MATTERS)
        | st.tuples(st.just("relationships"), LINKS)
    )
    def remove(self, what: tuple[str, int]) -> None:
        kind, clio_id = what
        self.change(
            lambda session: removals.remove_records(
                session, self.account, kind, [clio_id], why=REMOVED
            )
        )

    def rename(self, resource: str, item: int, name: int) -> None:
        """Store an item with another name; a Clio user also gets another address."""
        record: dict[str, Any] = {"id": item, "name": f"{resource} {name}"}
        if resource == "users":
            record["email"] = f"u{name}@x.test"
        if resource == "custom_fields":
            record |= {"field_type": FIELDS[item], "parent_type": "Contact", "deleted": name == 2}
        stored = {item: record}
        self.change(lambda session: catalog.store_items(session, self.account, resource, stored))

    def change(self, landing: Any) -> None:
        """Land a change, assess who became stale, and compare with an assessment of everybody."""
        self.do(landing)
        self.do(self._assess)
        found = self.do(self._published)
        self.do(self._mark_all)
        self.do(self._assess)
        assert found == self.do(self._published)

    async def _assess(self, session: Session) -> None:
        while await changed_items.mark_next(session, self.account, limit=100):
            pass
        firm = await attorneys.load_firm_facts(session, self.account)
        names = await rule_inputs.load_current_names(session, self.account)
        # A change of settings is not held back by the shrink guard.
        context = AssessmentContext(
            "run_1", "settings", firm, EVERYTHING, names, "https://app.clio.com", self.time
        )
        lease = Lease(self.account, "run_1", 1, timedelta(minutes=1))
        await assess._assess_batch(session, lease, context, Kind.INCREMENTAL)

    async def _mark_all(self, session: Session) -> None:
        query = text("update mirror_contacts set stale = true where account_id = :account")
        await session.execute(query, {"account": self.account})

    async def _published(self, session: Session) -> list[Any]:
        table = contact_tables.contacts
        query = select(table.c.clio_id, table.c.view, table.c.explanation)
        found = await session.execute(
            query.where(table.c.account_id == self.account).order_by(table.c.clio_id)
        )
        return list(found)


def test_to_assess_everybody_again_after_any_change_finds_nothing_that_was_forgotten(dsn: str):
    Dependants.dsn = dsn
    how = settings(
        max_examples=settings().max_examples // 5,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(Dependants, settings=how)
