/** Lists as iterators. */

import type { PathsWithMethod } from "openapi-typescript-helpers";
import type { Answer, Body, Call, CallArgument, Client } from "./client.js";
import type { paths } from "./schema.js";

export interface Page<Item> {
  data: Item[];
  next_cursor: string | null;
  has_more: boolean;
}

/** The paths whose GET answers a page. */
export type ListPath = {
  [Path in PathsWithMethod<paths, "get">]: Body<Path, "get"> extends Page<unknown> ? Path : never;
}[PathsWithMethod<paths, "get">];

/** An item of a list. */
export type ItemOf<Path extends ListPath> = Body<Path, "get"> extends Page<infer Item> ? Item : never;

/** Yield every item of a list. The next page is requested when the items of the last one are used up. */
export async function* items<Path extends ListPath>(
  client: Client,
  path: Path,
  ...call: CallArgument<Call<Path, "get">>
): AsyncGenerator<ItemOf<Path>, void, undefined> {
  for await (const page of pages(client, path, ...call)) yield* page.data;
}

/** Yield every page of a list, until there is no more. */
export async function* pages<Path extends ListPath>(
  client: Client,
  path: Path,
  ...call: CallArgument<Call<Path, "get">>
): AsyncGenerator<Page<ItemOf<Path>>, void, undefined> {
  const given: Request = call[0] ?? {};
  let query = given.params?.query ?? {};
  for (;;) {
    const page = await getPage<ItemOf<Path>>(client, path, { ...given, params: { ...given.params, query } });
    yield page;
    if (!page.has_more) return;
    query = { ...query, cursor: page.next_cursor };
  }
}

interface Request {
  params?: { query?: Record<string, unknown> };
}

/** Get one page. The types of the parameters were checked where the list was named. */
export async function getPage<Item>(client: Client, path: string, init: Request): Promise<Page<Item>> {
  const get = client.GET as unknown as (path: string, init: Request) => Promise<Answer<Page<Item>>>;
  return (await get(path, init)).data;
}
