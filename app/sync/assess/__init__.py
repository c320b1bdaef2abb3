"""From the rules to published contacts: assessments, shrink guard, new clients, holds, preview and change of settings.

Other folders use the functions listed in `__all__`. Reading Clio and SQL do not belong here.
"""

from app.sync.assess.assess import assess_stale
from app.sync.assess.first_pull import FirstPullPublisher
from app.sync.assess.holds import discard_hold, finish_decided_surges, release_hold
from app.sync.assess.new_client_decisions import (
    forget_new_client,
    release_new_client,
    replay_new_client,
    suppress_new_client,
)
from app.sync.assess.preview import Preview, preview_settings
from app.sync.assess.replaced_clients import Suspected, decide_suspected, next_suspected
from app.sync.assess.settings import SavedSettings, change_settings, check_settings
from app.sync.assess.shrink_guard import stop_waiting
from app.sync.assess.surges import announce_or_hold

__all__ = [
    "FirstPullPublisher",
    "Preview",
    "SavedSettings",
    "Suspected",
    "announce_or_hold",
    "assess_stale",
    "change_settings",
    "check_settings",
    "decide_suspected",
    "discard_hold",
    "finish_decided_surges",
    "forget_new_client",
    "next_suspected",
    "preview_settings",
    "release_hold",
    "release_new_client",
    "replay_new_client",
    "stop_waiting",
    "suppress_new_client",
]
