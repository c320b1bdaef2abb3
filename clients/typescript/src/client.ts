/** The calls: typed by the OpenAPI document, with token and acting user, errors thrown and requests repeated. */

import createFetchClient, { type FetchOptions, type Middleware } from "openapi-fetch";
import type { FilterKeys, HttpMethod, MediaType, PathsWithMethod, RequiredKeysOf, SuccessResponse } from "openapi-typescript-helpers";
import { ApiError, readProblem } from "./errors.js";
import { fetchWithRetries, REAL, retryAfter, type RetryOptions, type Surroundings } from "./retries.js";
import type { components, paths } from "./schema.js";

export type Role = components["schemas"]["Role"];

export interface ClientOptions {
  /** The address of the service, without `/v1`. */
  baseUrl: string;
  /** A service token. */
  token: string;
  /** Levitate's id of the user for whom the calls are made. */
  user?: string;
  /** The role of this user. The service takes `user` if it is left out. */
  role?: Role;
  retries?: RetryOptions;
  /** The network, the clock and chance; tests replace them. */
  surroundings?: Partial<Surroundings>;
}

/** A successful answer. `response` has the headers, such as `ETag`. */
export interface Answer<Data> {
  data: Data;
  response: Response;
}

/** What a call takes: `params` with `path`, `query` and `header`, `body`, and options of `fetch` such as `signal`. */
export type Call<Path extends PathsWithMethod<paths, M>, M extends HttpMethod> = FetchOptions<FilterKeys<paths[Path], M>>;

/** The call as the last argument, which may be left out if nothing in it is required. */
export type CallArgument<Init> = RequiredKeysOf<Init> extends never ? [call?: Init] : [call: Init];

/** The body of a successful answer; undefined if it has none. */
export type Body<Path extends PathsWithMethod<paths, M>, M extends HttpMethod> = [Content<Path, M>] extends [never]
  ? undefined
  : Content<Path, M>;

type Content<Path extends PathsWithMethod<paths, M>, M extends HttpMethod> = paths[Path][M] extends {
  responses: infer Responses extends Record<number | string, any>;
}
  ? SuccessResponse<Responses, MediaType>
  : never;

type Method<M extends HttpMethod> = <Path extends PathsWithMethod<paths, M>>(
  path: Path,
  ...call: CallArgument<Call<Path, M>>
) => Promise<Answer<Body<Path, M>>>;

/** One method for each HTTP method. They throw `ApiError` for an error and `ConnectionError` without an answer. */
export interface Client {
  GET: Method<"get">;
  PUT: Method<"put">;
  POST: Method<"post">;
  PATCH: Method<"patch">;
  DELETE: Method<"delete">;
  /** Return the same client for another acting user. */
  actingAs(user: string, role?: Role): Client;
}

/** These take a JSON merge patch: what is left out stays as it is. */
export const MERGE_PATCHED: readonly string[] = [
  "/v1/accounts/{account_id}",
  "/v1/accounts/{account_id}/settings",
] satisfies PathsWithMethod<paths, "patch">[];

/** Return a client for a service. It opens no connection yet. */
export function createClient(options: ClientOptions): Client {
  const world = { ...REAL, ...options.surroundings };
  const client = createFetchClient<paths>({
    baseUrl: options.baseUrl,
    fetch: (request) => fetchWithRetries(request, options.retries ?? {}, world),
    redirect: "error", // no call redirects, and the token must not go elsewhere
  });
  client.use(headersOf(options), errorsThrown(world));
  return {
    ...(client as unknown as Omit<Client, "actingAs">), // errors are thrown, so that there is always data
    actingAs: (user, role) => {
      const { role: _, ...rest } = options; // the role belongs to the other user
      return createClient({ ...rest, user, ...(role ? { role } : {}) });
    },
  };
}

function headersOf({ token, user, role }: ClientOptions): Middleware {
  return {
    onRequest({ request, schemaPath }) {
      request.headers.set("Authorization", `Bearer ${token}`);
      setDefault(request.headers, "Levitate-User", user === undefined ? undefined : encodeUser(user));
      setDefault(request.headers, "Levitate-Role", role);
      if (request.method === "PATCH" && MERGE_PATCHED.includes(schemaPath)) {
        request.headers.set("Content-Type", "application/merge-patch+json");
      }
    },
  };
}

function setDefault(headers: Headers, name: string, value: string | undefined): void {
  if (value !== undefined && !headers.has(name)) headers.set(name, value);
}

function errorsThrown(world: Surroundings): Middleware {
  return {
    async onResponse({ response }) {
      if (response.ok) return;
      const after = retryAfter(response.headers, world.now());
      throw new ApiError(response.status, await readProblem(response), response.headers, after);
    },
  };
}

/** Return the value of `Levitate-User` for an id: `%` and what a header cannot carry are percent-encoded. */
export function encodeUser(id: string): string {
  const encoded = id.replace(/[^ -$&-~]+/gu, encodeURIComponent);
  return encoded.replace(/^ +| +$/g, encodeURIComponent);
}

/** Return a new key for a request that must be carried out once. Store it with what you send, before you send it. */
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}
