/** Verifies the webhooks of the service (Standard Webhooks, https://www.standardwebhooks.com) and reads their events. */

import type { KnownEvent, WebhookEvent } from "./events.js";

export interface WebhookRequest {
  /** The body as it came. JSON that was parsed and written again has another signature. */
  body: string | Uint8Array | ArrayBuffer;
  /** The headers of the request, as `Headers` or as the object of Node's `IncomingMessage`. */
  headers: Headers | Readonly<Record<string, string | string[] | undefined>>;
}

export interface VerifyOptions {
  /** The secret of the endpoint (`whsec_…`), or all that may be in use while it is rotated. */
  secrets: string | readonly string[];
  /** Seconds that the time of the request may differ from that of this machine. Default 300. */
  tolerance?: number;
  /** Milliseconds since 1970. Default: the clock of this machine. */
  now?: () => number;
}

export type WebhookProblem =
  | "header_missing"
  | "timestamp_invalid"
  | "timestamp_out_of_range"
  | "signature_mismatch"
  | "body_invalid";

/** The request is not a valid webhook. Answer it with 400. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";

  constructor(
    readonly code: WebhookProblem,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Verify a webhook and return its event. Throws `WebhookVerificationError`.
 *
 * An event of a type that this version does not know is returned like any other. The same event can come more than once,
 * with the same `id`.
 */
export async function verifyWebhook(request: WebhookRequest, options: VerifyOptions): Promise<WebhookEvent> {
  const id = header(request.headers, "webhook-id");
  const timestamp = header(request.headers, "webhook-timestamp");
  const signatures = header(request.headers, "webhook-signature");
  checkTime(timestamp, options);
  const body = bytes(request.body);
  const signed = concatenated(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  if (!(await isSigned(signed, signatures, options.secrets))) {
    throw new WebhookVerificationError("signature_mismatch", "No signature fits a secret");
  }
  return parse(id, body);
}

/** Return whether an event is of a known type, so that TypeScript knows its data. */
export function isEvent<Type extends KnownEvent["type"]>(
  event: WebhookEvent,
  type: Type,
): event is Extract<KnownEvent, { type: Type }> {
  return event.type === type;
}

function header(headers: WebhookRequest["headers"], name: string): string {
  const found = headers instanceof Headers ? headers.get(name) : entry(headers, name);
  if (!found) throw new WebhookVerificationError("header_missing", `The header ${name} is missing`);
  return found;
}

function entry(headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string | undefined {
  const key = Object.keys(headers).find((key) => key.toLowerCase() === name);
  const value = key === undefined ? undefined : headers[key];
  return Array.isArray(value) ? value.join(" ") : value;
}

function checkTime(timestamp: string, { tolerance = 300, now = Date.now }: VerifyOptions): void {
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw new WebhookVerificationError("timestamp_invalid", "webhook-timestamp is not a number of seconds");
  }
  if (Math.abs(now() / 1000 - Number(timestamp)) > tolerance) {
    throw new WebhookVerificationError(
      "timestamp_out_of_range",
      `webhook-timestamp differs from the clock of this machine by more than ${tolerance} seconds`,
    );
  }
}

/** Return whether one of the signatures was made with one of the secrets. `crypto.subtle` compares in constant time. */
async function isSigned(signed: Bytes, signatures: string, secrets: string | readonly string[]): Promise<boolean> {
  const given = signatures.split(" ").flatMap((one) => (one.startsWith("v1,") ? decoded(one.slice(3)) : []));
  for (const secret of [secrets].flat()) {
    const key = await importKey(secret);
    for (const signature of given) {
      if (await crypto.subtle.verify("HMAC", key, signature, signed)) return true;
    }
  }
  return false;
}

async function importKey(secret: string): Promise<CryptoKey> {
  const [key] = decoded(secret.replace(/^whsec_/, ""));
  if (!key?.length) throw new TypeError("A webhook secret must be whsec_ and base64");
  return crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Return the bytes of base64 in a list, or an empty list if it is no base64. */
function decoded(base64: string): Bytes[] {
  try {
    return [Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))];
  } catch {
    return [];
  }
}

function bytes(body: WebhookRequest["body"]): Bytes {
  if (typeof body === "string") return new TextEncoder().encode(body);
  return body instanceof ArrayBuffer ? new Uint8Array(body) : Uint8Array.from(body);
}

function concatenated(first: Bytes, second: Bytes): Bytes {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function parse(id: string, body: Bytes): WebhookEvent {
  let document: Partial<WebhookEvent> | null;
  try {
    document = JSON.parse(new TextDecoder().decode(body)) as Partial<WebhookEvent> | null;
  } catch {
    document = null;
  }
  if (typeof document?.type !== "string" || typeof document.data !== "object" || document.data === null) {
    throw new WebhookVerificationError("body_invalid", "The body is not an event");
  }
  return { ...document, id } as WebhookEvent;
}
