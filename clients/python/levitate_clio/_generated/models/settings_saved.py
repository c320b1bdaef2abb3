from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.settings import Settings


T = TypeVar("T", bound="SettingsSaved")


@_attrs_define
class SettingsSaved:
    """The settings that are valid now. If nothing changed, this is the version from before."""

    version: int
    """ The number of the version. Version 1 has the defaults; each change adds one. """
    settings: Settings
    """ All settings of a firm. In a request, a field that is left out usually gets its default value. """
    updated_at: datetime.datetime
    """ When the version was saved (RFC 3339, UTC). For version 1 this is when the account was created. """
    updated_by: None | str
    """ Levitate's id of the user who saved it. Null for version 1, and if the request named nobody. """
    note: None | str
    """ Why it was saved, as its author wrote it in the console. Null without a note. """
    run_id: None | str
    """ The id of the run that applies the change to all contacts. Null if no contact can change. """
    kept: list[str]
    """ JSON pointers of settings that are newer than the document that was sent. They were missing there, and so
    kept their values. Empty for a PATCH. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        version = self.version

        settings = self.settings.to_dict()

        updated_at = self.updated_at.isoformat()

        updated_by: None | str
        updated_by = self.updated_by

        note: None | str
        note = self.note

        run_id: None | str
        run_id = self.run_id

        kept = self.kept

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "version": version,
                "settings": settings,
                "updated_at": updated_at,
                "updated_by": updated_by,
                "note": note,
                "run_id": run_id,
                "kept": kept,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.settings import Settings  # noqa: PLC0415

        d = dict(src_dict)
        version = d.pop("version")

        settings = Settings.from_dict(d.pop("settings"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        def _parse_updated_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        updated_by = _parse_updated_by(d.pop("updated_by"))

        def _parse_note(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        note = _parse_note(d.pop("note"))

        def _parse_run_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        run_id = _parse_run_id(d.pop("run_id"))

        kept = cast(list[str], d.pop("kept"))

        settings_saved = cls(
            version=version,
            settings=settings,
            updated_at=updated_at,
            updated_by=updated_by,
            note=note,
            run_id=run_id,
            kept=kept,
        )

        settings_saved.additional_properties = d
        return settings_saved

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
