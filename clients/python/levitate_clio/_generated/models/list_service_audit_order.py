from typing import Literal

ListServiceAuditOrder = Literal["newest", "oldest"]

LIST_SERVICE_AUDIT_ORDER_VALUES: set[ListServiceAuditOrder] = {
    "newest",
    "oldest",
}


def check_list_service_audit_order(value: str) -> ListServiceAuditOrder:
    if value in LIST_SERVICE_AUDIT_ORDER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {LIST_SERVICE_AUDIT_ORDER_VALUES!r}"
    )
