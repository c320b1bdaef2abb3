"""The programs that the benchmark compares the service with are those that the figures of others were made with."""

import hashlib
from pathlib import Path

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
# A change to one of them is a commit of its own, with the figure before and after.
DIGESTS = {
    "clio_fake.py": "56c4e436533a75333a6334138d8979c4699303c1a22d291130aab7ae176a8914",
    "fields.py": "7f5ad5a8cc64e7c0ec09fb03c249b7e35b928c0282684dd266ad8dd3501f1056",
    "limits.py": "a3f4192a5bf12a130959cec4fc8bc9209f2fea4c5d9f866a38718136c6e54694",
    "references/dlt_clio.py": "d8728ab985f3df59c949f99f65f170ea2c02380827f64bd4dc95727edf623e3e",
    "references/idiomatic.py": "17883d0a975a30f9d1dddfe9cff54210901c3297777f025025aa20d08ebe1d82",
    "references/limit.py": "c3a7195fa05d6f6a2320696df12941afbca44421dd908040e1f68f9406455222",
}


def test_the_references_and_the_fake_clio_are_unchanged():
    found = {name: hashlib.sha256((BENCHMARKS / name).read_bytes()).hexdigest() for name in DIGESTS}
    assert found == DIGESTS


def test_nothing_else_lies_beside_the_references():
    there = {f"references/{path.name}" for path in (BENCHMARKS / "references").glob("*.py")}
    assert there == {name for name in DIGESTS if name.startswith("references/")}
