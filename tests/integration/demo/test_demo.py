"""`make run` demonstrates the whole service. `tests/wide/processes` tests interruptions."""

import re
from collections.abc import Callable, Iterator

import pytest

from tests.support.demo import Demo, demonstrations


@pytest.fixture
def demo() -> Iterator[Callable[..., Demo]]:
    with demonstrations() as start:
        yield start


def test_the_demonstration_shows_the_whole_service_and_leaves_no_files_or_processes(
    demo: Callable[..., Demo],
):
    shown = demo("--once")
    assert shown.ended() == 0, shown.output()
    output = shown.output()
    for user in ("Margaret Ashdown: initial run, done", "Rosa Marín: coverage run, done"):
        assert re.search(rf"{user} .* 100%", output), output
    assert "200 contacts, 300 matters, 150 relationships" in output
    for part in (
        "Active Client",
        "owners",
        "Front Office",
        "requests",
        "has these tags and this owner",
        "Owner ",
    ):
        assert part in output
    assert re.search(r"From start to here: \d+\.\d s, \d+ requests to Clio\.", output)
    assert shown.left() == []
