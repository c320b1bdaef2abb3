from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.custom_field_tag import CustomFieldTag
    from ..models.location_tags import LocationTags
    from ..models.matter_tags import MatterTags
    from ..models.practice_area_tags import PracticeAreaTags
    from ..models.related_practice_area_tags import RelatedPracticeAreaTags
    from ..models.switch import Switch


T = TypeVar("T", bound="TagSettings")


@_attrs_define
class TagSettings:
    """The tags that contacts get, in addition to those that all contacts get."""

    practice_area: PracticeAreaTags | Unset = UNSET
    """ Tags for the practice areas of the contact's own matters. """
    related_practice_area: RelatedPracticeAreaTags | Unset = UNSET
    """ Tags for the practice areas of other clients' matters that the contact is related to. """
    relationships: Switch | Unset = UNSET
    """ An option that is on or off. """
    matter_number: MatterTags | Unset = UNSET
    """ Tags from the contact's own matters. """
    matter_tag: MatterTags | Unset = UNSET
    """ Tags from the contact's own matters. """
    location: LocationTags | Unset = UNSET
    """ The parts of the primary address that become tags. """
    responsible_attorney: str | Unset = UNSET
    """ The attorneys whose names become tags: none, that of the matter updated last, or those of all matters. Known
    values: `none`, `most_recent`, `all`. """
    originating_attorney: str | Unset = UNSET
    """ The attorneys whose names become tags: none, that of the matter updated last, or those of all matters. Known
    values: `none`, `most_recent`, `all`. """
    company_representatives: str | Unset = UNSET
    """ The people of a client company who count as its representatives: all or none. Known values: `all`, `none`.
    """
    custom_fields: list[CustomFieldTag] | Unset = UNSET
    """ Custom fields of contacts whose values become tags. At most 200, each field once. """

    def to_dict(self) -> dict[str, Any]:
        practice_area: dict[str, Any] | Unset = UNSET
        if not isinstance(self.practice_area, Unset):
            practice_area = self.practice_area.to_dict()

        related_practice_area: dict[str, Any] | Unset = UNSET
        if not isinstance(self.related_practice_area, Unset):
            related_practice_area = self.related_practice_area.to_dict()

        relationships: dict[str, Any] | Unset = UNSET
        if not isinstance(self.relationships, Unset):
            relationships = self.relationships.to_dict()

        matter_number: dict[str, Any] | Unset = UNSET
        if not isinstance(self.matter_number, Unset):
            matter_number = self.matter_number.to_dict()

        matter_tag: dict[str, Any] | Unset = UNSET
        if not isinstance(self.matter_tag, Unset):
            matter_tag = self.matter_tag.to_dict()

        location: dict[str, Any] | Unset = UNSET
        if not isinstance(self.location, Unset):
            location = self.location.to_dict()

        responsible_attorney = self.responsible_attorney

        originating_attorney = self.originating_attorney

        company_representatives = self.company_representatives

        custom_fields: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.custom_fields, Unset):
            custom_fields = []
            for custom_fields_item_data in self.custom_fields:
                custom_fields_item = custom_fields_item_data.to_dict()
                custom_fields.append(custom_fields_item)

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if practice_area is not UNSET:
            field_dict["practice_area"] = practice_area
        if related_practice_area is not UNSET:
            field_dict["related_practice_area"] = related_practice_area
        if relationships is not UNSET:
            field_dict["relationships"] = relationships
        if matter_number is not UNSET:
            field_dict["matter_number"] = matter_number
        if matter_tag is not UNSET:
            field_dict["matter_tag"] = matter_tag
        if location is not UNSET:
            field_dict["location"] = location
        if responsible_attorney is not UNSET:
            field_dict["responsible_attorney"] = responsible_attorney
        if originating_attorney is not UNSET:
            field_dict["originating_attorney"] = originating_attorney
        if company_representatives is not UNSET:
            field_dict["company_representatives"] = company_representatives
        if custom_fields is not UNSET:
            field_dict["custom_fields"] = custom_fields

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.custom_field_tag import CustomFieldTag  # noqa: PLC0415
        from ..models.location_tags import LocationTags  # noqa: PLC0415
        from ..models.matter_tags import MatterTags  # noqa: PLC0415
        from ..models.practice_area_tags import PracticeAreaTags  # noqa: PLC0415
        from ..models.related_practice_area_tags import RelatedPracticeAreaTags  # noqa: PLC0415
        from ..models.switch import Switch  # noqa: PLC0415

        d = dict(src_dict)
        _practice_area = d.pop("practice_area", UNSET)
        practice_area: PracticeAreaTags | Unset
        if isinstance(_practice_area, Unset):
            practice_area = UNSET
        else:
            practice_area = PracticeAreaTags.from_dict(_practice_area)

        _related_practice_area = d.pop("related_practice_area", UNSET)
        related_practice_area: RelatedPracticeAreaTags | Unset
        if isinstance(_related_practice_area, Unset):
            related_practice_area = UNSET
        else:
            related_practice_area = RelatedPracticeAreaTags.from_dict(_related_practice_area)

        _relationships = d.pop("relationships", UNSET)
        relationships: Switch | Unset
        if isinstance(_relationships, Unset):
            relationships = UNSET
        else:
            relationships = Switch.from_dict(_relationships)

        _matter_number = d.pop("matter_number", UNSET)
        matter_number: MatterTags | Unset
        if isinstance(_matter_number, Unset):
            matter_number = UNSET
        else:
            matter_number = MatterTags.from_dict(_matter_number)

        _matter_tag = d.pop("matter_tag", UNSET)
        matter_tag: MatterTags | Unset
        if isinstance(_matter_tag, Unset):
            matter_tag = UNSET
        else:
            matter_tag = MatterTags.from_dict(_matter_tag)

        _location = d.pop("location", UNSET)
        location: LocationTags | Unset
        if isinstance(_location, Unset):
            location = UNSET
        else:
            location = LocationTags.from_dict(_location)

        responsible_attorney = d.pop("responsible_attorney", UNSET)

        originating_attorney = d.pop("originating_attorney", UNSET)

        company_representatives = d.pop("company_representatives", UNSET)

        _custom_fields = d.pop("custom_fields", UNSET)
        custom_fields: list[CustomFieldTag] | Unset = UNSET
        if _custom_fields is not UNSET:
            custom_fields = []
            for custom_fields_item_data in _custom_fields:
                custom_fields_item = CustomFieldTag.from_dict(custom_fields_item_data)

                custom_fields.append(custom_fields_item)

        tag_settings = cls(
            practice_area=practice_area,
            related_practice_area=related_practice_area,
            relationships=relationships,
            matter_number=matter_number,
            matter_tag=matter_tag,
            location=location,
            responsible_attorney=responsible_attorney,
            originating_attorney=originating_attorney,
            company_representatives=company_representatives,
            custom_fields=custom_fields,
        )

        return tag_settings
