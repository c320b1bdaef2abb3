"""Clio logins: OAuth flow, tokens, revocations, rate limit, Clio's webhooks, disconnect.

Other folders use the names listed in `__all__`. Reading and writing records of Clio do not belong here.
"""

from app.sync.connections.checked_tokens import TooManyLookups
from app.sync.connections.clients import clio_for, login_of
from app.sync.connections.clio_webhooks import (
    HookUnknown,
    SignatureInvalid,
    find_address,
    receive_webhook,
    renew_subscriptions,
)
from app.sync.connections.disconnect import disconnect_login
from app.sync.connections.oauth_flow import (
    Callback,
    IntegrationNotEnabled,
    RegionNotOffered,
    ReturnUrlRefused,
    StateUnknown,
    UnknownUser,
    finish_connecting,
    start_connecting,
)
from app.sync.connections.rate_limit import time_until_request
from app.sync.connections.reconnects import give_up_reconnects
from app.sync.connections.revocations import (
    describe_owed,
    owe_logins,
    tell_clio_what_is_due,
)

__all__ = [
    "Callback",
    "HookUnknown",
    "IntegrationNotEnabled",
    "RegionNotOffered",
    "ReturnUrlRefused",
    "SignatureInvalid",
    "StateUnknown",
    "TooManyLookups",
    "UnknownUser",
    "clio_for",
    "describe_owed",
    "disconnect_login",
    "find_address",
    "finish_connecting",
    "give_up_reconnects",
    "login_of",
    "owe_logins",
    "receive_webhook",
    "renew_subscriptions",
    "start_connecting",
    "tell_clio_what_is_due",
    "time_until_request",
]
