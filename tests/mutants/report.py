"""The report of a sample: every change that no test noticed, with its diff and the tests that ran."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.mutants.sample import Mutant
from tests.mutants.source import Change, Source
from tests.mutants.trials import Verdict

UNCOVERED = "run by no test"  # code that runs only in a process that a test starts is not recorded
UNTRIED = "not tried: the time limit was reached"


def report(
    mutants: Sequence[Mutant],
    files: Mapping[str, Source],
    failing_unchanged: Mapping[str, str],
    unusable: Sequence[str],
) -> str:
    """Return the whole report as text."""
    by_outcome = {
        outcome: [m for m in mutants if outcome_of(m) == outcome] for outcome in _outcomes(mutants)
    }
    lines = [*_counts(mutants), ""]
    for outcome in (Verdict.UNNOTICED, UNCOVERED, Verdict.LOST, UNTRIED):
        for mutant in by_outcome.get(outcome, ()):
            lines += [
                f"{outcome.upper()}: {title(mutant.number, mutant.change)}",
                files[mutant.change.path].diff(mutant.change),
            ]
            lines += [*_tests(mutant), ""]
    lines += [
        f"noticed: {title(mutant.number, mutant.change)}: {_reason(mutant)}"
        for mutant in by_outcome.get(Verdict.NOTICED, ())
    ]
    lines += [
        f"unreliable, fails on the unchanged code as well: {test}: {why}"
        for test, why in failing_unchanged.items()
    ]
    lines += [f"not used, failed or skipped during the recording: {test}" for test in unusable]
    return "\n".join(lines) + "\n"


def outcome_of(mutant: Mutant) -> str:
    """Return the verdict of a change, or the reason why it has none."""
    return mutant.verdict or (UNTRIED if mutant.tests else UNCOVERED)


def _outcomes(mutants: Sequence[Mutant]) -> list[str]:
    return sorted({outcome_of(mutant) for mutant in mutants})


def _counts(mutants: Sequence[Mutant]) -> Iterator[str]:
    outcomes = _outcomes(mutants)
    yield f"{len(mutants)} changes: " + ", ".join(
        f"{count} {outcome}" for outcome, count in Counter(map(outcome_of, mutants)).most_common()
    )
    for kind in sorted({mutant.change.kind for mutant in mutants}):
        counted = Counter(outcome_of(mutant) for mutant in mutants if mutant.change.kind == kind)
        yield f"  {kind:14}" + ", ".join(f"{counted[o]} {o}" for o in outcomes if counted[o])


def title(number: int, change: Change) -> str:
    """Return the number, place and kind of a change."""
    return f"#{number} {change.path}:{change.line} {change.kind}"


def _reason(mutant: Mutant) -> str:
    return "; ".join(f"{test} {why}" for test, why in mutant.failed.items())


def _tests(mutant: Mutant) -> Iterator[str]:
    more = f" of {len(mutant.tests)} that cover it" if len(mutant.tests) > len(mutant.ran) else ""
    yield f"tests that ran: {len(mutant.ran)}{more}"
    yield from (f"  {test}" for test in mutant.ran)
