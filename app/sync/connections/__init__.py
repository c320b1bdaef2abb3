"""Clio logins: OAuth flow, tokens, revocations, rate limit, Clio's webhooks, disconnect.

Other folders use the names listed in `__all__`. Reading and writing records of Clio do not belong here.
"""

from app.sync.checked_tokens import TooManyLookups
from app.sync.connections.clients import clio_for, login_of
from app.sync.connections.clio_webhooks import (
    HookUnknown,
    SignatureInvalid,
    find_address,
    receive_webhook,
    renew_subscriptions,
)
from app.sync.connections.connect_links import (
    LinkEnded,
    LinkPage,
    create_link,
    end_link,
    open_link,
    start_from_link,
)
from app.sync.connections.disconnect import disconnect_login
from app.sync.connections.oauth_attempt import (
    AnswerUnclear,
    OtherBrowser,
    StateUnknown,
    StillConnecting,
)
from app.sync.connections.oauth_callback import Callback, finish_connecting
from app.sync.connections.oauth_confirmation import (
    Answer,
    Question,
    answer_question,
    ask_person,
    decline_unanswered,
)
from app.sync.connections.oauth_start import (
    IntegrationNotEnabled,
    RegionNotOffered,
    ReturnUrlRefused,
    UnknownUser,
    Wish,
    go_to_clio,
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
    "Answer",
    "AnswerUnclear",
    "Callback",
    "HookUnknown",
    "IntegrationNotEnabled",
    "LinkEnded",
    "LinkPage",
    "OtherBrowser",
    "Question",
    "RegionNotOffered",
    "ReturnUrlRefused",
    "SignatureInvalid",
    "StateUnknown",
    "StillConnecting",
    "TooManyLookups",
    "UnknownUser",
    "Wish",
    "answer_question",
    "ask_person",
    "clio_for",
    "create_link",
    "decline_unanswered",
    "describe_owed",
    "disconnect_login",
    "end_link",
    "find_address",
    "finish_connecting",
    "give_up_reconnects",
    "go_to_clio",
    "login_of",
    "open_link",
    "owe_logins",
    "receive_webhook",
    "renew_subscriptions",
    "start_connecting",
    "start_from_link",
    "tell_clio_what_is_due",
    "time_until_request",
]
