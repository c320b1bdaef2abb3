"""From the rules to published contacts: assessments, shrink guard, new clients, holds, preview and change of settings.

Other folders use the functions listed in `__all__`. Reading Clio and SQL do not belong here.
"""

from app.sync.assess.assess import assess_stale
from app.sync.assess.clio_decisions import (
    ClioDecision,
    NotPulled,
    decide_clio_contact,
    decide_clio_contacts,
)
from app.sync.assess.first_publication import open_or_report_review
from app.sync.assess.first_pull import FirstPullPublisher
from app.sync.assess.hold_issues import stop_waiting
from app.sync.assess.hold_items import AskedItems, HoldItem, list_hold_items
from app.sync.assess.holds import Decision, decide_hold, finish_decided_holds
from app.sync.assess.many_new_clients import Decided, ManyDecision, decide_many
from app.sync.assess.new_client_decisions import (
    forget_new_client,
    release_new_client,
    replay_new_client,
    suppress_new_client,
)
from app.sync.assess.new_client_holds import hold_waiting_clients
from app.sync.assess.preview import (
    Preview,
    PreviewedChange,
    PreviewPage,
    Shown,
    Summary,
    follow_preview,
    summarize_review,
)
from app.sync.assess.replaced_clients import Suspected, decide_suspected, next_suspected
from app.sync.assess.settings import SavedSettings, change_settings, check_settings
from app.sync.assess.surges import announce_or_hold

__all__ = [
    "AskedItems",
    "ClioDecision",
    "Decided",
    "Decision",
    "FirstPullPublisher",
    "HoldItem",
    "ManyDecision",
    "NotPulled",
    "Preview",
    "PreviewPage",
    "PreviewedChange",
    "SavedSettings",
    "Shown",
    "Summary",
    "Suspected",
    "announce_or_hold",
    "assess_stale",
    "change_settings",
    "check_settings",
    "decide_clio_contact",
    "decide_clio_contacts",
    "decide_hold",
    "decide_many",
    "decide_suspected",
    "finish_decided_holds",
    "follow_preview",
    "forget_new_client",
    "hold_waiting_clients",
    "list_hold_items",
    "next_suspected",
    "open_or_report_review",
    "release_new_client",
    "replay_new_client",
    "stop_waiting",
    "summarize_review",
    "suppress_new_client",
]
