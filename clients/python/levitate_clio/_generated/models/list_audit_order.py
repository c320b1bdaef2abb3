from typing import Literal

ListAuditOrder = Literal["newest", "oldest"]

LIST_AUDIT_ORDER_VALUES: set[ListAuditOrder] = {
    "newest",
    "oldest",
}


def check_list_audit_order(value: str) -> ListAuditOrder:
    if value in LIST_AUDIT_ORDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_AUDIT_ORDER_VALUES!r}")
