"""Random changes of the code, each run against the tests that cover the changed line: `make mutants-sample`.

`python -m tests.mutants --seed 1` copies the tree, records once which test runs which line (`recording`), draws the
changes for the seed (`sampling`, `operators`), and runs on each the tests that cover it (`covering`, `trials`). It
prints every change that no test noticed. The choice depends only on the seed and on the code that is changed: a test
that is added does not move it. No module here knows the name of a file or of a function of the code.
"""
