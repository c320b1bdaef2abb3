/** The client against a real service and a simulated Clio. tests/wide/clients starts them and sets the variables. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import {
  createClient,
  follow,
  isEvent,
  items,
  newIdempotencyKey,
  pages,
  verifyWebhook,
  type ActivityWritten,
  type components,
} from "@levitate/clio-client";

const variable = (name: string): string => {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
};
const account_id = variable("LEVITATE_ACCOUNT");
const clio = createClient({
  baseUrl: variable("LEVITATE_URL"),
  token: variable("LEVITATE_TOKEN"),
  user: "u_1",
  role: "success_manager",
});
const params = { path: { account_id } };
const CONTACTS = "/v1/accounts/{account_id}/contacts";
const ACTIVITIES = "/v1/accounts/{account_id}/activities";

async function note(): Promise<components["schemas"]["ActivityIn"]> {
  const { data } = await clio.GET(CONTACTS, { params: { ...params, query: { limit: 1 } } });
  const contact_id = data.data[0]!.id;
  return { kind: "note", user_id: "u_1", contact_id, occurred_at: "2026-03-03T11:00:00Z", subject: "Hello", body: "World" };
}

test("the list of contacts is read over several pages, each contact once", async () => {
  const query = { limit: 20, count: true };
  const ids: string[] = [];
  let read = 0;
  for await (const page of pages(clio, CONTACTS, { params: { ...params, query } })) {
    read += 1;
    ids.push(...page.data.map(({ id }) => id));
  }
  const { data } = await clio.GET(CONTACTS, { params: { ...params, query } });
  assert.ok(read >= 3, `${read} pages`);
  assert.equal(new Set(ids).size, data.total);
  assert.equal(ids.length, data.total);
});

test("an error says what is wrong", async () => {
  const unknown = clio.GET("/v1/accounts/{account_id}", { params: { path: { account_id: "nobody" } } });
  await assert.rejects(unknown, (error: any) => {
    assert.deepEqual([error.name, error.status, error.code], ["ApiError", 404, "account_not_found"]);
    assert.match(error.detail, /check the id/);
    assert.ok(error.requestId);
    return true;
  });
  const query = { limit: 100_000 };
  await assert.rejects(clio.GET(CONTACTS, { params: { ...params, query } }), (error: any) => {
    assert.equal(error.code, "invalid_request");
    assert.equal(error.errors[0].pointer, "query:limit");
    return true;
  });
});

test("a version read from the ETag is checked, and a merge patch changes a part", async () => {
  const path = "/v1/accounts/{account_id}";
  const { data, response } = await clio.GET(path, { params });
  const header = { "If-Match": response.headers.get("ETag")! };
  const { data: changed } = await clio.PATCH(path, { params: { ...params, header }, body: { name: `${data.name} & Co` } });
  assert.deepEqual([changed.name, changed.time_zone], [`${data.name} & Co`, data.time_zone]);
  await assert.rejects(clio.PATCH(path, { params: { ...params, header }, body: { name: "X" } }), { code: "version_conflict" });
});

test("the same key and body make one activity, and another body is refused", async () => {
  const header = { "Idempotency-Key": newIdempotencyKey() };
  const body = await note();
  const first = await clio.POST(ACTIVITIES, { params: { ...params, header }, body });
  const second = await clio.POST(ACTIVITIES, { params: { ...params, header }, body });
  assert.equal(second.data.id, first.data.id);
  const other = clio.POST(ACTIVITIES, { params: { ...params, header }, body: { ...body, subject: "Other" } });
  await assert.rejects(other, { code: "idempotency_key_reused" });
});

test("an acting user with letters of any script arrives in the audit log", async () => {
  const header = { "Idempotency-Key": newIdempotencyKey() };
  const user = `u_änn % ${newIdempotencyKey()}`;
  const run = { params: { ...params, header }, body: { kind: "incremental" } as const };
  await clio.actingAs(user, "success_manager").POST("/v1/accounts/{account_id}/runs", run);
  const found: [string | null, string][] = [];
  const audit = items(clio, "/v1/accounts/{account_id}/audit", { params: { ...params, query: { order: "newest" } } });
  for await (const entry of audit) if (entry.user_id === user) found.push([entry.user_id, entry.role ?? ""]);
  assert.deepEqual(found, [[user, "success_manager"]]);
});

test("the change feed is followed to its end, and a stored cursor goes on from there", { timeout: 60_000 }, async () => {
  const stop = new AbortController();
  const path = "/v1/accounts/{account_id}/changes";
  const contacts = new Set<string>();
  let cursor = "";
  for await (const page of follow(clio, path, { params: { ...params, query: { limit: 50 } }, signal: stop.signal })) {
    for (const change of page.data) contacts.add(change.contact_id);
    cursor = page.next_cursor;
    if (!page.has_more) stop.abort();
  }
  const { data } = await clio.GET(CONTACTS, { params: { ...params, query: { limit: 1, count: true } } });
  assert.ok(contacts.size >= data.total!);
  const rest = await clio.GET(path, { params: { ...params, query: { cursor } } });
  assert.ok(rest.data.data.length < contacts.size);
});

test("a delivered webhook is verified, and a changed one is not", { timeout: 60_000 }, async (context) => {
  const secrets: string[] = [];
  const written = new Map<string, ActivityWritten>();
  const refused: string[] = [];
  const arrived = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const event = await verifyWebhook({ body, headers: request.headers }, { secrets });
    const changed = body.toString().replace("activity.written", "client.new");
    await verifyWebhook({ body: changed, headers: request.headers }, { secrets }).catch(({ code }) => refused.push(code));
    if (isEvent(event, "activity.written")) written.set(event.data.activity_id, event);
    response.writeHead(204).end();
    arrived.emit("handled");
  });
  arrived.listen(0, "127.0.0.1");
  await once(arrived, "listening");
  context.after(() => arrived.close());
  const url = `http://127.0.0.1:${(arrived.address() as AddressInfo).port}/hook`;
  const { data: endpoint } = await clio.POST("/v1/webhook-endpoints", { body: { url, events: ["activity.written"] } });
  context.after(() => clio.DELETE("/v1/webhook-endpoints/{endpoint_id}", { params: { path: { endpoint_id: endpoint.id } } }));
  secrets.push(endpoint.secret);
  const header = { "Idempotency-Key": newIdempotencyKey() };
  const { data: activity } = await clio.POST(ACTIVITIES, { params: { ...params, header }, body: await note() });
  while (!written.has(activity.id)) await once(arrived, "handled");
  const event = written.get(activity.id)!;
  assert.equal(event.data.account_id, account_id);
  assert.match(event.id, /^evt_/);
  assert.ok(refused.length > 0 && refused.every((code) => code === "signature_mismatch"));
});
