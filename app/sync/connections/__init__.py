"""Clio logins: OAuth flow, tokens, rate limit, Clio's webhooks, disconnect.

Other folders use the names listed in `__all__`. Reading and writing records of Clio do not belong here.
"""

from app.sync.connections.checked_tokens import TooManyLookups
from app.sync.connections.clients import clio_for, login_of
from app.sync.connections.clio_webhooks import (
    HookUnknown,
    SignatureInvalid,
    receive_webhook,
    renew_subscriptions,
    require_address,
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
    "disconnect_login",
    "finish_connecting",
    "login_of",
    "receive_webhook",
    "renew_subscriptions",
    "require_address",
    "start_connecting",
]
