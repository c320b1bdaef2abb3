"""Response bodies about many accounts: an account in the list with its health, and counts over all of them."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from app.api.schemas.accounts import Account
from app.api.schemas.base import Schema
from app.api.schemas.runs import HealthReason, Run, StatusConnections


class ListedAccount(Account):
    """An account with its health at a glance."""

    model_config = ConfigDict(json_schema_extra={})  # without the examples of an account

    health: Literal["ok", "degraded", "needs_attention", "disabled"]
    """As in the status of the account, which is computed when it is read. This one is stored, and follows a change
    within seconds."""

    health_reasons: list[HealthReason]
    """Why the health is not `ok`, the gravest reasons first. Empty if it is `ok`, and in the first seconds of a new
    account."""

    last_successful_run_at: datetime | None
    """When the newest run that succeeded and read all lists of all logins ended (RFC 3339, UTC). It follows such a run
    within seconds. Null if none did."""

    connections: StatusConnections
    """How many connections work."""

    open_issues: int
    """The number of open issues, of all severities."""

    run: Run | None
    """The newest run, ended or not. Null if there was none."""


class FleetHealth(Schema):
    """How many accounts have each health."""

    ok: int
    """Everything works."""

    degraded: int
    """A warning is open, or no run has read all lists for two slots."""

    needs_attention: int
    """They cannot go on without a person."""

    disabled: int
    """The integration is off."""


class Fleet(Schema):
    """All accounts of a token at a glance."""

    health: FleetHealth
    """The accounts by their stored health, which follows a change within seconds."""

    runs_in_flight: int
    """Runs that are queued, running or interrupted."""

    oldest_unserved_slot_at: datetime | None
    """Since when the oldest scheduled run is due that has not succeeded yet (RFC 3339, UTC). Null if there is none.
    Accounts without a working login do not count."""

    holds_waiting: int
    """Holds that wait for a person."""
