from typing import Literal

ListWebhookEndpointsOrder = Literal["newest", "oldest"]

LIST_WEBHOOK_ENDPOINTS_ORDER_VALUES: set[ListWebhookEndpointsOrder] = {
    "newest",
    "oldest",
}


def check_list_webhook_endpoints_order(value: str) -> ListWebhookEndpointsOrder:
    if value in LIST_WEBHOOK_ENDPOINTS_ORDER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {LIST_WEBHOOK_ENDPOINTS_ORDER_VALUES!r}"
    )
