from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.activity_in_body_format import ActivityInBodyFormat, check_activity_in_body_format
from ..models.activity_in_direction_type_0 import (
    ActivityInDirectionType0,
    check_activity_in_direction_type_0,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="ActivityIn")


@_attrs_define
class ActivityIn:
    """An activity of a Levitate user, to be recorded in Clio.

    Identify the contact by `contact_id` or by `clio_contact_id`. The date of the note in Clio is the local date of
    `occurred_at` in the account's time zone. HTML is converted to plain text. A text longer than 59,000 bytes is cut,
    and its last line says that it was cut. Text messages with the same `conversation_id` and local date share one
    record in Clio: the latest request replaces its text.

    """

    kind: str
    """ What the user did: `email`, `note`, `phone_call`, `handwritten_card` or `text_message`. Another value gets
    422 `unknown_activity_kind`. """
    user_id: str
    """ Levitate's id of the user who did it. The record in Clio is written with this user's login. """
    occurred_at: datetime.datetime
    """ When it happened (RFC 3339 with an offset): not before 1970, and not more than 24 hours ahead. """
    contact_id: None | str | Unset = UNSET
    """ Our id of the contact (`con_…`). Null if `clio_contact_id` is given. """
    clio_contact_id: None | str | Unset = UNSET
    """ Clio's id of the contact. Null if `contact_id` is given. If both are given, they must name the same contact;
    else the request gets 422 `contact_mismatch`. """
    subject: str | Unset = UNSET
    """ The subject line, at most 1,000 characters; 200 reach Clio. If it is empty, the first line of the text is
    used. Text messages have a fixed subject. """
    body: str | Unset = UNSET
    """ The text, as plain text or HTML. Up to 59,000 bytes of it reach Clio, without NUL and halves of characters.
    """
    body_format: ActivityInBodyFormat | Unset = UNSET
    """ The format of `body`: `text`, or `html`, which is converted to plain text. """
    direction: ActivityInDirectionType0 | None | Unset = UNSET
    """ `outbound`: sent to the contact. `inbound`: received from the contact. Null if it does not apply. """
    conversation_id: None | str | Unset = UNSET
    """ The conversation of a text message, at most 200 characters. Null for none. Other kinds ignore it. """

    def to_dict(self) -> dict[str, Any]:
        kind = self.kind

        user_id = self.user_id

        occurred_at = self.occurred_at.isoformat()

        contact_id: None | str | Unset
        if isinstance(self.contact_id, Unset):
            contact_id = UNSET
        else:
            contact_id = self.contact_id

        clio_contact_id: None | str | Unset
        if isinstance(self.clio_contact_id, Unset):
            clio_contact_id = UNSET
        else:
            clio_contact_id = self.clio_contact_id

        subject = self.subject

        body = self.body

        body_format: str | Unset = UNSET
        if not isinstance(self.body_format, Unset):
            body_format = self.body_format

        direction: None | str | Unset
        if isinstance(self.direction, Unset):
            direction = UNSET
        elif isinstance(self.direction, str):
            direction = self.direction
        else:
            direction = self.direction

        conversation_id: None | str | Unset
        if isinstance(self.conversation_id, Unset):
            conversation_id = UNSET
        else:
            conversation_id = self.conversation_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "kind": kind,
                "user_id": user_id,
                "occurred_at": occurred_at,
            }
        )
        if contact_id is not UNSET:
            field_dict["contact_id"] = contact_id
        if clio_contact_id is not UNSET:
            field_dict["clio_contact_id"] = clio_contact_id
        if subject is not UNSET:
            field_dict["subject"] = subject
        if body is not UNSET:
            field_dict["body"] = body
        if body_format is not UNSET:
            field_dict["body_format"] = body_format
        if direction is not UNSET:
            field_dict["direction"] = direction
        if conversation_id is not UNSET:
            field_dict["conversation_id"] = conversation_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = d.pop("kind")

        user_id = d.pop("user_id")

        occurred_at = datetime.datetime.fromisoformat(d.pop("occurred_at"))

        def _parse_contact_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        contact_id = _parse_contact_id(d.pop("contact_id", UNSET))

        def _parse_clio_contact_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        clio_contact_id = _parse_clio_contact_id(d.pop("clio_contact_id", UNSET))

        subject = d.pop("subject", UNSET)

        body = d.pop("body", UNSET)

        _body_format = d.pop("body_format", UNSET)
        body_format: ActivityInBodyFormat | Unset
        if isinstance(_body_format, Unset):
            body_format = UNSET
        else:
            body_format = check_activity_in_body_format(_body_format)

        def _parse_direction(data: object) -> ActivityInDirectionType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                direction_type_0 = check_activity_in_direction_type_0(data)

                return direction_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ActivityInDirectionType0 | None | Unset, data)

        direction = _parse_direction(d.pop("direction", UNSET))

        def _parse_conversation_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        conversation_id = _parse_conversation_id(d.pop("conversation_id", UNSET))

        activity_in = cls(
            kind=kind,
            user_id=user_id,
            occurred_at=occurred_at,
            contact_id=contact_id,
            clio_contact_id=clio_contact_id,
            subject=subject,
            body=body,
            body_format=body_format,
            direction=direction,
            conversation_id=conversation_id,
        )

        return activity_in
