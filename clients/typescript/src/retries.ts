/** Repeats a request while that is safe and can help. */

import { ConnectionError } from "./errors.js";

export interface RetryOptions {
  /** How often a request is sent at most. Default 5; 1 switches retries off. */
  attempts?: number;
  /** Milliseconds for a call with all its attempts and pauses. Default 60,000. */
  deadline?: number;
}

/** What the world does; a test replaces it. */
export interface Surroundings {
  fetch: (request: Request) => Promise<Response>;
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** From 0 to 1. */
  random: () => number;
}

export const REAL: Surroundings = {
  fetch: (request) => globalThis.fetch(request),
  sleep,
  now: Date.now,
  random: Math.random,
};

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 20_000;
const UNAVAILABLE = new Set([408, 500, 502, 503, 504]);

/** Send a request until an answer is final. Returns the last answer, whatever it is; throws if there is none. */
export async function fetchWithRetries(
  request: Request,
  { attempts = 5, deadline = 60_000 }: RetryOptions,
  world: Surroundings,
): Promise<Response> {
  const end = world.now() + deadline;
  const timeout = AbortSignal.timeout(deadline);
  const signal = AbortSignal.any([request.signal, timeout]);
  for (let attempt = 1; ; attempt++) {
    const outcome = await send(request, signal, world).catch((error: unknown) => {
      request.signal.throwIfAborted();
      return new ConnectionError(
        timeout.aborted ? `There was no answer within ${deadline} ms` : "The service cannot be reached",
        { cause: error },
      );
    });
    const pause = attempt < attempts ? pauseBefore(request, outcome, attempt, world) : null;
    if (pause === null || world.now() + pause >= end) {
      if (outcome instanceof Error) throw outcome;
      return outcome;
    }
    if (outcome instanceof Response) await outcome.body?.cancel();
    await world.sleep(pause, request.signal);
  }
}

function send(request: Request, signal: AbortSignal, world: Surroundings): Promise<Response> {
  return world.fetch(new Request(request.clone(), { signal }));
}

/** Return how many milliseconds to wait before the next attempt, or null if there must be none. */
function pauseBefore(
  request: Request,
  outcome: Response | ConnectionError,
  attempt: number,
  world: Surroundings,
): number | null {
  const refused = outcome instanceof Response && outcome.status === 429; // before anything was done
  if (!refused && !isRepeatable(request)) return null;
  if (outcome instanceof Response && !refused && !canChange(request, outcome.status)) return null;
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1));
  const asked = outcome instanceof Response ? retryAfter(outcome.headers, world.now()) : null;
  // A part of the pause is random, so that many clients do not come back at the same time.
  return asked === null ? longest * (0.5 + world.random() / 2) : asked * 1000 + world.random() * FIRST_PAUSE;
}

/** Return whether a second request does no more than one, if the first was carried out without an answer. */
function isRepeatable(request: Request): boolean {
  if (["GET", "HEAD"].includes(request.method)) return true;
  if (request.headers.has("Idempotency-Key")) return true;
  // With If-Match the second one would be refused because the first one has changed the version.
  return ["PUT", "DELETE"].includes(request.method) && !request.headers.has("If-Match");
}

function canChange(request: Request, status: number): boolean {
  // 409 is final, except while the same request is at work. Its repetition gets the stored answer, or 409 again.
  return UNAVAILABLE.has(status) || (status === 409 && request.headers.has("Idempotency-Key"));
}

/** Return the seconds of `Retry-After`, which is a number or a date, or null. */
export function retryAfter(headers: Headers, now: number): number | null {
  const given = headers.get("Retry-After")?.trim();
  if (!given) return null;
  if (/^\d+$/.test(given)) return Number(given);
  const at = /^[a-z]/i.test(given) ? Date.parse(given) : NaN; // a date of HTTP begins with the weekday
  return Number.isNaN(at) ? null : Math.max(0, (at - now) / 1000);
}

/** Wait; throw the reason of the signal as soon as it is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", stop);
    function done(): void {
      signal.removeEventListener("abort", stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal.reason);
    }
  });
}
