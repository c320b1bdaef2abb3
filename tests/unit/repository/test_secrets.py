"""No secret is in a tracked file. What looks like one and is none is in `.secrets.baseline`, as a digest [T9]."""

import json
from pathlib import Path

import pytest
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

from tests.unit.repository.test_code_rules import ROOT, tracked

BASELINE = ROOT / ".secrets.baseline"
# They are made of files that are looked at (tests/contract), or published by Clio.
MADE = {
    ROOT / "docs" / "openapi.json",
    ROOT / "tests" / "data" / "pinned" / "openapi.json",
    ROOT / "tests" / "data" / "openapi-subset.json",
    ROOT / "clients" / "python" / "levitate_clio" / "_generated",
    ROOT / "clients" / "typescript" / "src" / "schema.ts",
    ROOT / "app" / "pages" / "static" / "swagger-ui",
}


def found_in(paths: list[Path]) -> SecretsCollection:
    settings = json.loads(BASELINE.read_text())
    with transient_settings({name: settings[name] for name in ("plugins_used", "filters_used")}):
        secrets = SecretsCollection(root=str(ROOT))
        for path in paths:
            secrets.scan_file(str(path.relative_to(ROOT)))
        return secrets


def test_no_tracked_file_has_a_secret_that_nobody_has_looked_at(tmp_path: Path):
    baseline = json.loads(BASELINE.read_text())
    left_out = {BASELINE, *MADE}
    paths = [
        one
        for one in tracked()
        if left_out.isdisjoint((one, *one.parents)) and one.suffix != ".lock"
    ]
    found = found_in(paths).json()
    for name, all_ in found.items():
        for one in all_:
            one["filename"] = name  # without the folder of this checkout
    known = {
        (name, one["hashed_secret"]) for name, all_ in baseline["results"].items() for one in all_
    }
    new = [
        f"{name}:{one['line_number']}: {one['type']}"
        for name, all_ in found.items()
        for one in all_
        if (name, one["hashed_secret"]) not in known
    ]
    updated = tmp_path / "baseline"
    updated.write_text(json.dumps(baseline | {"results": found}, indent=2) + "\n")
    assert not new, "\n".join(
        [
            "these look like secrets. Remove them; if all are invented:",
            f"cp {updated} {BASELINE}",
            *new,
        ]
    )


@pytest.mark.parametrize(
    "line",
    [
        'client_secret = "' + "Zk3v9QxT7mWp2LrB8sYd" + '"',
        "postgresql://levitate:" + "horse-battery@db/levitate",
        "-----BEGIN " + "PRIVATE KEY-----",
        "token = '" + "ghp_" + "a1B2" * 9 + "'",
    ],
)
def test_the_check_notices_a_secret(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tests.unit.repository.test_secrets.ROOT", tmp_path)
    (tmp_path / "settings.py").write_text(line + "\n")
    assert found_in([tmp_path / "settings.py"]).json()
