import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, createClient } from "@levitate/clio-client";
import { retryAfter, sleep } from "../../dist/retries.js";
import { fake, HP, json, NOW, problem, type FakeAnswer } from "./fake.js";

const LOST = new TypeError("fetch failed");
const activity = { kind: "note", user_id: "u_ann", clio_contact_id: "1001", occurred_at: "2026-03-03T11:00:00Z", body: "Hello" };
const withKey = { params: { ...HP, header: { "Idempotency-Key": "key-1" } }, body: activity };

test("a read is repeated until it succeeds, after growing pauses", async () => {
  const { client, sent, pauses } = fake([problem(503, "database_unavailable"), LOST, problem(500, "internal_error"), json({ ok: 1 })]);
  const { data } = await client.GET("/v1/fleet");
  assert.deepEqual(data, { ok: 1 });
  assert.equal(sent.length, 4);
  assert.deepEqual(pauses, [250, 500, 1000]);
});

test("a part of each pause is random", async () => {
  const { client, pauses } = fake([LOST, LOST, json({})], {}, 1);
  await client.GET("/v1/fleet");
  assert.deepEqual(pauses, [500, 1000]);
});

test("Retry-After says how long the pause is", async () => {
  const date = new Date(NOW + 9_000).toUTCString();
  const { client, pauses } = fake([problem(429, "rate_limited", { "Retry-After": "7" }), problem(503, "x", { "Retry-After": date }), json({})]);
  await client.GET("/v1/fleet");
  assert.deepEqual(pauses, [7000, 2000]); // the date is 9 s ahead, and 7 s have passed
});

test("Retry-After is a number of seconds, a date or nothing", () => {
  const after = (value: string | undefined) => retryAfter(new Headers(value === undefined ? {} : { "Retry-After": value }), NOW);
  assert.deepEqual(["0", " 12 ", undefined, "soon", "-3", "1.5"].map(after), [0, 12, null, null, null, null]);
  assert.equal(after(new Date(NOW + 30_000).toUTCString()), 30);
  assert.equal(after(new Date(NOW - 30_000).toUTCString()), 0);
});

test("a call ends with the last error when its attempts are used up", async () => {
  const { client, sent } = fake([LOST, LOST, problem(503, "database_unavailable", { "Retry-After": "5" })], { retries: { attempts: 3 } });
  await assert.rejects(client.GET("/v1/fleet"), { name: "ApiError", code: "database_unavailable", retryAfter: 5 });
  assert.equal(sent.length, 3);
});

test("a call does not wait beyond its deadline", async () => {
  const { client, sent, pauses } = fake([problem(429, "rate_limited", { "Retry-After": "61" })]);
  await assert.rejects(client.GET("/v1/fleet"), { code: "rate_limited", retryAfter: 61 });
  assert.deepEqual([sent.length, pauses.length], [1, 0]);
});

test("without an answer the error says so and has the cause", async () => {
  const { client } = fake([LOST, LOST], { retries: { attempts: 2 } });
  await assert.rejects(client.GET("/v1/fleet"), (error) => error instanceof ConnectionError && error.cause === LOST);
});

test("a request with an idempotency key is repeated with the same key and body", async () => {
  const { client, sent } = fake([LOST, problem(409, "request_in_progress"), problem(503, "x"), json({ id: "act_1" }, 202)]);
  const { data } = await client.POST("/v1/accounts/{account_id}/activities", withKey);
  assert.equal(data.id, "act_1");
  assert.deepEqual(sent.map((one) => one.headers.get("Idempotency-Key")), Array(4).fill("key-1"));
  assert.deepEqual(await Promise.all(sent.map((one) => one.json())), Array(4).fill(activity));
});

const release = { params: { path: { account_id: "hp", hold_id: "hol_1" } } };
const firm = { name: "Harlow & Pike", time_zone: "UTC", country: "US", primary_user_id: null, enabled: true };
const version = { params: { ...HP, header: { "If-Match": '"1"' } } };
type Fake = ReturnType<typeof fake>["client"];

const ONCE: Record<string, [FakeAnswer, (client: Fake) => Promise<unknown>]> = {
  "a POST without a key": [LOST, (client) => client.POST("/v1/accounts/{account_id}/holds/{hold_id}/release", release)],
  "a POST without a key, for 503": [problem(503, "x"), (client) => client.POST("/v1/accounts/{account_id}/holds/{hold_id}/release", release)],
  "a PUT with If-Match": [LOST, (client) => client.PUT("/v1/accounts/{account_id}", { ...version, body: firm })],
  "a PATCH": [LOST, (client) => client.PATCH("/v1/accounts/{account_id}", { ...version, body: { name: "New" } })],
  "an invalid request": [problem(422, "invalid_request"), (client) => client.POST("/v1/accounts/{account_id}/activities", withKey)],
  "a conflict": [problem(409, "hold_decided"), (client) => client.PUT("/v1/accounts/{account_id}/users", { params: HP, body: { users: [] } })],
};
for (const [name, [answer, call]] of Object.entries(ONCE)) {
  test(`${name} is sent once`, async () => {
    const { client, sent } = fake([answer, json({})]);
    await assert.rejects(call(client));
    assert.equal(sent.length, 1);
  });
}

const REPEATED: Record<string, [FakeAnswer, (client: Fake) => Promise<unknown>]> = {
  "a PUT": [LOST, (client) => client.PUT("/v1/accounts/{account_id}/users", { params: HP, body: { users: [] } })],
  "a DELETE": [problem(502, "x"), (client) => client.DELETE("/v1/accounts/{account_id}", { params: HP })],
  "a refused POST without a key": [
    problem(429, "rate_limited", { "Retry-After": "1" }),
    (client) => client.POST("/v1/accounts/{account_id}/holds/{hold_id}/release", release),
  ],
};
for (const [name, [answer, call]] of Object.entries(REPEATED)) {
  test(`${name} is repeated`, async () => {
    const { client, sent } = fake([answer, json({})]);
    await call(client);
    assert.equal(sent.length, 2);
  });
}

test("an answer that does not come is not waited for beyond the deadline", async (context) => {
  const alive = setInterval(() => {}, 60_000); // as the socket of a real request does
  context.after(() => clearInterval(alive));
  const never = (request: Request) =>
    new Promise<Response>((_, reject) => {
      const stop = (): void => reject(request.signal.reason);
      if (request.signal.aborted) stop();
      request.signal.addEventListener("abort", stop);
    });
  const options = { baseUrl: "http://service.test", token: "t0ken", retries: { deadline: 5 } };
  const client = createClient({ ...options, surroundings: { fetch: never } });
  const error = { name: "ConnectionError", message: "There was no answer within 5 ms" };
  await assert.rejects(client.GET("/v1/fleet"), error);
  const stop = new AbortController();
  const call = client.GET("/v1/fleet", { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(call, { message: "enough" });
});

test("a caller's signal ends a call, its pauses included", async () => {
  const stop = new AbortController();
  const { client, sent } = fake([LOST, json({})], {});
  stop.abort(new Error("enough"));
  await assert.rejects(client.GET("/v1/fleet", { signal: stop.signal }), { message: "enough" });
  assert.ok(sent.length <= 1);
  const waiting = sleep(3_600_000, AbortSignal.any([stop.signal]));
  await assert.rejects(waiting, { message: "enough" });
  const later = new AbortController();
  const pause = sleep(3_600_000, later.signal);
  later.abort(new Error("now"));
  await assert.rejects(pause, { message: "now" });
});
