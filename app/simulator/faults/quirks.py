"""What nobody outside knows of Clio, or what it is seen to do in two ways: each a switch, so that both can be met."""

from dataclasses import dataclass


@dataclass
class Habits:
    """The switches. As they stand, the simulator refuses what it may."""

    clamps_limit: bool = False  # a limit over the most is cut down instead of refused
    caps_unordered_lists: bool = (
        False  # relationships and stages, which take no order, end at 10,000 too
    )
    caps_silently: bool = (
        False  # the last page that may be read names no next, instead of a refusal
    )
    wraps_rate_limit: bool = False  # a 429 bears its message as base64 under `data`
    tells_records: bool = True  # lists tell how many match in all
