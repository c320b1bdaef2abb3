import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ApiError, newIdempotencyKey } from "@levitate/clio-client";
import { encodeUser, MERGE_PATCHED } from "../../dist/client.js";
import { fake, HP, json, problem } from "./fake.js";

test("a call sends token, acting user and role, and returns data and headers", async () => {
  const { client, sent } = fake([json({ name: "Harlow & Pike" }, 200, { ETag: '"3"' })], { user: "u_änn", role: "account_admin" });
  const { data, response } = await client.GET("/v1/accounts/{account_id}", { params: HP });
  assert.equal(data.name, "Harlow & Pike");
  assert.equal(response.headers.get("ETag"), '"3"');
  assert.equal(sent[0]?.url, "http://service.test/v1/accounts/hp");
  assert.deepEqual(
    ["Authorization", "Levitate-User", "Levitate-Role"].map((name) => sent[0]?.headers.get(name)),
    ["Bearer t0ken", "u_%C3%A4nn", "account_admin"],
  );
});

test("a client for another user does not keep the role of the first", async () => {
  const { client, sent } = fake([json({}), json({})], { user: "u_ann", role: "success_manager" });
  await client.actingAs("u_ben").GET("/v1/accounts/{account_id}", { params: HP });
  await client.GET("/v1/accounts/{account_id}", { params: HP });
  assert.deepEqual(
    sent.map((request) => [request.headers.get("Levitate-User"), request.headers.get("Levitate-Role")]),
    [["u_ben", null], ["u_ann", "success_manager"]],
  );
});

test("an id of a user is percent-encoded where a header needs it", () => {
  assert.equal(encodeUser("u_1 of 2"), "u_1 of 2");
  assert.equal(encodeUser(" 100% ä😀\n "), "%20100%25 %C3%A4%F0%9F%98%80%0A%20");
});

test("ids in a path and lists in a query are encoded", async () => {
  const { client, sent } = fake([json({ data: [], next_cursor: null, has_more: false })]);
  await client.GET("/v1/accounts/{account_id}/contacts", {
    params: { path: { account_id: "a/b" }, query: { tag: ["Client", "A & B"], count: true } },
  });
  assert.equal(sent[0]?.url, "http://service.test/v1/accounts/a%2Fb/contacts?tag=Client&tag=A%20%26%20B&count=true");
});

test("merge patches have their content type, and other bodies are JSON", async () => {
  const { client, sent } = fake([json({}), json({})]);
  await client.PATCH("/v1/accounts/{account_id}", { params: { ...HP, header: { "If-Match": '"1"' } }, body: { name: "New" } });
  await client.PATCH("/v1/webhook-endpoints/{endpoint_id}", { params: { path: { endpoint_id: "whe_1" } }, body: { description: "x" } });
  assert.deepEqual(sent.map((one) => one.headers.get("Content-Type")), ["application/merge-patch+json", "application/json"]);
});

test("the paths with merge patches are those of the document", () => {
  const document = JSON.parse(readFileSync("../../docs/openapi.json", "utf8"));
  const found = Object.entries<any>(document.paths)
    .filter(([, operations]) => operations.patch?.requestBody.content["application/merge-patch+json"])
    .map(([path]) => path);
  assert.deepEqual([...MERGE_PATCHED].sort(), found.sort());
});

test("an answer without a body is undefined", async () => {
  const { client } = fake([new Response(null, { status: 204 })]);
  const params = { path: { account_id: "hp", contact_id: "con_1" } };
  const { data } = await client.DELETE("/v1/accounts/{account_id}/contacts/{contact_id}", { params });
  assert.equal(data, undefined);
});

test("an error is thrown with all that the service says", async () => {
  const more = { request_id: "req_1", errors: [{ pointer: "/name", detail: "is missing" }], new_member: 7 };
  const { client } = fake([problem(422, "invalid_request", {}, more)]);
  await assert.rejects(client.GET("/v1/accounts/{account_id}", { params: HP }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.message, "A detail");
    assert.deepEqual(
      [error.status, error.code, error.title, error.detail, error.requestId, error.retryAfter],
      [422, "invalid_request", "A title", "A detail", "req_1", null],
    );
    assert.deepEqual(error.errors, [{ pointer: "/name", detail: "is missing" }]);
    assert.equal(error.problem["new_member"], 7);
    return true;
  });
});

test("an unknown code is an error like any other", async () => {
  const { client } = fake([problem(418, "code_of_next_year")]);
  await assert.rejects(client.GET("/v1/fleet"), { name: "ApiError", status: 418, code: "code_of_next_year" });
});

for (const body of ["<html>Bad gateway</html>", "[1]", "null", ""]) {
  test(`an error of a proxy with the body ${JSON.stringify(body)} is an ApiError`, async () => {
    const { client } = fake([new Response(body, { status: 502, headers: { "X-Request-Id": "req_2" } })], { retries: { attempts: 1 } });
    await assert.rejects(client.GET("/v1/fleet"), { code: "http_502", status: 502, requestId: "req_2", errors: [] });
  });
}

test("unknown enum values and fields are passed on", async () => {
  const contact = { id: "con_1", state: "a_new_state", a_new_field: { deep: [1] }, tags: [{ label: "x", category: "a_new_category" }] };
  const { client } = fake([json(contact)]);
  const params = { path: { account_id: "hp", contact_id: "con_1" } };
  const { data } = await client.GET("/v1/accounts/{account_id}/contacts/{contact_id}", { params });
  const state: string = data.state; // open: any string
  assert.equal(state, "a_new_state");
  assert.deepEqual(data, contact);
});

test("keys are new each time", () => {
  assert.notEqual(newIdempotencyKey(), newIdempotencyKey());
});

export async function typesRefuseMistakes(): Promise<void> {
  const { client } = fake([]);
  // @ts-expect-error an unknown path
  await client.GET("/v1/account");
  // @ts-expect-error parameters of the path are missing
  await client.GET("/v1/accounts/{account_id}");
  // @ts-expect-error an unknown parameter of the query
  await client.GET("/v1/accounts/{account_id}/contacts", { params: { ...HP, query: { colour: "red" } } });
  // @ts-expect-error the idempotency key is missing
  await client.POST("/v1/accounts/{account_id}/runs", { params: HP, body: { kind: "full" } });
}
