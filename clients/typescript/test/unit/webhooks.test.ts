import assert from "node:assert/strict";
import { test } from "node:test";
import { isEvent, verifyWebhook, WebhookVerificationError, type VerifyOptions, type WebhookRequest } from "@levitate/clio-client";

// Made with the Python library of Standard Webhooks.
const secretOf = (key: string): string => `whsec_${btoa(key)}`;
const SECRET = secretOf("the first secret of the endpoint");
const OTHER_SECRET = secretOf("the other secret of the endpoint");
const SIGNATURE = "v1,ODjhtVT7I7euZB/lkU0R2SSiA4Si4ZyLoVf5dNoVaBU=";
const OTHER_SIGNATURE = "v1,7JVkSzYJOF864HDwXnNOQ/rZIjUFv+VSzS3xVfPv2jM=";
const AT = 1772535849;
const BODY =
  '{"data":{"account_id":"hp","contact_id":"con_1","owner_user_id":"u_änn"},"timestamp":"2026-03-03T11:04:09.512Z","type":"client.new"}';
const HEADERS = { "webhook-id": "evt_1", "webhook-timestamp": String(AT), "webhook-signature": SIGNATURE };

const verify = (request: Partial<WebhookRequest> = {}, options: Partial<VerifyOptions> = {}) =>
  verifyWebhook({ body: BODY, headers: HEADERS, ...request }, { secrets: SECRET, now: () => AT * 1000, ...options });

async function signed(body: string, headers: Record<string, string> = HEADERS): Promise<WebhookRequest> {
  const raw = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const text = new TextEncoder().encode(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const signature = Buffer.from(await crypto.subtle.sign("HMAC", key, text)).toString("base64");
  return { body, headers: { ...headers, "webhook-signature": `v1,${signature}` } };
}

test("a webhook of the service is verified and typed", async () => {
  const event = await verify();
  assert.equal(event.id, "evt_1");
  assert.ok(isEvent(event, "client.new"));
  const owner: string | null = event.data.owner_user_id;
  assert.equal(owner, "u_änn");
  assert.equal(isEvent(event, "run.finished"), false);
});

const raw = new TextEncoder().encode(BODY);
const BODIES = { bytes: raw, "a buffer of Node": Buffer.from(BODY), "an ArrayBuffer": raw.buffer as ArrayBuffer };
for (const [name, body] of Object.entries(BODIES)) {
  test(`the body can be ${name}`, async () => assert.equal((await verify({ body })).type, "client.new"));
}

test("the headers can be Headers, or an object in any case with lists", async () => {
  assert.equal((await verify({ headers: new Headers(HEADERS) })).id, "evt_1");
  const headers = { "Webhook-Id": "evt_1", "WEBHOOK-TIMESTAMP": [String(AT)], "Webhook-Signature": [OTHER_SIGNATURE, SIGNATURE] };
  assert.equal((await verify({ headers })).id, "evt_1");
});

test("while secrets rotate, one signature that fits one secret is enough", async () => {
  const headers = { ...HEADERS, "webhook-signature": `v1a,xyz v1,%% ${OTHER_SIGNATURE} ${SIGNATURE}` };
  for (const secrets of [SECRET, OTHER_SECRET, [OTHER_SECRET, SECRET]]) await verify({ headers }, { secrets });
  await verify({}, { secrets: [OTHER_SECRET, SECRET] });
});

const MISMATCHES: Record<string, [Partial<WebhookRequest>, Partial<VerifyOptions>?]> = {
  "another secret": [{}, { secrets: OTHER_SECRET }],
  "no secret": [{}, { secrets: [] }],
  "another body": [{ body: BODY.replace("con_1", "con_2") }],
  "another id": [{ headers: { ...HEADERS, "webhook-id": "evt_2" } }],
  "another time": [{ headers: { ...HEADERS, "webhook-timestamp": String(AT + 1) } }],
  "another version of signatures": [{ headers: { ...HEADERS, "webhook-signature": SIGNATURE.replace("v1,", "v2,") } }],
  "a part of the signature": [{ headers: { ...HEADERS, "webhook-signature": "v1,ODjhtVT7" } }],
  "an empty signature": [{ headers: { ...HEADERS, "webhook-signature": "v1," } }],
};
for (const [name, [request, options]] of Object.entries(MISMATCHES)) {
  test(`a webhook with ${name} is refused`, async () => {
    await assert.rejects(verify(request, options), { name: "WebhookVerificationError", code: "signature_mismatch" });
  });
}

test("the time may differ by five minutes, or as much as the caller allows", async () => {
  for (const seconds of [-300, 300]) await verify({}, { now: () => (AT + seconds) * 1000 });
  for (const seconds of [-301, 301]) {
    const now = () => (AT + seconds) * 1000;
    await assert.rejects(verify({}, { now }), { code: "timestamp_out_of_range" });
    await verify({}, { now, tolerance: 400 });
  }
});

for (const timestamp of ["soon", "NaN", "1e9", "-5", " "]) {
  test(`the time ${JSON.stringify(timestamp)} is refused`, async () => {
    await assert.rejects(verify({ headers: { ...HEADERS, "webhook-timestamp": timestamp } }), { code: "timestamp_invalid" });
  });
}

for (const name of Object.keys(HEADERS)) {
  test(`a request without ${name} is refused`, async () => {
    await assert.rejects(verify({ headers: { ...HEADERS, [name]: undefined } }), { code: "header_missing" });
  });
}

test("a secret that is none is a mistake of the caller", async () => {
  for (const secrets of ["", "whsec_", "whsec_%"]) await assert.rejects(verify({}, { secrets }), TypeError);
});

test("an event of an unknown type with unknown members is returned", async () => {
  const document = { type: "moon.full", timestamp: "2030-01-01T00:00:00Z", data: { phase: { n: 1 } }, more: true };
  const event = await verify(await signed(JSON.stringify(document)));
  assert.deepEqual(event, { ...document, id: "evt_1" });
});

for (const body of ["", "no JSON", "null", "7", '{"type": 5, "data": {}}', '{"type": "x"}', '{"type": "x", "data": null}']) {
  test(`a signed body ${JSON.stringify(body)} is refused`, async () => {
    const request = await signed(body);
    await assert.rejects(verify(request), (error) => error instanceof WebhookVerificationError && error.code === "body_invalid");
  });
}
