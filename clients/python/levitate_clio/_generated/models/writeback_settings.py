from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="WritebackSettings")


@_attrs_define
class WritebackSettings:
    """The activities that are written to Clio, and as whom. An activity of a kind that is off is skipped."""

    email: bool | Unset = UNSET
    """ Whether emails are written to Clio. """
    note: bool | Unset = UNSET
    """ Whether notes are written to Clio. """
    phone_call: bool | Unset = UNSET
    """ Whether phone calls are written to Clio. """
    text_message: bool | Unset = UNSET
    """ Whether text messages are written to Clio. """
    handwritten_card: bool | Unset = UNSET
    """ Whether handwritten cards are written to Clio. """
    fallback_author: str | Unset = UNSET
    """ The login that writes to Clio for a user whose own login does not work.

    `none`: the activity waits for the user. `primary_connection`: the primary user's login, or if that does not
    work, the login that sees most. Known values: `none`, `primary_connection`. """

    def to_dict(self) -> dict[str, Any]:
        email = self.email

        note = self.note

        phone_call = self.phone_call

        text_message = self.text_message

        handwritten_card = self.handwritten_card

        fallback_author = self.fallback_author

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if email is not UNSET:
            field_dict["email"] = email
        if note is not UNSET:
            field_dict["note"] = note
        if phone_call is not UNSET:
            field_dict["phone_call"] = phone_call
        if text_message is not UNSET:
            field_dict["text_message"] = text_message
        if handwritten_card is not UNSET:
            field_dict["handwritten_card"] = handwritten_card
        if fallback_author is not UNSET:
            field_dict["fallback_author"] = fallback_author

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        email = d.pop("email", UNSET)

        note = d.pop("note", UNSET)

        phone_call = d.pop("phone_call", UNSET)

        text_message = d.pop("text_message", UNSET)

        handwritten_card = d.pop("handwritten_card", UNSET)

        fallback_author = d.pop("fallback_author", UNSET)

        writeback_settings = cls(
            email=email,
            note=note,
            phone_call=phone_call,
            text_message=text_message,
            handwritten_card=handwritten_card,
            fallback_author=fallback_author,
        )

        return writeback_settings
