"""Draws the changes for a seed. The result depends on the seed and the code, not on the tests."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.mutants.operators import changes
from tests.mutants.source import Change, Source


def sources(folder: Path, roots: Sequence[str]) -> dict[str, Source]:
    """Return the files under the roots, by their paths in the folder."""
    paths = sorted(path for root in roots for path in (folder / root).rglob("*.py"))
    names = [path.relative_to(folder).as_posix() for path in paths]
    return {name: Source(name, path.read_bytes()) for name, path in zip(names, paths, strict=True)}


def draw(files: dict[str, Source], seed: int, count: int) -> list[Change]:
    """Return up to `count` changes that begin on different lines.

    The kind is drawn first, and then one of its changes. So each kind has the same share until it has no more changes.
    """
    rng = random.Random(seed)  # noqa: S311
    left = _shuffled((change for name in sorted(files) for change in changes(files[name])), rng)
    drawn: list[Change] = []
    taken: set[tuple[str, int]] = set()
    while left and len(drawn) < count:
        kind = rng.choice(sorted(left))
        change = left[kind].pop()
        if not left[kind]:
            del left[kind]
        if (change.path, change.line) not in taken and files[change.path].is_valid(change):
            taken.add((change.path, change.line))
            drawn.append(change)
    return drawn


def _shuffled(all_changes: Iterable[Change], rng: random.Random) -> dict[str, list[Change]]:
    by_kind: dict[str, list[Change]] = defaultdict(list)
    for change in all_changes:
        by_kind[change.kind].append(change)
    for kind in sorted(by_kind):
        rng.shuffle(by_kind[kind])
    return by_kind
