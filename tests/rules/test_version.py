"""The version of the rules: it must change with their answers, so that an upgrade reaches every contact [row 56]."""

import hashlib
import json
from pathlib import Path

from msgspec import Struct, to_builtins
from msgspec.structs import asdict

from app.rules import version
from tests.rules import corpus
from tests.support import pinned


def with_defaults(value: object) -> object:
    """Return a value as JSON objects, with its defaults."""
    if isinstance(value, Struct):
        return {name: with_defaults(part) for name, part in asdict(value).items()}
    return (
        [with_defaults(part) for part in value] if isinstance(value, tuple) else to_builtins(value)
    )


def digest_of_the_answers() -> str:
    found = hashlib.sha256()
    for assessment in corpus.assessments():
        text = json.dumps(with_defaults(assessment), sort_keys=True)
        found.update(text.encode())
    return found.hexdigest()


def test_the_version_of_the_rules_changes_with_their_answers(tmp_path: Path):
    found = {"version": version.VERSION, "digest": digest_of_the_answers()}
    known = json.loads((pinned.PINNED / "rules.json").read_text())
    assert found["digest"] == known["digest"] or found["version"] > known["version"], (
        "The rules give other answers than before: raise VERSION in app/rules/version.py"
    )
    pinned.check("rules", found, tmp_path)


def test_the_corpus_has_every_kind_of_answer():
    found = list(corpus.assessments())
    assert len(found) > corpus.GENERATED
    assert len({one.scope.reason for one in found}) >= 6
    assert {one.scope.in_scope for one in found} == {True, False}
    assert len({grant.rule for one in found for tag in one.tags for grant in tag.grants}) >= 12
    assert len({item.refusal for one in found for item in one.not_granted}) >= 3
    assert len({one.owner.rule for one in found if one.owner}) >= 3
    assert len({fact.kind for one in found for fact in one.key_facts}) == 3
