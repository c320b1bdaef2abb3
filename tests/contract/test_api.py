"""The OpenAPI document has the operations and query parameters that this file lists, and no others.

It has at least the fields and the values of enums that are listed here; it may have more.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from app.api.problems import MEDIA_TYPE
from tests.support.openapi import openapi_document

DOCUMENT = openapi_document()
SCHEMAS = DOCUMENT["components"]["schemas"]

A = "/v1/accounts/{account_id}"
CONTRACT = f"""
GET /v1/accounts | GET /v1/fleet | GET /v1/events
PUT {A} | PATCH {A} | GET {A} | DELETE {A} | PUT {A}/users | GET {A}/users | GET {A}/attorneys
GET /v1/erasures/{{erasure_id}}
PUT {A}/attorneys/{{clio_user_id}} | DELETE {A}/attorneys/{{clio_user_id}} | GET {A}/status
POST {A}/connections | GET {A}/connections | GET {A}/connections/{{connection_id}}
DELETE {A}/connections/{{connection_id}} | GET /oauth/clio/callback
POST /v1/console-links | POST {A}/console-links
POST {A}/connect-links | DELETE {A}/connect-links/{{link_id}}
GET {A}/settings | PUT {A}/settings | PATCH {A}/settings | GET {A}/settings/versions
POST {A}/settings/preview | GET {A}/catalog
POST {A}/runs | GET {A}/runs | GET {A}/runs/{{run_id}} | GET {A}/runs/{{run_id}}/events
GET {A}/runs/{{run_id}}/report | POST {A}/runs/{{run_id}}/cancel
GET {A}/contacts | GET {A}/contacts/summary | GET {A}/contacts/{{contact_id}} | GET {A}/contacts/{{contact_id}}/explain
GET {A}/contacts/{{contact_id}}/history | DELETE {A}/contacts/{{contact_id}} | GET {A}/changes
POST {A}/contacts/{{contact_id}}/preexisting-tags
GET {A}/contacts/{{contact_id}}/export
GET {A}/clio-contacts | GET {A}/clio-contacts/{{clio_id}}
GET {A}/new-clients | POST {A}/new-clients/{{new_client_id}}/release
POST {A}/new-clients/decisions | POST {A}/activities/batch
PATCH /v1/webhook-endpoints/{{endpoint_id}} | POST /v1/webhook-endpoints/{{endpoint_id}}/test
POST /v1/webhook-endpoints/{{endpoint_id}}/redeliver
POST {A}/new-clients/{{new_client_id}}/suppress | POST {A}/new-clients/{{new_client_id}}/replay
POST {A}/activities | GET {A}/activities | GET {A}/activities/{{activity_id}}
POST {A}/activities/{{activity_id}}/retry | POST {A}/activities/{{activity_id}}/cancel
POST /v1/webhook-endpoints | GET /v1/webhook-endpoints | GET /v1/webhook-endpoints/{{endpoint_id}}
DELETE /v1/webhook-endpoints/{{endpoint_id}} | POST /v1/webhook-endpoints/{{endpoint_id}}/rotate
POST /v1/webhook-endpoints/{{endpoint_id}}/enable | GET /v1/webhook-endpoints/{{endpoint_id}}/deliveries
POST /v1/deliveries/{{delivery_id}}/redeliver
GET {A}/issues | POST {A}/issues/{{issue_id}}/resolve | GET {A}/holds | POST {A}/holds/{{hold_id}}/release
POST {A}/holds/{{hold_id}}/discard | GET {A}/holds/{{hold_id}}/items | GET {A}/audit
GET /v1/audit | POST /hooks/clio/{{token}}
GET /healthz | GET /readyz | GET /metrics
"""
WANTED = {part.strip() for line in CONTRACT.split("\n") for part in line.split("|")} - {""}
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}

TIMED = "cursor limit order since until count"  # of a list with a main time
QUERIES = {
    f"GET {A}/contacts": "state owner tag clio_id q updated_since problem order since until count cursor limit",
    f"GET {A}/contacts/{{contact_id}}": "as_of",
    f"GET {A}/changes": "cursor limit wait",
    "GET /v1/events": "type account_id cursor limit wait",
    f"GET {A}/new-clients": f"status origin run_id {TIMED}",
    f"GET {A}/activities": f"contact_id status kind user_id {TIMED}",
    f"GET {A}/issues": f"status code severity {TIMED}",
    f"GET {A}/holds": f"status {TIMED}",  # not in the REST contract of Levitate: added by this service
    f"GET {A}/runs/{{run_id}}/report": "format",
    f"GET {A}/runs": f"status kind trigger {TIMED}",
    f"GET {A}/audit": f"actor action {TIMED}",
    "GET /v1/audit": f"actor action {TIMED}",
    "GET /v1/accounts": f"health q {TIMED}",
    f"GET {A}/connections": TIMED,
    f"GET {A}/settings/versions": TIMED,
    f"GET {A}/contacts/{{contact_id}}/history": TIMED,
    "GET /v1/webhook-endpoints": TIMED,
    "GET /v1/webhook-endpoints/{endpoint_id}/deliveries": f"status type account_id {TIMED}",
    f"GET {A}/holds/{{hold_id}}/items": "cursor limit",
    f"GET {A}/clio-contacts": "q cursor limit",
    f"GET {A}/attorneys": "unmapped cursor limit",
    f"GET {A}/clio-contacts/{{clio_id}}": "look",
}

FIELDS = {  # fields that a response always has; in a request some of them may be left out
    "AccountIn": "name time_zone country primary_user_id enabled",
    "Account": "name time_zone country primary_user_id enabled clio created_at updated_at",
    "ListedAccount": "id name health health_reasons last_successful_run_at connections open_issues run",
    "Fleet": "health runs_in_flight oldest_unserved_slot_at holds_waiting",
    "FleetHealth": "ok degraded needs_attention disabled",
    "ClioFirm": "region account_id name",
    "AuditEntry": "id at user_id role token_id request_id source_address action subject details",
    "Erasure": "id subject status requested_by requested_at finished_at remaining",
    "ErasureSubject": "kind id",
    "User": "id name email active",
    "Attorney": "clio_user_id name email enabled user_id mapped_by contacts",
    "Status": "health health_reasons last_successful_run_at next_run_at connections contacts run open_issues coverage",
    "StatusConnections": "connected needs_reconnect",
    "StatusContacts": "in_scope out_of_scope deleted",
    "ConnectionIn": "user_id region return_url",
    "StartedConnection": "id status authorize_url expires_at",
    "Connection": "id user_id region status clio_user connected_at last_sync_at problem",
    "ClioUser": "id name email",
    "SettingsVersion": "version settings updated_at updated_by note",
    "SettingsSaved": "version settings updated_at updated_by note run_id kept",
    "Hold": "id kind status run_id count contact_clio_ids summary opened_at decided_at decided_by",
    "HoldItem": "id clio_id contact_id name new_client change",
    "NewClientsSummary": "by_held_for by_basis with_open_matter possible_duplicates",
    "PreviewSummary": "entering leaving contacts_with_tag_changes tags_added tags_removed owner_changes new_clients"
    " by_state_reason by_owner possible_duplicates",
    "OwnerCount": "user_id n",
    "Preview": "summary data next_cursor has_more",
    "Catalog": "custom_fields practice_areas stages users",
    "RunIn": "kind contact_id",
    "Run": "id kind trigger status slot settings_version queued_at started_at finished_at progress counts clio"
    " problems",
    "Progress": "phase done total percent eta_seconds",
    "RunCounts": "pulled changed quarantined entered left new_clients",
    "ContactsSummary": "total complete by_state by_tag by_owner by_owner_rule",
    "StateCount": "state n", "TagCount": "label category n", "OwnerRuleCount": "rule n",
    "PulledRecords": "contacts matters relationships",
    "ClioUsage": "requests rate_limited waited_seconds",
    "RunProblem": "code detail connection_id",
    "Contact": "id clio_id clio_url version state state_reason first_name middle_name last_name prefix title company"
    " emails phones addresses tags owner key_facts merged_into first_synced_at updated_at",
    "PreexistingIn": "labels",
    "Company": "clio_id name",
    "Email": "address kind primary",
    "Phone": "number raw kind primary",
    "Address": "kind street city state postal_code country primary clio_primary",
    "Tag": "label category restricted",
    "Owner": "user_id rule matter_clio_id detail",
    "Change": "seq kind contact_id clio_id run_id at cause fields tags_added tags_removed owner contact",
    "FieldChange": "from to",
    "OwnerChange": "from to rule matter_clio_id",
    "ChangeFeedPage": "data next_cursor has_more",
    "EventPage": "data next_cursor has_more",
    "Event": "id type timestamp data",
    "Explained": "contact_id in_scope scope tags owner not_granted new_client seen_by run_id",
    "Export": "contact_id clio_id exported_at held",
    "ExplainedClioContact": "clio_id name type contact_id decision would_need",
    "ExplainedScope": "rule detail",
    "ExplainedTag": "label category grants",
    "TagGrant": "rule setting matter_clio_ids field_id detail",
    "ExplainedOwner": "rule matter_clio_id considered",
    "ConsideredMatter": "matter_clio_id status updated_at outcome",
    "NotGranted": "label rule why",
    "NewClient": "id contact_id clio_id status origin basis client_since has_open_matter possible_duplicate_of run_id"
    " created_at emitted_at event_ids",
    "ActivityIn": "kind user_id contact_id clio_contact_id occurred_at subject body body_format direction"
    " conversation_id",
    "Activity": "id kind status reason attempts clio problem created_at written_at",
    "ClioRecord": "type id url",
    "WebhookEndpointIn": "url events description",
    "WebhookEndpointPatch": "url events description",
    "WebhookEndpointTest": "event_id succeeded response_status response_text milliseconds problem",
    "RedeliveryIn": "since until status",
    "ManyNewClients": "action ids filter",
    "NewClientFilter": "status origin run_id since until",
    "DecidedNewClients": "done remaining skipped has_more",
    "SkippedNewClient": "id code",
    "ActivityBatch": "activities",
    "ActivityBatchAnswer": "data",
    "RecordedOne": "status activity",
    "RefusedOne": "status problem",
    "WebhookEndpointWithSecret": "id url events description secret",
    "Issue": "id code severity detail subject opened_at resolved_at",
    "IssueSubject": "kind id",
    "Problem": "type title status detail instance code request_id errors",
    "FieldProblem": "pointer detail",
}  # fmt: skip
REQUESTS = {"WebhookEndpointPatch", "ManyNewClients", "NewClientFilter", "ActivityBatch"}
OPTIONAL = {
    "Problem": {"errors"},  # only if a body, query or header is invalid
    "Contact": {"merged_into"},  # not in lines of the feed that an earlier release has written
}

ENUMS = {
    "Erasure.status": "running done incomplete",
    "Status.health": "ok degraded needs_attention disabled",
    "ListedAccount.health": "ok degraded needs_attention disabled",
    "Connection.status": "pending connected needs_reconnect disconnected declined",
    "Run.kind": "initial incremental full coverage rederive contact",
    "Run.trigger": "schedule connect manual settings webhook",
    "Run.status": "queued running succeeded interrupted failed cancelled",
    "RunIn.kind": "incremental full",
    "Contact.state": "in_scope out_of_scope deleted",
    "Change.kind": "contact.added contact.updated contact.out_of_scope contact.deleted contact.erased",
    "Change.cause": "sync settings users manual",
    "NewClient.status": "emitted held suppressed",
    "NewClient.origin": "initial_sync incremental visibility settings manual",
    "NewClient.basis": "flag matter company",
    "Activity.kind": "email note phone_call handwritten_card text_message",
    "Activity.status": "queued sending written skipped blocked failed cancelled",
    "ActivityIn.body_format": "text html",
    "ClioRecord.type": "note communication",
    "Issue.severity": "info warning error",
}

ROLE_REQUIRED = {
    *("GET /v1/erasures/{erasure_id}", "GET /v1/audit", "POST /v1/console-links"),
    *(
        f"GET {A}/contacts/{{contact_id}}/export",
        f"GET {A}/clio-contacts",
        f"GET {A}/clio-contacts/{{clio_id}}",
    ),
    f"DELETE {A}/contacts/{{contact_id}}",
    *(
        f"PUT {A}",
        f"PATCH {A}",
        f"DELETE {A}",
        f"PUT {A}/users",
        f"PUT {A}/settings",
        f"PATCH {A}/settings",
    ),
    *(f"{verb} {A}/attorneys/{{clio_user_id}}" for verb in ("PUT", "DELETE")),
    *(f"POST {A}/new-clients/{{new_client_id}}/{act}" for act in ("release", "suppress", "replay")),
    f"POST {A}/new-clients/decisions",
    *(f"POST {A}/holds/{{hold_id}}/{act}" for act in ("release", "discard")),
    f"POST {A}/issues/{{issue_id}}/resolve",
    *(f"POST {A}/runs/{{run_id}}/cancel", f"DELETE {A}/connections/{{connection_id}}"),
    *(f"POST {A}/connect-links", f"DELETE {A}/connect-links/{{link_id}}"),
    # where the account limits what users are shown
    *(f"GET {A}/settings", f"GET {A}/settings/versions", f"POST {A}/settings/preview"),
}
KEY_REQUIRED = {
    *(f"POST {A}/runs", f"POST {A}/activities", f"POST {A}/activities/batch"),
    f"POST {A}/new-clients/decisions",
}


def codes(operation: dict[str, Any]) -> set[str]:
    return {
        code
        for response in operation["responses"].values()
        for code in response.get("x-problem-codes", ())
    }


def values(schema: dict[str, Any]) -> set[str]:
    """Return all values of an enum, wherever they are in the schema of a field."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    inner = [value for part in schema.get("anyOf", ()) for value in values(part)]
    constant = [schema["const"]] if "const" in schema else []
    known = schema.get("x-extensible-enum", ())  # of a response
    return {*schema.get("enum", ()), *known, *inner, *constant}


