import assert from "node:assert/strict";
import { test } from "node:test";
import { follow, items, pages } from "@levitate/clio-client";
import { fake, HP, json, problem } from "./fake.js";

const page = (ids: string[], next_cursor: string | null, has_more = next_cursor !== null) =>
  json({ data: ids.map((id) => ({ id })), next_cursor, has_more });
const queries = (sent: Request[]) => sent.map((one) => new URL(one.url).search);
const PATH = "/v1/accounts/{account_id}/contacts";
const FEED = "/v1/accounts/{account_id}/changes";

test("all items of all pages are yielded, with the same filters for each page", async () => {
  const { client, sent } = fake([page(["a", "b"], "c1"), page([], "c2"), page(["c"], null)]);
  const found: string[] = [];
  for await (const contact of items(client, PATH, { params: { ...HP, query: { limit: 2, owner: "u_ann" } } })) found.push(contact.id);
  assert.deepEqual(found, ["a", "b", "c"]);
  assert.deepEqual(queries(sent), ["?limit=2&owner=u_ann", "?limit=2&owner=u_ann&cursor=c1", "?limit=2&owner=u_ann&cursor=c2"]);
});

test("a page is requested only when it is needed", async () => {
  const { client, sent } = fake([page(["a", "b"], "c1")]);
  for await (const contact of items(client, PATH, { params: HP })) if (contact.id === "b") break;
  assert.equal(sent.length, 1);
});

test("a list without required parameters needs no second argument, and a feed ends where it has no more", async () => {
  const { client } = fake([page(["hp"], null), page(["evt_1"], "e1", false)]);
  for await (const { data } of pages(client, "/v1/accounts")) assert.deepEqual(data, [{ id: "hp" }]);
  for await (const event of items(client, "/v1/events")) assert.equal(event.id, "evt_1");
});

test("an error of a later page is thrown", async () => {
  const { client } = fake([page(["a"], "c1"), problem(400, "invalid_cursor")]);
  await assert.rejects(async () => {
    for await (const _ of items(client, PATH, { params: HP }));
  }, { code: "invalid_cursor" });
});

test("a feed is followed from a stored cursor, over outages, until the caller stops", async () => {
  const { client, sent } = fake(
    [page(["a"], "c1", true), page([], "c1", false), problem(503, "database_unavailable"), new TypeError("fetch failed"), page(["b"], "c2", false)],
    { retries: { attempts: 1 } },
  );
  const stop = new AbortController();
  const seen: [string[], string][] = [];
  const call = { params: { ...HP, query: { cursor: "c0" } }, signal: stop.signal };
  for await (const { data, next_cursor } of follow(client, FEED, call, { pause: 1 })) {
    seen.push([(data as unknown as { id: string }[]).map(({ id }) => id), next_cursor]);
    if (next_cursor === "c2") stop.abort();
  }
  assert.deepEqual(seen, [[["a"], "c1"], [["b"], "c2"]]);
  assert.deepEqual(queries(sent), ["c0", "c1", "c1", "c1", "c1"].map((cursor) => `?wait=30&cursor=${cursor}`));
});

test("following ends with an error that waiting cannot mend", async () => {
  const { client } = fake([problem(410, "cursor_expired")]);
  const call = { params: HP, signal: new AbortController().signal };
  await assert.rejects(follow(client, FEED, call).next(), { code: "cursor_expired" });
});

export async function typesRefuseMistakes(): Promise<void> {
  const { client } = fake([]);
  // @ts-expect-error this is no list
  items(client, "/v1/accounts/{account_id}/status", { params: HP });
  // @ts-expect-error a filter that the list does not have
  items(client, PATH, { params: { ...HP, query: { colour: "red" } } });
}
