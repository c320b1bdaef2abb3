from typing import Literal

AccountInPublishType0 = Literal["after_review", "automatic"]

ACCOUNT_IN_PUBLISH_TYPE_0_VALUES: set[AccountInPublishType0] = {
    "after_review",
    "automatic",
}


def check_account_in_publish_type_0(value: str) -> AccountInPublishType0:
    if value in ACCOUNT_IN_PUBLISH_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ACCOUNT_IN_PUBLISH_TYPE_0_VALUES!r}"
    )
