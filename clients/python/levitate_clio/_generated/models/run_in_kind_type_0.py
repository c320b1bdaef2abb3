from typing import Literal

RunInKindType0 = Literal["full", "incremental"]

RUN_IN_KIND_TYPE_0_VALUES: set[RunInKindType0] = {
    "full",
    "incremental",
}


def check_run_in_kind_type_0(value: str) -> RunInKindType0:
    if value in RUN_IN_KIND_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {RUN_IN_KIND_TYPE_0_VALUES!r}")
