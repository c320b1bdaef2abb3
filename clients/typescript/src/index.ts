/** The client of levitate-clio. The README shows how to use it. */

export { createClient, newIdempotencyKey, type Answer, type Client, type ClientOptions, type Role } from "./client.js";
export { ApiError, ConnectionError, type FieldProblem, type Problem } from "./errors.js";
export type * from "./events.js";
export { follow, type FeedPath, type FollowOptions } from "./follow.js";
export { items, pages, type ItemOf, type ListPath, type Page } from "./paging.js";
export type { RetryOptions, Surroundings } from "./retries.js";
export type { components, operations, paths } from "./schema.js";
export {
  isEvent,
  verifyWebhook,
  WebhookVerificationError,
  type VerifyOptions,
  type WebhookProblem,
  type WebhookRequest,
} from "./webhooks.js";
