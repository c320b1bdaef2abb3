"""A small load on the feed in every wide run; a script runs the large one."""

from pathlib import Path

from tests.chaos.feed import Size, run_load


def test_readers_miss_nothing_although_writers_readers_and_the_service_are_killed(
    tmp_path: Path, dsn: str
):
    # S13, I5, F1: real syncs, long polls, kill -9 of each kind of process
    size = Size(accounts=3, workers=2, readers=2)
    report = run_load(tmp_path, dsn, size, contacts=40, seed=3, seconds=0, kills=3, pause=1.0)
    assert report.kills == {"worker": 1, "reader": 1, "service": 1}
    assert report.lines > 3 * report.contacts, "nothing changed while the feed was read"
    assert report.consumed == 2 * report.lines + report.repeated
