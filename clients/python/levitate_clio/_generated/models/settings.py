from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.key_fact_settings import KeyFactSettings
    from ..models.new_client_settings import NewClientSettings
    from ..models.ownership_settings import OwnershipSettings
    from ..models.privacy_settings import PrivacySettings
    from ..models.restricted_matters import RestrictedMatters
    from ..models.scope_settings import ScopeSettings
    from ..models.tag_settings import TagSettings
    from ..models.writeback_settings import WritebackSettings


T = TypeVar("T", bound="Settings")


@_attrs_define
class Settings:
    """All settings of a firm. In a request, a field that is left out usually gets its default value."""

    scope: ScopeSettings | Unset = UNSET
    """ The settings that decide which contacts are in scope.

    Clients are, unless the segment or the opt-out field excludes them, or they have neither name nor email address.
    """
    ownership: OwnershipSettings | Unset = UNSET
    """ The settings that decide who owns a contact. """
    tags: TagSettings | Unset = UNSET
    """ The tags that contacts get, in addition to those that all contacts get. """
    key_facts: KeyFactSettings | Unset = UNSET
    """ The key facts that contacts get. """
    writeback: WritebackSettings | Unset = UNSET
    """ The activities that are written to Clio, and as whom. An activity of a kind that is off is skipped. """
    new_client: NewClientSettings | Unset = UNSET
    """ The settings that decide when new clients are announced. """
    restricted_matters: RestrictedMatters | Unset = UNSET
    """ The setting for matters that not everybody at the firm may see in Clio. """
    privacy: PrivacySettings | Unset = UNSET
    """ The setting that decides what a user of the firm is shown. """

    def to_dict(self) -> dict[str, Any]:
        scope: dict[str, Any] | Unset = UNSET
        if not isinstance(self.scope, Unset):
            scope = self.scope.to_dict()

        ownership: dict[str, Any] | Unset = UNSET
        if not isinstance(self.ownership, Unset):
            ownership = self.ownership.to_dict()

        tags: dict[str, Any] | Unset = UNSET
        if not isinstance(self.tags, Unset):
            tags = self.tags.to_dict()

        key_facts: dict[str, Any] | Unset = UNSET
        if not isinstance(self.key_facts, Unset):
            key_facts = self.key_facts.to_dict()

        writeback: dict[str, Any] | Unset = UNSET
        if not isinstance(self.writeback, Unset):
            writeback = self.writeback.to_dict()

        new_client: dict[str, Any] | Unset = UNSET
        if not isinstance(self.new_client, Unset):
            new_client = self.new_client.to_dict()

        restricted_matters: dict[str, Any] | Unset = UNSET
        if not isinstance(self.restricted_matters, Unset):
            restricted_matters = self.restricted_matters.to_dict()

        privacy: dict[str, Any] | Unset = UNSET
        if not isinstance(self.privacy, Unset):
            privacy = self.privacy.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if scope is not UNSET:
            field_dict["scope"] = scope
        if ownership is not UNSET:
            field_dict["ownership"] = ownership
        if tags is not UNSET:
            field_dict["tags"] = tags
        if key_facts is not UNSET:
            field_dict["key_facts"] = key_facts
        if writeback is not UNSET:
            field_dict["writeback"] = writeback
        if new_client is not UNSET:
            field_dict["new_client"] = new_client
        if restricted_matters is not UNSET:
            field_dict["restricted_matters"] = restricted_matters
        if privacy is not UNSET:
            field_dict["privacy"] = privacy

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.key_fact_settings import KeyFactSettings  # noqa: PLC0415
        from ..models.new_client_settings import NewClientSettings  # noqa: PLC0415
        from ..models.ownership_settings import OwnershipSettings  # noqa: PLC0415
        from ..models.privacy_settings import PrivacySettings  # noqa: PLC0415
        from ..models.restricted_matters import RestrictedMatters  # noqa: PLC0415
        from ..models.scope_settings import ScopeSettings  # noqa: PLC0415
        from ..models.tag_settings import TagSettings  # noqa: PLC0415
        from ..models.writeback_settings import WritebackSettings  # noqa: PLC0415

        d = dict(src_dict)
        _scope = d.pop("scope", UNSET)
        scope: ScopeSettings | Unset
        if isinstance(_scope, Unset):
            scope = UNSET
        else:
            scope = ScopeSettings.from_dict(_scope)

        _ownership = d.pop("ownership", UNSET)
        ownership: OwnershipSettings | Unset
        if isinstance(_ownership, Unset):
            ownership = UNSET
        else:
            ownership = OwnershipSettings.from_dict(_ownership)

        _tags = d.pop("tags", UNSET)
        tags: TagSettings | Unset
        if isinstance(_tags, Unset):
            tags = UNSET
        else:
            tags = TagSettings.from_dict(_tags)

        _key_facts = d.pop("key_facts", UNSET)
        key_facts: KeyFactSettings | Unset
        if isinstance(_key_facts, Unset):
            key_facts = UNSET
        else:
            key_facts = KeyFactSettings.from_dict(_key_facts)

        _writeback = d.pop("writeback", UNSET)
        writeback: WritebackSettings | Unset
        if isinstance(_writeback, Unset):
            writeback = UNSET
        else:
            writeback = WritebackSettings.from_dict(_writeback)

        _new_client = d.pop("new_client", UNSET)
        new_client: NewClientSettings | Unset
        if isinstance(_new_client, Unset):
            new_client = UNSET
        else:
            new_client = NewClientSettings.from_dict(_new_client)

        _restricted_matters = d.pop("restricted_matters", UNSET)
        restricted_matters: RestrictedMatters | Unset
        if isinstance(_restricted_matters, Unset):
            restricted_matters = UNSET
        else:
            restricted_matters = RestrictedMatters.from_dict(_restricted_matters)

        _privacy = d.pop("privacy", UNSET)
        privacy: PrivacySettings | Unset
        if isinstance(_privacy, Unset):
            privacy = UNSET
        else:
            privacy = PrivacySettings.from_dict(_privacy)

        settings = cls(
            scope=scope,
            ownership=ownership,
            tags=tags,
            key_facts=key_facts,
            writeback=writeback,
            new_client=new_client,
            restricted_matters=restricted_matters,
            privacy=privacy,
        )

        return settings
