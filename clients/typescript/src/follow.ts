/** The change feed and the events, followed until the caller stops. */

import type { Call, Client } from "./client.js";
import { ApiError, ConnectionError } from "./errors.js";
import { getPage, type ItemOf } from "./paging.js";
import { sleep } from "./retries.js";

export type FeedPath = "/v1/accounts/{account_id}/changes" | "/v1/events";

/** A page of a feed. Store `next_cursor` in the transaction that stores what you make of `data`. */
export interface FeedPage<Item> {
  data: Item[];
  next_cursor: string;
  has_more: boolean;
}

export interface FollowOptions {
  /** Milliseconds to wait when the service is unavailable and the client has used up its attempts. Default 5,000. */
  pause?: number;
}

/**
 * Yield the pages of a feed after `query.cursor`, and then each new one as it comes, until `signal` is aborted.
 *
 * An unavailable service is asked again. Other errors are thrown: with the code `cursor_expired`, begin without a cursor.
 */
export async function* follow<Path extends FeedPath>(
  client: Client,
  path: Path,
  call: Call<Path, "get"> & { signal: AbortSignal },
  { pause = 5_000 }: FollowOptions = {},
): AsyncGenerator<FeedPage<ItemOf<Path>>, void, undefined> {
  const { params, signal } = call as { params?: { query?: Record<string, unknown> }; signal: AbortSignal };
  let query: Record<string, unknown> = { wait: 30, ...params?.query };
  while (!signal.aborted) {
    const page = await nextPage(client, path, { ...call, params: { ...params, query } }, pause).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (page && (page.data.length > 0 || page.next_cursor !== query.cursor)) {
      yield page as FeedPage<ItemOf<Path>>;
      query = { ...query, cursor: page.next_cursor };
    }
  }
}

/** Return the next page, or nothing if the service was unavailable. */
async function nextPage(
  client: Client,
  path: FeedPath,
  call: { params: { query: Record<string, unknown> }; signal?: AbortSignal | null },
  pause: number,
) {
  try {
    return await getPage(client, path, call);
  } catch (error) {
    if (!isTemporary(error)) throw error;
    await sleep(Math.max(pause, error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0), call.signal!);
    return undefined;
  }
}

function isTemporary(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ApiError && (error.status >= 500 || error.status === 429));
}
