"""Who may open a transaction over all accounts, and why [T2]. A contract in `pyproject.toml` has the modules."""

import ast

from tests.unit.repository.test_fenced_transactions import (
    MODULES,
    _inside,
    defined,
    imported,
    meaning,
)

SYSTEM = "app.db.system.system_transaction"
CLOCK = "the clock looks at all accounts"
RELAY = "an endpoint of a token gets the events of many accounts"
KEYS = "all secrets of the database have the same keys"
SESSIONS = "a session of the console can be of all accounts of its token"
LOOK_UP = "only what is looked for says whose it is"
MAY_SEE_ALL = {
    ("app.cli.check", "_look"): "service tokens are of no account",
    ("app.cli.tokens", "token_create"): "service tokens are of no account",
    ("app.cli.tokens", "token_list"): "service tokens are of no account",
    ("app.cli.tokens", "token_revoke"): "service tokens are of no account",
    (
        "app.api.system_session",
        "get_system_session",
    ): "the list of accounts, and the webhook endpoints of a token",
    ("app.api.events", "read"): "the events of all accounts of a token, read again while it waits",
    ("app.sync.console_sessions", "create_fleet_link"): SESSIONS,
    ("app.sync.console_sessions", "open_console"): SESSIONS,
    ("app.sync.console_sessions", "find_session"): SESSIONS,
    ("app.sync.console_sessions", "sign_out"): SESSIONS,
    ("app.sync.lookups", "find_attempt"): LOOK_UP,
    ("app.sync.lookups", "use_attempt"): LOOK_UP,
    ("app.sync.lookups", "find_connect_link"): LOOK_UP,
    ("app.sync.lookups", "find_account_of_hook"): LOOK_UP,
    ("app.sync.lookups", "find_receipt"): LOOK_UP,
    ("app.sync.request_check_refresh", "load_request_checks"): "service tokens are of no account",
    ("app.sync.key_rotation", "check_keys"): KEYS,
    ("app.sync.key_rotation", "_rotate_all"): KEYS,
    ("app.sync.key_rotation", "_rotate_one"): KEYS,
    ("app.sync.background", "measure"): "metrics count over all accounts",
    ("app.sync.scheduler", "propose_slots"): CLOCK,
    ("app.sync.scheduler", "_claim_due_slots"): CLOCK,
    ("app.sync.scheduler", "delete_expired_daily"): CLOCK,
    ("app.sync.health", "refresh_health"): CLOCK,
    ("app.sync.upgrades", "start_upgrades"): CLOCK,
    ("app.sync.lost_work", "queue_due_work"): CLOCK,
    ("app.sync.writeback.verify", "maintain_outbox"): CLOCK,
    ("app.sync.writeback.verify", "_look"): CLOCK,
    ("app.sync.assess.holds", "finish_decided_holds"): CLOCK,
    ("app.sync.connections.reconnects", "give_up_reconnects"): CLOCK,
    ("app.sync.connections.oauth_confirmation", "decline_unanswered"): CLOCK,
    ("app.sync.events.due_endpoints", "queue_due_endpoints"): RELAY,
    ("app.sync.events.endpoint_slice", "_claim"): RELAY,
    ("app.sync.events.endpoint_slice", "_next_turn"): RELAY,
    ("app.sync.events.endpoint_slice", "_store"): RELAY,
    ("app.sync.events.endpoint_slice", "_release_after_outage"): RELAY,
    ("app.sync.deleted_endpoints", "delete_endpoint_rows"): RELAY,
    ("app.sync.redeliveries", "redeliver_some"): RELAY,
    ("app.sync.events.ping", "ping"): RELAY,
    (
        "app.sync.account_erasure",
        "_delete_some_of_audit_log",
    ): "who serves accounts may delete no entry of an audit log",
    (
        "app.sync.request_check_refresh",
        "_store_uses",
    ): "service tokens are of no account",
    ("app.sync.key_rotation", "rotate_keys"): KEYS,
    (
        "app.sync.slices",
        "transaction",
    ): "the slices of deliveries and housekeeping are of no account",
    (
        "app.sync.retention",
        "sweep_retention",
    ): "what has expired goes in the order of time, of all accounts",
}


def openers(tree: ast.Module) -> set[str]:
    """Return the functions of a module that use a transaction over all accounts."""
    names = {name: defined(dotted) for name, dotted in imported(tree).items()}
    return {name for name, node in _inside("<module>", tree) if meaning(node, names) == SYSTEM}


def test_only_work_of_no_single_account_opens_a_transaction_over_all():
    used = {(name, function) for name, tree in MODULES.items() for function in openers(tree)}
    assert used - MAY_SEE_ALL.keys() == set(), "use transaction(database, account_id) here"
    assert MAY_SEE_ALL.keys() - used == set(), "remove these from MAY_SEE_ALL"


def test_the_check_notices_a_transaction_over_all_accounts():
    for code in (
        "from app.db.system import system_transaction\ndef a(d):\n    system_transaction(d)",
        "from app.db import system\ndef a(d):\n    system.system_transaction(d)",
    ):
        assert openers(ast.parse(code)) == {"a"}
