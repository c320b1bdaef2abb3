from typing import Literal

ListIssuesSeverity = Literal["error", "info", "warning"]

LIST_ISSUES_SEVERITY_VALUES: set[ListIssuesSeverity] = {
    "error",
    "info",
    "warning",
}


def check_list_issues_severity(value: str) -> ListIssuesSeverity:
    if value in LIST_ISSUES_SEVERITY_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_ISSUES_SEVERITY_VALUES!r}")
