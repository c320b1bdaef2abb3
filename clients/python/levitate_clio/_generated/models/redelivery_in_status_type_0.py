from typing import Literal

RedeliveryInStatusType0 = Literal["delivered", "failed"]

REDELIVERY_IN_STATUS_TYPE_0_VALUES: set[RedeliveryInStatusType0] = {
    "delivered",
    "failed",
}


def check_redelivery_in_status_type_0(value: str) -> RedeliveryInStatusType0:
    if value in REDELIVERY_IN_STATUS_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REDELIVERY_IN_STATUS_TYPE_0_VALUES!r}"
    )
