"""Mutation tests with a random sample of changes, each run against the tests that cover it: `make mutants-sample`.

`python -m tests.mutants --seed 1` copies the tree, records once which test runs which line (`recording`), draws the
changes for the seed (`sampling`, `operators`), and runs the tests that cover each change (`covering`, `trials`). It
prints every change that no test noticed. The changes depend only on the seed and on the code under test: a new test
does not change the sample. No module here contains the name of a file or function of the code under test.
"""
