"""What a sample came to, for people: every change that no test noticed, with its diff and the tests that ran."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.mutants.sample import Case
from tests.mutants.source import Change, Source
from tests.mutants.trials import Verdict

UNCOVERED = "run by no test"  # what runs only in a program that a test starts is not seen
UNTRIED = "not tried: the time was over"


def report(
    cases: Sequence[Case],
    files: Mapping[str, Source],
    doubtful: Mapping[str, str],
    unusable: Sequence[str],
) -> str:
    """Return the whole report as text."""
    by_outcome = {
        outcome: [c for c in cases if outcome_of(c) == outcome] for outcome in _outcomes(cases)
    }
    lines = [*_counts(cases), ""]
    for outcome in (Verdict.UNNOTICED, UNCOVERED, Verdict.LOST, UNTRIED):
        for case in by_outcome.get(outcome, ()):
            lines += [
                f"{outcome.upper()}: {title(case.number, case.change)}",
                files[case.change.path].diff(case.change),
            ]
            lines += [*_tests(case), ""]
    lines += [
        f"noticed: {title(case.number, case.change)}: {_reason(case)}"
        for case in by_outcome.get(Verdict.NOTICED, ())
    ]
    lines += [
        f"doubtful, fails on the unchanged code as well: {test}: {why}"
        for test, why in doubtful.items()
    ]
    lines += [f"not used, failed or skipped when recorded: {test}" for test in unusable]
    return "\n".join(lines) + "\n"


def outcome_of(case: Case) -> str:
    """Return the verdict of a case, or why it has none."""
    return case.verdict or (UNTRIED if case.tests else UNCOVERED)


def _outcomes(cases: Sequence[Case]) -> list[str]:
    return sorted({outcome_of(case) for case in cases})


def _counts(cases: Sequence[Case]) -> Iterator[str]:
    outcomes = _outcomes(cases)
    yield f"{len(cases)} changes: " + ", ".join(
        f"{count} {outcome}" for outcome, count in Counter(map(outcome_of, cases)).most_common()
    )
    for kind in sorted({case.change.kind for case in cases}):
        counted = Counter(outcome_of(case) for case in cases if case.change.kind == kind)
        yield f"  {kind:14}" + ", ".join(f"{counted[o]} {o}" for o in outcomes if counted[o])


def title(number: int, change: Change) -> str:
    """Return the number, place and kind of a change."""
    return f"#{number} {change.path}:{change.line} {change.kind}"


def _reason(case: Case) -> str:
    return "; ".join(f"{test} {why}" for test, why in case.failed.items())


def _tests(case: Case) -> Iterator[str]:
    more = f" of {len(case.tests)} that cover it" if len(case.tests) > len(case.ran) else ""
    yield f"tests that ran: {len(case.ran)}{more}"
    yield from (f"  {test}" for test in case.ran)
