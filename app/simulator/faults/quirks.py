"""Behaviour of Clio that is undocumented, or was observed in two ways. Each is a switch, so that both can be tested."""

from dataclasses import dataclass


@dataclass
class Quirks:
    """The switches. With the defaults, the simulator refuses what Clio may refuse."""

    clamps_limit: bool = False  # a limit over the maximum is reduced instead of refused
    # relationships and stages, which accept no order, end at 10,000 records too
    caps_unordered_lists: bool = False
    # the last page that can be read names no next page, instead of a refusal of the next request
    caps_silently: bool = False
    wraps_rate_limit: bool = False  # a 429 has its message as base64 in `data`
    tells_records: bool = True  # lists have the number of all matches in `meta.records`
