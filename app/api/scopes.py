"""Lists the operations and the scope of a service token that each needs. There is no other such list.

An operation that the list does not name needs `admin`. `tests/contract/test_scopes.py` compares it with the document.
"""

from collections.abc import Mapping

from app.db.accounts.service_tokens import Scope
from app.errors import AppError


class ScopeRequired(AppError):
    """The scope of the token does not allow the operation."""

    status = 403
    code = "scope_required"
    title = "The scope of this token does not allow this operation"
    next_step = "send a token of a larger scope"


_READ = (
    "list_accounts", "get_fleet", "get_account", "get_users", "list_attorneys", "get_status", "get_erasure",
    "list_connections", "get_connection",
    "get_settings", "list_settings_versions", "preview_settings", "get_catalog",
    "list_runs", "get_run", "follow_run", "get_run_report",
    "list_contacts", "summarize_contacts", "get_contact", "explain_contact", "get_contact_history", "list_changes",
    "export_contact", "list_clio_contacts", "explain_clio_contact",
    "list_new_clients", "list_activities", "get_activity", "list_issues", "list_holds", "list_hold_items",
    "list_audit", "list_service_audit",
    "list_events", "list_webhook_endpoints", "get_webhook_endpoint", "list_deliveries",
)  # fmt: skip
_WRITE = (
    "start_connection", "end_connection",  # only those of the acting user: see `app/api/connections.py`
    "create_run", "cancel_run", "record_preexisting_tags",
    "create_activity", "create_activities", "retry_activity", "cancel_activity",
)  # fmt: skip
_ADMIN = (
    "create_connect_link", "end_connect_link", "create_console_link", "create_account_console_link",
    "put_account", "patch_account", "delete_account", "put_users", "map_attorney", "unmap_attorney",
    "put_settings", "patch_settings", "delete_contact",
    "release_new_client", "suppress_new_client", "replay_new_client", "decide_new_clients",
    "release_hold", "discard_hold", "resolve_issue",
    "create_webhook_endpoint", "delete_webhook_endpoint", "rotate_webhook_secret", "enable_webhook_endpoint",
    "patch_webhook_endpoint", "redeliver_delivery", "send_test_event", "redeliver_deliveries",
)  # fmt: skip
NEEDED: Mapping[str, Scope] = {
    **dict.fromkeys(_READ, Scope.READ),
    **dict.fromkeys(_WRITE, Scope.WRITE),
    **dict.fromkeys(_ADMIN, Scope.ADMIN),
}


def needed_for(operation: str) -> Scope:
    """Return the smallest scope that allows an operation, which is named by its id."""
    return NEEDED.get(operation, Scope.ADMIN)


def check_scope(scope: Scope, operation: str) -> None:
    """Raise ScopeRequired unless a token of this scope may do the operation."""
    needed = needed_for(operation)
    if not scope.includes(needed):
        raise ScopeRequired(
            f"This operation needs a token of the scope {needed}; the scope of this one is {scope}"
        )
