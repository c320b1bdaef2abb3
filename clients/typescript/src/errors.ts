/** The errors that a call can throw. */

import type { components } from "./schema.js";

export type Problem = components["schemas"]["Problem"];
export type FieldProblem = components["schemas"]["FieldProblem"];

/**
 * The service answered with an error.
 *
 * Decide by `code`, and expect codes that you do not know. `detail` says what is wrong and what to do; show it to people.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status. */
  readonly status: number;
  /** A stable code, or `http_<status>` for an answer that is not from the service, such as that of a proxy. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** The parts of the request that are not valid, for `invalid_request`. */
  readonly errors: readonly FieldProblem[];
  /** The id of the request in the service's log. Give it to support. */
  readonly requestId: string | null;
  /** The seconds that the service asks to wait before the next try, or null. */
  readonly retryAfter: number | null;
  /** The whole problem document, with members that this version of the client does not know. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, problem: Partial<Problem>, headers: Headers, retryAfter: number | null) {
    const title = problem.title ?? `The server answered ${status}`;
    super(problem.detail ?? title);
    this.status = status;
    this.code = problem.code ?? `http_${status}`;
    this.title = title;
    this.detail = this.message;
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id ?? headers.get("X-Request-Id");
    this.retryAfter = retryAfter;
    this.problem = problem;
  }
}

/** The service gave no answer: it cannot be reached, or the time was over. `cause` is the last failure. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

/** Read the problem document of an answer. Never throws: a body that is none gives an empty one. */
export async function readProblem(response: Response): Promise<Partial<Problem>> {
  try {
    const body: unknown = JSON.parse(await response.text());
    return isProblem(body) ? body : {};
  } catch {
    return {};
  }
}

function isProblem(body: unknown): body is Partial<Problem> {
  return typeof body === "object" && body !== null && typeof (body as Problem).code === "string";
}
