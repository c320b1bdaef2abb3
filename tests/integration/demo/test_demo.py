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
    for title in (r"First pull \(Margaret Ashdown\)", "What Rosa Marín can also see"):
        assert re.search(rf"{title}: done .* 100%", output), output
        assert re.search(rf"\d  {title} ", output), output
    assert "200 contacts, 300 matters, 150 relationships" in output
    for part in (
        "Active Client",
        "owners",
        "Front Office",
        "requests",
        "belong in Levitate",
        "without a matter",
        "has these tags and this owner",
        "Next: run it without --once",
    ):
        assert part in output
    assert re.search(r"Clio +This contact comes from Clio", output)
    assert re.search(r"Owner +\w+ \w+, (the \w+ attorney of the matter|because no) ", output), (
        output
    )
    assert statuses_of(output) == number_before("belong in Levitate", output)
    assert re.search(r"From start to here: \d+\.\d s, \d+ requests to Clio\.", output)
    assert shown.left() == []


def number_before(words: str, output: str) -> int:
    found = re.search(rf"([\d,]+)  {words}", output)
    assert found, words
    return int(found[1].replace(",", ""))


def statuses_of(output: str) -> int:
    """Return the number of contacts in the lines on their status, which have a tag or no matter."""
    lines = output.split("by status")[1].split("tags ")[0]
    return sum(int(count.replace(",", "")) for count in re.findall(r"([\d,]+)  \w", lines))
