"""Checks after a chaos test: an account has what Clio has, and the processes work."""

from collections.abc import Sequence
from functools import partial

import httpx

from app.clio import resources
from app.rules.facts import FirmFacts
from tests.chaos import expected
from tests.chaos.processes import Program, Stack
from tests.support.waiting import wait_until_none_left


def check_account(
    stack: Stack, account_id: str, readers: Sequence[expected.ClioReader], firm: FirmFacts
) -> tuple[int, int]:
    """Check the contacts, the feed and the new clients of an account; return the numbers of contacts and lines.

    `readers` read Clio as the connected users of the account.
    """
    path = f"/v1/accounts/{account_id}"
    contacts = {c["clio_id"]: c for c in stack.all(f"{path}/contacts")}
    _check_contacts(contacts, expected.expected_contacts(readers, firm))
    in_clio = {str(record.id) for record in readers[0].all(resources.CONTACTS)}
    deleted = {i for i, c in contacts.items() if c["state"] == "deleted"}
    assert not deleted & in_clio, "a contact is marked as deleted but exists in Clio"
    lines = list(stack.all(f"{path}/changes"))
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    rebuilt = {line["clio_id"]: line["contact"] for line in lines}
    assert rebuilt == contacts, "the contacts rebuilt from the feed differ from the list"
    events = [len(row["event_ids"]) for row in stack.all(f"{path}/new-clients")]
    assert max(events, default=0) <= 1, "a new client was announced twice"
    return len(contacts), len(lines)


def _check_contacts(
    contacts: dict[str, dict[str, object]], wanted: dict[str, expected.ComparedFields]
) -> None:
    actual = {i: expected.fields_of_api(c) for i, c in contacts.items() if c["state"] == "in_scope"}
    different = {i for i in wanted.keys() | actual.keys() if wanted.get(i) != actual.get(i)}
    examples = {i: (wanted.get(i), actual.get(i)) for i in sorted(different)[:3]}
    assert not different, (
        f"{len(different)} contacts differ from Clio (expected, actual): {examples}"
    )


def check_logs(programs: Sequence[Program]) -> None:
    """Check that nothing was logged as an error: whatever fails around the service is no defect of the service."""
    lines = [line for program in programs for line in program.log.read_text().splitlines()]
    errors = [line for line in lines if '"level": "error"' in line or "Traceback" in line]
    assert not errors, f"{len(errors)} errors were logged: {errors[:3]}"


def check_parts(programs: Sequence[Program], patience: float) -> None:
    """Wait until every part of each process works, at most `patience` seconds."""
    for program in programs:
        wait_until_none_left(
            partial(_parts_not_working, program),
            f"{program.command} does not work",
            patience=patience,
        )


def _parts_not_working(program: Program) -> list[tuple[str, str]]:
    """Return the parts of a process that do not work, with their states."""
    parts = _parts(program) or {"the process": "does not answer"}
    return [(name, state) for name, state in parts.items() if state != "running"]


def _parts(program: Program) -> dict[str, str]:
    """Return the state of each part of a process; nothing while it does not answer."""
    try:
        answer = httpx.get(f"{program.url}/readyz", trust_env=False, timeout=30)
    except httpx.TransportError:  # it is being started
        return {}
    parts = {part["name"]: part["state"] for part in answer.json().get("parts", [])}
    return parts if answer.is_success else {**parts, "the process": "not ready"}
