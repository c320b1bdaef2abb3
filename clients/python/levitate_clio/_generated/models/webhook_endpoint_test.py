from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.code_detail import CodeDetail


T = TypeVar("T", bound="WebhookEndpointTest")


@_attrs_define
class WebhookEndpointTest:
    """What came back from a webhook endpoint for an event of type `ping`."""

    event_id: str
    """ The id of the event, as it was sent in `webhook-id`. The event is stored nowhere. """
    succeeded: bool
    """ Whether the receiver accepted the event. """
    response_status: int | None
    """ The HTTP status of the response. Null if there was no response. """
    response_text: None | str
    """ The beginning of the text of a response that is not 2xx, at most 300 bytes. Null for others. """
    milliseconds: int
    """ How long it took from looking up the name to the end of the response. """
    problem: CodeDetail | None
    """ What went wrong and what to do about it. Null if nothing did. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        event_id = self.event_id

        succeeded = self.succeeded

        response_status: int | None
        response_status = self.response_status

        response_text: None | str
        response_text = self.response_text

        milliseconds = self.milliseconds

        problem: dict[str, Any] | None
        if isinstance(self.problem, CodeDetail):
            problem = self.problem.to_dict()
        else:
            problem = self.problem

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "event_id": event_id,
                "succeeded": succeeded,
                "response_status": response_status,
                "response_text": response_text,
                "milliseconds": milliseconds,
                "problem": problem,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.code_detail import CodeDetail  # noqa: PLC0415

        d = dict(src_dict)
        event_id = d.pop("event_id")

        succeeded = d.pop("succeeded")

        def _parse_response_status(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        response_status = _parse_response_status(d.pop("response_status"))

        def _parse_response_text(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        response_text = _parse_response_text(d.pop("response_text"))

        milliseconds = d.pop("milliseconds")

        def _parse_problem(data: object) -> CodeDetail | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                problem_type_0 = CodeDetail.from_dict(data)

                return problem_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CodeDetail | None, data)

        problem = _parse_problem(d.pop("problem"))

        webhook_endpoint_test = cls(
            event_id=event_id,
            succeeded=succeeded,
            response_status=response_status,
            response_text=response_text,
            milliseconds=milliseconds,
            problem=problem,
        )

        webhook_endpoint_test.additional_properties = d
        return webhook_endpoint_test

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
