"""References to requirements and to facts about Clio: each one exists in `docs/reference/`."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ("app", "tests", "docs", "migrations", "benchmarks")
REQUIREMENTS = (ROOT / "docs/reference/requirements.md").read_text()
CLIO = (ROOT / "docs/reference/clio.md").read_text()
GROUPS = "API|AU|CF|CS|C|DM|EN|FQ|IS|KF|NC|OV|OW|TG|WB"


def first_cells(text: str, pattern: str) -> Counter[str]:
    """Count the first cells of tables that have the given form."""
    return Counter(re.findall(rf"^\| ({pattern}) \|", text, re.MULTILINE))


def headings(text: str) -> Counter[str]:
    """Count the numbers of headings such as `## 15. Webhooks` and `### 16.6 CustomField`."""
    return Counter(re.findall(r"^###? (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE))


# A reference in a text. Short ids such as S3 could also be names in code, so they count only in
# comments, in the first and last line of a docstring, in brackets and in tables.
LONG_ID = re.compile(rf"\b({GROUPS})-(\d+)(?:\.\.(\d+))?\b")
SHORT_ID = re.compile(r"\b([FIQSTW][1-9]\d?)\b(?!:\d)")
PROSE = re.compile(r"#.*$|\"\"\".*$|\[[^\]]*\]|^\|.*$", re.MULTILINE)
BRACKETS = re.compile(r"\[([A-Z]{1,4}-?\d[^\]\n]*)\]")
UNKNOWN_ID = re.compile(rf"(?!(?:{GROUPS})-|[FIQSTW]\d)[A-Z]{{1,4}}-?\d{{1,2}}")
ROWS = re.compile(r"\brows? ([1-9]\d*(?:\.\.\d+)?(?:(?:, | and | to )\d+(?:\.\.\d+)?\b)*)(?!\d)")
CLIO_SECTION = re.compile(r"clio\.md`?,? ((?:(?:, | and | to )?§\d+(?:\.\d+)?)+)")
REQUIREMENT_SECTION = re.compile(r"requirements\.md`?,? (?:§|sections? )(\d+(?: and \d+)*)")


def spread(first: str, last: str) -> range:
    return range(int(first), int(last or first) + 1)


def ids_in(text: str) -> Iterator[str]:
    """Yield the ids that a text refers to; a range stands for all of its members."""
    for group, first, last in LONG_ID.findall(text):
        yield from (f"{group}-{number}" for number in spread(first, last))
    for prose in PROSE.findall(text):
        yield from SHORT_ID.findall(prose)
    for inside in BRACKETS.findall(text):
        yield from filter(UNKNOWN_ID.fullmatch, inside.split(", "))


def rows_in(text: str) -> Iterator[str]:
    for found in ROWS.findall(text):
        for first, last in re.findall(r"(\d+)(?:\.\.(\d+))?", found):
            yield from map(str, spread(first, last))


def clio_sections_in(text: str) -> Iterator[str]:
    for found in CLIO_SECTION.findall(text):
        yield from re.findall(r"§(\d+(?:\.\d+)?)", found)


def requirement_sections_in(text: str) -> Iterator[str]:
    for found in REQUIREMENT_SECTION.findall(text):
        yield from found.split(" and ")


Find = Callable[[str], Iterable[str]]
REFERENCES: dict[str, tuple[Find, Counter[str]]] = {
    "id": (ids_in, first_cells(REQUIREMENTS, rf"(?:{GROUPS})-\d+|[FIQSTW]\d\d?")),
    "row": (
        rows_in,
        first_cells(REQUIREMENTS.split("\n## 15. ")[1].split("\n## ")[0], r"\d+"),
    ),
    "section of clio.md": (clio_sections_in, headings(CLIO) + first_cells(CLIO, r"20\.\d+")),
    "section of requirements.md": (requirement_sections_in, headings(REQUIREMENTS)),
}


def texts() -> Iterator[tuple[Path, str]]:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".md", ".py"} and path != Path(__file__):
                yield path, path.read_text()
    yield ROOT / "README.md", (ROOT / "README.md").read_text()


@pytest.mark.parametrize("kind", REFERENCES)
def test_every_reference_exists(kind: str):
    find, defined = REFERENCES[kind]
    missing = [
        f"{path.relative_to(ROOT)}: {reference}"
        for path, text in texts()
        for reference in find(text)
        if reference not in defined
    ]
    assert missing == []


@pytest.mark.parametrize("kind", REFERENCES)
def test_every_reference_has_one_definition(kind: str):
    _, defined = REFERENCES[kind]
    assert len(defined) > 10
    assert [reference for reference, times in defined.items() if times > 1] == []


EXAMPLES = {
    "id": ("# WB-2, S17: [TG-9..11, row 3]", ["WB-2", "TG-9", "TG-10", "TG-11", "S17"]),
    "row": ("[row 3], rows 4, 5 and 7..8", ["3", "4", "5", "7", "8"]),
    "section of clio.md": ("clio.md §8, §16.6 to §20.1", ["8", "16.6", "20.1"]),
    "section of requirements.md": ("`requirements.md` sections 2 and 12", ["2", "12"]),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_reference_is_found_in_every_form(kind: str):
    text, expected = EXAMPLES[kind]
    find, _ = REFERENCES[kind]
    assert list(find(text)) == expected


def test_an_id_of_an_unknown_group_is_found_in_brackets():
    assert list(ids_in("[TX-9, TG-1]")) == ["TG-1", "TX-9"]


# References to documents that are not in the repository. A section sign must follow the name of the
# document that has the section.
OLD_FORMS = (
    r"§ ?15 rows?\b",
    r"clio/api\.md",
    r"(?<![\w/-])api\.md",
    r"\bstack (?:trap|§)",
    r"reliability\.md §",
    r"requirements' section",
    r"\bM\d{1,2}\b(?=[,):]| *$)",
    r"(?<!clio\.md )(?<!, )(?<! and )(?<! to )(?<!RFC \d{4} )(?<!requirements\.md )§",
)


def test_no_reference_names_a_document_outside_the_repository():
    old = re.compile("|".join(OLD_FORMS), re.MULTILINE)
    found = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for path, text in texts()
        if path.parent != ROOT / "docs/reference"
        for match in old.finditer(text)
    ]
    assert found == []