def differences(place: str, found: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return what is new and what is missing, and the constant of this file that lists it."""
    new, missing = sorted({*found} - {*wanted}), sorted({*wanted} - {*found})
    return [f"{word}, update {place} of this file if it is right: {names}"
            for word, names in (("new", new), ("missing", missing)) if names]  # fmt: skip


def test_the_document_has_exactly_the_operations_of_the_contract():
    lines = differences("CONTRACT", OPERATIONS, WANTED)
    assert not lines, "\n".join(lines)


def test_every_list_and_read_has_exactly_the_query_parameters_of_the_contract():
    found = {
        name: {p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"}
        for name, operation in OPERATIONS.items()
    }
    lines = [
        line
        for name, parameters in QUERIES.items()
        for line in differences(f"QUERIES[{name!r}]", found.get(name, ()), parameters.split())
    ]
    lists = {name for name, parameters in found.items() if "cursor" in parameters}
    lists -= {f"POST {A}/settings/preview"}
    lines += differences("QUERIES", lists | QUERIES.keys(), QUERIES)
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize("body", FIELDS)
def test_a_body_has_the_fields_of_the_contract(body):
    schema, wanted = SCHEMAS[body], set(FIELDS[body].split())
    assert wanted <= schema["properties"].keys()
    if not body.endswith("In") and body not in REQUESTS:
        assert wanted - OPTIONAL.get(body, set()) <= set(schema["required"])


@pytest.mark.parametrize("place", ENUMS)
def test_an_enum_has_the_values_of_the_contract(place):
    body, name = place.split(".")
    assert values(SCHEMAS[body]["properties"][name]) >= set(ENUMS[place].split())


def test_every_operation_documents_the_problems_that_follow_from_its_form():
    for name, operation in OPERATIONS.items():
        documented, path = codes(operation), name.split()[1]
        if not path.startswith("/v1"):
            continue
        assert {"invalid_token", "rate_limited", "database_unavailable"} <= documented, name
        has_account = path.startswith(A) or path == "/v1/events"
        assert ("account_not_found" in documented) == has_account, name
        assert ("role_required" in documented) == (name in ROLE_REQUIRED), name
        assert ("idempotency_key_required" in documented) == (name in KEY_REQUIRED), name
        assert ("precondition_required" in documented) == (
            name in {f"PUT {A}/settings", f"PATCH {A}/settings", f"PATCH {A}"}
        ), name
        assert ("invalid_json" in documented) == ("requestBody" in operation), name
        assert "invalid_request" in documented, name
        ids = [part for part in path.split("/") if part in {f"{{{kind}_id}}" for kind in KINDS}]
        for part in ids:
            assert f"{part[1:-4]}_not_found" in documented, name


KINDS = (
    *("connection", "run", "contact", "new_client", "activity"),
    *("endpoint", "delivery", "issue", "hold"),
)


def id_schemas(part: Any, place: str) -> Iterable[tuple[str, Any]]:
    """Yield the schema of each parameter and property that holds an id of Clio or of ours."""
    if isinstance(part, list):
        for item in part:
            yield from id_schemas(item, place)
    if not isinstance(part, dict):
        return
    named = [(part.get("name"), part.get("schema"))] if "in" in part else []
    properties = part.get("properties", {})
    named += properties.items() if isinstance(properties, dict) else []
    for name, schema in named:
        if isinstance(name, str) and re.search(r"(^|_)ids?$", name):
            yield f"{place}: {name}", schema
    for name, inner in part.items():
        yield from id_schemas(inner, f"{place}/{name}")


def test_every_id_is_a_string():
    found = dict(id_schemas(DOCUMENT, ""))
    assert len(found) > 60
    assert not [place for place, schema in found.items() if '"integer"' in json.dumps(schema)]


def test_every_error_response_is_a_problem_document():
    for name, operation in OPERATIONS.items():
        for status, response in operation["responses"].items():
            if status >= "400" and name != "GET /oauth/clio/callback":
                assert list(response["content"]) == [MEDIA_TYPE], (name, status)
                assert response["x-problem-codes"], (name, status)
    assert "HTTPValidationError" not in SCHEMAS


def test_every_body_has_an_example():
    for name, operation in OPERATIONS.items():
        for content in operation.get("requestBody", {"content": {}})["content"].values():
            schema = content["schema"]
            body = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else content
            assert body.get("examples") or schema.get("examples"), name


def test_the_headers_that_an_operation_needs_are_documented_as_required():
    for name, operation in OPERATIONS.items():
        needed = {p["name"] for p in operation.get("parameters", ()) if p["required"]}
        assert ("Idempotency-Key" in needed) == (name in KEY_REQUIRED), name
        assert ("If-Match" in needed) == ("precondition_required" in codes(operation)), name


def test_every_operation_has_a_description_a_known_tag_and_a_unique_id():
    tags = [tag["name"] for tag in DOCUMENT["tags"]]
    used = [tag for operation in OPERATIONS.values() for tag in operation["tags"]]
    assert sorted(set(used), key=tags.index) == tags
    assert all(operation["description"] for operation in OPERATIONS.values())
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))
