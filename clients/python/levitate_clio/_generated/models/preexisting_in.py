from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="PreexistingIn")


@_attrs_define
class PreexistingIn:
    """Labels that the contact already had in Levitate before this service granted them."""

    labels: list[str]
    """ The labels, 1 to 200, each with at most 300 characters. They are added to those already stored. """

    def to_dict(self) -> dict[str, Any]:
        labels = self.labels

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "labels": labels,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        labels = cast(list[str], d.pop("labels"))

        preexisting_in = cls(
            labels=labels,
        )

        return preexisting_in
