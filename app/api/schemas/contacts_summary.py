"""The summary of an account's contacts."""

from app.api.schemas.base import Schema
from app.api.schemas.preview import OwnerCount


class StateCount(Schema):
    """The number of contacts in a state."""

    state: str
    """The state, as in a contact."""

    n: int
    """The number of contacts."""


class TagCount(Schema):
    """The number of contacts with a tag."""

    label: str
    """The label of the tag."""

    category: str
    """The category of the tag, as in a contact."""

    n: int
    """The number of contacts."""


class OwnerRuleCount(Schema):
    """The number of contacts whose owner was chosen by a rule."""

    rule: str
    """The rule, as in the owner of a contact."""

    n: int
    """The number of contacts in scope."""


class ContactsSummary(Schema):
    """How many contacts there are, the most frequent values first."""

    total: int
    """The number of contacts that were counted, in all states."""

    complete: bool
    """Whether everything was counted. False: it took longer than 15 seconds, or there are more than 20,000 tags."""

    by_state: list[StateCount]
    """The contacts by their state."""

    by_tag: list[TagCount]
    """The contacts by tag and category; at most the 1,000 most frequent tags."""

    by_owner: list[OwnerCount]
    """The contacts in scope by their owner; at most the 1,000 with the most contacts."""

    by_owner_rule: list[OwnerRuleCount]
    """The contacts in scope by the rule that chose their owner."""
