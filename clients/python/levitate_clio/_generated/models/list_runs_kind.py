from typing import Literal

ListRunsKind = Literal["contact", "coverage", "full", "incremental", "initial", "rederive"]

LIST_RUNS_KIND_VALUES: set[ListRunsKind] = {
    "contact",
    "coverage",
    "full",
    "incremental",
    "initial",
    "rederive",
}


def check_list_runs_kind(value: str) -> ListRunsKind:
    if value in LIST_RUNS_KIND_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_RUNS_KIND_VALUES!r}")
