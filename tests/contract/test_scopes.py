"""The scopes of service tokens: each operation below `/v1` has one, and the document names it [T14]."""

from typing import Any

from app.api import scopes
from app.db.accounts.service_tokens import Scope
from tests.support.openapi import openapi_document

OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    operation["operationId"]: (method, operation)
    for path, methods in openapi_document()["paths"].items()
    if path.startswith("/v1/")
    for method, operation in methods.items()
}


def test_every_operation_that_needs_a_token_has_one_scope_and_no_other_has_one():
    assert set(scopes.NEEDED) == set(OPERATIONS), "update app/api/scopes.py"
    for others in ((scopes._READ, scopes._WRITE), (scopes._READ, scopes._ADMIN)):
        assert not set(others[0]) & set(others[1])
    assert not set(scopes._WRITE) & set(scopes._ADMIN)


def test_an_operation_that_nobody_has_declared_needs_the_largest_scope():
    assert scopes.needed_for("added_later") is Scope.ADMIN


def test_reading_is_what_changes_nothing():
    changes_nothing = {name for name, (method, _) in OPERATIONS.items() if method == "get"}
    assert set(scopes._READ) == changes_nothing | {"preview_settings"}


def test_the_document_names_the_scope_and_the_error_of_one_that_is_too_small():
    for name, (_, operation) in OPERATIONS.items():
        needed = scopes.needed_for(name)
        assert operation["security"] == [{"HTTPBearer": [needed.value]}], name
        codes = operation["responses"].get("403", {}).get("x-problem-codes", ())
        assert ("scope_required" in codes) == (needed is not Scope.READ), name


def test_a_larger_scope_includes_the_smaller_ones():
    order = [Scope.READ, Scope.WRITE, Scope.ADMIN]
    for place, scope in enumerate(order):
        assert [scope.includes(other) for other in order] == [n <= place for n in range(3)]
