from typing import Literal

GetRunReportFormat = Literal["csv", "json"]

GET_RUN_REPORT_FORMAT_VALUES: set[GetRunReportFormat] = {
    "csv",
    "json",
}


def check_get_run_report_format(value: str) -> GetRunReportFormat:
    if value in GET_RUN_REPORT_FORMAT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {GET_RUN_REPORT_FORMAT_VALUES!r}")
