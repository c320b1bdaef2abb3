"""Every body of a request and of a response, as a class.

A field of a response that this version does not know is in `additional_properties`.
"""

from levitate_clio._generated import models as _models
from levitate_clio._generated.models import *  # noqa: F403 - there are more than a hundred
from levitate_clio._generated.types import UNSET, Unset

__all__ = ["UNSET", "Unset"]
__all__ += _models.__all__
