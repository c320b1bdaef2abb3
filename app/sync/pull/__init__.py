"""Read Clio: land pages, find deletions, estimate the end, keep erased people away.

Other folders use the names listed in `__all__`. Rules and publication do not belong here.
"""

from app.sync.pull.all_connections import Problems, read_clio
from app.sync.pull.existence import find_first_gone
from app.sync.pull.failures import PullPostponed
from app.sync.pull.suppression import add_to_suppression_list

__all__ = [
    "Problems",
    "PullPostponed",
    "add_to_suppression_list",
    "find_first_gone",
    "read_clio",
]
